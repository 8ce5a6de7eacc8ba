"""Orders and what becomes of them, as Alpaca writes them; and its requests, as we read them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ordinis.brokers.simulated.order import BrokerOrder
from ordinis.brokers.simulated.refusals import Refusal, malformed, unprocessable
from ordinis.brokers.simulated.wire_values import (
    asset_id,
    foreign_id,
    new_york,
    optional_plain,
    optional_utc_text,
    plain,
    ulid,
    utc_text,
)
from ordinis.domain.events import OrderUpdate
from ordinis.domain.orders import OrderIntent, OrderStatus, OrderType, Purpose, ReplaceIntent, Side, TimeInForce

_STATUS = {
    OrderStatus.ACCEPTED: "new",
    OrderStatus.HELD: "held",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REPLACED: "replaced",
    OrderStatus.REJECTED: "rejected",
}
_EVENT = {
    OrderStatus.ACCEPTED: "new",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REPLACED: "replaced",
    OrderStatus.REJECTED: "rejected",
}
_PAIRED = ("bracket", "oco")
_CLASSES = ("simple", "oto", "bracket", "oco")


def client_order_id(order: BrokerOrder) -> str:
    """A leg's is the broker's own invention, its parent's name is not in it; who replaces one has a name to give."""
    named = order.parent is None or order.replaces is not None
    return order.client_order_id if named else foreign_id(order.client_order_id)


def order_body(order: BrokerOrder, *, nested: bool = True) -> dict[str, Any]:
    """The order as it stands."""
    body: dict[str, Any] = {
        "id": order.id,
        "client_order_id": client_order_id(order),
        "created_at": utc_text(order.created_at_ns),
        "updated_at": utc_text(order.updated_at_ns),
        "submitted_at": utc_text(order.submitted_at_ns),
        "filled_at": optional_utc_text(order.filled_at_ns),
        "expired_at": optional_utc_text(order.expired_at_ns),
        "expires_at": optional_utc_text(order.expires_at_ns),
        "canceled_at": optional_utc_text(order.canceled_at_ns),
        "failed_at": utc_text(order.updated_at_ns) if order.status is OrderStatus.REJECTED else None,
        "replaced_at": optional_utc_text(order.replaced_at_ns),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": asset_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": optional_plain(order.notional_usd),
        "qty": plain(order.quantity) if order.notional_usd is None else None,
        "filled_qty": plain(order.filled_quantity),
        "filled_avg_price": optional_plain(order.filled_average_price_usd),
        "order_class": order.order_class,
        "order_type": order.type.value,
        "type": order.type.value,
        "side": order.side.value,
        "position_intent": f"{order.side.value}_to_{'open' if order.opens else 'close'}",
        "time_in_force": order.time_in_force.value,
        "limit_price": optional_plain(order.limit_price_usd),
        "stop_price": optional_plain(order.stop_price_usd),
        "status": _STATUS[order.status],
        "extended_hours": order.extended_hours,
        "legs": None,
        "trail_percent": optional_plain(order.trail_percent),
        "trail_price": optional_plain(order.trail_usd),
        "hwm": optional_plain(order.mark_usd),
        "subtag": None,
        "source": None,
    }
    if nested and order.legs:
        body["legs"] = [order_body(leg) for leg in order.legs]
    return body


def pending_body(order: BrokerOrder) -> dict[str, Any]:
    """The answer to POST: taken, not yet at the venue, its leg held; what happens at once comes by the stream."""
    untouched: dict[str, Any] = {"filled_qty": "0", "filled_avg_price": None, "filled_at": None}
    status = "held" if order.status is OrderStatus.HELD else "pending_new"  # A leg with a new price, in its place.
    body: dict[str, Any] = {**order_body(order), **untouched, "status": status}
    if order.legs:
        body["legs"] = [{**order_body(leg), **untouched, "status": "held"} for leg in order.legs]
    return body


