"""Entering: the survivors of the screen are sized and judged as a batch, the best first."""

from __future__ import annotations

from decimal import Decimal
from math import isnan, nan
from typing import Final, NamedTuple

from ordinis.domain import money
from ordinis.domain.decision import Assessment, Reason, SizeResult, Verdict, VerdictAction
from ordinis.domain.orders import OrderIntent, Purpose, Side
from ordinis.engines.compliance.slots import FREELY, unprotected_note
from ordinis.engines.compliance.wanted import Permission, Wanted
from ordinis.engines.portfolio.candidate import Candidate
from ordinis.engines.prospects import Prospects, needed
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.screen import ELIGIBLE
from ordinis.engines.state import Draft, State

_NONE: Final = Decimal(0)
_STOP_BEYOND_MIN_USD = 0.01  # The broker takes no stop-loss leg nearer to the price.
_ENTRY: Final = Purpose.ENTRY
_BUY: Final = Side.BUY
_RESIZE: Final = VerdictAction.RESIZE
_RESIZED: Final = Reason.RESIZED
_HELD_BY_OTHERS: Final = Reason.HELD_BY_OTHERS


class _Order(NamedTuple):
    """What is to be sent."""

    candidate: Candidate
    strategy: str
    quantity: Decimal
    direction: int  # 1 buys, -1 sells short.
    permission: Permission


def entries(state: State, draft: Draft) -> None:
    """Turn each eligible column into an order, or into the reason why not."""
    columns = (draft.reasons == ELIGIBLE).nonzero()[0]
    if not columns.size:
        return
    minutes, row = draft.minutes, draft.row
    calm = state.guard.calm(minutes.moves)
    if isnan(calm):
        draft.reasons[columns] = Reason.MARKET_VOLATILITY_UNKNOWN
        return
    state.book.look(state.ledger.quantity, minutes.marks[row], minutes.moves, state.orders_sent)
    state.look_at_account(draft.at_ns)
    state.sizer.set_portfolio_value(state.book.equity_usd)
    scale = state.halts.scale(state.book.equity_usd) * calm
    best_first = draft.minutes.by_merit(draft.row, columns)
    looked_at = best_first[: state.candidates_max]
    prospects = Prospects(state, draft, looked_at) if needed(state, draft) else None
    for column in looked_at:
        _enter(state, draft, column, scale, prospects)
    if len(best_first) > state.candidates_max:
        draft.reasons[best_first[state.candidates_max :]] = Reason.OUTRANKED


def _enter(state: State, draft: Draft, column: int, scale: float, prospects: Prospects | None) -> None:
    signals, row = draft.minutes.signals, draft.row
    strategy = signals.strategies[signals.strategy.item(row, column)]
    candidate = _candidate(state, draft, column, strategy, scale, prospects)
    size = state.sizer.size(candidate)
    verdict, permission = _judge(state, draft, column, candidate, size)
    order = _Order(candidate, strategy, verdict.quantity, signals.direction.item(row, column), permission)
    intent = _send(state, draft, order) if verdict.quantity else None
    if intent is not None and prospects is not None:
        weight = float(intent.quantity) * candidate.price_usd / state.book.equity_usd
        prospects.bought(column, order.direction * weight)
    reason = _RESIZED if verdict.action is _RESIZE else verdict.reason
    draft.reasons[column] = reason
    if intent is None and state.columns.last[column] == reason:
        return  # Refused for the same reason as a minute ago: that story is written.
    draft.assessments.append(
        Assessment(
            symbol=candidate.symbol,
            purpose=_ENTRY,
            strategy=strategy,
            score=signals.score.item(row, column),
            confidence=candidate.strength,
            price_usd=candidate.price_usd,
            size=size,
            verdict=verdict,
            client_order_id=None if intent is None else intent.client_order_id,
        )
    )


