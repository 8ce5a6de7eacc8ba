"""Entering: the survivors of the screen are sized and judged as a batch, the best first."""

from __future__ import annotations

import math
from decimal import Decimal

from ordinis.domain import money
from ordinis.domain.decision import Reason, SizeResult, Verdict, VerdictAction
from ordinis.domain.orders import OrderIntent, Purpose
from ordinis.engines.riskguard.screen import ELIGIBLE
from ordinis.engines.state import Draft, State

_NONE = Decimal(0)
_ENTRY = Purpose.ENTRY
_RESIZE = VerdictAction.RESIZE
_RESIZED = Reason.RESIZED


def entries(state: State, draft: Draft) -> None:
    """Turn each eligible column into an order, or into the reason why not."""
    columns = (draft.reasons == ELIGIBLE).nonzero()[0]
    if not columns.size:
        return
    state.sizer.set_portfolio_value(state.book.equity_usd)
    scale = state.halts.scale(state.book.equity_usd)
    best_first = draft.minutes.by_merit(draft.row, columns)
    for column in best_first[: state.candidates_max]:
        _enter(state, draft, column, scale)
    if len(best_first) > state.candidates_max:
        draft.reasons[best_first[state.candidates_max :]] = Reason.OUTRANKED


def _enter(state: State, draft: Draft, column: int, scale: float) -> None:
    signals, row = draft.minutes.signals, draft.row
    symbol = state.universe.symbols[column]
    strategy = signals.strategies[signals.strategy[row, column]]
    confidence = _known(signals.confidence[row, column])
    price_usd = draft.price_usd(column)
    distance = state.sizer.stop_distance(_known(signals.stop_distance[row, column]))
    size = _size(state, draft, column, strategy, confidence, distance, scale)
    verdict = _judge(state, size, price_usd)
    intent = _send(state, draft, symbol, strategy, verdict.quantity, price_usd, distance) if verdict.quantity else None
    reason = _RESIZED if verdict.action is _RESIZE else verdict.reason
    draft.reasons[column] = reason
    if intent is None and state.columns.last[column] == reason:
        return  # Refused for the same reason as a minute ago: that story is written.
    draft.assess(
        _ENTRY,
        symbol,
        strategy,
        price_usd,
        verdict=verdict,
        client_order_id=None if intent is None else intent.client_order_id,
        score=float(signals.score[row, column]),
        confidence=confidence,
        size=size,
    )


def _size(
    state: State,
    draft: Draft,
    column: int,
    strategy: str,
    confidence: float | None,
    distance: float | None,
    scale: float,
) -> SizeResult:
    evidence = state.by_strategy.evidence(strategy)
    return state.sizer.calculate_size(
        state.universe.symbols[column],
        draft.price_usd(column),
        confidence,
        evidence.win_rate,
        evidence.payoff,
        trades=evidence.trades,
        volatility=_known(draft.minutes.volatility[column]),
        correlation=draft.minutes.correlation,
        stop_distance=distance,
        scale=scale,
        fractionable=state.fractionable,
    )


def _judge(state: State, size: SizeResult, price_usd: float) -> Verdict:
    """Entries of one minute share what is left: the second sees what the first has taken."""
    if not size.shares:
        return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=size.reason)
    if state.slots.full:
        return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=Reason.DAY_TRADE_SLOTS)
    return state.guard.review(size.shares, price_usd, state.book, state.tier.sizing)


def _send(
    state: State,
    draft: Draft,
    symbol: str,
    strategy: str,
    quantity: Decimal,
    price_usd: float,
    distance: float | None,
) -> OrderIntent:
    stop_usd = None if distance is None else money.stop_below(price_usd * (1.0 - distance))
    intent = state.desk.enter(symbol, quantity, stop_usd, draft.at_ns)
    draft.actions.append(intent)
    state.owner[intent.client_order_id] = strategy
    state.book.commit(intent.client_order_id, float(quantity), price_usd)
    state.slots.entry_sent(symbol)
    state.refresh(symbol)
    return intent


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
