"""From targets to trades: which are worth what they cost, in shares; cuts first, then additions, the largest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from ordinis.domain import money
from ordinis.domain.decision import Reason, RebalanceLine
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings

_NOTHING = Decimal(0)
_SENT, _WITHIN_BAND = Reason.SENT, Reason.WITHIN_BAND


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A name that the rebalance looks at: held, or asked for by a signal."""

    column: int
    symbol: str
    held: Decimal  # Shares, signed.
    price_usd: float
    now: float  # Weight, signed as the shares.
    side: int  # 1 long, -1 short: what it is, or what it would be.
    most: float  # The weight that PositionSizer gives it, unsigned.
    frozen: Reason | None = None  # Why it may not be traded now.
    confidence: float | None = None  # In [0, 1]: of the entry, or of the signal that asks for it now.
    grows_to: float | None = None  # A holding's: what it may be added to, unsigned; None: nothing may be.


def no_trade_band(weight: float, settings: RebalanceSettings) -> float:
    """Half the width of the region around a target in which trading costs more than it is worth.

    (3 / 2 x cost / risk aversion x w^2 (1 - w)^2)^(1/3), and never under the setting's minimum. Source: Janecek and
    Shreve (2004), "Asymptotic analysis for optimal investment and consumption with transaction costs".
    """
    size = abs(weight)
    square = (size * (1.0 - size)) ** 2
    width = (1.5 * settings.cost_fraction / settings.risk_aversion * square) ** (1.0 / 3.0)
    return max(settings.band_minimum, float(width))


def trades(
    seats: Sequence[Seat],
    targets: Sequence[float],
    settings: RebalanceSettings,
    *,
    equity_usd: float,
    minimum_usd: float,
    urgent: Iterable[int] = (),
) -> list[RebalanceLine]:
    """What becomes of each held name. `urgent` columns are past a limit: no band for them, and nothing is added.

    A name that is not held has no line: it is entered, or not, as any candidate, at most at its target.
    """
    hurry = frozenset(urgent)
    lines = [
        _line(seat, target, settings, equity_usd, minimum_usd, seat.column in hurry)
        for seat, target in zip(seats, targets, strict=True)
        if seat.held
    ]
    return sorted(lines, key=lambda line: (adds(line), -line.notional_usd, line.symbol))


def adds(line: RebalanceLine) -> bool:
    """It makes a holding larger."""
    return float(line.quantity) * line.current > 0.0


def _line(
    seat: Seat, target: float, settings: RebalanceSettings, equity_usd: float, minimum_usd: float, urgent: bool
) -> RebalanceLine:
    excess = abs(seat.now) - abs(target)
    band = 0.0 if urgent else no_trade_band(target, settings)
    quantity, reason = _NOTHING, seat.frozen
    missing = -excess if seat.grows_to is not None and not urgent else 0.0
    if reason is None and max(excess, missing) <= band:
        reason = _WITHIN_BAND
    if reason is None:
        quantity = _more(seat, target, equity_usd) if missing > 0.0 else _cut(seat, target, equity_usd, minimum_usd)
        reason = _SENT if abs(float(quantity)) * seat.price_usd >= minimum_usd else Reason.BELOW_MINIMUM
    if reason is not _SENT:
        quantity = _NOTHING
    traded_usd = abs(float(quantity)) * seat.price_usd
    return RebalanceLine(
        symbol=seat.symbol,
        current=seat.now,
        most=seat.most,
        target=target,
        quantity=quantity,
        notional_usd=traded_usd,
        cost_usd=traded_usd * settings.cost_fraction,
        reason=reason,
    )


def _more(seat: Seat, target: float, equity_usd: float) -> Decimal:
    """Shares, signed: rounded so that it comes to at most the target."""
    size = abs(seat.held)
    more = max(_NOTHING, money.shares(abs(target) * equity_usd / seat.price_usd, _step(size)) - size)
    return more if seat.held > 0 else -more


def _step(size: Decimal) -> Decimal:
    """Whole positions stay whole: their stops can rest overnight."""
    return money.WHOLE if size == size.to_integral_value() else money.FRACTION


def _cut(seat: Seat, target: float, equity_usd: float, minimum_usd: float) -> Decimal:
    """Shares, signed: rounded so that what is left is at most the target, and never an order's crumb."""
    wanted_usd = abs(target) * equity_usd
    if wanted_usd < minimum_usd:
        return -seat.held
    size = abs(seat.held)
    left = min(money.shares(wanted_usd / seat.price_usd, _step(size)), size)
    cut = size - left
    return -cut if seat.held > 0 else cut
