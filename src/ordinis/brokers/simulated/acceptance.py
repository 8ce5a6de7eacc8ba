"""Whether the exchange takes an order: its form, the account, the symbol's other orders, in that order."""

from __future__ import annotations

from decimal import Decimal

from ordinis.brokers.simulated import refusals
from ordinis.brokers.simulated.account import AccountBooks
from ordinis.brokers.simulated.order import ZERO, BrokerOrder, trailed_usd
from ordinis.brokers.simulated.regimes import Asked
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.brokers.simulated.validity import check_form, check_legs, check_pair
from ordinis.brokers.simulated.working import WorkingOrders
from ordinis.domain.orders import OrderIntent, OrderType, Side

_BUY, _SELL = Side.BUY, Side.SELL
_LIMIT, _STOP_LIMIT, _TRAILING_STOP = OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP
_PAIRED = ("bracket", "oco")


class Acceptance:
    """The checks that need the books and the working orders. It reads them and changes nothing."""

    __slots__ = ("_books", "_collar", "_fraction_usd_min", "_working")

    def __init__(self, settings: ExchangeSettings, books: AccountBooks, working: WorkingOrders) -> None:
        self._books = books
        self._working = working
        self._collar = 1 + Decimal(str(settings.market_buy_collar))
        self._fraction_usd_min = settings.fractional_order_usd_min

    def check(self, intent: OrderIntent, column: int, whole: bool) -> Decimal:
        """What a share of the order reserves, USD; zero for a sale. Raises OrderRefused."""
        check_form(intent, whole)
        if intent.side is _BUY:
            reserve = self._check_buy(intent, column, whole)
            self._check_wash(intent, column)
            self._check_regime(intent, column, reserve)
            return reserve
        self._check_sale(intent, column, whole)
        self._check_wash(intent, column)
        self._check_regime(intent, column, ZERO)
        return ZERO

    def _check_regime(self, intent: OrderIntent, column: int, price_usd: Decimal) -> None:
        legs = not intent.oco and (intent.stop_loss_usd is not None or intent.take_profit_usd is not None)
        asked = Asked(column, intent.side is _BUY, intent.quantity, price_usd, legs)
        self._books.regime.check(asked, self._working)

    def _check_buy(self, intent: OrderIntent, column: int, whole: bool) -> Decimal:
        last = self._books.last_price_usd(column)
        base = self._base(intent, last)
        if intent.oco:
            raise refusals.unprocessable("oco orders must be exit orders")
        if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
            check_legs(intent, base, entry_buys=True)
        if not whole:
            self._check_fraction_value(intent.quantity * base)
        limited = intent.type is _LIMIT or intent.type is _STOP_LIMIT
        reserve = base if limited else max(base, last or base) * self._collar
        self._books.check_buy(reserve * intent.quantity)
        return reserve

    def _check_sale(self, intent: OrderIntent, column: int, whole: bool) -> None:
        books = self._books
        if intent.oco:
            check_pair(intent, exit_sells=True)
        elif intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
            raise books.short_refusal()  # Legs after a sale are for a short, and there are none.
        if intent.type is _TRAILING_STOP:
            self._base(intent, books.last_price_usd(column))
        books.check_sale(column, intent.quantity, whole, self._working.of(column))
        if whole or intent.quantity == books.quantity(column):  # What is left of a position can always be closed.
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