def update_bodies(
    update: OrderUpdate, order: BrokerOrder, average_price_usd: Decimal | None, position: Decimal, number: int
) -> list[dict[str, Any]]:
    """The stream's messages for one event: `data` of each. A held leg makes none, an accepted order two.

    The order shows what the event says of it, not how it stands by now: several may fall in one minute.
    `number` is that of the first message, counted over the whole stream.
    """
    if update.status is OrderStatus.HELD:
        return []
    body = order_body(order) | {
        "status": _STATUS[update.status],
        "filled_qty": plain(update.filled_quantity),
        "filled_avg_price": optional_plain(average_price_usd),
    }
    data: dict[str, Any] = {
        "at": utc_text(update.at_ns),
        "event_id": ulid(update.at_ns, number),
        "event": _EVENT.get(update.status, "new"),
        "timestamp": utc_text(update.at_ns),
        "order": body,
    }
    if update.fill is not None:
        return [data | _execution(update, position)]
    if update.status is OrderStatus.ACCEPTED and order.parent is None:
        pending = data | {"event": "pending_new", "order": body | {"status": "pending_new"}}
        return [pending, data | {"event_id": ulid(update.at_ns, number + 1)}]
    return [data]


def _execution(update: OrderUpdate, position: Decimal) -> dict[str, Any]:
    fill = update.fill
    assert fill is not None
    return {
        "event": "fill" if update.status is OrderStatus.FILLED else "partial_fill",
        "timestamp": utc_text(fill.filled_at_ns),
        "execution_id": fill.execution_id,
        "price": plain(fill.price_usd),
        "qty": plain(abs(fill.quantity)),
        "position_qty": plain(position),
    }


def fill_activity(update: OrderUpdate, order: BrokerOrder) -> dict[str, Any]:
    """An execution in the account's activities."""
    fill = update.fill
    assert fill is not None
    local = new_york(fill.filled_at_ns)
    return {
        "id": f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{fill.execution_id}",
        "activity_type": "FILL",
        "transaction_time": utc_text(fill.filled_at_ns),
        "type": "fill" if update.status is OrderStatus.FILLED else "partial_fill",
        "price": plain(fill.price_usd),
        "qty": plain(abs(fill.quantity)),
        "side": "sell_short" if order.opens and not order.buys else order.side.value,
        "symbol": fill.symbol,
        "leaves_qty": plain(order.quantity - update.filled_quantity),
        "cum_qty": plain(update.filled_quantity),
        "order_id": order.id,
        "order_status": _STATUS[update.status],
    }


def order_request(body: Any, now_ns: int, made_up_id: str) -> OrderIntent:
    """The body of POST /orders. Errors: Refusal in the broker's words."""
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    group = _group(body)
    intent = OrderIntent(
        client_order_id=_client_order_id(body, made_up_id),
        symbol=str(body.get("symbol", "")),
        side=_choice(body, "side", Side),
        quantity=_quantity(body),
        type=_choice(body, "type", OrderType),
        time_in_force=_choice(body, "time_in_force", TimeInForce),
        purpose=Purpose.ENTRY,  # The exchange does not know why, and does not ask.
        decided_at_ns=now_ns,
        valid_until_ns=now_ns,
        limit_price_usd=_number(body, "limit_price"),
        stop_price_usd=_number(body, "stop_price"),
        stop_loss_usd=group.stop_loss_usd,
        take_profit_usd=group.take_profit_usd,
        stop_loss_limit_usd=group.stop_loss_limit_usd,
        trail_usd=_number(body, "trail_price"),
        trail_percent=_number(body, "trail_percent"),
    )
    if in_extended_hours(body):
        _check_extended_hours(intent)
    return intent


def in_extended_hours(body: Any) -> bool:
    """What POST /orders asks for. Errors: Refusal in the broker's words."""
    asked = body.get("extended_hours") if isinstance(body, Mapping) else None
    if asked is not None and not isinstance(asked, bool):
        raise malformed("extended_hours must be a boolean")
    return bool(asked)


def _check_extended_hours(intent: OrderIntent) -> None:
    """Source: what the broker answers in 2026; that orders with legs are none is in its documents, not the words."""
    if intent.type is not OrderType.LIMIT or intent.time_in_force not in (TimeInForce.DAY, TimeInForce.GTC):
        raise unprocessable("extended hours order must be DAY or GTC limit orders")
    if intent.stop_loss_usd is not None or intent.take_profit_usd is not None:
        raise unprocessable("extended hours orders must be simple orders")


