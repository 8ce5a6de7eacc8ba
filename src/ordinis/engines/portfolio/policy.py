"""Which rules of size an account is under: tiers of equity, with hysteresis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ordinis.domain.errors import ConfigError
from ordinis.engines.portfolio.sizing import SizingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A policy for accounts from `equity_min_usd` up to the next tier's."""

    name: str
    equity_min_usd: float
    sizing: SizingConfig
    min_confidence: float  # Entries need at least this rank; 0 asks for none.
    cooldown_minutes: int  # Session minutes after a symbol's last entry or exit.
    hold_sessions: int  # A signal exit is allowed from this many sessions after the entry's.
    exits_on_daily_bars: bool  # Exits on the last closed daily bar, sent at the next open.


class TierPolicy:
    """The tier in force. It moves only between sessions, and down only past the edge by the hysteresis."""

    def __init__(self, tiers: Sequence[Tier], hysteresis_fraction: float) -> None:
        if not tiers:
            raise ConfigError("tiers: at least one tier is needed")
        self._tiers = sorted(tiers, key=lambda tier: tier.equity_min_usd)
        self._hysteresis = hysteresis_fraction
        self._current: int | None = None

    @property
    def current(self) -> Tier:
        return self._tiers[self._current or 0]

    def session_opens(self, equity_usd: float) -> Tier:
        """Choose for the coming session from the equity at the last close."""
        if self._current is None:
            self._current = self._plain(equity_usd)
        else:
            self._move(equity_usd)
        return self.current

    def _move(self, equity_usd: float) -> None:
        assert self._current is not None
        floor_usd = self.current.equity_min_usd * (1 - self._hysteresis)
        above = self._tiers[self._current + 1 :]
        ceiling_usd = above[0].equity_min_usd * (1 + self._hysteresis) if above else float("inf")
        if not floor_usd <= equity_usd < ceiling_usd:
            self._current = self._plain(equity_usd)

    def _plain(self, equity_usd: float) -> int:
        fitting = [i for i, tier in enumerate(self._tiers) if equity_usd >= tier.equity_min_usd]
        return fitting[-1] if fitting else 0
