"""How strict the server is with its clients. What Alpaca does is `as_alpaca`; the defaults limit nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from ordinis.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Limits of 0 are none. Figures of a free Alpaca account as of 2026."""

    requests_a_minute_max: int = 0  # An account, of the broker's time.
    data_connections_max: int = 0
    data_symbols_max: int = 0  # Subscribed on one connection; "*" counts as every symbol.
    quantities: Literal["strings", "numbers"] = "strings"  # How a body writes shares.

    def __post_init__(self) -> None:
        for name in ("requests_a_minute_max", "data_connections_max", "data_symbols_max"):
            if getattr(self, name) < 0:
                raise ConfigError(f"the server's {name} must be at least 0, was {getattr(self, name)}")
        if self.quantities not in ("strings", "numbers"):
            raise ConfigError(f'the server\'s quantities must be "strings" or "numbers", was {self.quantities!r}')

    @classmethod
    def as_alpaca(cls, **changed: Any) -> ServerSettings:
        """The limits of a free account."""
        return replace(cls(requests_a_minute_max=200, data_connections_max=1, data_symbols_max=30), **changed)