def _candidate(
    state: State, draft: Draft, column: int, strategy: str, scale: float, prospects: Prospects | None
) -> Candidate:
    """All that sizing may look at; what is not known is None."""
    minutes, row = draft.minutes, draft.row
    direction = minutes.signals.direction.item(row, column)
    evidence = state.by_strategy.evidence(strategy)
    return Candidate(
        state.universe.symbols[column],
        minutes.marks.item(row, column),
        known(minutes.signals.confidence.item(row, column)),
        evidence.win_rate,
        evidence.payoff,
        evidence.trades,
        known(minutes.volatility.item(column)),
        minutes.correlation,
        _stop_distance(state, minutes.signals.stop_distance.item(row, column)),
        scale,
        state.fractionable and direction > 0,  # A short is of whole shares.
        None if prospects is None else prospects.optimal_weight(column, direction),
        None if prospects is None else prospects.room(column, direction),
        None if draft.targets is None else draft.targets.get(column, 0.0),
        None if prospects is None else prospects.pull(column, direction),
    )


def _stop_distance(state: State, strategy_distance: float) -> float | None:
    return state.sizer.stop_distance(known(strategy_distance)) if state.desk.protects else None


def _judge(
    state: State, draft: Draft, column: int, candidate: Candidate, size: SizeResult
) -> tuple[Verdict, Permission]:
    """Entries of one minute share what is left: the second sees what the first has taken."""
    if not size.shares:
        return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=size.reason), FREELY
    direction = draft.minutes.signals.direction.item(draft.row, column)
    signed = direction * size.shares
    if signed * state.ledger.foreign.get(candidate.symbol, _NONE) < 0:  # A broker nets what one account holds.
        return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=_HELD_BY_OTHERS), FREELY
    permission = state.gate.permit(candidate.symbol, signed, candidate.strength, draft.at_ns)
    if permission.reason is not None:
        return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=permission.reason), permission
    volume = draft.minutes.volume.item(draft.row, column)
    asked = Asked(candidate.price_usd, column, candidate.stop_distance, volume, direction)
    usd = float(size.shares) * candidate.price_usd
    rooms = state.gate.rooms(Wanted(candidate.price_usd, column, direction, state.book.open_usd, usd))
    return state.guard.review(size.shares, asked, state.book, state.tier.sizing, rooms), permission


def _send(state: State, draft: Draft, order: _Order) -> OrderIntent:
    candidate, permission = order.candidate, order.permission
    intent = state.desk.enter(
        candidate.symbol,
        order.quantity,
        stop_price_usd(candidate.price_usd, candidate.stop_distance, order.direction),
        draft.at_ns,
        order.direction,
        price_usd=candidate.price_usd,
        stop_from_ns=draft.minutes.block.session.close_ns if permission.stop_waits else None,
        swing=permission.swing,
    )
    draft.actions.append(intent)
    if permission.stop_waits:
        draft.notes.append(unprotected_note(intent.symbol))
    sent(state, intent, order.strategy, candidate.strength, candidate.price_usd)
    return intent


def sent(state: State, intent: OrderIntent, strategy: str, strength: float | None, price_usd: float) -> None:
    """An entry is decided: what it takes is taken, for the ones after it."""
    state.owner[intent.client_order_id] = strategy
    column = state.universe.column[intent.symbol]
    state.entry_confidence[column] = nan if strength is None else strength
    state.columns.swing[column] = intent.swing
    direction = 1 if intent.side is _BUY else -1
    quantity = float(intent.quantity)
    state.book.commit(intent.client_order_id, quantity, price_usd, column, direction)
    state.gate.entry_sent(intent)
    state.gate.meter.entered(quantity * price_usd, price_usd, column, direction)
    state.refresh(intent.symbol)


def stop_price_usd(price_usd: float, distance: float | None, direction: int) -> Decimal | None:
    """Below a long, above a short, and on the tick; None: there is no stop."""
    if distance is None:
        return None
    if direction < 0:
        return money.stop_above(max(price_usd * (1.0 + distance), price_usd + _STOP_BEYOND_MIN_USD))
    return money.stop_below(min(price_usd * (1.0 - distance), price_usd - _STOP_BEYOND_MIN_USD))


def known(value: float) -> float | None:
    """A figure of a column; None where it is NaN, which is how columns say that they do not know."""
    return None if isnan(value) else value
