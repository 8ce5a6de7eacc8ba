"""How much to buy: the chain from a method's base weight through every scale and cap to shares.

    sizer = PositionSizer(SizingConfig(method=SizingMethod.VOLATILITY_ADJUSTED, max_position_pct=0.20))
    sizer.set_portfolio_value(14_999)
    sizer.calculate_size(symbol="AAPL", current_price=190.0, signal_strength=0.8)

A weight is a fraction of the portfolio's value. Whether the whole book can carry a size is RiskGuard's question.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

import msgspec

from ordinis.domain import money
from ordinis.domain.decision import Reason, SizeResult, SizeStep


class SizingMethod(Enum):
    FIXED_PERCENT = "FIXED_PERCENT"
    VOLATILITY_ADJUSTED = "VOLATILITY_ADJUSTED"
    HALF_KELLY = "HALF_KELLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingConfig:
    """The figures of one tier. Every field is a setting; docs/settings.md gives each its reason."""

    method: SizingMethod
    max_position_pct: float  # Of the portfolio's value, a position.
    max_portfolio_leverage: float = 1.0
    max_positions: int = 5
    target_volatility: float = 0.10  # Annual, of a full book.
    stop_loss_pct: float | None = None  # The widest stop, as a fraction of the price; None: only the strategy's.
    stop_distance_min: float = 0.0  # The tightest: a stop inside a few spreads is hit by noise.
    fixed_percent: float = 0.05
    kelly_min_trades: int = 30
    kelly_fallback: SizingMethod | None = SizingMethod.VOLATILITY_ADJUSTED  # None: no trade without evidence.
    default_correlation: float = 0.5  # Used, and named, while the measured one is unknown.
    default_volatility: float | None = 0.40  # Annual; used, and named, when none is given. None: refuse.
    minimum_notional_usd: float = 1.0
    whole_share_preference: float = 0.05  # Whole shares while rounding costs less than this part of the size.


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What is known of one candidate. None is unknown, never zero."""

    symbol: str
    price_usd: float
    strength: float | None
    win_rate: float | None
    payoff: float | None
    trades: int | None
    volatility: float | None
    correlation: float | None
    stop_distance: float | None  # Fraction of the price.
    scale: float
    fractionable: bool


Base = Callable[[SizingConfig, Candidate, list[SizeStep]], float | Reason]


