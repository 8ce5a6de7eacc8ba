"""What a broker says of an account, its symbols and the time: asked before a session, and before the first order."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from random import Random
from types import TracebackType
from typing import Any

import msgspec

from ordinis.brokers.alpaca import wire
from ordinis.brokers.alpaca.endpoints import Endpoints
from ordinis.brokers.alpaca.rest import (
    NOT_FOUND,
    Refusal,
    RestLimits,
    broker_now_ns,
    close_client,
    repeated,
    trading_client,
)
from ordinis.brokers.alpaca.times import date_in_new_york
from ordinis.brokers.alpaca.wire import WireCalendarDay
from ordinis.domain.market import Session
from ordinis.domain.standing import AccountStanding, SymbolStanding

_ACTIVE = "ACTIVE"


class _Account(msgspec.Struct, kw_only=True):
    account_number: str
    status: str
    equity: Decimal
    multiplier: Decimal = Decimal(1)
    account_type: str | None = None
    daytrade_count: int | None = None
    shorting_enabled: bool = False
    account_blocked: bool = False
    trading_blocked: bool = False
    trade_suspended_by_user: bool = False


class _Asset(msgspec.Struct, kw_only=True):
    tradable: bool = False
    status: str = "active"
    fractionable: bool = False


class Checkup:
    """Questions only. Use it in a `with` block. Errors: BrokerError for a refused key, or where nobody answers."""

    def __init__(self, endpoints: Endpoints, generator: Random, limits: RestLimits | None = None) -> None:
        self._limits = limits or RestLimits()
        self._generator = generator
        self._client = trading_client(endpoints, self._limits)

    @cached_property
    def account(self) -> AccountStanding:
        """Asked once: a checkup is of one moment."""
        account = wire.read(self._get("/account"), _Account, "account")
        return AccountStanding(
            number=account.account_number,
            equity_usd=account.equity,
            multiplier=int(account.multiplier),
            shorting=account.shorting_enabled,
            problems=tuple(_problems(account)),
            account_type=account.account_type,
            counts_day_trades=account.daytrade_count is not None,
        )

    def symbol(self, symbol: str) -> SymbolStanding:
        try:
            asset = wire.read(self._get(f"/assets/{symbol}"), _Asset, "asset")
        except Refusal as refusal:
            if refusal.http_status == NOT_FOUND:
                return SymbolStanding(symbol=symbol, tradable=False)
            raise
        tradable = asset.tradable and asset.status == "active"
        return SymbolStanding(symbol=symbol, tradable=tradable, fractionable=asset.fractionable)

    def symbols(self, symbols: Iterable[str]) -> list[SymbolStanding]:
        return [self.symbol(symbol) for symbol in symbols]

    def now_ns(self) -> int:
        """The broker's clock."""
        return broker_now_ns(self._client, self._limits, self._generator)

    def session_today(self) -> Session | None:
        """By the broker's calendar and its own clock."""
        today = date_in_new_york(self.now_ns())
        query = {"start": today.isoformat(), "end": today.isoformat()}
        days = wire.read(self._get("/calendar", query), list[WireCalendarDay], "calendar")
        return next((wire.session(day) for day in days if day.date == today), None)

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Any:
        return repeated(lambda: self._client.get(path, query), self._limits, self._generator)

    def __enter__(self) -> Checkup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        close_client(self._client)


def _problems(account: _Account) -> list[str]:
    found = []
    if account.status != _ACTIVE:
        found.append(f"its status is {account.status}: finish what Alpaca's dashboard asks for")
    if account.account_blocked:
        found.append("it is blocked: ask Alpaca's support why")
    if account.trading_blocked:
        found.append("trading is blocked: look for a margin call or a message in Alpaca's dashboard")
    if account.trade_suspended_by_user:
        found.append("trading is suspended by its owner: lift suspend_trade in the account's configurations")
    return found
