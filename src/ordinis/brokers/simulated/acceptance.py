"""Whether the exchange takes an order: its form, the account, the symbol's other orders, in that order."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, trailed_usd
from ordinis.brokers.simulated.regimes import Asked
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.validity import check_form, check_legs, check_pair
from ordinis.brokers.simulated.working import WorkingOrders
from ordinis.domain.orders import OrderIntent, OrderType, Side

_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_LIMIT: Final = OrderType.LIMIT
_STOP_LIMIT: Final = OrderType.STOP_LIMIT
_TRAILING_STOP: Final = OrderType.TRAILING_STOP
_PAIRED: Final = ("bracket", "oco")


class Accepted(NamedTuple):
    """What an order is to the books."""

    opens: bool  # A position, or more of one.
    reserve_usd: Decimal  # What a share of it reserves; zero for an exit.


class Acceptance:
    """The checks that need the books and the working orders. It reads them and changes nothing."""

    __slots__ = ("_books", "_collar", "_fraction_usd_min", "_short_collar", "_working")

    def __init__(self, settings: ExchangeSettings, books: AccountBooks, working: WorkingOrders) -> None:
        self._books = books
        self._working = working
        self._collar = 1 + Decimal(str(settings.market_buy_collar))
        self._short_collar = 1 + Decimal(str(settings.short_sale_collar))
        self._fraction_usd_min = settings.fractional_order_usd_min

    def check(self, intent: OrderIntent, column: int, whole: bool, *, today: bool) -> Accepted:
        """Raises OrderRefused. An account is never long and short of a symbol, and no order goes through zero.

        `today`: it may execute in the session that is open.
        """
        check_form(intent, whole)
        existing, buys = self._books.quantity(column), intent.side is _BUY
        if existing < 0 if buys else existing > 0:
            self._check_exit(intent, column, whole)
            self._check_wash(intent, column)
            self._books.regime.check(Asked(column, buys, False, intent.quantity, ZERO, False, today), self._working)
            return Accepted(False, ZERO)
        reserve = self._check_opening(intent, column, whole, today)
        self._check_wash(intent, column)
        return Accepted(True, reserve)

    def _check_opening(self, intent: OrderIntent, column: int, whole: bool, today: bool) -> Decimal:
        buys, last = intent.side is _BUY, self._books.last_price_usd(column)
        if intent.oco:
            raise refusals.unprocessable("oco orders must be exit orders")
        if not buys:
            self._books.check_short(column, whole)
        if any(other.opens and other.buys is not buys for other in self._working.of(column)):
            raise refusals.opposite_opening(buys)
        base = self._base(intent, last)
        legs = intent.stop_loss_usd is not None or intent.take_profit_usd is not None
        if legs:
            check_legs(intent, base, entry_buys=buys)
        if not whole:
            self._check_fraction_value(intent.quantity * base)
        price = self._price_usd(intent, base, last)
        reserve = price if buys else self._books.short_reserve_usd(column, price)
        self._books.check_opening(reserve * intent.quantity)
        self._books.regime.check(Asked(column, buys, True, intent.quantity, price, legs, today), self._working)
        return reserve

    def _price_usd(self, intent: OrderIntent, base: Decimal, last: Decimal | None) -> Decimal:
        """Source: Alpaca prices a buy at its limit, or above the market; a short at its limit or above the ask."""
        limited = intent.type is _LIMIT or intent.type is _STOP_LIMIT
        if intent.side is _BUY:
            return base if limited else max(base, last or base) * self._collar
        asked = (last or base) * self._short_collar
        return max(intent.limit_price_usd or asked, asked)

    def _check_exit(self, intent: OrderIntent, column: int, whole: bool) -> None:
        books, sells = self._books, intent.side is _SELL
        if intent.oco:
            check_pair(intent, exit_sells=sells)
        elif intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
            raise refusals.not_an_entry("bracket" if _is_bracket(intent) else "oto")
        if intent.type is _TRAILING_STOP:
            self._base(intent, books.last_price_usd(column))
        books.check_exit(column, intent.quantity, self._working.of(column))
        if whole:
            return
        if not sells:
            raise refusals.unprocessable("fractional orders cannot cover a short position")
        if intent.quantity == books.quantity(column):  # What is left of a position can always be closed.
            return
        last = books.last_price_usd(column)
        self._check_fraction_value(intent.quantity * (intent.limit_price_usd or intent.stop_price_usd or last or ZERO))

    @staticmethod
    def _base(intent: OrderIntent, last_usd: Decimal | None) -> Decimal:
        """The price that the order is about. Raises OrderRefused where none is known."""
        if intent.type is _TRAILING_STOP and last_usd is not None:
            return trailed_usd(intent.side is _BUY, last_usd, intent.trail_usd, intent.trail_percent)
        base = intent.limit_price_usd or intent.stop_price_usd or last_usd
        if base is None:
            raise refusals.no_price(intent.symbol)
        return base

    def _check_fraction_value(self, value_usd: Decimal) -> None:
        if value_usd < self._fraction_usd_min:
            raise refusals.below_minimum(self._fraction_usd_min)

    def _check_wash(self, intent: OrderIntent, column: int) -> None:
        """An opposite pair could trade with itself, unless both are limits that do not cross.

        Brackets, pairs and trailing stops are exempt.
        """
        if intent.oco or intent.type is _TRAILING_STOP or _is_bracket(intent):
            return
        for other in self._working.of(column):
            if other.side is intent.side or other.order_class in _PAIRED or other.type is _TRAILING_STOP:
                continue
            if other.type is not _LIMIT or intent.type is not _LIMIT:
                raise refusals.wash_trade(other, "opposite side market/stop order exists")
            if _crosses(intent, other):
                raise refusals.wash_trade(other, "opposite side limit order exists")


def _is_bracket(intent: OrderIntent) -> bool:
    return intent.stop_loss_usd is not None and intent.take_profit_usd is not None


def _crosses(intent: OrderIntent, other: BrokerOrder) -> bool:
    """Two limits of opposite sides that could meet."""
    mine, theirs = intent.limit_price_usd or ZERO, other.limit_price_usd or ZERO
    return mine >= theirs if intent.side is _BUY else theirs >= mine
