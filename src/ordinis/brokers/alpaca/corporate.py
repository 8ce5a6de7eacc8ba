"""What companies did to their shares, by Alpaca's market-data API: what took effect between two sessions.

Source: GET /v1/corporate-actions. Splits, cash dividends, cash mergers and worthless removals are read; other
kinds are not events yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from decimal import Context, Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.rest import RestLimits, repeated
from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.market import Session

if TYPE_CHECKING:
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.trading.client import TradingClient

_ORDER = (ActionKind.DIVIDEND, ActionKind.SPLIT, ActionKind.REMOVAL)
_RATIO = Context(prec=15)  # As many digits as survive a number of JSON.


class WireAction(msgspec.Struct, kw_only=True):
    """One action of any kind, as far as we read it."""

    id: str
    symbol: str = ""
    acquiree_symbol: str = ""
    ex_date: date | None = None
    process_date: date | None = None  # Removals name no other.
    effective_date: date | None = None
    rate: Decimal | None = None
    new_rate: Decimal = Decimal(1)
    old_rate: Decimal = Decimal(1)


class WireActions(msgspec.Struct, kw_only=True):
    """By kind; kinds that are not read may come."""

    forward_splits: list[WireAction] = []
    reverse_splits: list[WireAction] = []
    cash_dividends: list[WireAction] = []
    cash_mergers: list[WireAction] = []
    worthless_removals: list[WireAction] = []


class _WireAsset(msgspec.Struct):
    fractionable: bool = True


class CorporateActions:
    """Asks once a session. `symbols` are those that concern us."""

    def __init__(
        self,
        trading: TradingClient,
        data: CorporateActionsClient,
        symbols: Collection[str],
        *,
        limits: RestLimits,
        generator: Random,
    ) -> None:
        self._trading = trading
        self._data = data
        self._symbols = symbols
        self._limits = limits
        self._generator = generator
        self._asked_until: date | None = None

    def until(self, session: Session) -> list[CorporateAction]:
        """What took effect since the session before, this one's day included. Errors: BrokerError."""
        before, self._asked_until = self._asked_until, session.date
        first = session.date if before is None else before + timedelta(days=1)
        found = [one for one in self._read(first, session) if one.symbol in self._symbols]
        return sorted(found, key=lambda one: (one.ex_date, _ORDER.index(one.kind), one.symbol))

    def _read(self, first: date, session: Session) -> Iterator[CorporateAction]:
        lists = self._asked(first, session.date)
        for one in (*lists.forward_splits, *lists.reverse_splits):
            ratio = _RATIO.divide(one.new_rate, one.old_rate)
            kept = one.symbol not in self._symbols or self._keeps_fractions(one.symbol)
            yield _action(one, ActionKind.SPLIT, session, ratio=ratio, keeps_fractions=kept)
        for one in lists.cash_dividends:
            yield _action(one, ActionKind.DIVIDEND, session, amount_usd=one.rate)
        for one in (*lists.cash_mergers, *lists.worthless_removals):
            yield _action(one, ActionKind.REMOVAL, session, amount_usd=one.rate)

    def _asked(self, first: date, last: date) -> WireActions:
        from alpaca.data.requests import CorporateActionsRequest

        # All symbols: a day has a few hundred actions, and ten thousand names are no address.
        request = CorporateActionsRequest(start=first, end=last, limit=None)
        call: Any = lambda: self._data.get_corporate_actions(request)  # noqa: E731
        return wire.read(repeated(call, self._limits, self._generator), WireActions, "corporate actions")

    def _keeps_fractions(self, symbol: str) -> bool:
        answer = repeated(lambda: self._trading.get(f"/assets/{symbol}"), self._limits, self._generator)
        return wire.read(answer, _WireAsset, "asset").fractionable


def _action(one: WireAction, kind: ActionKind, session: Session, **more: Any) -> CorporateAction:
    return CorporateAction(
        at_ns=session.open_ns,
        id=one.id,
        symbol=one.acquiree_symbol or one.symbol,
        kind=kind,
        ex_date=one.ex_date or one.effective_date or one.process_date or session.date,
        **more,
    )
