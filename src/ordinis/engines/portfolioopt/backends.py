"""What does the optimiser's work on this machine, and why; and which device is faster from how many cells on."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.accelerator import GRAM, KERNELS, Accelerator, Device, Table

SHAPES = ((500, 500), (500, 2_000), (10_000, 400), (100_000, 400))  # Rows x symbols, by cells: what is measured.
_SOLVERS = (("DAQP", "daqp"), ("PIQP", "piqp"), ("HiGHS", "highspy"), ("NumPy", "numpy"))
_TRIES = 3  # The best of them counts: the others say how busy the machine was.
_ROUNDS = 8  # Products with one table: about what a working set asks for.


class Timing(NamedTuple):
    """One kernel on one table, the way there and back included."""

    kernel: str
    cells: int
    numpy_ms: float
    device_ms: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One device's figures, as they are kept from one start to the next."""

    device: str  # Name and version: another one has to be measured anew.
    numpy: str  # The version it was measured beside.
    timings: tuple[Timing, ...]

    def accelerator(self, device: Device) -> Accelerator | None:
        """None where these figures are of another device or another NumPy."""
        same = (self.device, self.numpy) == (device.name, version("numpy"))
        return accelerator_of(device, self.timings) if same else None


def find_device() -> tuple[Device | None, str]:
    """The first device that answers, or why there is none."""
    missing = []
    for package, open_device in (("cupy", _cupy), ("torch", _torch)):
        if importlib.util.find_spec(package) is None:
            missing.append(f"{package} is not installed")
            continue
        try:
            return open_device(importlib.import_module(package)), ""
        except Exception as error:  # A driver that is missing or too old raises errors of its library's own.
            missing.append(f"{package} finds no device ({type(error).__name__}: {str(error).strip()[:120]})")
    return None, ", ".join(missing)


def _cupy(cupy: Any) -> Device:
    cupy.cuda.runtime.getDeviceCount()  # Raises without a driver.
    return Device(f"cupy {cupy.__version__}", cupy, cupy.asarray, cupy.asnumpy)


def _torch(torch: Any) -> Device:
    if not torch.cuda.is_available():
        raise RuntimeError("CUDA is not available")

    def put(array: FloatArray) -> Any:
        return torch.asarray(np.ascontiguousarray(array), device="cuda", copy=True)

    return Device(f"torch {torch.__version__}", torch, put, lambda there: there.cpu().numpy())


def measure(device: Device, clock_ms: Callable[[], float], shapes: Sequence[tuple[int, int]] = SHAPES) -> Measured:
    """Each kernel on tables of growing size, beside the processor. Error: OptimizationError where the device fails."""
    timings = tuple(_timing(device, kernel, _table(*shape), clock_ms) for shape in shapes for kernel in KERNELS)
    return Measured(device=device.name, numpy=version("numpy"), timings=timings)


def accelerator_of(device: Device, timings: Sequence[Timing]) -> Accelerator:
    """It is used from the size on from which it was the faster one at every larger size, too."""
    cells_min: dict[str, float] = {}
    for kernel in KERNELS:
        for timing in sorted((one for one in timings if one.kernel == kernel), key=lambda one: -one.cells):
            if not timing.device_ms < timing.numpy_ms:
                break
            cells_min[kernel] = timing.cells
    return Accelerator(device, cells_min)


def _table(rows: int, symbols: int) -> FloatArray:
    cells = np.arange(rows * symbols, dtype=np.float64)
    result: FloatArray = np.sin(cells, out=cells).reshape(rows, symbols)
    return result


def _timing(device: Device, kernel: str, rows: FloatArray, clock_ms: Callable[[], float]) -> Timing:
    there, here = (
        min(_spent_ms(Table(rows, device, worth), kernel, rows.shape[1], clock_ms) for _ in range(_TRIES))
        for worth in (frozenset((kernel,)), frozenset[str]())  # Of no worth: all is the processor's, by the same code.
    )
    return Timing(kernel, rows.size, here, there)


def _spent_ms(table: Table, kernel: str, symbols: int, clock_ms: Callable[[], float]) -> float:
    weights = np.full(symbols, 1.0 / symbols)
    began_ms = clock_ms()
    if kernel == GRAM:
        table.gram(None)
    else:
        for _ in range(_ROUNDS):
            table.across(table.along(weights))
    spent_ms = clock_ms() - began_ms
    if table.failed:
        raise OptimizationError(f"{table.backend}: it cannot be measured")
    return spent_ms


def backend_report(accelerator: Accelerator | None, why: str) -> tuple[str, ...]:
    """A line a part: the solvers with their versions, then who multiplies large tables, and `why` not a device."""
    solvers = tuple(f"{name} {version(package)}, on the CPU" for name, package in _SOLVERS)
    if accelerator is None or not accelerator.cells_min:
        reason = why or "it was measured, and slower at every size"
        name = f"{accelerator.device.name} is not used" if accelerator is not None else "none is used"
        return (*solvers, f"accelerator: {name}: {reason}; NumPy multiplies tables of every size")
    sizes = ", ".join(f"{kernel} from {cells:,.0f} cells" for kernel, cells in accelerator.cells_min.items())
    return (*solvers, f"accelerator: {accelerator.device.name}, where it was measured to be faster: {sizes}")
