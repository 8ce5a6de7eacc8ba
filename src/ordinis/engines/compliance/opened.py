"""What was opened today and is still open, at cost: last in, first out."""

from __future__ import annotations

from collections.abc import Mapping
from math import copysign


class OpenedToday:
    """Symbol -> signed shares opened today and what they cost, USD: estimates for margin."""

    __slots__ = ("_held", "_lots")

    def __init__(self) -> None:
        self._lots: dict[str, tuple[float, float]] = {}  # (signed shares, signed cost)
        self._held: dict[str, float] = {}

    def begins(self, held: Mapping[str, float]) -> None:
        """A session begins with these positions."""
        self._lots.clear()
        self._held = dict(held)

    def filled(self, symbol: str, signed: float, price_usd: float) -> None:
        """`signed` shares: positive bought."""
        held = self._held.get(symbol, 0.0)
        after = held + signed
        self._held[symbol] = after
        lot, cost = self._lots.get(symbol, (0.0, 0.0))
        if held * signed < 0.0:
            left = self._reduced(lot, abs(signed))
            crossed = after if held * after < 0.0 else 0.0  # The far side of a reversal.
            self._set(symbol, left + crossed, (cost * left / lot if lot else 0.0) + crossed * price_usd)
        else:
            self._set(symbol, lot + signed, cost + signed * price_usd)

    @property
    def cost_usd(self) -> float:
        """Longs and shorts, each at its cost."""
        return sum(abs(cost) for _, cost in self._lots.values())

    def profit_usd(self, prices_usd: Mapping[str, float]) -> float:
        """What those in profit have gained."""
        gains = (shares * prices_usd[symbol] - cost for symbol, (shares, cost) in self._lots.items())
        return sum(gain for gain in gains if gain > 0.0)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._lots

    @property
    def symbols(self) -> list[str]:
        return list(self._lots)

    @staticmethod
    def _reduced(lot: float, shares: float) -> float:
        return copysign(max(0.0, abs(lot) - shares), lot)

    def _set(self, symbol: str, shares: float, cost: float) -> None:
        if abs(shares) < 1e-9:
            self._lots.pop(symbol, None)
        else:
            self._lots[symbol] = (shares, cost)
