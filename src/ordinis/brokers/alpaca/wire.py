"""Alpaca's JSON <-> our nouns. Pure: no sockets, no clocks.

Reading is tolerant: fields we do not use may come, go or change, and a status we have never heard of
is UNKNOWN. What we do use is required, and its absence says which field is missing.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from ordinis.brokers.alpaca.times import date_in_new_york, ns_from_datetime, ns_from_new_york, ns_from_text
from ordinis.domain.account import AccountView, Position
from ordinis.domain.errors import BrokerError
from ordinis.domain.events import CashFlow, OrderUpdate
from ordinis.domain.market import Session
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, OrderType, ReplaceIntent, Side, leg_id, target_id
from ordinis.domain.standing import StandingOrder

T = TypeVar("T")

_STATUS = {
    "pending_new": OrderStatus.ACCEPTED,
    "accepted": OrderStatus.ACCEPTED,
    "new": OrderStatus.ACCEPTED,
    "accepted_for_bidding": OrderStatus.ACCEPTED,
    "pending_cancel": OrderStatus.ACCEPTED,  # Works until the cancel is confirmed.
    "pending_replace": OrderStatus.ACCEPTED,
    "pending_review": OrderStatus.ACCEPTED,
    "stopped": OrderStatus.ACCEPTED,  # A trade is promised but not made.
    "done_for_day": OrderStatus.ACCEPTED,  # Good till cancelled, it works again tomorrow.
    "held": OrderStatus.HELD,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "replaced": OrderStatus.REPLACED,
    "rejected": OrderStatus.REJECTED,
}

_SIDES = {"buy": Side.BUY, "sell": Side.SELL, "sell_short": Side.SELL}
_TYPES = {one.value: one for one in OrderType}

_FLOW = {"FEE": "fee", "INT": "interest", "DIV": "dividend", "SPLIT": "cash_in_lieu", "MA": "removal"}


class WireOrder(msgspec.Struct, kw_only=True):
    """Alpaca's order object, as far as we read it."""

    id: str
    client_order_id: str
    status: str
    symbol: str = ""
    side: str = ""
    type: str = ""
    qty: Decimal | None = None
    filled_qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    submitted_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    canceled_at: str | None = None
    expired_at: str | None = None
    replaced_at: str | None = None
    failed_at: str | None = None
    legs: list[WireOrder] | None = None


class WireTradeUpdate(msgspec.Struct, kw_only=True):
    """`data` of a trade_updates message."""

    event: str
    order: WireOrder
    timestamp: str | None = None
    at: str | None = None
    execution_id: str | None = None
    price: Decimal | None = None
    qty: Decimal | None = None


class WireTradingMessage(msgspec.Struct, kw_only=True):
    stream: str
    data: msgspec.Raw


class WireBar(msgspec.Struct, kw_only=True):
    """A bar of REST or of a JSON stream. `t` is its left edge."""

    t: datetime
    o: float
    h: float
    l: float  # noqa: E741  Alpaca's name.
    c: float
    v: float


class WireStreamMessage(msgspec.Struct, kw_only=True):
    """Any message of the market-data stream: T says which fields are given."""

    T: str
    S: str = ""
    t: datetime | None = None
    o: float = 0.0
    h: float = 0.0
    l: float = 0.0  # noqa: E741
    c: float = 0.0
    v: float = 0.0
    msg: str = ""
    code: int = 0


class WireConfigurations(msgspec.Struct, kw_only=True):
    pdt_check: str | None = None


class WireAccount(msgspec.Struct, kw_only=True):
    """What is left out is unknown, never zero; without equity and cash there is nothing to go by."""

    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    last_equity: Decimal | None = None
    multiplier: Decimal | None = None
    account_type: str | None = None
    status: str | None = None
    initial_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    last_maintenance_margin: Decimal | None = None
    regt_buying_power: Decimal | None = None
    non_marginable_buying_power: Decimal | None = None
    daytrading_buying_power: Decimal | None = None
    daytrade_count: int | None = None
    pattern_day_trader: bool | None = None
    shorting_enabled: bool | None = None
    account_blocked: bool | None = None
    trading_blocked: bool | None = None
    trade_suspended_by_user: bool | None = None
    user_configurations: WireConfigurations | None = None


class WirePosition(msgspec.Struct, kw_only=True):
    symbol: str
    qty: Decimal
    avg_entry_price: Decimal
    side: str = "long"


class WireCashActivity(msgspec.Struct, kw_only=True):
    """A non-trade activity."""

    id: str
    activity_type: str
    net_amount: Decimal
    date: date
    created_at: str | None = None
    description: str = ""
    symbol: str = ""


class WireFillActivity(msgspec.Struct, kw_only=True):
    """A trade, as the account's activities list it: what the stream said, for those who were not listening."""

    id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    cum_qty: Decimal
    transaction_time: str


