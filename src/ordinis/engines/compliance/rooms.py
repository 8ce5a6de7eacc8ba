"""The account's rules that need a size: each says how many USD of a new position it leaves room for.

They stand beside the risk guard's own and are reported in the same way: the least room binds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from ordinis.domain.decision import Reason
from ordinis.engines.compliance.wanted import Wanted

if TYPE_CHECKING:
    from ordinis.engines.compliance.gate import AccountGate


Usd = Callable[["AccountGate", Wanted], float]


def minimum_equity(gate: AccountGate, wanted: Wanted) -> float:
    """Below the minimum nothing is owed, nor without margin: an order at the close fills across the night's gap."""
    if gate.equity_usd < gate.rules.margin.equity_min_usd:
        return _without_debit(gate, wanted)
    return 0.0 if gate.at_the_close and gate.view is not None and gate.view.multiplier == 1 else inf


def level(gate: AccountGate, wanted: Wanted) -> float:
    """The level after the order keeps its buffer."""
    buffer_usd = gate.rules.margin.buffer_fraction * gate.equity_usd
    if wanted.direction > 0 and gate.owes_nothing:
        covered_usd = gate.meter.cash_room_usd(gate.free_cash_usd, buffer_usd, wanted.open_usd)
        if covered_usd >= wanted.usd:
            return covered_usd
    return gate.meter.room_usd(gate.equity_usd, buffer_usd, wanted.price_usd, wanted.column, wanted.direction)


def restricted(gate: AccountGate, wanted: Wanted) -> float:
    """While a call is open, or the account frozen, no debit and no short is made or increased."""
    deficits = gate.deficits
    if not deficits.deficits:
        return inf
    free = not (deficits.frozen(gate.today) or deficits.outstanding_usd)
    return inf if free else _without_debit(gate, wanted)


def day_trading_power(gate: AccountGate, wanted: Wanted) -> float:
    """Four times the excess of the prior close; closing what was held overnight adds nothing to it."""
    power_usd = gate.day_trading_power_usd
    return inf if power_usd is None else power_usd / (1.0 + gate.collar) - gate.opened.cost_usd - wanted.open_usd


def settled_cash(gate: AccountGate, wanted: Wanted) -> float:
    """Only what has settled, or settles in time, is spent; a cash account sells nothing short.

    Nor does it buy at the close: nobody knows what the next morning asks.
    """
    assert gate.cash is not None
    if wanted.direction < 0 or gate.at_the_close:
        return 0.0
    return float(gate.cash.spendable_usd(gate.today)) / (1.0 + gate.collar) - wanted.open_usd


def overnight(gate: AccountGate, wanted: Wanted) -> float:
    """Near the close nothing is opened that could not be held over night."""
    near = gate.at_ns >= gate.overnight_from_ns
    return gate.overnight_usd - gate.gross_usd - wanted.open_usd if near else inf


def _without_debit(gate: AccountGate, wanted: Wanted) -> float:
    """What cash alone pays for, at the collar; a short is a loan, too."""
    if wanted.direction < 0 or gate.at_the_close:
        return 0.0
    return gate.free_cash_usd / (1.0 + gate.collar) - wanted.open_usd


@dataclass(frozen=True, slots=True)
class Room:
    """A rule, what it is reported as, and for which accounts it is asked."""

    name: str
    reason: Reason
    usd: Usd
    applies: Callable[[AccountGate], bool]


def _on_margin(gate: AccountGate) -> bool:
    return gate.cash is None


def _in_cash(gate: AccountGate) -> bool:
    return gate.cash is not None


def _day_trades_on_margin(gate: AccountGate) -> bool:
    """Of an account above the floor; below it slots rule."""
    return gate.regime.counts_day_trades and not gate.slots.by_law and gate.day_trading_power_usd is not None


def _lent_by_day(gate: AccountGate) -> bool:
    return gate.overnight_from_ns < inf


ROOMS: tuple[Room, ...] = (
    Room("minimum_equity", Reason.MARGIN_EQUITY, minimum_equity, _on_margin),
    Room("settled_cash", Reason.SETTLED_CASH, settled_cash, _in_cash),
    Room("intraday_margin", Reason.INTRADAY_MARGIN, level, _on_margin),
    Room("margin_restricted", Reason.MARGIN_RESTRICTED, restricted, _on_margin),
    Room("overnight", Reason.BUYING_POWER, overnight, _lent_by_day),
    Room("day_trading_power", Reason.DAY_TRADING_POWER, day_trading_power, _day_trades_on_margin),
)
