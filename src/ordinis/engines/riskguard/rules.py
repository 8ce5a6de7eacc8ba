"""The rules that need a size: each says how many USD of a new position it leaves room for.

A rule that leaves none, or less than the minimum order, refuses; one that leaves less than was asked
resizes. The first in order of precedence is reported among those that leave the least.
"""

from __future__ import annotations

from collections.abc import Callable

from ordinis.domain.decision import Reason
from ordinis.engines.portfolio.sizing import SizingConfig
from ordinis.engines.riskguard.book import Book
from ordinis.engines.riskguard.limits import Limits

Room = Callable[[Book, SizingConfig, Limits], float]


def positions_room(book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """A slot is free, or not."""
    return float("inf") if book.positions < sizing.max_positions else 0.0


def weight_room(book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """No position may weigh more than the tier allows."""
    return sizing.max_position_pct * book.equity_usd


def buffer_room(book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """Gross exposure, open entries included, stays inside leverage less the buffer."""
    ceiling_usd = book.equity_usd * sizing.max_portfolio_leverage * (1.0 - limits.cash_buffer_fraction)
    return ceiling_usd - book.long_usd - book.open_buys_usd


def buying_power_room(book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """What the broker will let us buy, reckoned as it does: market buys cost a collar more.

    Multiplier 1 has its cash. 2 and 4 are both held to 2 x (equity - half of what is held): overnight
    margin, which a 4x account must meet at the close anyway.
    """
    if book.account is None or book.account.multiplier == 1:
        power_usd = book.cash_usd
    else:
        power_usd = 2.0 * max(0.0, book.equity_usd - 0.5 * book.long_usd)
    return power_usd / (1.0 + limits.market_buy_collar_fraction) - book.open_buys_usd


ROOMS: tuple[tuple[Reason, Room], ...] = (
    (Reason.POSITIONS_FULL, positions_room),
    (Reason.POSITION_WEIGHT, weight_room),
    (Reason.CASH_BUFFER, buffer_room),
    (Reason.BUYING_POWER, buying_power_room),
)
