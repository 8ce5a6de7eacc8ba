"""A device that multiplies faster than the processor, for tables that are large enough by measurement.

It says who is promising; the small exact problems and the certificate stay on the processor, so weights agree whoever
multiplied. What a device cannot do any more the processor does, and the result says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt import kernels

PRODUCT, GRAM = "product", "gram"  # What is measured: R w and R'y of a table that stays there; R'R.
KERNELS = (PRODUCT, GRAM)
NUMPY = "numpy"


class Device(NamedTuple):
    """A library of arrays and the way to it and back. Both ways in double precision."""

    name: str  # With its version: what was measured of another one does not count.
    namespace: Any
    put: Callable[[FloatArray], Any]
    take: Callable[[Any], FloatArray]


class Accelerator(NamedTuple):
    """A device, and by kernel from how many cells (rows x symbols) on it is faster; without a figure it never is."""

    device: Device
    cells_min: Mapping[str, float]

    def table(self, rows: FloatArray) -> Table | None:
        """The rows on the device; None where the processor is faster at all that would be asked of it."""
        worth = frozenset(kernel for kernel in KERNELS if rows.size >= self.cells_min.get(kernel, np.inf))
        return Table(rows, self.device, worth) if worth else None


class Table:
    """One table of rows on a device. Where that fails the processor goes on, and `failed` says why."""

    def __init__(self, rows: FloatArray, device: Device, worth: frozenset[str]) -> None:
        self._rows, self._device, self._worth = rows, device, worth
        self._there: Any = None
        self.failed = ""

    @property
    def backend(self) -> str:
        """Who multiplied, and why not the device where it failed."""
        return f"{NUMPY}: {self._device.name} failed: {self.failed}" if self.failed else self._device.name

    def along(self, weights: FloatArray) -> FloatArray:
        """R w, [rows]."""
        return self._done(PRODUCT, kernels.along, weights)

    def across(self, amounts: FloatArray) -> FloatArray:
        """R'y, [symbols]."""
        return self._done(PRODUCT, kernels.across, amounts)

    def gram(self, centre: FloatArray | None) -> FloatArray:
        """(R - m)'(R - m), [symbols x symbols]."""
        return self._done(GRAM, kernels.gram, centre)

    def gram_square(self, mean: FloatArray, deviation: FloatArray) -> float:
        """The sum of all squares of X'X, X being the rows less their mean in units of their deviation."""

        def compute(rows: Any, centre: Any, unit: Any) -> Any:
            xp = np if rows is self._rows else self._device.namespace
            return kernels.gram_square(xp, kernels.standard(rows, centre, unit))

        return float(self._done(GRAM, compute, mean, deviation))

    def _done(self, kernel: str, compute: Callable[..., Any], *given: FloatArray | None) -> FloatArray:
        if kernel in self._worth and not self.failed:
            try:
                put = self._device.put
                if self._there is None:
                    self._there = put(self._rows)
                found = compute(self._there, *(None if one is None else put(one) for one in given))
                return np.asarray(self._device.take(found), dtype=np.float64)
            except Exception as error:  # A library of its own may raise anything: out of memory, a lost driver.
                self.failed = f"{type(error).__name__}: {str(error).strip()[:200]}"
                self._there = None
        result: FloatArray = compute(self._rows, *given)
        return result
