"""Corporate actions as tests write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ordinis.domain.events import ActionKind, CorporateAction


def action(
    symbol: str, kind: ActionKind, ex_date: date, *, ratio: str = "1", amount_usd: str | None = None
) -> CorporateAction:
    """As a table gives it, before anything has happened."""
    return CorporateAction(
        at_ns=0,
        id=f"{kind.value}-{symbol}-{ex_date.isoformat()}",
        symbol=symbol,
        kind=kind,
        ex_date=ex_date,
        ratio=Decimal(ratio),
        amount_usd=None if amount_usd is None else Decimal(amount_usd),
    )


def split(symbol: str, ex_date: date, ratio: str) -> CorporateAction:
    return action(symbol, ActionKind.SPLIT, ex_date, ratio=ratio)


def dividend(symbol: str, ex_date: date, amount_usd: str) -> CorporateAction:
    return action(symbol, ActionKind.DIVIDEND, ex_date, amount_usd=amount_usd)


def removal(symbol: str, ex_date: date, amount_usd: str | None = None) -> CorporateAction:
    return action(symbol, ActionKind.REMOVAL, ex_date, amount_usd=amount_usd)
