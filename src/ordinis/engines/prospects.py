"""What a minute's candidates mean for the whole book: the room its volatility leaves, how they move with it, and
their optimal weights.
"""

from __future__ import annotations

from math import inf

import numpy as np

from ordinis.domain.market import FloatArray
from ordinis.domain.orders import Purpose
from ordinis.engines.portfolio.book_risk import BookRisk
from ordinis.engines.portfolio.candidate import Pull
from ordinis.engines.portfolio.marginal_risk import BookPull, can_bind
from ordinis.engines.portfolio.optimal import NAMES_MAX
from ordinis.engines.portfolio.sizing_config import SizingMethod
from ordinis.engines.state import Draft, State

_ENTRY = Purpose.ENTRY


class Prospects:
    """Made once a minute, and only when somebody may enter."""

    def __init__(self, state: State, draft: Draft, best_first: list[int]) -> None:
        self._state = state
        self._beliefs = draft.minutes.beliefs
        self._volatility = draft.minutes.volatility
        self._weights = _weights(state, draft)
        self._held: list[int] = self._weights.nonzero()[0].tolist()
        directions = draft.minutes.signals.direction[draft.row]
        self._longs: list[int] = (self._weights > 0.0).nonzero()[0].tolist()
        self._candidates = best_first
        self._best_first = [column for column in best_first if directions[column] > 0]
        self._seats = self._seats_of(state)
        self._capped = state.tier.sizing.book_volatility_cap
        self._together = (
            float(np.abs(self._weights[self._held]) @ self._volatility[self._held]) if self._capped else 0.0
        )
        self._columns = np.array(sorted({*self._held, *best_first}), np.int64)
        self._index = {column: at for at, column in enumerate(self._columns.tolist())}
        self._risk: BookRisk | None = None
        self._average_correlation = _average_correlation(state, draft)
        self._scaled = can_bind(state.tier.sizing.marginal_risk_ratio_max, self._average_correlation)
        self._pulls: BookPull | None = None

    def room(self, column: int, direction: int) -> float | None:
        """The weight that the book's target volatility leaves for it; None where it is no limit, NaN if unknown."""
        if not self._capped:
            return None
        return inf if self._fits_whatever_moves(column) else self._measured().room(self._index[column], direction)

    def _fits_whatever_moves(self, column: int) -> bool:
        """The largest position allowed keeps the target though all should move as one: no covariance is needed.

        False as well where a volatility is not known.
        """
        sizing = self._state.tier.sizing
        largest = sizing.max_position_pct * self._volatility.item(column)
        return self._together + largest <= sizing.target_volatility

    def _measured(self) -> BookRisk:
        """The book's covariance, made when a candidate first needs it."""
        if self._risk is None:
            columns, target = self._columns, self._state.tier.sizing.target_volatility
            self._risk = BookRisk(self._weights[columns], self._beliefs.covariance(columns), target)
        return self._risk

    def pull(self, column: int, direction: int) -> Pull | None:
        """How it moves with what is held; None where nothing is, or where it could not make a size smaller."""
        if not self._scaled or not self._held:
            return None
        if self._pulls is None:
            columns = self._columns
            weights = self._weights[columns]
            exposure = np.where(weights != 0.0, weights * self._volatility[columns], 0.0)
            self._pulls = BookPull(exposure, self._beliefs.correlation(columns), self._average_correlation)
        return self._pulls.of(self._index[column], direction)

    def pull_of_the_rest(self, column: int, direction: int) -> Pull | None:
        """How a holding moves with all else that is held: its own part is taken out."""
        whole = self.pull(column, direction)
        if whole is None:
            return None
        own = abs(self._weights.item(column)) * self._volatility.item(column)
        return Pull(whole.own - own, whole.average - self._average_correlation * own)

    def optimal_weight(self, column: int, direction: int) -> float | None:
        """Its weight in the best book of longs held and the best candidates; None where no method asks, or knows.

        The optimiser's books are long only: it knows nothing of a short.
        """
        state = self._state
        if state.sizer.optimal is None or direction < 0:
            return None
        beside = self._best_first[: self._seats]
        if column not in beside and column not in self._longs:
            beside = [*beside[:-1], column]
        names = tuple(sorted({*self._longs, *beside}))
        return state.optimal.weights(state.sizer.optimal, state.tier.sizing, names, self._beliefs).get(column)

    def bought(self, column: int, weight: float) -> None:
        """An entry goes out, a short of negative weight; those after it find less room."""
        if not self._capped and not self._scaled:
            return
        self._weights[column] += weight
        self._held.append(column)
        exposure = weight * self._volatility.item(column)
        self._together += abs(exposure)
        if self._risk is not None:
            self._risk.add(self._index[column], weight)
        if self._pulls is not None:
            self._pulls.add(self._index[column], exposure)

    def _seats_of(self, state: State) -> int:
        """How many candidates share a book: risk is parted among slots, a mean-variance book chooses for itself."""
        if state.sizer.optimal is SizingMethod.MEAN_VARIANCE:
            return max(1, NAMES_MAX - len(self._longs))
        return max(1, state.tier.sizing.max_positions - state.book.positions)


def needed(state: State, draft: Draft) -> bool:
    """Whether any size may depend on the rest of the book."""
    sizing = state.tier.sizing
    if sizing.book_volatility_cap or state.sizer.optimal is not None:
        return True
    return can_bind(sizing.marginal_risk_ratio_max, _average_correlation(state, draft))


def _average_correlation(state: State, draft: Draft) -> float:
    """Of an average slot with the others, as VOLATILITY_ADJUSTED takes it."""
    measured = draft.minutes.correlation
    return state.tier.sizing.default_correlation if measured is None else max(0.0, measured)


def _weights(state: State, draft: Draft) -> FloatArray:
    """Fractions of equity a column, with what open entries may still buy."""
    marks, column_of = draft.minutes.marks[draft.row], state.universe.column
    shares = state.ledger.quantity
    if state.book.open_usd:
        shares = shares.copy()
        for order in state.desk.working.values():
            if order.purpose is _ENTRY:
                shares[column_of[order.symbol]] += order.direction * float(order.quantity - order.filled)
    weights: FloatArray = shares * marks / state.book.equity_usd
    return weights
