"""What does the optimiser's work on this machine, and why."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version

_SOLVERS = (("DAQP", "daqp"), ("PIQP", "piqp"), ("HiGHS", "highspy"), ("NumPy", "numpy"))
_ACCELERATORS = (("CuPy", "cupy"), ("PyTorch", "torch"))


def backend_report() -> tuple[str, ...]:
    """A line a part: the solvers with their versions, then the accelerator and why it is, or is not, used."""
    solvers = tuple(f"{name} {version(package)}, on the CPU" for name, package in _SOLVERS)
    found = [name for name, module in _ACCELERATORS if importlib.util.find_spec(module) is not None]
    present = f"{', '.join(found)} is installed but not used" if found else "none is installed, none would be used"
    return (*solvers, f"accelerator: {present}: at a trader's sizes the exact methods are faster on the CPU")
