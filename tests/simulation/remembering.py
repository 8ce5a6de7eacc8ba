"""What an engine knows, as plain values that can be compared: for tests that two engines stand in the same place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ordinis.engines.trading import TradingEngine

# Looked up anew whenever it is needed, or counted for the report of one process only.
_PASSING = {
    "optimal",
    "sizer",
    "_sizer",
    "moves",
    "_quantity",
    "beta_usd",
    "orders",
    "rules_evaluated",
    "_evidence",
    "_used",
    "_expected",
}
# Of the last minute that had candidates: looked at anew before it is asked for.
_OF_A_MINUTE = {
    "state.book.intraday_power_usd",
    "state.gate.at_ns",
    "state.gate.equity_usd",
    "state.gate.free_cash_usd",
    "state.gate.gross_usd",
    "state.gate.owes_nothing",
    *(
        f"state.gate.meter._{name}"
        for name in (
            "cash_usd",
            "concentrated",
            "held_usd",
            "marks_usd",
            "open_usd",
            "quantity",
            "reckoned",
            "required_usd",
        )
    ),
}


def known(engine: TradingEngine) -> dict[str, Any]:
    """Every figure of the account's state, by its path."""
    found: dict[str, Any] = {}
    _walk("state", engine.state, found)
    for name in ("_day", "_in_session", "_account_known", "_baselined", "_row"):
        found[name] = getattr(engine, name)
    found["leavers"] = repr(engine._day_votes)
    found["curve"] = (engine.curve.equity_usd.tobytes(), tuple(engine.curve.sessions))
    return found


def differences(one: TradingEngine, other: TradingEngine) -> list[str]:
    """Where two engines know different things, a line each."""
    left, right = known(one), known(other)
    return [
        f"{path}: {left.get(path)!r} against {right.get(path)!r}"
        for path in sorted(left.keys() | right.keys())
        if left.get(path) != right.get(path)
    ]


def _walk(path: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, np.ndarray):
        found[path] = value.tobytes()
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _walk(f"{path}[{key}]", one, found)
    elif hasattr(value, "__struct_fields__") or isinstance(value, str | bytes | int | float | tuple | frozenset):
        found[path] = repr(value)
    elif type(value).__module__.startswith("ordinis.engines"):
        for name in _names(value):
            if name not in _PASSING and f"{path}.{name}" not in _OF_A_MINUTE and hasattr(value, name):
                _walk(f"{path}.{name}", getattr(value, name), found)
    elif isinstance(value, list) or type(value).__name__ == "deque":
        for number, one in enumerate(value):
            _walk(f"{path}[{number}]", one, found)
    elif isinstance(value, set):
        found[path] = sorted(value)
    else:
        found[path] = repr(value)


def _names(value: Any) -> list[str]:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return sorted({*slots, *getattr(value, "__dict__", {})})
