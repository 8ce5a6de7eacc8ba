"""Adding to a position, where a rebalance would have more of it: as far as sizes, limits and rules allow.

What would refuse an entry of this minute refuses an addition, and so does what would make the position harder to leave.
"""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from typing import Final

import msgspec

from ordinis.domain import money
from ordinis.domain.decision import Assessment, Reason, RebalanceLine, SizeResult, Verdict, VerdictAction
from ordinis.domain.orders import OrderIntent, Purpose, Side
from ordinis.engines.compliance.wanted import Wanted
from ordinis.engines.entries import stop_price_usd
from ordinis.engines.held import as_candidate
from ordinis.engines.portfolio.candidate import Candidate
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.prospects import Prospects, needed
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.screen import ELIGIBLE
from ordinis.engines.state import Draft, State

_NONE: Final = Decimal(0)
_ENTRY: Final = Purpose.ENTRY
_BUY: Final = Side.BUY
_SENT: Final = Reason.SENT
_BELOW_MINIMUM: Final = Reason.BELOW_MINIMUM
_NO_SLOT: Final = Reason.DAY_TRADE_SLOTS


class Growth:
    """A minute's additions, one after the other: each finds what the ones before it left."""

    def __init__(self, state: State, draft: Draft, candidates: list[int], settings: RebalanceSettings) -> None:
        self._state = state
        self._draft = draft
        self._settings = settings
        minutes = draft.minutes
        state.book.look(state.ledger.quantity, minutes.marks[draft.row], minutes.moves, state.orders_sent)
        state.look_at_account(draft.at_ns)
        self._scale = state.halts.scale(state.book.equity_usd) * state.guard.calm(minutes.moves)
        self._prospects = Prospects(state, draft, candidates) if needed(state, draft) else None

    def top(self, column: int) -> float | None:
        """The most that the holding may weigh, unsigned, before it is rounded to shares; None: nothing may be added."""
        if not self._admitted(column):
            return None
        size = self._state.sizer.size(self._candidate(column, None))
        return size.chain[-1].weight if size.shares else None

    def judged(self, line: RebalanceLine) -> RebalanceLine:
        """The line with what of its addition may be sent now, after what was sent before."""
        _, verdict = self._judge(line)
        return self._told(line, verdict)

    def carry_out(self, line: RebalanceLine) -> RebalanceLine:
        """Send what of the addition may be sent; the line with that."""
        size, verdict = self._judge(line)
        if verdict.quantity:
            self._send(line.symbol, size, verdict)
        return self._told(line, verdict)

    def _admitted(self, column: int) -> bool:
        """Its strategy would open it again, nothing but that it is held stands against it, and its stop is in place."""
        state, draft = self._state, self._draft
        symbol, direction = state.universe.symbols[column], self._direction(column)
        signal = draft.minutes.signals.direction.item(draft.row, column)
        return (
            state.halts.reason is None
            and not isnan(self._scale)
            and signal * direction > 0
            and draft.minutes.screened.reasons.item(draft.row, column) == ELIGIBLE
            and not state.columns.cools(column, draft.at_ns)
            and not state.shut(symbol)
            and symbol not in state.gate.slots.unprotected
            and not self._pays_late()
            and state.desk.of(symbol).may_add(state.ledger.held(symbol))
        )

    def _pays_late(self) -> bool:
        """An entry may be paid with money that has not settled: added to, all of the position could not be sold."""
        cash = self._state.gate.cash
        return cash is not None and self._state.gate.rules.settlement.buys_unsettled

    def _direction(self, column: int) -> int:
        return 1 if self._state.ledger.quantity.item(column) > 0 else -1

    def _candidate(self, column: int, target: float | None) -> Candidate:
        """All of the position, as it would be sized beside the rest of the book."""
        state, prospects = self._state, self._prospects
        room = pull = None
        if prospects is not None:
            now = abs(state.ledger.quantity.item(column)) * self._price_usd(column) / state.book.equity_usd
            more = prospects.room(column, self._direction(column))
            room = None if more is None else now + more
            pull = prospects.pull_of_the_rest(column, self._direction(column))
        return msgspec.structs.replace(
            as_candidate(state, self._draft, column, prospects),
            scale=self._scale,
            book_room=room,
            target=target,
            pull=pull,
        )

    def _price_usd(self, column: int) -> float:
        return self._draft.minutes.marks.item(self._draft.row, column)

    def _judge(self, line: RebalanceLine) -> tuple[SizeResult, Verdict]:
        """The size is of the whole position, the verdict of what is added, at most the line's."""
        state, draft = self._state, self._draft
        column, held = state.universe.column[line.symbol], state.ledger.held(line.symbol)
        size = state.sizer.size(self._candidate(column, abs(line.target)))
        more = min(abs(line.quantity), _as_whole_as(held, size.shares - abs(held)))
        price_usd = self._price_usd(column)
        usd = float(more) * price_usd
        if usd < state.guard.limits.minimum_notional_usd:
            return size, _refused(_BELOW_MINIMUM if size.shares else size.reason)
        direction = self._direction(column)
        permission = state.gate.permit(line.symbol, direction * more, size.confidence, draft.at_ns)
        if permission.reason is not None or permission.swing or permission.stop_waits:
            return size, _refused(permission.reason or _NO_SLOT)
        asked = Asked(
            price_usd,
            column,
            self._stop_distance(column, price_usd),
            draft.minutes.volume.item(draft.row, column),
            direction,
            abs(float(held)) * price_usd,
        )
        rooms = state.gate.rooms(Wanted(price_usd, column, direction, state.book.open_usd, usd))
        verdict = state.guard.review(more, asked, state.book, state.tier.sizing, rooms)
        crumb = float(verdict.quantity) * price_usd < self._settings.band_minimum * state.book.equity_usd
        return size, _refused(verdict.reason) if crumb else verdict

    def _stop_usd(self, column: int) -> Decimal | None:
        """The nearer of the position's own stop and the one that an entry of now would have: it is never moved away."""
        own = self._state.desk.of(self._state.universe.symbols[column]).stop_usd
        if own is None:
            return None
        direction, price_usd = self._direction(column), self._price_usd(column)
        distance = self._draft.minutes.signals.stop_distance.item(self._draft.row, column)
        asked = self._state.sizer.stop_distance(None if isnan(distance) else distance)
        new = stop_price_usd(price_usd, asked, direction)
        if new is None:
            return own
        return max(own, new) if direction > 0 else min(own, new)

    def _stop_distance(self, column: int, price_usd: float) -> float | None:
        stop_usd = self._stop_usd(column)
        return None if stop_usd is None else abs(price_usd - float(stop_usd)) / price_usd

    def _send(self, symbol: str, size: SizeResult, verdict: Verdict) -> None:
        state, draft = self._state, self._draft
        column, held = state.universe.column[symbol], state.ledger.held(symbol)
        price_usd, strategy = self._price_usd(column), state.ledger.holdings[symbol].strategy
        stop_usd = self._stop_usd(column)
        intent, actions = state.desk.add(symbol, held, verdict.quantity, stop_usd, draft.at_ns, price_usd=price_usd)
        draft.actions += actions
        if intent not in actions:
            draft.held_back.append(intent)
        added(state, intent, strategy, price_usd)
        draft.assessments.append(
            Assessment(
                symbol=symbol,
                purpose=_ENTRY,
                strategy=strategy,
                score=draft.minutes.signals.score.item(draft.row, column),
                confidence=size.confidence,
                price_usd=price_usd,
                size=size,
                verdict=verdict,
                client_order_id=intent.client_order_id,
            )
        )
        draft.reasons[column] = _SENT
        if self._prospects is not None:
            weight = float(verdict.quantity) * price_usd / state.book.equity_usd
            self._prospects.bought(column, self._direction(column) * weight)

    def _told(self, line: RebalanceLine, verdict: Verdict) -> RebalanceLine:
        state, sign = self._state, 1 if line.current > 0.0 else -1
        traded_usd = float(verdict.quantity) * self._price_usd(state.universe.column[line.symbol])
        return msgspec.structs.replace(
            line,
            target=line.current + sign * traded_usd / state.book.equity_usd,
            quantity=sign * verdict.quantity,
            notional_usd=traded_usd,
            cost_usd=traded_usd * self._settings.cost_fraction,
            reason=_SENT if verdict.quantity else verdict.reason,
        )


def added(state: State, intent: OrderIntent, strategy: str, price_usd: float) -> None:
    """An addition is decided: what it takes is taken, for the ones after it. It takes no slot."""
    state.owner[intent.client_order_id] = strategy
    column, direction = state.universe.column[intent.symbol], 1 if intent.side is _BUY else -1
    quantity = float(intent.quantity)
    state.book.commit(intent.client_order_id, quantity, price_usd, column, direction, slots=0)
    state.gate.entry_sent(intent)
    state.gate.meter.entered(quantity * price_usd, price_usd, column, direction)


def let_go(state: State) -> None:
    """What was held back and has not gone out in its minute never will."""
    for client_order_id in state.desk.let_go():
        state.book.release(client_order_id)
        state.gate.order_over(client_order_id)
        state.owner.pop(client_order_id, None)


def _as_whole_as(held: Decimal, shares: Decimal) -> Decimal:
    """Whole positions stay whole: their stops can rest overnight."""
    step = money.WHOLE if held == held.to_integral_value() else money.FRACTION
    return money.shares(max(0.0, float(shares)), step)


def _refused(reason: Reason) -> Verdict:
    return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=reason)