class WireCalendarDay(msgspec.Struct, kw_only=True):
    date: date
    open: str
    close: str


def read(value: Any, kind: type[T], what: str) -> T:
    """Plain JSON values -> a wire noun. Errors: BrokerError naming the field and the message."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BrokerError(f"the broker's {what} cannot be read: {error}; its API may have changed") from error


def status(text: str) -> OrderStatus:
    return _STATUS.get(text, OrderStatus.UNKNOWN)


def order_payload(intent: OrderIntent) -> dict[str, Any]:
    """The body of POST /orders. Numbers are strings, so that every decimal arrives as it was decided."""
    payload: dict[str, Any] = {
        "symbol": intent.symbol,
        "qty": format(intent.quantity, "f"),
        "side": intent.side.value,
        "type": intent.type.value,
        "time_in_force": intent.time_in_force.value,
        "client_order_id": intent.client_order_id,
    }
    for field, amount in (
        ("limit_price", intent.limit_price_usd),
        ("stop_price", intent.stop_price_usd),
        ("trail_price", intent.trail_usd),
        ("trail_percent", intent.trail_percent),
    ):
        if amount is not None:
            payload[field] = format(amount, "f")
    if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
        payload |= _legs(intent)
    return payload


def replace_payload(intent: ReplaceIntent) -> dict[str, Any]:
    """The body of PATCH /orders/{id}: what changes."""
    payload: dict[str, Any] = {"client_order_id": intent.client_order_id}
    for field, amount in (
        ("qty", intent.quantity),
        ("limit_price", intent.limit_price_usd),
        ("stop_price", intent.stop_price_usd),
        ("trail", intent.trail),
    ):
        if amount is not None:
            payload[field] = format(amount, "f")
    if intent.time_in_force is not None:
        payload["time_in_force"] = intent.time_in_force.value
    return payload


def _legs(intent: OrderIntent) -> dict[str, Any]:
    legs: dict[str, Any] = {"order_class": _order_class(intent)}
    if intent.take_profit_usd is not None:
        legs["take_profit"] = {"limit_price": format(intent.take_profit_usd, "f")}
    if intent.stop_loss_usd is not None:
        legs["stop_loss"] = {"stop_price": format(intent.stop_loss_usd, "f")}
    if intent.stop_loss_limit_usd is not None:
        legs["stop_loss"]["limit_price"] = format(intent.stop_loss_limit_usd, "f")
    return legs


def _order_class(intent: OrderIntent) -> str:
    if intent.stop_loss_usd is None or intent.take_profit_usd is None:
        return "oto"
    return "oco" if intent.oco else "bracket"


def leg_name(leg: WireOrder, parent_client_order_id: str) -> str:
    """Our name for a leg, by what it is: the broker's own is made up."""
    return (target_id if leg.type == "limit" else leg_id)(parent_client_order_id)


def standing_order(order: WireOrder, client_order_id: str) -> StandingOrder:
    """An open order under our name for it. A kind or a side that we have never heard of is None."""
    return StandingOrder(
        client_order_id=client_order_id,
        symbol=order.symbol,
        quantity=order.qty or Decimal(0),
        filled_quantity=order.filled_qty or Decimal(0),
        side=_SIDES.get(order.side),
        type=_TYPES.get(order.type),
        price_usd=order.limit_price or order.stop_price,
        waits=order.status == "held",
    )


def submitted_at_ns(order: WireOrder) -> int:
    """When the broker took it."""
    text = order.submitted_at or order.created_at
    if text is None:
        raise BrokerError(f"order {order.id}: the broker names no time of submission")
    return ns_from_text(text)


def order_update(message: WireTradeUpdate, client_order_id: str) -> OrderUpdate:
    """A trade update under our name for the order, which for a leg is not the broker's."""
    order = message.order
    happened_ns = _update_ns(message)
    return OrderUpdate(
        at_ns=happened_ns if message.at is None else ns_from_text(message.at),
        client_order_id=client_order_id,
        broker_order_id=order.id,
        symbol=order.symbol,
        status=status(order.status),
        filled_quantity=order.filled_qty if order.filled_qty is not None else Decimal(0),
        fill=_fill(message, happened_ns),
    )


def acknowledgement(order: WireOrder, client_order_id: str) -> OrderUpdate:
    """That the broker has it. Fills are told apart: they name their execution ids."""
    known = status(order.status)
    fills = known in {OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED}
    return OrderUpdate(
        at_ns=submitted_at_ns(order),
        client_order_id=client_order_id,
        broker_order_id=order.id,
        symbol=order.symbol,
        status=OrderStatus.ACCEPTED if fills else known,
        filled_quantity=Decimal(0),
    )


