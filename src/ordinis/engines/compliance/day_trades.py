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
from itertools import groupby
from typing import Literal

Method = Literal["direction_change", "opening_order", "max"]
_NONE = Decimal(0)
Trade = tuple[str, Decimal, str]  # (side "buy" or "sell", quantity in shares, order id)
Order = tuple[str, Decimal]  # (order id, signed shares)


def count_day_trades(
    trades: Iterable[Trade], start_quantity: Decimal | int = 0, method: Method = "direction_change"
) -> int:
    """Day trades in one security on one trade date.

    `trades` in time order; `start_quantity` is the position at the start of the day, signed.
    `direction_change` counts each change from increasing to decreasing; `opening_order` counts the opening
    orders closed the same day, last in first out; `max` takes the larger. ValueError: an unknown method.
    """
    orders = _orders(trades)
    start = Decimal(start_quantity)
    if method == "direction_change":
        return _direction_changes(orders, start)
    if method == "opening_order":
        return _opening_orders(orders, start)
    if method == "max":
        return max(_direction_changes(orders, start), _opening_orders(orders, start))
    raise ValueError(f"method must be direction_change, opening_order or max, was {method!r}")


def _orders(trades: Iterable[Trade]) -> list[Order]:
    """Consecutive partial fills of one order joined."""
    runs = groupby(trades, key=lambda trade: (trade[2], trade[0]))
    return [
        (order_id, sum((quantity for _, quantity, _ in run), Decimal(0)) * _sign(side))
        for (order_id, side), run in runs
    ]


def _sign(side: str) -> int:
    if side not in ("buy", "sell"):
        raise ValueError(f"side must be buy or sell, was {side!r}")
    return 1 if side == "buy" else -1


def _direction_changes(orders: Sequence[Order], position: Decimal) -> int:
    count, armed = 0, False
    for _, signed in orders:
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


def _opening_orders(orders: Sequence[Order], overnight: Decimal) -> int:
    """Orders that opened today and were, in whole or in part, closed today.

    Where fills of several orders alternate, an order's parts may be one lot or several: the larger count holds.
    """
    alternate = len({order_id for order_id, _ in orders}) < len(orders)
    apart = _closed_lots(orders, overnight, joined=False)
    return max(apart, _closed_lots(orders, overnight, joined=True)) if alternate else apart


class _Lot:
    """What an order opened today; what was held overnight lies beneath all of them."""

    __slots__ = ("left", "order_id", "touched")

    def __init__(self, order_id: str, left: Decimal) -> None:
        self.order_id = order_id
        self.left = left
        self.touched = False


def _closed_lots(orders: Sequence[Order], overnight: Decimal, *, joined: bool) -> int:
    lots: list[_Lot] = []  # Newest last; by their first fill where parts are joined.
    for order_id, signed in orders:
        left = signed
        for lot in reversed(lots):
            if lot.left * left < 0:
                lot.left, left = _offset(lot.left, left)
                lot.touched = True
        if left * overnight < 0:
            overnight, left = _offset(overnight, left)
        same = next((lot for lot in lots if lot.order_id == order_id), None) if joined else None
        if same is not None:
            same.left += left
        elif left:
            lots.append(_Lot(order_id, left))
    return sum(lot.touched for lot in lots)


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


def day_trades(orders: Sequence[Order], start: Decimal) -> int:
    """By both permitted methods, the larger: which one the broker uses is not known."""
    return max(_direction_changes(orders, start), _opening_orders(orders, start))
