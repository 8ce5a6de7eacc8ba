"""The rules that need a size: each says how many USD of a new position it leaves room for.

A rule that leaves none, or less than the minimum order, refuses; one that leaves less than was asked
resizes. The first in order of precedence is reported among those that leave the least.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan

from ordinis.domain.decision import Reason
from ordinis.engines.comovement import ALONE
from ordinis.engines.portfolio.sizing import SizingConfig
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.book import Book
from ordinis.engines.riskguard.limits import OFF, Limits

_SHORT_MARGIN = 1.5  # Regulation T: the proceeds of a short, and half of them more.


Room = Callable[[Asked, Book, SizingConfig, Limits], float]


def shorting_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """A short needs a margin account, with the equity that the broker asks for."""
    if asked.direction > 0:
        return OFF
    margin = book.account is not None and (book.account.multiplier or 1) > 1  # Unknown is none.
    return OFF if margin and book.equity_usd + book.reserve_usd >= limits.short_equity_usd_min else 0.0


def orders_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """One more order may be sent this session, or not."""
    return OFF if book.orders < limits.orders_a_session_max else 0.0


def positions_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """A slot is free, or not."""
    return OFF if book.positions < sizing.max_positions or asked.held_usd else 0.0


def weight_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """No position may weigh more than the tier allows."""
    return sizing.max_position_pct * book.equity_usd - asked.held_usd


def buffer_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """Gross exposure, open entries included, stays inside leverage less the buffer."""
    ceiling_usd = book.equity_usd * sizing.max_portfolio_leverage * (1.0 - limits.cash_buffer_fraction)
    return ceiling_usd - book.gross_usd - book.open_usd


def buying_power_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """What the broker will let us buy or sell short, reckoned as it does: at the market that costs a collar more.

    Multiplier 1 has its cash, less what shorts tie up. 2 has 2 x (equity - half of what is held, longs and shorts):
    overnight margin. 4 has that, too, unless the account's rules let it use intraday margin now.
    """
    if book.intraday_power_usd is not None:
        power_usd = book.intraday_power_usd
    elif book.account is None or book.account.multiplier in (None, 1):
        power_usd = book.cash_usd - _SHORT_MARGIN * book.short_usd
    else:
        power_usd = 2.0 * max(0.0, book.equity_usd - 0.5 * book.gross_usd)
    return power_usd / (1.0 + limits.market_buy_collar_fraction) - book.open_usd


def trade_risk_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """What the stop would cost stays inside its part of equity; without a stop the whole position is at risk."""
    distance = 1.0 if asked.stop_distance is None else asked.stop_distance
    return limits.trade_risk_fraction_max * book.equity_usd / distance - asked.held_usd


def gross_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """Longs and shorts together, whatever the tier's leverage."""
    return limits.gross_exposure_max * book.equity_usd - book.gross_usd - book.open_usd


def net_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """Longs less shorts, either way; entries of the other side may never fill and give no room."""
    ceiling_usd = limits.net_exposure_max * book.equity_usd
    if asked.direction < 0:
        return ceiling_usd + book.long_usd - book.open_shorts_usd
    return ceiling_usd - book.long_usd - book.open_buys_usd


def volume_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """An order is a small part of what is traded in a minute; nothing where nothing was traded."""
    return limits.order_volume_fraction_max * asked.volume * asked.price_usd


def sector_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """What the symbol's sector weighs, open entries included."""
    ceiling_usd = limits.sector_fraction_max * book.equity_usd
    companions = book.sectors[asked.column]
    return ceiling_usd - asked.held_usd if companions is None else ceiling_usd - book.weighs_usd(companions)


def cluster_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """What moves with the symbol, itself included."""
    moves = book.moves
    if moves is None or not moves.warm:
        return OFF
    members = moves.clusters[asked.column]
    if members is None:
        return 0.0
    ceiling_usd = limits.cluster_fraction_max * book.equity_usd
    return ceiling_usd - asked.held_usd if members is ALONE else ceiling_usd - book.weighs_usd(members)


def beta_room(asked: Asked, book: Book, sizing: SizingConfig, limits: Limits) -> float:
    """The book's beta stays in its band; an entry that draws it back in has all the room up to the other edge."""
    moves = book.moves
    if moves is None or not moves.warm:
        return OFF
    beta = moves.betas[asked.column] * asked.direction
    if isnan(beta):
        return 0.0
    if beta == 0.0:
        return OFF
    edge = limits.beta_max if beta > 0.0 else limits.beta_min
    return (edge * book.equity_usd - book.beta_usd) / beta


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, what it is reported as, and the limit that switches it off when nothing can reach it."""

    reason: Reason
    room: Room
    limit: str = ""  # A field of Limits, off when it is OFF or False; empty: always on.

    def is_on(self, limits: Limits) -> bool:
        limit = getattr(limits, self.limit) if self.limit else None
        return limit is not False and limit != OFF


RULES: tuple[Rule, ...] = (
    Rule(Reason.SHORTING, shorting_room, "shorting_allowed"),
    Rule(Reason.ORDERS_A_SESSION, orders_room, "orders_a_session_max"),
    Rule(Reason.POSITIONS_FULL, positions_room),
    Rule(Reason.POSITION_WEIGHT, weight_room),
    Rule(Reason.CASH_BUFFER, buffer_room),
    Rule(Reason.BUYING_POWER, buying_power_room),
    Rule(Reason.TRADE_RISK, trade_risk_room, "trade_risk_fraction_max"),
    Rule(Reason.GROSS_EXPOSURE, gross_room, "gross_exposure_max"),
    Rule(Reason.NET_EXPOSURE, net_room, "net_exposure_max"),
    Rule(Reason.ORDER_VOLUME, volume_room, "order_volume_fraction_max"),
    Rule(Reason.SECTOR, sector_room, "sector_fraction_max"),
    Rule(Reason.CLUSTER, cluster_room, "cluster_fraction_max"),
    Rule(Reason.BETA, beta_room, "beta_max"),
)
