"""Float estimates become Decimal obligations here, and nowhere else.

Source of the rounding rules: Alpaca's minimum pricing criteria (two decimals from $1, four below)
and its nine decimals of a fractional share.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

WHOLE: Final = Decimal(1)
FRACTION: Final = Decimal("0.000000001")
CENT: Final = Decimal("0.01")
_TENTH_OF_A_MILL: Final = Decimal("0.0001")


def price_usd(estimate: float) -> Decimal:
    """The shortest decimal that reads back as this float: 12.3456, not 12.345599999."""
    return Decimal(repr(float(estimate)))


def shares(estimate: float, step: Decimal) -> Decimal:
    """Round toward zero, so we never owe more than we meant. `step` is WHOLE or FRACTION."""
    if step is WHOLE:
        return Decimal(int(estimate))
    return Decimal(repr(float(estimate))).quantize(step, rounding=ROUND_DOWN)


def plain_shares(quantity: Decimal) -> Decimal:
    """The same number without zeros that say nothing: 40, not 40.000000000 and not 4E+1."""
    return quantity.quantize(WHOLE) if quantity % 1 == 0 else quantity.normalize()


def tick_usd(price: Decimal) -> Decimal:
    return CENT if price >= 1 else _TENTH_OF_A_MILL


def stop_below(estimate: float) -> Decimal:
    """A sell stop on the tick at or below the estimate."""
    return tick_below(price_usd(estimate))


def tick_below(price: Decimal) -> Decimal:
    return price.quantize(tick_usd(price), rounding=ROUND_FLOOR)


def stop_above(estimate: float) -> Decimal:
    """A buy stop on the tick at or above the estimate."""
    return tick_above(price_usd(estimate))


def tick_above(price: Decimal) -> Decimal:
    return price.quantize(tick_usd(price), rounding=ROUND_CEILING)


def to_cent(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
