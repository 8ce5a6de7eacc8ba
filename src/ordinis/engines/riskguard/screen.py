"""The rules that need no size, over all symbols at once: whole columns of reasons.

`ELIGIBLE` is larger than every reason, so the element-wise minimum of any number of columns is the
reason that applies first, and it is a candidate that survives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ordinis.domain.decision import Reason
from ordinis.domain.market import MINUTE_NS, BoolArray, FloatArray, IntArray, MarketBlock
from ordinis.domain.signal import SignalBlock
from ordinis.engines.riskguard.limits import OFF, Limits

ELIGIBLE = 255
_WITHOUT_A_WISH = (Reason.WARMING_UP, Reason.FEED_STALE, Reason.PRICE_STALE)  # These say why nobody wishes.
ReasonArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """What a block's minutes say of each symbol by themselves, before our book is looked at."""

    reasons: ReasonArray  # [rows x symbols]: NO_SIGNAL, a reason, or ELIGIBLE.
    has_entry: list[bool]  # [rows]: any symbol wanted. Lists: one element is read a minute.
    rules: int  # How many rules were evaluated.
    stale: BoolArray  # [rows x symbols]: no fresh price, whatever else stands against an entry.


def screen(
    block: MarketBlock,
    signals: SignalBlock,
    *,
    price_age_minutes: IntArray,
    feed_age_minutes: IntArray,
    last_price_usd: FloatArray,
    reference_usd: FloatArray,
    spread_bps: FloatArray,
    min_confidence: float,
    limits: Limits,
) -> Screened:
    """Judge every minute of a block by session hours, freshness, history, price, spread and confidence.

    `last_price_usd` is [rows x symbols]; `reference_usd` and `spread_bps` are [symbols] or [rows x symbols].
    """
    wanted = signals.direction != 0
    silent = (feed_age_minutes > limits.feed_age_minutes_max)[:, None]
    old = price_age_minutes > limits.price_age_minutes_max
    refusals: tuple[tuple[Reason, BoolArray], ...] = (
        (Reason.WARMING_UP, ~signals.ready),
        (Reason.OUTSIDE_SESSION, too_late(block, limits)[:, None]),
        (Reason.FEED_STALE, silent),
        (Reason.PRICE_STALE, old),
        (Reason.LOW_CONFIDENCE, too_doubtful(signals.confidence, min_confidence)),
        (Reason.SHORTING, not_shortable(signals, last_price_usd, limits)),
        (Reason.PRICE_COLLAR, too_far(last_price_usd, reference_usd, limits)),
        (Reason.SPREAD, too_wide(spread_bps, limits)),
    )
    reasons = np.where(wanted, np.uint8(ELIGIBLE), np.uint8(Reason.NO_SIGNAL))
    for reason, refused in reversed(refusals):  # The one that comes first is written last.
        explains = refused if reason in _WITHOUT_A_WISH else refused & wanted
        np.copyto(reasons, np.uint8(reason), where=explains)
    has_entry: list[bool] = signals.has_entry.tolist()
    return Screened(reasons=reasons, has_entry=has_entry, rules=len(refusals) * wanted.size, stale=silent | old)


def too_late(block: MarketBlock, limits: Limits) -> BoolArray:
    """[rows]: an order decided now could not fill in time before the close."""
    left_ns = block.session.close_ns - block.closed_at_ns
    late: BoolArray = left_ns < limits.last_entry_minutes_before_close * MINUTE_NS
    return late


def not_shortable(signals: SignalBlock, last_price_usd: FloatArray, limits: Limits) -> BoolArray:
    """Short sales where they are not allowed, or of too low a price: the house's margin grows as a price falls."""
    short: BoolArray = signals.direction < 0
    return short & ~(last_price_usd >= limits.short_price_usd_min) if limits.shorting_allowed else short


def too_doubtful(confidence: FloatArray, min_confidence: float) -> BoolArray:
    """Unknown is not enough, unless nothing is asked for."""
    if min_confidence <= 0.0:
        return np.zeros(confidence.shape, np.bool_)
    return ~(confidence >= min_confidence)


def too_far(last_price_usd: FloatArray, reference_usd: FloatArray, limits: Limits) -> BoolArray:
    """A price that leapt is news, a split nobody told us of, or a bad bar. Without a reference it is too far."""
    share_max = limits.price_collar_fraction_max
    if share_max == OFF:
        return np.zeros(last_price_usd.shape, np.bool_)
    near = np.abs(last_price_usd - reference_usd) <= share_max * reference_usd
    return ~near


def too_wide(spread_bps: FloatArray, limits: Limits) -> BoolArray:
    """Bars have no quotes: the spread is assumed, until a live quote stands in its place. Unknown is too wide."""
    if limits.spread_bps_max == OFF:
        return np.zeros(spread_bps.shape, np.bool_)
    return ~(spread_bps <= limits.spread_bps_max)