def fill_update(activity: WireFillActivity, client_order_id: str, ordered: Decimal) -> OrderUpdate:
    """A fill by REST, as the stream would have told it. The activity's id ends with the execution's."""
    at_ns = ns_from_text(activity.transaction_time)
    return OrderUpdate(
        at_ns=at_ns,
        client_order_id=client_order_id,
        broker_order_id=activity.order_id,
        symbol=activity.symbol,
        status=OrderStatus.FILLED if activity.cum_qty >= ordered else OrderStatus.PARTIALLY_FILLED,
        filled_quantity=activity.cum_qty,
        fill=Fill(
            execution_id=activity.id.rpartition("::")[2],
            symbol=activity.symbol,
            quantity=-activity.qty if activity.side.startswith("sell") else activity.qty,
            price_usd=activity.price,
            filled_at_ns=at_ns,
        ),
    )


def end_update(order: WireOrder, client_order_id: str, final: OrderStatus) -> OrderUpdate:
    """That nothing more will happen to it."""
    when = order.canceled_at or order.expired_at or order.replaced_at or order.failed_at or order.updated_at
    return OrderUpdate(
        at_ns=submitted_at_ns(order) if when is None else ns_from_text(when),
        client_order_id=client_order_id,
        broker_order_id=order.id,
        symbol=order.symbol,
        status=final,
        filled_quantity=order.filled_qty or Decimal(0),
    )


def _update_ns(message: WireTradeUpdate) -> int:
    text = message.timestamp or message.at
    if text is None:
        raise BrokerError(f"a trade update ({message.event}) of order {message.order.id} names no time")
    return ns_from_text(text)


def _fill(message: WireTradeUpdate, filled_at_ns: int) -> Fill | None:
    if message.event not in {"fill", "partial_fill"}:
        return None
    if message.execution_id is None or message.price is None or message.qty is None:
        raise BrokerError(f"a fill of order {message.order.id} lacks its execution id, price or quantity")
    sells = message.order.side.startswith("sell")
    return Fill(
        execution_id=message.execution_id,
        symbol=message.order.symbol,
        quantity=-message.qty if sells else message.qty,
        price_usd=message.price,
        filled_at_ns=filled_at_ns,
    )


def account_view(account: WireAccount, positions: list[WirePosition], at_ns: int) -> AccountView:
    return AccountView(
        at_ns=at_ns,
        equity_usd=account.equity,
        cash_usd=account.cash,
        buying_power_usd=account.buying_power,
        last_equity_usd=account.last_equity,
        multiplier=None if account.multiplier is None else int(account.multiplier),
        positions=positions_of(positions),
        account_type=account.account_type,
        status=account.status,
        initial_margin_usd=account.initial_margin,
        maintenance_margin_usd=account.maintenance_margin,
        last_maintenance_margin_usd=account.last_maintenance_margin,
        regt_buying_power_usd=account.regt_buying_power,
        non_marginable_buying_power_usd=account.non_marginable_buying_power,
        daytrading_buying_power_usd=account.daytrading_buying_power,
        daytrade_count=account.daytrade_count,
        pattern_day_trader=account.pattern_day_trader,
        pdt_check=None if account.user_configurations is None else account.user_configurations.pdt_check,
        shorting_enabled=account.shorting_enabled,
        account_blocked=account.account_blocked,
        trading_blocked=account.trading_blocked,
        trade_suspended_by_user=account.trade_suspended_by_user,
    )


def positions_of(positions: list[WirePosition]) -> tuple[Position, ...]:
    """Sorted by symbol."""
    return tuple(sorted((_position(one) for one in positions), key=lambda one: one.symbol))


def _position(position: WirePosition) -> Position:
    """Alpaca's short quantities carry a minus already; the side decides where one does not."""
    quantity = position.qty
    if position.side == "short" and quantity > 0:
        quantity = -quantity
    return Position(symbol=position.symbol, quantity=quantity, average_price_usd=position.avg_entry_price)


def cash_flow(activity: WireCashActivity, booked_at_ns: int) -> CashFlow:
    """Money that moved without a trade. Alpaca names only its date; `created_at` is used where it is given."""
    return CashFlow(
        at_ns=booked_at_ns if activity.created_at is None else ns_from_text(activity.created_at),
        id=activity.id,
        kind=_FLOW.get(activity.activity_type, activity.activity_type.lower()),
        amount_usd=activity.net_amount,
        note=activity.description,
        symbol=activity.symbol,
    )


def session(day: WireCalendarDay) -> Session:
    return Session(
        date=day.date,
        open_ns=ns_from_new_york(day.date, time.fromisoformat(day.open)),
        close_ns=ns_from_new_york(day.date, time.fromisoformat(day.close)),
    )


def bar_start_ns(bar: WireBar) -> int:
    return ns_from_datetime(bar.t)


def bar_date(bar: WireBar) -> date:
    """A daily bar begins at midnight in New York."""
    return date_in_new_york(ns_from_datetime(bar.t))
