"""The base weights: one function a method. A method that lacks its input says so; none behaves as another."""

from __future__ import annotations

import math
from collections.abc import Callable

from ordinis.domain.decision import Reason, SizeStep
from ordinis.engines.portfolio.candidate import Candidate
from ordinis.engines.portfolio.sizing_config import KellyBasis, SizingConfig, SizingMethod

_CENT = 0.01  # A portfolio of less buys nothing.

Base = Callable[[SizingConfig, Candidate, float, list[SizeStep]], float | Reason]


def fixed_dollar(config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]) -> float | Reason:
    """The same amount for every position."""
    return config.fixed_dollar_usd / value_usd if value_usd >= _CENT else 0.0


def fixed_percent(
    config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]
) -> float | Reason:
    """The same part of equity for every position."""
    return config.fixed_percent


def equal_weight(config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]) -> float | Reason:
    """What may be invested, in as many equal parts as there are slots: a full book uses all of it."""
    return config.gross_max / config.max_positions


def volatility_adjusted(
    config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]
) -> float | Reason:
    """The weight at which a full book of such positions has the target volatility, times the confidence.

    Source: the variance of N equal weights w of equal volatility s and pairwise correlation r,
    (w s)^2 N (1 + (N - 1) r), set to the target's square.
    """
    volatility = config.default_volatility if candidate.volatility is None else candidate.volatility
    if volatility is None or not volatility > 0.0:
        return Reason.VOLATILITY_UNKNOWN
    measured = candidate.correlation
    correlation = config.default_correlation if measured is None else max(0.0, measured)
    book = config.max_positions * (1.0 + (config.max_positions - 1) * correlation)
    weight = config.target_volatility / (volatility * math.sqrt(book))
    if candidate.volatility is None:
        chain.append(SizeStep("default_volatility", weight))
    if measured is None:
        chain.append(SizeStep("default_correlation", weight))
    if candidate.strength is None:
        return weight
    chain.append(SizeStep("target_volatility", weight))
    return weight * candidate.strength


def kelly(config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]) -> float | Reason:
    """All of f = p - (1 - p) / b.

    Source: Kelly (1956), "A New Interpretation of Information Rate", for a bet that pays b to 1.
    """
    return _kelly(1.0, config, candidate, chain)


def half_kelly(config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]) -> float | Reason:
    """Half of it: three quarters of the growth at half the risk."""
    return _kelly(0.5, config, candidate, chain)


def _kelly(fraction: float, config: SizingConfig, candidate: Candidate, chain: list[SizeStep]) -> float | Reason:
    p, b = candidate.win_rate, candidate.payoff
    enough = candidate.trades is None or candidate.trades >= config.kelly_min_trades
    if p is None or b is None or not b > 0.0 or not enough:
        return Reason.NO_EVIDENCE
    full = p - (1.0 - p) / b
    chain.append(SizeStep("full_kelly", full))
    if full <= 0.0:
        return Reason.NO_EDGE
    staked = full * fraction
    if config.kelly_basis is KellyBasis.NOTIONAL:
        return staked
    distance = stop_distance(config, candidate.stop_distance)
    if distance is None or not distance > 0.0:
        return Reason.STOP_UNKNOWN
    chain.append(SizeStep("risk_at_stop", staked))
    return staked / distance


def optimal(config: SizingConfig, candidate: Candidate, value_usd: float, chain: list[SizeStep]) -> float | Reason:
    """The candidate's weight in an optimum over what is held and the candidates (see optimal.py)."""
    weight = candidate.optimal_weight
    if weight is None:
        return Reason.NO_OPTIMUM
    return weight if weight > 0.0 else Reason.NO_OPTIMAL_WEIGHT


def stop_distance(config: SizingConfig, strategy_distance: float | None) -> float | None:
    """The tighter of the strategy's stop and the tier's, as a fraction of the price; None: no stop."""
    widest = config.stop_loss_pct
    if strategy_distance is None:
        tightest = widest
    else:
        tightest = strategy_distance if widest is None else min(strategy_distance, widest)
    return None if tightest is None else max(tightest, config.stop_distance_min)


BASES: dict[SizingMethod, Base] = {
    SizingMethod.FIXED_DOLLAR: fixed_dollar,
    SizingMethod.FIXED_PERCENT: fixed_percent,
    SizingMethod.EQUAL_WEIGHT: equal_weight,
    SizingMethod.VOLATILITY_ADJUSTED: volatility_adjusted,
    SizingMethod.KELLY: kelly,
    SizingMethod.HALF_KELLY: half_kelly,
    SizingMethod.RISK_PARITY: optimal,
    SizingMethod.MEAN_VARIANCE: optimal,
}
KELLYS = (SizingMethod.KELLY, SizingMethod.HALF_KELLY)
OPTIMAL = (SizingMethod.RISK_PARITY, SizingMethod.MEAN_VARIANCE)


def ladder(config: SizingConfig) -> list[SizingMethod]:
    """The method, and below it those that stand in for it, each named where it is used."""
    methods = [config.method]
    while (below := _fallback(config, methods[-1])) is not None and below not in methods:
        methods.append(below)
    return methods


def _fallback(config: SizingConfig, method: SizingMethod) -> SizingMethod | None:
    if method in KELLYS:
        return config.kelly_fallback
    return config.optimal_fallback if method in OPTIMAL else None
