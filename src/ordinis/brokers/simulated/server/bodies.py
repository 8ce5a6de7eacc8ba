"""Bodies that are not as they should be, and shares written as numbers. A body is what JSON can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ordinis.brokers.simulated.faults import Faults
from ordinis.brokers.simulated.faults.director import fits
from ordinis.brokers.simulated.faults.kinds import EmptyList, MissingField, UnknownField, UnknownStatus

SHARES = frozenset({"qty", "filled_qty", "qty_available", "position_qty", "leaves_qty", "cum_qty"})
_STREAMS = ("trading_stream", "data_stream")
_OF_BODIES = (MissingField, UnknownField, UnknownStatus, EmptyList)
_Change = Callable[[dict[str, Any]], dict[str, Any]]


class BodyFaults:
    """What faults make of a body on its way out."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def waiting(self) -> bool:
        faults = self._faults
        return bool(faults) and any(faults.has(kind) for kind in _OF_BODIES)

    def changed(self, body: Any, where: str) -> Any:
        """`where` is an address, or the name of a stream."""
        if not self.waiting():
            return body
        if isinstance(body, list):
            emptied: EmptyList | None = self._faults.next(EmptyList, lambda one: fits(one.where, where))
            if emptied is not None:
                return []
        for missing in self._faults.all(MissingField, lambda one: _about(one.where, where)):
            body = _everywhere(body, _without(missing.field))
        for unknown in self._faults.all(UnknownField, lambda one: _about(one.where, where)):
            body = _everywhere(body, _with(unknown.field, unknown.value))
        if _has_order(body):
            for status in self._faults.all(UnknownStatus, lambda one: _about(one.where, where)):
                body = _everywhere(body, _in_status(status.status))
        return body


def _about(glob: str, where: str) -> bool:
    """Without a glob all of REST, and no stream: a stream is named."""
    return where not in _STREAMS if glob == "*" else fits(glob, where)


def _everywhere(body: Any, change: _Change) -> Any:
    """Every object of a body, the innermost first."""
    if isinstance(body, list):
        return [_everywhere(one, change) for one in body]
    if isinstance(body, dict):
        return change({name: _everywhere(value, change) for name, value in body.items()})
    return body


def _without(field: str) -> _Change:
    return lambda one: {name: value for name, value in one.items() if name != field}


def _with(field: str, value: Any) -> _Change:
    return lambda one: {**one, field: value}


def _in_status(status: str) -> _Change:
    return lambda one: {**one, "status": status} if _is_order(one) else one


def _is_order(one: dict[str, Any]) -> bool:
    return "client_order_id" in one and "status" in one


def _has_order(body: Any) -> bool:
    if isinstance(body, list):
        return any(_has_order(one) for one in body)
    return isinstance(body, dict) and (_is_order(body) or any(_has_order(one) for one in body.values()))


def shares_as_numbers(body: Any) -> Any:
    """`"qty": "3"` becomes `"qty": 3`."""
    return _everywhere(body, _numbers)


def _numbers(one: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) if name in SHARES else value for name, value in one.items()}


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number
