"""Quadratic forms w'Qw that need not be written out: a covariance of many symbols costs more to form than to use.

A form of rows is scale * (R - m)'(R - m) + diag(d). The products of a sparse w touch only its own columns; the
centring is done by what it changes, so the returns are never copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ordinis.domain.market import FloatArray, IntArray
from ordinis.engines.portfolioopt import kernels
from ordinis.engines.portfolioopt.accelerator import Table
from ordinis.engines.portfolioopt.moments import variance_of

_SPARSE = 0.5  # From this share of weights on, picking columns costs more than it saves,
_SPARSE_MIN = 64  # and with fewer symbols always.


class Part(Protocol):
    """The columns of some symbols, for weights that nobody else has."""

    @property
    def block(self) -> FloatArray:
        """Q of these columns, [columns x columns]."""
        ...

    def product(self, weights: FloatArray) -> FloatArray:
        """Q w, [symbols], of their weights [columns]."""
        ...


class Form(Protocol):
    """A positive semidefinite matrix of some symbols."""

    @property
    def size(self) -> int: ...

    @property
    def diagonal(self) -> FloatArray:
        """[symbols]."""
        ...

    def product(self, weights: FloatArray) -> FloatArray:
        """Q w, [symbols]."""
        ...

    def square(self, weights: FloatArray) -> float:
        """The variance of these weights, w'Qw."""
        ...

    def block(self, columns: IntArray | None) -> FloatArray:
        """Q of these columns, all where None, [columns x columns]."""
        ...

    def part(self, columns: IntArray) -> Part: ...


class _Picked(NamedTuple):
    """A part of any form."""

    form: Form
    columns: IntArray

    @property
    def block(self) -> FloatArray:
        return self.form.block(self.columns)

    def product(self, weights: FloatArray) -> FloatArray:
        full = np.zeros(self.form.size)
        full[self.columns] = weights
        return self.form.product(full)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A matrix as it is."""

    matrix: FloatArray

    @property
    def size(self) -> int:
        return len(self.matrix)

    @property
    def diagonal(self) -> FloatArray:
        return self.matrix.diagonal()

    def product(self, weights: FloatArray) -> FloatArray:
        result: FloatArray = self.matrix @ weights
        return result

    def square(self, weights: FloatArray) -> float:
        return float(weights @ self.matrix @ weights)

    def block(self, columns: IntArray | None) -> FloatArray:
        return self.matrix if columns is None else self.matrix[columns[:, None], columns]

    def part(self, columns: IntArray) -> Part:
        return _Picked(self, columns)


class Rows(NamedTuple):
    """scale * (R - m)'(R - m) + diag(extra); `rows` is [rows x symbols], `centre` their column means."""

    rows: FloatArray
    centre: FloatArray | None
    scale: float
    variance: FloatArray | None = None  # [symbols], the diagonal, `extra` included; None: worked out when asked for.
    extra: FloatArray | None = None
    table: Table | None = None  # The same rows on a device, where that is faster.

    @property
    def size(self) -> int:
        return int(self.rows.shape[1])

    @property
    def diagonal(self) -> FloatArray:
        if self.variance is not None:
            return self.variance
        rows, centre = self.rows, np.zeros(self.size) if self.centre is None else self.centre
        result: FloatArray = variance_of(rows, centre) * (self.scale * (rows.shape[0] - 1))
        return result if self.extra is None else result + self.extra

    @property
    def here(self) -> Rows:
        """The same on the processor."""
        return self if self.table is None else self._replace(table=None)

    def product(self, weights: FloatArray) -> FloatArray:
        along = self._along(weights)
        result: FloatArray = kernels.across(self.rows, along) if self.table is None else self.table.across(along)
        result *= self.scale
        if self.extra is not None:
            result += self.extra * weights
        return result

    def square(self, weights: FloatArray) -> float:
        along = self._along(weights)
        own = 0.0 if self.extra is None else float(self.extra @ (weights * weights))
        return self.scale * float(along @ along) + own

    def _along(self, weights: FloatArray) -> FloatArray:
        """(R - m) w, [rows]."""
        along = self._along_here(weights) if self.table is None else self.table.along(weights)
        if self.centre is not None:
            along -= self.centre.dot(weights)  # It sums to 0 then, so R in place of R - m does for the other factor.
        return along

    def _along_here(self, weights: FloatArray) -> FloatArray:
        if weights.size > _SPARSE_MIN:
            held = weights.nonzero()[0]
            if held.size < _SPARSE * weights.size:
                return np.asarray(kernels.along(self._picked(held), weights[held]))
        return np.asarray(kernels.along(self.rows, weights))

    def _picked(self, columns: IntArray) -> FloatArray:
        """A copy of these columns. Tables of pandas have them one after another, and keep that order."""
        return self.rows.T.take(columns, axis=0).T

    def block(self, columns: IntArray | None) -> FloatArray:
        if columns is not None:
            return self.part(columns).block
        table = self.table
        result: FloatArray = kernels.gram(self.rows, self.centre) if table is None else table.gram(self.centre)
        result *= self.scale
        if self.extra is not None:
            result.flat[:: result.shape[0] + 1] += self.extra
        return result

    def part(self, columns: IntArray) -> Part:
        rows = self._picked(columns)
        if self.centre is not None:
            rows -= self.centre[columns]
        block: FloatArray = kernels.gram(rows, None)
        block *= self.scale
        if self.extra is not None:
            block.flat[:: block.shape[0] + 1] += self.extra[columns]
        return _PickedRows(self, columns, rows, block)


class _PickedRows(NamedTuple):
    """A part of a form of rows: its columns are at hand already, centred."""

    form: Rows
    columns: IntArray
    rows: FloatArray  # [rows x columns].
    block: FloatArray

    def product(self, weights: FloatArray) -> FloatArray:
        form = self.form
        along = kernels.along(self.rows, weights)
        result: FloatArray = kernels.across(form.rows, along) if form.table is None else form.table.across(along)
        result *= form.scale
        if form.extra is not None:
            result[self.columns] += form.extra[self.columns] * weights
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Forms times factors, plus a diagonal."""

    parts: tuple[tuple[float, Form], ...]
    extra: FloatArray

    @property
    def size(self) -> int:
        return int(self.extra.size)

    @property
    def diagonal(self) -> FloatArray:
        result = self.extra.copy()
        for factor, form in self.parts:
            result += factor * form.diagonal
        return result

    def product(self, weights: FloatArray) -> FloatArray:
        result = self.extra * weights
        for factor, form in self.parts:
            result += factor * form.product(weights)
        return result

    def square(self, weights: FloatArray) -> float:
        total = float(self.extra @ (weights * weights))
        for factor, form in self.parts:
            total += factor * form.square(weights)
        return total

    def block(self, columns: IntArray | None) -> FloatArray:
        result: FloatArray = np.diag(self.extra if columns is None else self.extra[columns])
        for factor, form in self.parts:
            result += factor * form.block(columns)
        return result

    def part(self, columns: IntArray) -> Part:
        return _Picked(self, columns)
