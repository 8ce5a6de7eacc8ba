"""What the whole book has to keep, and how far each limit gives way to what may not be traded now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

GROSS, MAX_VOLATILITY, BETA_MIN, BETA_MAX = "gross", "max_volatility", "beta_min", "beta_max"
_HAIR = 1e-9  # Less is rounding; and so much more, so that what stays keeps a limit that has given way to it.


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLimits:
    """What the whole book has to keep, as fractions of equity; None: no such limit. Groups by symbol."""

    gross: float
    cash_buffer: float
    max_volatility: float | None = None
    sectors: Mapping[str, str] = field(default_factory=dict)
    max_sector: float | None = None
    clusters: Mapping[str, str] = field(default_factory=dict)
    max_cluster: float | None = None
    betas: Mapping[str, float] = field(default_factory=dict)
    beta: tuple[float, float] | None = None

    @property
    def budget(self) -> float:
        return self.gross * (1.0 - self.cash_buffer)


def past_by(limits: BookLimits, stays: Mapping[str, float], volatility: float) -> dict[str, float]:
    """Limit -> by how much what stays is past it by itself; `stays` are signed weights, `volatility` theirs a year."""
    used = _used(limits, stays, volatility)
    return {name: by for name, by in used if by > _HAIR}


def _used(limits: BookLimits, stays: Mapping[str, float], volatility: float) -> Iterator[tuple[str, float]]:
    yield GROSS, sum(map(abs, stays.values()), 0.0) - limits.budget
    if limits.max_volatility is not None:
        yield MAX_VOLATILITY, volatility - limits.max_volatility
    for kind, groups, most in _kinds(limits):
        sizes: dict[str, float] = defaultdict(float)
        for symbol, weight in stays.items():
            sizes[groups[symbol]] += abs(weight)
        yield from ((f"{kind} {group}", size - most) for group, size in sizes.items())
    beta = sum((limits.betas[symbol] * weight for symbol, weight in stays.items()), 0.0) if limits.beta else 0.0
    if limits.beta and beta:
        yield (BETA_MAX, beta - limits.beta[1]) if beta > 0.0 else (BETA_MIN, limits.beta[0] - beta)


def constraints(limits: BookLimits, gives: Mapping[str, float], side: Mapping[str, int]) -> dict[str, Any]:
    """What the optimiser is told of sizes, unsigned weights: longs and shorts add up, and offset each other in beta."""

    def wide(name: str, limit: float) -> float:
        by = gives.get(name, 0.0)
        return limit + by + _HAIR * abs(limit + by) if by else limit

    found: dict[str, Any] = {"gross": wide(GROSS, limits.budget) / (1.0 - limits.cash_buffer)}
    found["cash_buffer"] = limits.cash_buffer
    if limits.max_volatility is not None:
        found["max_volatility"] = wide(MAX_VOLATILITY, limits.max_volatility)
    for kind, groups, most in _kinds(limits):
        found[f"{kind}s"] = groups
        found[f"max_{kind}"] = {group: wide(f"{kind} {group}", most) for group in set(groups.values())}
    if limits.beta is not None:
        found["betas"] = {symbol: beta * side[symbol] for symbol, beta in limits.betas.items()}
        found["beta"] = -wide(BETA_MIN, -limits.beta[0]), wide(BETA_MAX, limits.beta[1])
    return found


def _kinds(limits: BookLimits) -> Iterator[tuple[str, Mapping[str, str], float]]:
    if limits.max_sector is not None:
        yield "sector", limits.sectors, limits.max_sector
    if limits.max_cluster is not None:
        yield "cluster", limits.clusters, limits.max_cluster
