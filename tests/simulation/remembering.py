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
    "_marks_usd",
    "beta_usd",
    "orders",
    "rules_evaluated",
    "_evidence",
    "_used",
    "_expected",
}
_OF_THE_MINUTE = {f"state.gate.{name}" for name in ("at_ns", "equity_usd", "gross_usd", "free_cash_usd", "meter")}


def known(engine: TradingEngine) -> dict[str, Any]:
    """Every figure of the account's state, by its path."""
    found: dict[str, Any] = {}
    _walk("state", engine.state, found)
    for name in ("_halted", "_day", "_in_session", "_account_known", "_corrected", "_row"):
        found[name] = getattr(engine, name)
    found["leavers"] = repr(engine._day_votes)
    found["broker asks for more"] = engine.state.gate.meter.excess_usd
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
    if path in _OF_THE_MINUTE:
        return
    if isinstance(value, np.ndarray):
        found[path] = value.tobytes()
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _walk(f"{path}[{key}]", one, found)
    elif hasattr(value, "__struct_fields__") or isinstance(value, str | bytes | int | float | tuple | frozenset):
        found[path] = repr(value)
    elif type(value).__module__.startswith("ordinis.engines"):
        for name in _names(value):
            if name not in _PASSING and hasattr(value, name):
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