class PositionSizer:
    """Sizes one candidate at a time, for a portfolio of a given value."""

    def __init__(self, config: SizingConfig) -> None:
        self.config = config
        self._value_usd = 0.0
        self._ladder = _ladder(config)

    def set_portfolio_value(self, equity: float | str | Decimal) -> None:
        """USD; a broker's string will do."""
        self._value_usd = float(equity)

    def calculate_size(
        self,
        symbol: str,
        current_price: float,
        signal_strength: float | None = None,
        win_rate: float | None = None,
        avg_win_loss_ratio: float | None = None,
        *,
        trades: int | None = None,
        volatility: float | None = None,
        correlation: float | None = None,
        stop_distance: float | None = None,
        scale: float = 1.0,
        fractionable: bool = False,
    ) -> SizeResult:
        """The size of one position, with the chain that led to it.

        `signal_strength` is the confidence in [0, 1]; `win_rate` a probability; `avg_win_loss_ratio` the mean
        win over the mean loss, in units of the risk taken; `trades` how many results those rest on (None: take
        them as given); `volatility` annual; `correlation` the book's average; `stop_distance` a fraction of the
        price; `scale` in [0, 1] is what the risk state leaves of a new position. No shares: `reason` says why.
        """
        return self.size(
            Candidate(
                symbol,
                current_price,
                signal_strength,
                win_rate,
                avg_win_loss_ratio,
                trades,
                volatility,
                correlation,
                stop_distance,
                scale,
                fractionable,
            )
        )

    def size(self, candidate: Candidate) -> SizeResult:
        """The same for a candidate that is already put together."""
        chain: list[SizeStep] = []
        name, base = self._ladder[0]
        weight = base(self.config, candidate, chain)
        for below, stands_in in self._ladder[1:]:
            if not isinstance(weight, Reason):
                break
            chain.append(SizeStep(f"{name}: {weight.name}, falling back", 0.0))
            name, weight = below, stands_in(self.config, candidate, chain)
        if isinstance(weight, Reason):
            return self._nothing(candidate, chain, weight)
        return self._finish(candidate, name, weight, chain)

    def stop_distance(self, strategy_distance: float | None) -> float | None:
        """The tighter of the strategy's stop and the tier's, as a fraction of the price; None: no stop."""
        widest = self.config.stop_loss_pct
        if strategy_distance is None:
            tightest = widest
        else:
            tightest = strategy_distance if widest is None else min(strategy_distance, widest)
        return None if tightest is None else max(tightest, self.config.stop_distance_min)

    def _finish(self, candidate: Candidate, method: str, weight: float, chain: list[SizeStep]) -> SizeResult:
        config = self.config
        chain.append(SizeStep(method, weight))
        bound_by = method
        if candidate.scale < 1.0:
            weight *= candidate.scale
            chain.append(SizeStep("risk_state_scale", weight))
        if weight > config.max_position_pct:
            weight = config.max_position_pct
            bound_by = "max_position_pct"
            chain.append(SizeStep(bound_by, weight))
        shares = self._shares(weight, candidate)
        notional_usd = float(shares) * candidate.price_usd
        if notional_usd < config.minimum_notional_usd:
            return self._nothing(candidate, chain, Reason.BELOW_MINIMUM)
        final = notional_usd / self._value_usd
        return SizeResult(
            symbol=candidate.symbol,
            shares=shares,
            notional_value=notional_usd,
            weight=final,
            risk_contribution=final * (self.stop_distance(candidate.stop_distance) or 0.0),
            sizing_method=method,
            confidence=candidate.strength,
            chain=tuple(chain),
            bound_by=bound_by,
        )

    def _shares(self, weight: float, candidate: Candidate) -> Decimal:
        exact = weight * self._value_usd / candidate.price_usd
        whole = int(exact)
        if not candidate.fractionable or exact - whole < self.config.whole_share_preference * exact:
            return Decimal(whole)
        return money.shares(exact, money.FRACTION)

    def _nothing(self, candidate: Candidate, chain: list[SizeStep], reason: Reason) -> SizeResult:
        return SizeResult(
            symbol=candidate.symbol,
            shares=Decimal(0),
            notional_value=0.0,
            weight=0.0,
            risk_contribution=0.0,
            sizing_method=self.config.method.value,
            confidence=candidate.strength,
            chain=tuple(chain),
            bound_by=reason.name,
            reason=reason,
        )


def _fixed_percent(config: SizingConfig, candidate: Candidate, chain: list[SizeStep]) -> float | Reason:
    return config.fixed_percent


def _volatility_adjusted(config: SizingConfig, candidate: Candidate, chain: list[SizeStep]) -> float | Reason:
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


def _half_kelly(config: SizingConfig, candidate: Candidate, chain: list[SizeStep]) -> float | Reason:
    """Half of f = p - (1 - p) / b, as a fraction of equity invested.

    Source: Kelly (1956), "A New Interpretation of Information Rate", for a bet that pays b to 1.
    """
    p, b = candidate.win_rate, candidate.payoff
    enough = candidate.trades is None or candidate.trades >= config.kelly_min_trades
    if p is None or b is None or not b > 0.0 or not enough:
        return Reason.NO_EVIDENCE
    full = p - (1.0 - p) / b
    chain.append(SizeStep("full_kelly", full))
    return Reason.NO_EDGE if full <= 0.0 else full / 2.0


_BASES: dict[SizingMethod, Base] = {
    SizingMethod.FIXED_PERCENT: _fixed_percent,
    SizingMethod.VOLATILITY_ADJUSTED: _volatility_adjusted,
    SizingMethod.HALF_KELLY: _half_kelly,
}


def _ladder(config: SizingConfig) -> list[tuple[str, Base]]:
    """The method, and below Kelly the one that stands in for it while there is no evidence or no edge."""
    methods = [config.method]
    if config.method is SizingMethod.HALF_KELLY and config.kelly_fallback is not None:
        methods.append(config.kelly_fallback)
    return [(method.value, _BASES[method]) for method in dict.fromkeys(methods)]
