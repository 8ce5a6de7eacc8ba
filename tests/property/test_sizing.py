"""Whatever is asked: a size stays under its cap, grows with confidence and equity, and owes no more than meant."""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ordinis.domain.decision import Reason, SizeResult
from ordinis.engines.portfolio.candidate import Pull
from ordinis.engines.portfolio.marginal_risk import BookPull
from ordinis.engines.portfolio.sizing import KellyBasis, PositionSizer, SizingConfig, SizingMethod

HAIR = 1 + 1e-9  # Floats estimate.

configs = st.builds(
    SizingConfig,
    method=st.sampled_from(SizingMethod),
    max_position_pct=st.floats(0.01, 1.0),
    max_positions=st.integers(1, 30),
    target_volatility=st.floats(0.01, 1.0),
    fixed_percent=st.floats(0.001, 1.0),
    max_portfolio_leverage=st.floats(0.5, 4.0),
    stop_loss_pct=st.none() | st.floats(0.001, 0.5),
    fixed_dollar_usd=st.floats(1.0, 50_000.0),
    cash_buffer_fraction=st.floats(0.0, 0.9),
    kelly_basis=st.sampled_from(KellyBasis),
    kelly_fallback=st.none() | st.sampled_from(SizingMethod),
    optimal_fallback=st.none() | st.sampled_from(SizingMethod),
    marginal_risk_ratio_max=st.just(0.0) | st.floats(1.0, 3.0),
    sliver_fraction=st.floats(0.0, 0.5),
    default_volatility=st.none() | st.floats(0.05, 2.0),
    minimum_notional_usd=st.floats(1.0, 50.0),
    whole_share_preference=st.floats(0.0, 0.5),
)
questions = st.fixed_dictionaries(
    {
        "current_price": st.floats(0.01, 5_000.0),
        "signal_strength": st.none() | st.floats(0.0, 1.0),
        "win_rate": st.none() | st.floats(0.0, 1.0),
        "avg_win_loss_ratio": st.none() | st.floats(0.01, 10.0),
        "trades": st.none() | st.integers(0, 100),
        "volatility": st.none() | st.floats(0.001, 3.0),
        "correlation": st.none() | st.floats(-1.0, 1.0),
        "stop_distance": st.none() | st.floats(0.001, 0.5),
        "scale": st.floats(0.0, 1.0),
        "fractionable": st.booleans(),
        "optimal_weight": st.none() | st.floats(0.0, 2.0),
        "pull": st.none() | st.builds(Pull, st.floats(-1.0, 1.0), st.floats(0.0, 1.0)),
        "book_room": st.none() | st.floats(0.0, 1.0) | st.just(float("nan")),
    }
)
equities = st.floats(0.0, 1e6)


def sized(config: SizingConfig, equity: float, question: dict[str, Any]) -> SizeResult:
    sizer = PositionSizer(config)
    sizer.set_portfolio_value(equity)
    return sizer.calculate_size(symbol="AAA", **question)