def replace_request(body: Any, order: BrokerOrder, now_ns: int, made_up_id: str) -> ReplaceIntent:
    """The body of PATCH /orders/{id}. Errors: Refusal in the broker's words."""
    if not isinstance(body, Mapping):
        raise malformed("request body format is invalid")
    return ReplaceIntent(
        client_order_id=_client_order_id(body, made_up_id),
        replaces=order.client_order_id,
        symbol=order.symbol,
        decided_at_ns=now_ns,
        quantity=_number(body, "qty"),
        limit_price_usd=_number(body, "limit_price"),
        stop_price_usd=_number(body, "stop_price"),
        trail=_number(body, "trail"),
        time_in_force=None if body.get("time_in_force") is None else _choice(body, "time_in_force", TimeInForce),
    )


def _client_order_id(body: Mapping[str, Any], made_up_id: str) -> str:
    name = body.get("client_order_id")
    if not name:
        return made_up_id
    if not isinstance(name, str):
        raise malformed("client_order_id must be a string")
    return name


def _choice(body: Mapping[str, Any], field: str, kind: Any) -> Any:
    try:
        return kind(body.get(field))
    except ValueError:
        name = "order type" if field == "type" else field
        raise malformed(f"invalid {name}") from None


def notional_usd(body: Any) -> Decimal | None:
    """What POST /orders gives instead of a quantity. Errors: Refusal in the broker's words."""
    return _number(body, "notional") if isinstance(body, Mapping) else None


def _quantity(body: Mapping[str, Any]) -> Decimal:
    """Zero where a notional stands for it."""
    quantity, notional = _number(body, "qty"), notional_usd(body)
    if quantity is not None and notional is not None:
        raise malformed("only one of qty or notional is accepted")
    if quantity is None and notional is None:
        raise malformed("qty or notional is required")
    return Decimal(0) if quantity is None else quantity


class _Group(NamedTuple):
    stop_loss_usd: Decimal | None
    stop_loss_limit_usd: Decimal | None
    take_profit_usd: Decimal | None


def _group(body: Mapping[str, Any]) -> _Group:
    """The legs that a request asks for, as its class wants them."""
    kind = body.get("order_class") or "simple"
    if kind not in _CLASSES:
        raise malformed("invalid order_class")
    group = _Group(
        _part(body, "stop_loss", "stop_price"),
        _part(body, "stop_loss", "limit_price"),
        _part(body, "take_profit", "limit_price"),
    )
    given = (group.stop_loss_usd is not None) + (group.take_profit_usd is not None)
    if kind == "simple" and (body.get("stop_loss") is not None or body.get("take_profit") is not None):
        raise malformed("simple orders require no take_profit or stop_loss")
    if kind in _PAIRED and group.take_profit_usd is None:
        raise malformed(f"{kind} orders require take_profit.limit_price")
    if kind in _PAIRED and group.stop_loss_usd is None:
        raise malformed(f"{kind} orders require stop_loss.stop_price")
    if kind == "oco" and (body.get("type") != "limit" or body.get("limit_price") is not None):
        raise malformed("oco orders must be limit orders, with take_profit.limit_price as their limit")
    if kind == "oto" and given != 1:
        raise malformed("oto orders require either take_profit.limit_price or stop_loss.stop_price")
    return group


def _part(body: Mapping[str, Any], leg: str, field: str) -> Decimal | None:
    """A price of a leg."""
    fields = body.get(leg)
    if fields is None:
        return None
    if not isinstance(fields, Mapping):
        raise malformed(f"{leg} must be an object")
    return _number(fields, field)


def _number(body: Mapping[str, Any], field: str) -> Decimal | None:
    """A string keeps its digits; a JSON number such as 1.0 says no more than 1."""
    value = body.get(field)
    if value is None:
        return None
    try:
        number = Decimal(value) if isinstance(value, str) else Decimal(str(value))
    except InvalidOperation:
        raise _not_a_number(field) from None
    if not number.is_finite() or isinstance(value, bool):
        raise _not_a_number(field)
    return number if isinstance(value, str) or number != int(number) else Decimal(int(number))


def _not_a_number(field: str) -> Refusal:
    return malformed(f"{field} is not a valid number")
