"""Day trades: counting them, and the slots that entries reserve before they can become one.

Source: FINRA Rule 4210(f)(8)(B) and its interpretations /01 and /02. A day trade is a purchase and a
sale of the same security on the same New York trade date; a position held overnight and only reduced is
none. Partial fills of one order are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Method = Literal["direction_change", "opening_order", "max"]
_NONE = Decimal(0)
Part = tuple[str, Decimal]  # (order id, signed shares of one fill)
Trade = tuple[str, Decimal, str]  # (side "buy" or "sell", quantity in shares, order id)


def count_day_trades(
    trades: Iterable[Trade], start_quantity: Decimal | int = 0, method: Method = "direction_change"
) -> int:
    """Day trades in one security on one trade date.

    `trades` in time order; `start_quantity` is the position at the start of the day, signed.
    `direction_change` counts each change from increasing to decreasing; `opening_order` counts the opening
    orders closed the same day, last in first out; `max` takes the larger. ValueError: an unknown method.
    """
    fills = [(order_id, quantity * _sign(side)) for side, quantity, order_id in trades]
    start = Decimal(start_quantity)
    if method == "direction_change":
        return _direction_changes(fills, start)
    if method == "opening_order":
        return _opening_orders(fills, start)
    if method == "max":
        return day_trades(fills, start)
    raise ValueError(f"method must be direction_change, opening_order or max, was {method!r}")


def _sign(side: str) -> int:
    if side not in ("buy", "sell"):
        raise ValueError(f"side must be buy or sell, was {side!r}")
    return 1 if side == "buy" else -1


def _direction_changes(fills: Iterable[Part], position: Decimal) -> int:
    count, armed = 0, False
    for _, signed in fills:
        quantity = abs(signed)
        if position * signed < 0:
            reduced = min(abs(position), quantity)
            count += armed
            armed = False
            position += reduced.copy_sign(signed)
            quantity -= reduced
        if quantity > 0:  # Opens, adds, or is the far side of a reversal.
            position += quantity.copy_sign(signed)
            armed = True
    return count


class _Lot:
    """What one order opened."""

    __slots__ = ("left", "order_id", "run", "touched")

    def __init__(self, order_id: str, quantity: Decimal, run: int) -> None:
        self.order_id = order_id
        self.left = quantity
        self.run = run
        self.touched = False


def _opening_orders(fills: Sequence[Part], overnight: Decimal) -> int:
    """Orders that opened today and were, in whole or in part, closed today.

    Where the fills of two orders alternate, it is not written where a later part lies: beside its order's first part,
    or on top once something was closed in between. The larger of both counts.
    """
    return max(_touched(fills, overnight, apart=False), _touched(fills, overnight, apart=True))


def _touched(fills: Iterable[Part], overnight: Decimal, *, apart: bool) -> int:
    lots: list[_Lot] = []  # Today's, newest last; what was held overnight lies beneath them.
    run = 0
    for order_id, signed in fills:
        left = signed
        for lot in reversed(lots):
            if lot.left * left < 0:
                lot.touched = True
                lot.left, left = _offset(lot.left, left)
                run += apart
        if left * overnight < 0:
            overnight, left = _offset(overnight, left)
        if left:
            _opened(lots, order_id, left, run)
    return sum(lot.touched for lot in lots)


def _opened(lots: list[_Lot], order_id: str, quantity: Decimal, run: int) -> None:
    """Fills of one order are one lot, where its first lies; a run ends where lots are told apart."""
    for lot in reversed(lots):
        if lot.run != run:
            break
        if lot.order_id == order_id:
            lot.left += quantity
            return
    lots.append(_Lot(order_id, quantity, run))


def _offset(position: Decimal, against: Decimal) -> tuple[Decimal, Decimal]:
    """What is left of both after the smaller is taken from each."""
    reduced = min(abs(position), abs(against)).copy_sign(position)
    return position - reduced, against + reduced


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How many day trades in how many sessions, below which equity, and what is done as they run out.

    Sources: FINRA Rule 4210(f)(8)(B) for the counts and the floor; the swing mode is a policy of the house.
    """

    enabled: bool
    as_of: date = date(2001, 9, 28)
    day_trades_max: int = 3
    window_sessions: int = 5
    equity_floor_usd: float = 25_000.0  # Of the throttle: infinite where it is switched on for good.
    law_floor_usd: float = 25_000.0  # Of the law, where the regime counts day trades.
    pattern_count: int = 4  # So many in the window make a pattern day trader.
    pattern_trades_fraction: float = 0.0  # Unless they are no more than this part of all trades; 0 never excuses.
    approach_slots_left: int = 1  # The last slots are an emergency pool, for swing entries only.
    last_minutes: int = 5  # Before the close: what enters then without a slot gets its stop after the close.
    swing_hold_sessions: int = 2
    swing_cooldown_minutes: int = 120
    swing_min_confidence: float = 0.70
    check: str | None = None  # Where the broker refuses: entry, exit or both; None: as it reports, unknown is both.


def day_trades(fills: Sequence[Part], start: Decimal) -> int:
    """By both permitted methods, the larger: which one the broker uses is not known. In time order."""
    return max(_direction_changes(fills, start), _opening_orders(fills, start))
