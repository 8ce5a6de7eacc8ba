"""How much to buy: the chain from a method's base weight through every scale and cap to shares.

    sizer = PositionSizer(SizingConfig(method=SizingMethod.VOLATILITY_ADJUSTED, max_position_pct=0.20))
    sizer.set_portfolio_value(14_999)
    sizer.calculate_size(symbol="AAPL", current_price=190.0, signal_strength=0.8)

A weight is a fraction of the portfolio's value. Whether the whole book can carry a size is RiskGuard's question.
"""

from __future__ import annotations

from decimal import Decimal
from math import isnan, nan
from typing import Final

from ordinis.domain import money
from ordinis.domain.decision import Reason, SizeResult, SizeStep
from ordinis.engines.portfolio import marginal_risk
from ordinis.engines.portfolio.candidate import Candidate, Pull
from ordinis.engines.portfolio.methods import BASES, OPTIMAL, ladder, stop_distance
from ordinis.engines.portfolio.sizing_config import KellyBasis, SizingConfig, SizingMethod

__all__ = ["Candidate", "KellyBasis", "PositionSizer", "SizingConfig", "SizingMethod"]

_BELOW_MINIMUM: Final = Reason.BELOW_MINIMUM
_NO_OPTIMAL_WEIGHT: Final = Reason.NO_OPTIMAL_WEIGHT
_BOOK_VOLATILITY = "book_volatility"
_REBALANCE = "rebalance_target"
_MARGINAL_RISK = "marginal_risk_scale"
_WEIGHED_TOGETHER = frozenset(method.value for method in OPTIMAL)  # Correlations are in their base weights.
_NO_ROOM = {_BOOK_VOLATILITY: Reason.BOOK_VOLATILITY, _REBALANCE: Reason.NO_OPTIMAL_WEIGHT}
_HAIR = 1.0 + 1e-12  # So that 1,000 USD are ten shares at 100, whatever weight they went through.


class PositionSizer:
    """Sizes one candidate at a time, for a portfolio of a given value."""

    def __init__(self, config: SizingConfig) -> None:
        self.config = config
        self._value_usd = 0.0
        methods = ladder(config)
        self._ladder = [(method.value, BASES[method]) for method in methods]
        self.optimal = next((method for method in methods if method in OPTIMAL), None)  # Needs `optimal_weight`.

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
        optimal_weight: float | None = None,
        book_room: float | None = None,
        pull: Pull | None = None,
    ) -> SizeResult:
        """The size of one position, with the chain that led to it.

        `signal_strength` is the confidence in [0, 1]; `win_rate` a probability; `avg_win_loss_ratio` the mean
        win over the mean loss, in units of the risk taken; `trades` how many results those rest on (None: take
        them as given); `volatility` annual; `correlation` the book's average; `stop_distance` a fraction of the
        price; `scale` in [0, 1] is what the risk state leaves of a new position; `optimal_weight` what
        RISK_PARITY and MEAN_VARIANCE start from; `book_room` the weight at which the whole book reaches its
        target volatility (NaN: not known); `pull` how the symbol moves with what is held. No shares: `reason` says
        why.
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
                optimal_weight,
                book_room,
                pull=pull,
            )
        )

    def size(self, candidate: Candidate) -> SizeResult:
        """The same for a candidate that is already put together."""
        chain: list[SizeStep] = []
        name, base = self._ladder[0]
        weight = base(self.config, candidate, self._value_usd, chain)
        for below, stands_in in self._ladder[1:]:
            if not isinstance(weight, Reason) or weight is _NO_OPTIMAL_WEIGHT:
                break  # An optimum without the candidate is an answer.
            chain.append(SizeStep(f"{name}: {weight.name}, falling back", 0.0))
            name, weight = below, stands_in(self.config, candidate, self._value_usd, chain)
        if isinstance(weight, Reason):
            return self._nothing(candidate, chain, weight)
        return self._finish(candidate, name, weight, chain)

    def stop_distance(self, strategy_distance: float | None) -> float | None:
        """The tighter of the strategy's stop and the tier's, as a fraction of the price; None: no stop."""
        return stop_distance(self.config, strategy_distance)

    def _finish(self, candidate: Candidate, method: str, weight: float, chain: list[SizeStep]) -> SizeResult:
        config = self.config
        chain.append(SizeStep(method, weight))
        weight, bound_by = self._capped(candidate, method, weight, chain)
        if isnan(weight):
            return self._nothing(candidate, chain, Reason.VOLATILITY_UNKNOWN)
        shares = self._shares(weight, candidate)
        notional_usd = float(shares) * candidate.price_usd
        if notional_usd < config.minimum_notional_usd:
            return self._nothing(candidate, chain, _NO_ROOM.get(bound_by, _BELOW_MINIMUM))
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

    def _capped(self, candidate: Candidate, method: str, weight: float, chain: list[SizeStep]) -> tuple[float, str]:
        """What scales and caps leave of a base weight, and which of them bound; NaN: the book's risk is not known."""
        config, room = self.config, candidate.book_room
        bound_by = method
        if candidate.scale < 1.0:
            weight *= candidate.scale
            chain.append(SizeStep("risk_state_scale", weight))
        if weight > config.max_position_pct:
            weight = config.max_position_pct
            bound_by = "max_position_pct"
            chain.append(SizeStep(bound_by, weight))
        if candidate.pull is not None and method not in _WEIGHED_TOGETHER:
            weight = self._beside_the_book(candidate, candidate.pull, weight, chain)
        if candidate.target is not None and weight > candidate.target:
            weight, bound_by = candidate.target, _REBALANCE
            chain.append(SizeStep(bound_by, weight))
        if room is None:
            return weight, bound_by
        if room < config.sliver_fraction * config.max_position_pct:
            room = 0.0  # Whatever was asked: with more confidence there may never be less.
        if weight <= room:
            return weight, bound_by
        if not isnan(room):
            chain.append(SizeStep(_BOOK_VOLATILITY, room))
        return room, _BOOK_VOLATILITY

    def _beside_the_book(self, candidate: Candidate, pull: Pull, weight: float, chain: list[SizeStep]) -> float:
        """Smaller where it moves with what is held more than an average slot does."""
        volatility = self.config.default_volatility if candidate.volatility is None else candidate.volatility
        ratio_max = self.config.marginal_risk_ratio_max
        left = marginal_risk.scale(weight, nan if volatility is None else volatility, pull, ratio_max)
        if isnan(left):
            chain.append(SizeStep(f"{_MARGINAL_RISK}: VOLATILITY_UNKNOWN", weight))
        elif left < 1.0:
            weight *= left
            chain.append(SizeStep(_MARGINAL_RISK, weight))
        return weight

    def _shares(self, weight: float, candidate: Candidate) -> Decimal:
        exact = weight * self._value_usd / candidate.price_usd
        whole = int(exact * _HAIR)
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
