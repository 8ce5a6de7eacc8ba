"""A linear program put together part by part, and HiGHS to solve it.

Source of the solver: Huangfu and Hall (2018), "Parallelizing the dual revised simplex method".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.portfolioopt.inner import Inner, NotSolved, interior_point


class Solved(NamedTuple):
    values: FloatArray  # [columns].
    prices: FloatArray  # [rows]: positive where the upper side holds the result back, negative where the lower does.


class LinearProgram:
    """min cost'x, low <= x <= high, row_low <= A x <= row_high."""

    def __init__(self) -> None:
        self._columns: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._rows: list[tuple[FloatArray, FloatArray]] = []
        self._cells: list[tuple[IntArray, IntArray, FloatArray]] = []
        self.width = self.height = 0

    def columns(
        self, count: int, cost: FloatArray | float, low: FloatArray | float, high: FloatArray | float
    ) -> IntArray:
        """Further variables; their numbers."""
        self._columns.append((_of(cost, count), _of(low, count), _of(high, count)))
        self.width += count
        return np.arange(self.width - count, self.width)

    def rows(self, low: FloatArray | float, high: FloatArray | float, count: int) -> IntArray:
        """Further limits, empty yet; their numbers."""
        self._rows.append((_of(low, count), _of(high, count)))
        self.height += count
        return np.arange(self.height - count, self.height)

    def fill(self, rows: IntArray, columns: IntArray, values: FloatArray) -> None:
        """A matrix [rows x columns], or a vector for a diagonal."""
        if values.ndim == 1:
            self._cells.append((rows, columns, values))
            return
        across, down = values.nonzero()
        self._cells.append((rows[across], columns[down], values[across, down]))

    def solve(self) -> Solved:
        """Error: NotSolved, when it has no solution, too."""
        import highspy

        cost, low, high = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        row_low, row_high = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        start, index, value = self._by_column()
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.silent()
        solver.setOptionValue("primal_feasibility_tolerance", 1e-10)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-10)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("presolve", "off")
        solver.setOptionValue("simplex_scale_strategy", 0)
        by_column, smallest, offset = 1, 1, 0.0
        continuous = np.zeros(self.width, np.int32)
        sizes = self.width, self.height, value.size, by_column, smallest, offset
        solver.passModel(*sizes, cost, low, high, row_low, row_high, start, index, value, continuous)
        solver.run()
        status = solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise NotSolved(f"the linear program ended as {solver.modelStatusToString(status)}")
        found = solver.getSolution()
        return Solved(np.array(found.col_value), -np.array(found.row_dual))

    def solve_with(self, quadratic: FloatArray) -> Solved:
        """The same plus 1/2 x'Qx of the first columns. Error: NotSolved."""
        cost, low, high = (np.concatenate(part) for part in zip(*self._columns, strict=True))
        row_low, row_high = (np.concatenate(part) for part in zip(*self._rows, strict=True))
        matrix, rows = np.zeros((self.width, self.width)), np.zeros((self.height, self.width))
        matrix[: quadratic.shape[0], : quadratic.shape[0]] = quadratic
        for row, column, value in self._cells:
            rows[row, column] = value
        bound = np.isfinite(row_low) | np.isfinite(row_high)
        inner = Inner(matrix, cost, low, high, rows[bound], row_low[bound], row_high[bound])
        values, some = interior_point(inner, unit=float(np.abs(cost).max()))
        prices = np.zeros(self.height)
        prices[bound] = some
        return Solved(values, prices)

    def _by_column(self) -> tuple[NDArray[np.int32], NDArray[np.int32], FloatArray]:
        row, column, value = (np.concatenate(part) for part in zip(*self._cells, strict=True))
        order = np.lexsort((row, column))
        counts = np.bincount(column, minlength=self.width)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return start, row[order].astype(np.int32), value[order]


def _of(value: FloatArray | float, count: int) -> FloatArray:
    result: FloatArray = np.broadcast_to(np.asarray(value, dtype=np.float64), (count,))
    return result
