"""Day trades: counting them, and the slots that entries reserve before they can become one.

Source: FINRA Rule 4210(f)(8)(B) and its interpretations /01 and /02. A day trade is a purchase and a
sale of the same security on the same New York trade date; a position held overnight and only reduced is
none. Partial fills of one order are one transaction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Literal

Method = Literal["direction_change", "opening_order", "max"]
_NONE = Decimal(0)
Trade = tuple[str, Decimal, str]  # (side "buy" or "sell", quantity in shares, order id)


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


def _orders(trades: Iterable[Trade]) -> list[Decimal]:
    """Signed quantities, consecutive partial fills of one order joined."""
    runs = groupby(trades, key=lambda trade: (trade[2], trade[0]))
    return [sum((quantity for _, quantity, _ in run), Decimal(0)) * _sign(side) for (_, side), run in runs]


def _sign(side: str) -> int:
    if side not in ("buy", "sell"):
        raise ValueError(f"side must be buy or sell, was {side!r}")
    return 1 if side == "buy" else -1


def _direction_changes(orders: list[Decimal], position: Decimal) -> int:
    count, armed = 0, False
    for signed in orders:
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


def _opening_orders(orders: list[Decimal], overnight: Decimal) -> int:
    """Orders that opened today and were, in whole or in part, closed today."""
    open_lots: list[Decimal] = []  # Today's, newest last; what was held overnight lies beneath them.
    touched: list[bool] = []
    count = 0
    for signed in orders:
        left = signed
        while left and open_lots and open_lots[-1] * left < 0:
            count += not touched[-1]
            touched[-1] = True
            open_lots[-1], left = _offset(open_lots[-1], left)
            if not open_lots[-1]:
                open_lots.pop()
                touched.pop()
        if left * overnight < 0:
            overnight, left = _offset(overnight, left)
        if left:
            open_lots.append(left)
            touched.append(False)
    return count


def _offset(position: Decimal, against: Decimal) -> tuple[Decimal, Decimal]:
    """What is left of both after the smaller is taken from each."""
    reduced = min(abs(position), abs(against)).copy_sign(position)
    return position - reduced, against + reduced


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """How many day trades in how many sessions, and below which equity it is on."""

    enabled: bool
    day_trades_max: int = 3
    window_sessions: int = 5
    equity_floor_usd: float = 25_000.0


class TradedDay:
    """The orders of one trade date by symbol, counted when somebody asks."""

    __slots__ = ("_last_order", "_orders", "_start", "_used")

    def __init__(self, start: dict[str, Decimal]) -> None:
        self._start = start
        self._orders: dict[str, list[Decimal]] = {}  # As `_orders` gives them.
        self._last_order: dict[str, str] = {}
        self._used: int | None = 0

    def filled(self, symbol: str, quantity: Decimal, order_id: str) -> None:
        orders = self._orders.setdefault(symbol, [])
        if self._last_order.get(symbol) == order_id:
            orders[-1] += quantity
        else:
            orders.append(quantity)
            self._last_order[symbol] = order_id
        self._used = None

    @property
    def used(self) -> int:
        """By both permitted methods a symbol, the larger: which one the broker uses is not known."""
        if self._used is None:
            self._used = sum(self._count(symbol, orders) for symbol, orders in self._orders.items())
        return self._used

    def _count(self, symbol: str, orders: list[Decimal]) -> int:
        start = self._start.get(symbol, _NONE)
        return max(_direction_changes(orders, start), _opening_orders(orders, start))


class DayTradeSlots:
    """Gates entries: each one that could be closed today, its stop counts, reserves a slot until the close."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle
        self._earlier: deque[TradedDay] = deque(maxlen=throttle.window_sessions - 1)
        self._today = TradedDay({})
        self._open_entries: set[str] = set()
        self._on = False

    def session_opens(
        self, last_equity_usd: float, positions: dict[str, Decimal], entering: Iterable[str] = ()
    ) -> None:
        """`entering` are symbols whose entries still work from before: they can buy, and be closed, today."""
        self._on = self._throttle.enabled and last_equity_usd < self._throttle.equity_floor_usd
        self._today = TradedDay(positions)
        self._open_entries = set(entering)

    def session_closes(self) -> None:
        self._earlier.append(self._today)
        self._today = TradedDay({})
        self._open_entries.clear()

    def entry_sent(self, symbol: str) -> None:
        self._open_entries.add(symbol)

    def entry_over(self, symbol: str) -> None:
        """It ended unfilled, or its position is closed and the fills say what it was."""
        self._open_entries.discard(symbol)

    def filled(self, symbol: str, quantity: Decimal, order_id: str) -> None:
        """`quantity` signed: positive bought."""
        self._today.filled(symbol, quantity, order_id)

    @property
    def used(self) -> int:
        """Day trades in the window, today's included."""
        return sum(day.used for day in self._earlier) + self._today.used

    @property
    def reserved(self) -> int:
        """Entries of today that could still become a day trade."""
        return len(self._open_entries)

    @property
    def throttled(self) -> bool:
        """Day trades are counted and limited."""
        return self._on

    @property
    def full(self) -> bool:
        """One more entry could become the day trade that is one too many."""
        return self._on and self.used + self.reserved >= self._throttle.day_trades_max