@given(configs, equities, questions)
def test_a_weight_is_never_above_its_cap_nor_below_nothing(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    result = sized(config, equity, question)
    assert 0.0 <= result.weight <= config.max_position_pct * HAIR
    assert result.notional_value <= config.max_position_pct * equity * HAIR


@given(configs, equities, questions)
def test_a_weight_is_never_above_what_the_book_s_volatility_leaves(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    result, room = sized(config, equity, question), question["book_room"]
    if room is not None:
        assert result.weight <= (0.0 if isnan(room) else room * HAIR)


@given(configs, equities, questions)
def test_a_method_that_stands_in_is_named(config: SizingConfig, equity: float, question: dict[str, Any]) -> None:
    result = sized(config, equity, question)
    if result.shares and result.sizing_method != config.method.value:
        assert result.chain[0].name.startswith(config.method.value) or "full_kelly" in result.chain[0].name
        assert any(step.name.endswith(", falling back") for step in result.chain)


@given(configs, equities, questions)
def test_what_is_bought_costs_no_more_than_the_chain_s_last_weight(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    result = sized(config, equity, question)
    if result.shares:
        assert result.notional_value <= result.chain[-1].weight * equity * HAIR
        assert result.notional_value == float(result.shares) * question["current_price"]


@given(configs, equities, questions)
def test_shares_and_reason_go_together(config: SizingConfig, equity: float, question: dict[str, Any]) -> None:
    result = sized(config, equity, question)
    assert (result.reason is Reason.SENT) == (result.shares > 0)
    if result.shares:
        assert result.notional_value >= config.minimum_notional_usd
    else:
        assert (result.weight, result.notional_value, result.risk_contribution) == (0.0, 0.0, 0.0)


@given(configs, equities, questions)
def test_shares_are_whole_or_have_nine_decimals(config: SizingConfig, equity: float, question: dict[str, Any]) -> None:
    shares = sized(config, equity, question).shares
    if not question["fractionable"]:
        assert shares % 1 == 0
    assert shares == shares.quantize(Decimal("0.000000001"))


@given(configs, equities, questions)
def test_rounding_to_whole_shares_costs_less_than_the_preference(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    result = sized(config, equity, {**question, "fractionable": True})
    if result.shares:
        meant = result.chain[-1].weight * equity
        lost = max(config.whole_share_preference * meant, 1e-9 * question["current_price"])
        assert meant - result.notional_value <= lost * HAIR + 1e-9 * meant


@given(configs, equities, questions, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_confidence_never_buys_less(
    config: SizingConfig, equity: float, question: dict[str, Any], one: float, another: float
) -> None:
    """With one kind of rounding: a bigger size may round to whole shares where the smaller stayed a fraction."""
    low, high = sorted((one, another))
    fixed = {**question, "fractionable": False}
    less, more = (sized(config, equity, {**fixed, "signal_strength": strength}) for strength in (low, high))
    assert less.shares <= more.shares


@given(configs, equities, equities, questions)
def test_more_equity_never_buys_less(
    config: SizingConfig, one: float, another: float, question: dict[str, Any]
) -> None:
    low, high = sorted((one, another))
    fixed = {**question, "fractionable": False}
    assert sized(config, low, fixed).shares <= sized(config, high, fixed).shares


@given(configs, questions)
def test_nothing_is_bought_with_nothing(config: SizingConfig, question: dict[str, Any]) -> None:
    assert sized(config, 0.0, question).shares == 0


@given(configs, equities, questions)
def test_nothing_is_bought_at_a_scale_of_nothing(config: SizingConfig, equity: float, question: dict[str, Any]) -> None:
    assert sized(config, equity, {**question, "scale": 0.0}).shares == 0


@given(configs, equities, questions)
def test_what_bound_is_in_the_chain_or_is_the_reason(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    result = sized(config, equity, question)
    if result.shares:
        assert result.bound_by in [step.name for step in result.chain]
    else:
        assert result.bound_by == result.reason.name


SCALED = SizingConfig(
    method=SizingMethod.FIXED_PERCENT, fixed_percent=0.1, max_position_pct=1.0, marginal_risk_ratio_max=1.0
)
held_weights = st.lists(st.floats(0.01, 0.4), min_size=1, max_size=6)
correlations = st.floats(-1.0, 1.0)


def beside(weights: list[float], correlation: float, average: float, **more: Any) -> float:
    """The weight, before it is rounded, of 10 % asked of a symbol with one correlation to each holding."""
    exposure = np.array([*(0.3 * weight for weight in weights), 0.0])
    matrix = np.full((exposure.size, exposure.size), correlation)
    pull = BookPull(exposure, matrix, average).of(exposure.size - 1)
    question = {"current_price": 1.0, "volatility": 0.3, "fractionable": True, "pull": pull, **more}
    return sized(SCALED, 1e6, question).chain[-1].weight


@given(held_weights, correlations, correlations, st.floats(0.0, 1.0))
def test_what_moves_more_with_the_book_is_never_bought_larger(
    held: list[float], one: float, another: float, average: float
) -> None:
    low, high = sorted((one, another))
    assert beside(held, high, average) <= beside(held, low, average) * HAIR


@given(held_weights, correlations, st.floats(0.0, 1.0))
def test_only_what_moves_with_the_book_more_than_most_is_bought_smaller(
    held: list[float], correlation: float, average: float
) -> None:
    """Never larger; as it was beside nothing, or uncorrelated; smaller above the average correlation."""
    assert sized(SCALED, 1e6, {"current_price": 1.0, "volatility": 0.3, "pull": None}).chain[-1].weight == 0.1
    found = beside(held, correlation, average)
    assert found <= 0.1
    if correlation <= average * (1 - 1e-9):
        assert found == 0.1
    if correlation > average + 1e-6:
        assert found < 0.1


@given(held_weights, correlations, st.floats(0.0, 1.0))
def test_at_what_is_left_it_adds_no_more_risk_than_an_average_slot(
    held: list[float], correlation: float, average: float
) -> None:
    weight = beside(held, correlation, average)
    together = sum(0.3 * one for one in held)
    added = 0.3 * weight * (correlation * together + 0.3 * weight)
    assert added <= 0.3 * 0.1 * (average * together + 0.3 * 0.1) * HAIR


@given(configs, st.floats(1_000.0, 1e6), questions)
def test_halving_the_volatility_target_never_raises_a_weight(
    config: SizingConfig, equity: float, question: dict[str, Any]
) -> None:
    fields = {name: getattr(config, name) for name in SizingConfig.__dataclass_fields__}
    config = SizingConfig(**{**fields, "method": SizingMethod.VOLATILITY_ADJUSTED})
    calmer = SizingConfig(**{**fields, "method": config.method, "target_volatility": config.target_volatility / 2})
    fixed = {**question, "fractionable": False}
    assert sized(calmer, equity, fixed).shares <= sized(config, equity, fixed).shares
