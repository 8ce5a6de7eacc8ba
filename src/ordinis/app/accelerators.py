"""Which device multiplies the optimiser's large tables on this machine: what was measured, and where it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ordinis.config import folders
from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError
from ordinis.runtime import clock

if TYPE_CHECKING:
    from ordinis.engines.portfolioopt.accelerator import Accelerator
    from ordinis.engines.portfolioopt.backends import Measured

_MEASURE = "ordinis doctor --measure-backends"


def accelerator(settings: Settings) -> tuple[Accelerator | None, str]:
    """The device by its measured figures, or None and why there is none. Error: ConfigError for a spoilt file."""
    from ordinis.engines.portfolioopt.backends import find_device

    device, why = find_device()
    if device is None:
        return None, why
    measured = _kept(_file(settings))
    found = None if measured is None else measured.accelerator(device)
    return found, "" if found else f"{device.name} was not measured with this NumPy on this machine: {_MEASURE} does"


def backend_lines(settings: Settings) -> tuple[str, ...]:
    """What does the optimiser's work on this machine, and why."""
    from ordinis.engines.portfolioopt.backends import backend_report

    return backend_report(*accelerator(settings))


def measure_backends(settings: Settings) -> tuple[str, ...]:
    """Measure the device beside the processor, keep the figures, and say them. Error: OptimizationError."""
    from ordinis.engines.portfolioopt.backends import find_device, measure

    device, why = find_device()
    if device is None:
        return (f"there is no device to measure: {why}",)
    measured = measure(device, lambda: 1e3 * clock.seconds())
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(measured))
    return tuple(
        f"{one.kernel}, {one.cells:,} cells: NumPy {one.numpy_ms:.3f} ms, {device.name} {one.device_ms:.3f} ms"
        for one in measured.timings
    )


def _kept(path: Path) -> Measured | None:
    if not path.is_file():
        return None
    from ordinis.engines.portfolioopt.backends import Measured

    try:
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{path} cannot be read ({error}): {_MEASURE} writes it anew") from None


def _file(settings: Settings) -> Path:
    return folders.state_dir(settings) / "backends.json"
