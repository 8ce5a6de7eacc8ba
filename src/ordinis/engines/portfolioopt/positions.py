"""At most so many positions, none of them a crumb: branch and bound over who is held.

Each node says of some symbols that they are held (and then at least the least position) or not; the others may be
anything, but together they may not use more than the places left. Such a node's optimum is a bound for all below it.
What is found is the best known with its proven distance to the best possible: `gap`.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt import methods
from ordinis.engines.portfolioopt.certificate import excess
from ordinis.engines.portfolioopt.inner import Infeasible, NotSolved, TooLate
from ordinis.engines.portfolioopt.limits import Limits
from ordinis.engines.portfolioopt.program import INFINITE
from ordinis.engines.portfolioopt.proof import Proven
from ordinis.engines.portfolioopt.subset import only
from ordinis.engines.portfolioopt.task import Task

NODES_MAX = 120
_BALANCED = ("risk_parity", "hrp", "equal_weight", "inverse_volatility")
_HELD = 1e-9  # Less is nothing.
_GOOD = 1e-8


class _Node(NamedTuple):
    bound: float
    number: int  # Ties are settled by age.
    held: BoolArray
    out: BoolArray
    weights: FloatArray


def solve(method: str, task: Task) -> Proven:
    """The method's weights, with at most so many positions. Error: OptimizationError."""
    limits = task.limits
    free = methods.solve(method, task)
    if limits.positions_max is None and limits.position_min == 0.0:
        return free
    if keeps(limits, free.weights):
        return free._replace(weights=_without_crumbs(limits, free.weights))
    if method in _BALANCED:
        return _largest(method, task, free)
    return _Tree(method, task, free).run()


def keeps(limits: Limits, weights: FloatArray) -> bool:
    size = np.abs(weights)
    held = size > _HELD
    count = limits.positions_max if limits.positions_max is not None else weights.size
    fixed = limits.fixed if limits.fixed is not None else np.zeros(weights.size, np.bool_)
    return int(held.sum()) <= count and bool((size[held & ~fixed] >= limits.position_min - _HELD).all())


def _without_crumbs(limits: Limits, weights: FloatArray) -> FloatArray:
    clean = np.where(np.abs(weights) > _HELD, weights, 0.0)
    return clean if excess(limits.program, clean) <= excess(limits.program, weights) else weights


def _largest(method: str, task: Task, free: Proven) -> Proven:
    """A balance of all that is held: those who would have most are held, and balanced anew.

    With fewer of them each has more: as many are held as reach the least position.
    """
    program = task.limits.program
    stays = (program.low > 0.0) | (program.high < 0.0)
    count = free.weights.size if task.limits.positions_max is None else task.limits.positions_max
    order = np.argsort(-np.where(stays, INFINITE, free.weights), kind="stable")
    for few in range(min(count, order.size), max(0, int(stays.sum()) - 1), -1):
        chosen = np.zeros(order.size, np.bool_)
        chosen[order[:few]] = True
        try:
            inner = methods.solve(method, only(task, chosen))
        except Infeasible:
            break
        weights = np.zeros(order.size)
        weights[chosen] = inner.weights
        if keeps(task.limits, weights):
            return inner._replace(weights=weights, rung=f"{inner.rung}, largest positions")
    raise _too_few(count, task.limits.position_min)


def _too_few(count: int, least: float) -> OptimizationError:
    return OptimizationError(
        f"no weights with at most {count} positions of at least {least:.6g} were found within the other constraints"
    )


