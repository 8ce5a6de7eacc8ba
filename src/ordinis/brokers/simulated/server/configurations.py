"""The account's configurations: what its owner has switched on and off."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ordinis.brokers.simulated.refusals import FORBIDDEN, Refusal, malformed, unprocessable

_DEFAULTS: dict[str, Any] = {
    "disable_overnight_trading": False,
    "fractional_trading": True,
    "max_margin_multiplier": "4",
    "max_options_trading_level": None,
    "no_shorting": False,
    "ptp_no_exception_entry": False,
    "suspend_trade": False,
    "trade_confirm_email": "all",
}
_SWITCHES = frozenset(name for name, value in _DEFAULTS.items() if isinstance(value, bool))
_CHOICES = {"trade_confirm_email": ("all", "none"), "max_margin_multiplier": ("1", "2", "4")}


class Configurations:
    """`suspend_trade`, `fractional_trading` and `no_shorting` act on orders; the others are kept and told."""

    def __init__(self) -> None:
        self._values = dict(_DEFAULTS)

    def body(self) -> dict[str, Any]:
        return dict(self._values)

    @property
    def suspended(self) -> bool:
        return bool(self._values["suspend_trade"])

    @property
    def no_shorting(self) -> bool:
        return bool(self._values["no_shorting"])

    def change(self, body: Any) -> None:
        """All or nothing; null changes nothing. Raises Refusal for what is no name, or not a value of it."""
        if not isinstance(body, Mapping):
            raise malformed("request body format is invalid")
        given = {name: value for name, value in body.items() if value is not None}
        for name, value in given.items():
            if name not in self._values:
                raise unprocessable(f"unknown configuration {name}")
            if name in _SWITCHES and not isinstance(value, bool):
                raise unprocessable(f"{name} must be true or false")
            if value not in _CHOICES.get(name, (value,)):
                raise unprocessable(f"{name} must be one of {', '.join(_CHOICES[name])}")
        self._values.update(given)

    def check(self, quantity: Decimal | None) -> None:
        """Before an order. Raises Refusal."""
        if self.suspended:
            raise Refusal(403, FORBIDDEN, "new orders are rejected by user request")
        if quantity is not None and quantity % 1 and not self._values["fractional_trading"]:
            raise Refusal(403, FORBIDDEN, "fractional trading is disabled by user request")
