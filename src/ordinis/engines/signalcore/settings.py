"""What can be set about the blend of strategies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ordinis.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSettings:
    """Errors: ConfigError for a figure out of range."""

    score_history_min: int = 30  # Below thirty, a rank says little more than luck.
    score_history_max: int = 5000  # Some months of signals: old enough to be stable, young enough to follow.
    weights: Mapping[str, float] = field(default_factory=dict)  # By strategy name; 1.0 where not named.

    def __post_init__(self) -> None:
        if not 1 <= self.score_history_min <= self.score_history_max:
            raise ConfigError(
                "signals.score_history_min must be at least 1 and at most score_history_max "
                f"({self.score_history_max}), was {self.score_history_min}"
            )
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise ConfigError(f"signals.weights.{name} must be a finite number of at least 0, was {weight}")
