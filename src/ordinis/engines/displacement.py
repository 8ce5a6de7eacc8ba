"""Full slots: the weakest holding may make room for a clearly better candidate. Never by order of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Final

from ordinis.domain.decision import Reason
from ordinis.engines.entries import known
from ordinis.engines.exits import leave
from ordinis.engines.held import held_confidence
from ordinis.engines.state import Draft, State

_POSITIONS_FULL: Final = Reason.POSITIONS_FULL


@dataclass(frozen=True, slots=True)
class _Holding:
    column: int
    confidence: float


def displace(state: State, draft: Draft) -> None:
    """Sell the weakest holding that may be sold, if the best of those left outside is worth it.

    Sells before buys: the slot is free when the sale has filled, and the best candidate of that minute has it.
    """
    rules = state.displacement
    if rules is None or state.book.positions < state.tier.sizing.max_positions or _leaving(state):
        return
    outside = (draft.reasons == _POSITIONS_FULL).nonzero()[0]
    if not outside.size:
        return
    best = draft.minutes.by_merit(draft.row, outside)[0]
    weakest = _weakest(state, draft)
    if weakest is None or not _worth_it(state, draft, best, weakest.confidence):
        return
    symbol, better = state.universe.symbols[weakest.column], state.universe.symbols[best]
    strength = draft.minutes.signals.confidence.item(draft.row, best)
    draft.notes.append(f"{symbol} makes room for {better}: confidence {weakest.confidence:.2f} against {strength:.2f}")
    leave(state, draft, weakest.column, symbol)


def _leaving(state: State) -> bool:
    """One at a time: a slot that is becoming free is not asked for twice."""
    return any(state.desk.of(symbol).leaving or state.desk.of(symbol).exit for symbol in state.ledger.holdings)


def _weakest(state: State, draft: Draft) -> _Holding | None:
    """The holding of least confidence among those that rules allow to be sold; the universe's order breaks ties.

    One opened today stays: selling it would be a day trade.
    """
    held = [
        _Holding(column, held_confidence(state, draft, column))
        for column in state.ledger.quantity.nonzero()[0].tolist()
        if state.columns.sessions_held(column) >= max(1, state.hold_sessions(column))
        and state.gate.exit_objection(state.universe.symbols[column]) is None
        and state.desk.may_exit(state.universe.symbols[column], draft.at_ns)
    ]
    sure = [one for one in held if not isnan(one.confidence)]
    return min(sure, key=lambda one: (one.confidence, one.column), default=None)


def _worth_it(state: State, draft: Draft, best: int, held_confidence: float) -> bool:
    """The gain is clear, and what it is worth pays for selling and buying.

    A unit of confidence is taken to be worth the risk of the new position, its stop distance.
    """
    rules, signals = state.displacement, draft.minutes.signals
    assert rules is not None
    gain = signals.confidence.item(draft.row, best) - held_confidence
    if isnan(gain) or gain < rules.confidence_gain_min:
        return False
    asked = signals.stop_distance.item(draft.row, best)
    distance = state.sizer.stop_distance(known(asked))
    return distance is not None and gain * distance > rules.cost_fraction
