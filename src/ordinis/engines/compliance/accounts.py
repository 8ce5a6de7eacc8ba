"""What an account view says against the rules we hold it to: what is missing, blocked, contradictory or changed."""

from __future__ import annotations

from typing import Protocol

from ordinis.domain.account import AccountView
from ordinis.engines.compliance.regimes import CASH, Regime

_ACTIVE = "ACTIVE"
_NEEDED = ("last_equity_usd", "multiplier")
_TYPE = ("account_type", "multiplier")


def missing(view: AccountView) -> list[str]:
    """Fields that no rule can do without. Unknown is never zero."""
    lacking = [name.removesuffix("_usd") for name in _NEEDED if getattr(view, name) is None]
    return [f"the broker does not report {', '.join(lacking)}"] if lacking else []


class KindOfAccount(Protocol):
    """What a broker says of an account's kind; None where it says nothing."""

    @property
    def multiplier(self) -> int | None: ...

    @property
    def account_type(self) -> str | None: ...


def contradicts(view: KindOfAccount, regime: Regime) -> list[str]:
    """The account is of another kind than the regime says."""
    said = []
    if regime.regime == CASH and view.multiplier is not None and view.multiplier > 1:
        said.append(f"compliance.regime is cash, the broker's multiplier is {view.multiplier}")
    if regime.regime == CASH and view.account_type == "margin":
        said.append("compliance.regime is cash, the broker calls the account margin")
    if regime.regime != CASH and view.account_type == "cash":
        said.append(f"the regime is {regime.regime}, the broker calls the account cash: set compliance.regime = 'cash'")
    return said


def changed(before: AccountView, now: AccountView) -> list[str]:
    """What the account is has changed in mid-session."""
    pairs = [(name, getattr(before, name), getattr(now, name)) for name in _TYPE]
    return [
        f"the account's {name} was {was} at the open and is {is_now or 'not reported'} now"
        for name, was, is_now in pairs
        if was != is_now
    ]


def blocked(view: AccountView) -> list[str]:
    """Why the broker would take no order at all."""
    flags = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
    said = [f"the broker reports {name}" for name in flags if getattr(view, name)]
    if view.status is not None and view.status != _ACTIVE:
        said.append(f"the account's status is {view.status}")
    return said