class _Tree:
    def __init__(self, method: str, task: Task, free: Proven) -> None:
        self._method, self._task, self._free = method, task, free
        self._program = task.limits.program
        self._least = task.limits.position_min
        count = task.limits.positions_max
        self._count = free.weights.size if count is None else count
        self._best: Proven | None = None
        self._unknown = INFINITE  # The least bound of what could not be looked at.
        self._number = 0

    def run(self) -> Proven:
        fixed = self._task.limits.fixed
        held = np.zeros(self._program.size, np.bool_) if fixed is None else fixed & (self._program.low != 0.0)
        held |= self._program.low > 0.0
        out = np.zeros(self._program.size, np.bool_)
        self._round(held, out, self._free.weights)
        pending = [_Node(self._free.value, 0, held, out, self._free.weights)]
        bound = self._free.value
        for _ in range(NODES_MAX):
            if not pending:
                break
            node = heapq.heappop(pending)
            bound = node.bound
            if self._best is not None and self._settled(bound):
                break
            for child in self._children(node):
                heapq.heappush(pending, child)
        return self._finished(pending, bound)

    def _finished(self, pending: list[_Node], bound: float) -> Proven:
        if self._best is None:
            raise _too_few(self._count, self._least)
        least = self._best.value if not pending and not self._settled(bound) else min(bound, self._best.value)
        least = min(least, self._unknown)
        apart = (self._best.value - least) / max(abs(self._best.value), 1e-300)
        rung = f"{self._best.rung}, branch and bound"
        return self._best._replace(gap=max(apart, self._best.gap, self._free.gap), rung=rung)

    def _settled(self, bound: float) -> bool:
        return self._best is not None and self._best.value - bound <= _GOOD * abs(self._best.value)

    def _children(self, node: _Node) -> list[_Node]:
        """The largest weight that nothing was said of: held, or not."""
        size = np.where(node.held | node.out, -1.0, np.abs(node.weights))
        one = int(size.argmax())
        if size[one] <= _HELD:
            return []
        children = []
        for holds in (True, False):
            held, out = node.held.copy(), node.out.copy()
            (held if holds else out)[one] = True
            try:
                child = self._looked_at(node, held, out)
            except NotSolved:  # Nothing is known of it: something as good as its parent may be there.
                self._unknown = min(self._unknown, node.bound)
                continue
            if child is not None:
                children.append(child)
        return children

    def _looked_at(self, node: _Node, held: BoolArray, out: BoolArray) -> _Node | None:
        if int(held.sum()) > self._count:
            return None
        if int(held.sum()) == self._count:
            out = ~held
        found = self._solved(held, out, node.weights, places=True)
        if found is None or (self._best is not None and found.value >= self._best.value):
            return None
        if keeps(self._task.limits, found.weights):
            self._best = found
            return None
        self._round(held, out, found.weights)
        self._number += 1
        return _Node(max(found.value, node.bound), self._number, held, out, found.weights)

    def _round(self, held: BoolArray, out: BoolArray, weights: FloatArray) -> None:
        """The largest are held and nobody else: a book that keeps the limits, often the best one."""
        size = np.where(held, INFINITE, np.where(out, -1.0, np.abs(weights)))
        for count in {self._count, int((np.abs(weights) >= max(self._least, _HELD)).sum())}:
            chosen = np.zeros(size.size, np.bool_)
            chosen[np.argsort(-size, kind="stable")[: min(count, self._count)]] = True
            chosen &= size > _HELD
            try:
                found = self._solved(chosen, ~chosen, weights, places=False)
            except NotSolved:
                continue
            if found is not None and (self._best is None or found.value < self._best.value):
                self._best = found

    def _solved(self, held: BoolArray, out: BoolArray, weights: FloatArray, *, places: bool) -> Proven | None:
        program = self._program
        short = held & (weights < 0.0)
        low = np.where(out, 0.0, np.where(held & ~short, np.maximum(program.low, self._least), program.low))
        high = np.where(out, 0.0, np.where(short, np.minimum(program.high, -self._least), program.high))
        if (low > high).any() or (out & (program.low > 0.0)).any():
            return None
        inner = program.bound(low, high)
        open_places = self._count - int(held.sum())
        undecided = ~(held | out) & (high > 0.0)
        if places and open_places < int(undecided.sum()) and bool((program.low >= 0.0).all()):
            share = np.where(undecided, 1.0 / np.where(high > 0.0, high, 1.0), 0.0)
            inner = inner.with_row("max_positions", share, -INFINITE, float(open_places))
        try:
            return methods.solve(self._method, replace(self._task, limits=replace(self._task.limits, program=inner)))
        except (NotSolved, TooLate) as error:
            if isinstance(error, Infeasible):
                return None
            raise
        except OptimizationError:
            return None
