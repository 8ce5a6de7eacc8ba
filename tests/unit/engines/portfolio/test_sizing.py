"""Sizes by hand: every method, scale, cap and rounding, and which of them bound."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordinis import app
from ordinis.config import load
from ordinis.domain.account import AccountView
from ordinis.domain.decision import Reason, SizeResult
from ordinis.domain.market import Universe
from ordinis.engines.portfolio.candidate import Pull
from ordinis.engines.portfolio.marginal_risk import BookPull
from ordinis.engines.portfolio.optimal import Beliefs, OptimalBook
from ordinis.engines.portfolio.sizing import KellyBasis, PositionSizer, SizingConfig, SizingMethod

SMALL = SizingConfig(  # As the plan writes it.
    method=SizingMethod.VOLATILITY_ADJUSTED,
    max_position_pct=0.20,
    max_portfolio_leverage=1.0,
    max_positions=5,
    target_volatility=0.10,
    stop_loss_pct=0.02,
)
STANDARD = SizingConfig(
    method=SizingMethod.HALF_KELLY,
    max_position_pct=0.15,
    max_portfolio_leverage=1.5,
    max_positions=10,
    target_volatility=0.15,
    stop_loss_pct=0.03,
)
NONE = Decimal(0)
PAGE = Path(__file__).parents[4] / "docs" / "sizing.md"


def sized(config: SizingConfig, equity: float | str, price: float = 100.0, **more: Any) -> SizeResult:
    sizer = PositionSizer(config)
    sizer.set_portfolio_value(equity)
    return sizer.calculate_size(symbol="AAPL", current_price=price, **more)


def fixed(percent: float, **more: Any) -> SizingConfig:
    return SizingConfig(method=SizingMethod.FIXED_PERCENT, fixed_percent=percent, **{"max_position_pct": 1.0, **more})


def test_the_plan_s_own_call_works_as_written() -> None:
    account_info = {"equity": "14999.41"}
    signal: dict[str, Any] = {"symbol": "AAPL", "price": 190.0, "confidence": 0.8}
    position_sizer = PositionSizer(SMALL)
    position_sizer.set_portfolio_value(account_info["equity"])
    size_result = position_sizer.calculate_size(
        symbol=signal["symbol"],
        current_price=signal["price"],
        signal_strength=signal["confidence"],
        win_rate=None,
        avg_win_loss_ratio=None,
    )
    # 0.10 / (0.40 * sqrt(5 * (1 + 4 * 0.5))) * 0.8 = 0.0516398; of 14,999.41 USD at 190 that is 4.07 shares.
    assert (size_result.symbol, size_result.shares) == ("AAPL", Decimal(4))
    assert size_result.notional_value == 760.0
    assert size_result.weight == pytest.approx(760 / 14_999.41)
    assert (size_result.sizing_method, size_result.confidence) == ("VOLATILITY_ADJUSTED", 0.8)
    assert size_result.risk_contribution == pytest.approx(0.02 * 760 / 14_999.41)  # At the tier's stop.
    assert [name for name, _ in size_result.metadata["chain"]] == [  # type: ignore[attr-defined]
        "default_volatility",
        "default_correlation",
        "target_volatility",
        "VOLATILITY_ADJUSTED",
    ]
    assert size_result.metadata["bound_by"] == "VOLATILITY_ADJUSTED"


def test_the_methods_have_the_plan_s_names() -> None:
    assert [method.name for method in SizingMethod] == [
        "FIXED_DOLLAR",
        "FIXED_PERCENT",
        "EQUAL_WEIGHT",
        "VOLATILITY_ADJUSTED",
        "KELLY",
        "HALF_KELLY",
        "RISK_PARITY",
        "MEAN_VARIANCE",
    ]
    assert all(method.name == method.value for method in SizingMethod)


# The page of worked figures.


def documented(first: str) -> list[dict[str, str]]:
    """The rows of the page's table whose first heading this is, by heading."""
    blocks = PAGE.read_text(encoding="utf-8").split("\n\n")
    (block,) = (one for one in blocks if one.startswith(f"| {first} |"))
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
    return [dict(zip(table[0], row, strict=True)) for row in table[2:]]


def sizer_of_an_account(equity_usd: Decimal, *changes: str) -> PositionSizer:
    """The sizer that an account of this equity gets with the settings as they come, but for these."""
    engine = app.build_engine(load(None, changes), Universe(("AAPL",)))
    engine.handle(
        AccountView(
            at_ns=1_736_951_400 * 10**9,  # 2025-01-15 09:30 in New York.
            equity_usd=equity_usd,
            cash_usd=equity_usd,
            buying_power_usd=equity_usd * 2,
            last_equity_usd=equity_usd,
            multiplier=2,
        )
    )
    sizer = engine.state.sizer
    sizer.set_portfolio_value(equity_usd)
    return sizer


def number(cell: str) -> float | None:
    return None if cell in ("-", "unknown") else float(cell.replace(",", "").removesuffix("%"))


def as_documented(row: dict[str, str]) -> SizeResult:
    volatility, trades = number(row["volatility"]), number(row["trades"])
    return sizer_of_an_account(Decimal(row["equity"].replace(",", ""))).calculate_size(
        "AAPL",
        number(row["price"]) or 0.0,
        number(row["confidence"]),
        number(row["win rate"]),
        number(row["payoff"]),
        trades=0 if trades is None else int(trades),
        volatility=None if volatility is None else volatility / 100,
        correlation=number(row["correlation"]),
        fractionable=row["shares are"] == "fractional",
    )


@pytest.mark.parametrize(
    "row", documented("equity"), ids=lambda row: f"{row['equity']} {row['price']} {row['bound by']}"
)
def test_the_worked_figures_of_the_page_are_what_the_sizer_says(row: dict[str, str]) -> None:
    result = as_documented(row)
    assert result.sizing_method == row["sized by"]
    assert result.bound_by == row["bound by"]
    assert f"{result.shares.normalize():,f}" == row["shares"]
    assert f"{result.notional_value:,.2f}" == row["notional"]
    assert f"{100 * result.weight:.2f}%" == row["weight"]


def test_the_page_works_out_both_accounts() -> None:
    rows = documented("equity")
    assert {row["equity"] for row in rows} == {"14,999", "50,000"}
    assert len(rows) >= 8


def by_method(row: dict[str, str]) -> SizeResult:
    """The candidate of the page's second table, sized by the row's method."""
    method, _, basis = row["method"].partition(", ")
    changes = [f"tiers.{tier}.method={method}" for tier in ("small", "standard")]
    equity_usd = Decimal(row["account"].replace(",", ""))
    sizer = sizer_of_an_account(equity_usd, *changes, f"sizing.kelly_basis={basis or 'notional'}")
    covariance = 0.30**2 * np.array([[1.0, 0.4], [0.4, 1.0]])
    beliefs = Beliefs(
        covariance=lambda columns: covariance,
        correlation=lambda columns: covariance / 0.09,
        mean=lambda columns: (np.array([0.10, 0.10]), 250),
    )
    optimum = None if sizer.optimal is None else OptimalBook().weights(sizer.optimal, sizer.config, (0, 1), beliefs)[1]
    return sizer.calculate_size(
        "AAPL",
        120.0,
        0.80,
        0.55,
        1.5,
        trades=40,
        volatility=0.30,
        correlation=0.40,
        fractionable=True,
        optimal_weight=optimum,
    )


@pytest.mark.parametrize("row", documented("account"), ids=lambda row: f"{row['account']} {row['method']}")
def test_every_method_comes_to_the_page_s_figures(row: dict[str, str]) -> None:
    result = by_method(row)
    assert result.sizing_method == row["method"].partition(",")[0]
    steps = {step.name: step.weight for step in result.chain}
    assert f"{100 * steps[result.sizing_method]:.2f}%" == row["base weight"]
    assert result.bound_by == row["bound by"]
    assert f"{result.shares.normalize():,f}" == row["shares"]
    assert f"{result.notional_value:,.2f}" == row["notional"]
    assert f"{100 * result.weight:.2f}%" == row["weight"]
    assert f"{100 * result.risk_contribution:.3f}%" == row["at the stop"]


def test_the_page_has_every_method_in_both_accounts() -> None:
    found = {(row["account"], row["method"].partition(",")[0]) for row in documented("account")}
    assert found == {(account, method.value) for account in ("14,999", "50,000") for method in SizingMethod}


def beside_holdings(row: dict[str, str]) -> SizeResult:
    """The page's third table: a candidate beside so many holdings alike, with one correlation to each."""
    held, weight, volatility = int(row["held"]), number(row["of"]) or 0.0, number(row["at"]) or 0.0
    exposure = np.array([*[weight * volatility / 1e4] * held, 0.0])
    correlation = np.full((held + 1, held + 1), float(row["correlation"]))
    asked = float(row["asked"].removesuffix("%")) / 100
    sizer = sizer_of_an_account(Decimal(14_999), "tiers.small.method=FIXED_PERCENT", f"sizing.fixed_percent={asked}")
    return sizer.calculate_size(
        "AAPL",
        50.0,
        volatility=float(row["volatility"].removesuffix("%")) / 100,
        fractionable=True,
        pull=BookPull(exposure, correlation, float(row["average"])).of(held) if held else None,
    )


@pytest.mark.parametrize("row", documented("held"), ids=lambda row: f"{row['held']} {row['correlation']}")
def test_what_moves_with_the_book_is_bought_as_small_as_the_page_says(row: dict[str, str]) -> None:
    result = beside_holdings(row)
    steps = {step.name: step.weight for step in result.chain}
    before = min(steps["FIXED_PERCENT"], steps.get("max_position_pct", 1.0))
    left = steps.get("marginal_risk_scale", before)
    assert f"{left / before:.3f}" == row["scale"]
    assert f"{100 * left:.2f}%" == row["weight"]
    assert ("marginal_risk_scale" in steps) == (row["scale"] != "1.000")


def test_what_the_method_weighs_together_is_not_scaled_again() -> None:
    config = SizingConfig(method=SizingMethod.RISK_PARITY, max_position_pct=1.0, marginal_risk_ratio_max=1.0)
    result = sized(config, 10_000, volatility=0.3, optimal_weight=0.2, pull=Pull(0.09, 0.01), fractionable=True)
    assert [step.name for step in result.chain] == ["RISK_PARITY"]


@pytest.mark.parametrize("pull", [Pull(math.nan, math.nan), Pull(0.05, 0.01)])
def test_where_a_volatility_is_not_known_the_chain_says_that_nothing_was_scaled(pull: Pull) -> None:
    config = fixed(0.2, default_volatility=None, marginal_risk_ratio_max=1.0)
    result = sized(config, 10_000, volatility=None, pull=pull)
    assert result.chain[-1].name == "marginal_risk_scale: VOLATILITY_UNKNOWN"
    assert result.weight == pytest.approx(0.2)


# The formulas.


@pytest.mark.parametrize(
    ("volatility", "correlation", "confidence", "weight"),
    [
        (0.30, 0.40, 1.0, 0.10 / (0.30 * math.sqrt(5 * (1 + 4 * 0.40)))),
        (0.30, 0.40, 0.5, 0.05 / (0.30 * math.sqrt(5 * (1 + 4 * 0.40)))),
        (0.30, 0.40, None, 0.10 / (0.30 * math.sqrt(5 * (1 + 4 * 0.40)))),
        (0.60, 0.40, 1.0, 0.05 / (0.30 * math.sqrt(5 * (1 + 4 * 0.40)))),
        (0.50, 0.0, 1.0, 0.10 / (0.50 * math.sqrt(5))),
        (0.50, -0.20, 1.0, 0.10 / (0.50 * math.sqrt(5))),  # Floored: no credit for what may not last.
        (0.50, 1.0, 1.0, 0.10 / (0.50 * 5)),
    ],
)
def test_a_full_book_of_such_positions_has_the_target_volatility(
    volatility: float, correlation: float, confidence: float | None, weight: float
) -> None:
    result = sized(
        SMALL, 1e9, 10.0, signal_strength=confidence, volatility=volatility, correlation=correlation, fractionable=True
    )
    assert result.chain[-1].name == "VOLATILITY_ADJUSTED"
    assert result.chain[-1].weight == pytest.approx(weight, rel=1e-12)
    assert result.weight == pytest.approx(weight, rel=1e-6)


def test_the_variance_of_the_full_book_is_the_target_s_square() -> None:
    volatility, correlation, positions = 0.35, 0.3, 5
    weight = sized(SMALL, 1e9, volatility=volatility, correlation=correlation).chain[-1].weight
    pairs = positions * (positions - 1) * correlation
    assert weight**2 * volatility**2 * (positions + pairs) == pytest.approx(0.10**2)


@pytest.mark.parametrize("volatility", [0.0, -0.1, float("nan")])
def test_without_a_volatility_nothing_is_sized_by_it(volatility: float) -> None:
    result = sized(SMALL, 14_999, volatility=volatility, correlation=0.3)
    assert (result.shares, result.reason, result.bound_by) == (NONE, Reason.VOLATILITY_UNKNOWN, "VOLATILITY_UNKNOWN")


def test_an_unknown_volatility_is_refused_where_there_is_no_default() -> None:
    config = SizingConfig(method=SizingMethod.VOLATILITY_ADJUSTED, max_position_pct=0.2, default_volatility=None)
    assert sized(config, 14_999).reason is Reason.VOLATILITY_UNKNOWN
    assert sized(config, 14_999, volatility=0.4).reason is Reason.SENT


@pytest.mark.parametrize(
    ("win_rate", "payoff", "full"),
    [(0.55, 1.5, 0.25), (0.60, 2.0, 0.40), (0.51, 1.0, 0.02), (1.0, 1.0, 1.0)],
)
def test_half_of_kelly_s_fraction_is_invested(win_rate: float, payoff: float, full: float) -> None:
    config = SizingConfig(method=SizingMethod.HALF_KELLY, max_position_pct=1.0)
    result = sized(config, 1e9, win_rate=win_rate, avg_win_loss_ratio=payoff, trades=30, signal_strength=0.1)
    steps = {step.name: step.weight for step in result.chain}
    assert steps["full_kelly"] == pytest.approx(full)
    assert steps["HALF_KELLY"] == pytest.approx(full / 2)  # Confidence does not count twice.
    assert result.weight == pytest.approx(full / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ({"win_rate": 0.60, "avg_win_loss_ratio": 2.0, "trades": 29}, "NO_EVIDENCE"),
        ({"win_rate": 0.60, "avg_win_loss_ratio": None, "trades": 40}, "NO_EVIDENCE"),
        ({"win_rate": None, "avg_win_loss_ratio": 2.0, "trades": 40}, "NO_EVIDENCE"),
        ({"win_rate": 0.60, "avg_win_loss_ratio": 0.0, "trades": 40}, "NO_EVIDENCE"),
        ({"win_rate": 0.40, "avg_win_loss_ratio": 1.2, "trades": 40}, "NO_EDGE"),
        ({"win_rate": 0.50, "avg_win_loss_ratio": 1.0, "trades": 40}, "NO_EDGE"),  # An edge of nothing is none.
    ],
)
@pytest.mark.parametrize("fallback", [SizingMethod.VOLATILITY_ADJUSTED, SizingMethod.FIXED_PERCENT, None])
def test_without_evidence_or_edge_kelly_falls_back_by_name_or_does_not_trade(
    evidence: dict[str, Any], why: str, fallback: SizingMethod | None
) -> None:
    config = SizingConfig(method=SizingMethod.HALF_KELLY, max_position_pct=0.15, kelly_fallback=fallback)
    result = sized(config, 50_000, volatility=0.3, correlation=0.3, **evidence)
    if fallback is None:
        assert (result.shares, result.reason) == (NONE, Reason[why])
        return
    assert (result.reason, result.sizing_method) == (Reason.SENT, fallback.value)
    assert f"HALF_KELLY: {why}, falling back" in [step.name for step in result.chain]


def test_evidence_at_the_least_number_of_trades_is_enough() -> None:
    result = sized(STANDARD, 50_000, win_rate=0.55, avg_win_loss_ratio=1.5, trades=30)
    assert result.sizing_method == "HALF_KELLY"


def test_figures_without_a_count_are_taken_as_given() -> None:
    assert sized(STANDARD, 50_000, win_rate=0.55, avg_win_loss_ratio=1.5).sizing_method == "HALF_KELLY"


@pytest.mark.parametrize(
    ("method", "basis", "distance", "weight"),
    [
        (SizingMethod.KELLY, KellyBasis.NOTIONAL, 0.02, 0.25),
        (SizingMethod.HALF_KELLY, KellyBasis.NOTIONAL, 0.02, 0.125),
        (SizingMethod.KELLY, KellyBasis.RISK, 0.5, 0.5),
        (SizingMethod.HALF_KELLY, KellyBasis.RISK, 0.5, 0.25),
        (SizingMethod.HALF_KELLY, KellyBasis.RISK, 0.25, 0.5),
    ],
)
def test_kelly_s_fraction_is_invested_or_lost_at_the_stop(
    method: SizingMethod, basis: KellyBasis, distance: float, weight: float
) -> None:
    config = SizingConfig(method=method, max_position_pct=1.0, kelly_basis=basis)
    result = sized(config, 1e9, win_rate=0.55, avg_win_loss_ratio=1.5, stop_distance=distance)
    assert result.weight == pytest.approx(weight, rel=1e-6)
    if basis is KellyBasis.RISK:
        assert result.risk_contribution == pytest.approx(0.25 if method is SizingMethod.KELLY else 0.125, rel=1e-6)


@pytest.mark.parametrize("fallback", [SizingMethod.EQUAL_WEIGHT, None])
def test_a_fraction_of_the_risk_needs_a_stop(fallback: SizingMethod | None) -> None:
    config = SizingConfig(
        method=SizingMethod.KELLY, max_position_pct=1.0, kelly_basis=KellyBasis.RISK, kelly_fallback=fallback
    )
    result = sized(config, 50_000, win_rate=0.55, avg_win_loss_ratio=1.5)
    if fallback is None:
        assert (result.shares, result.reason) == (NONE, Reason.STOP_UNKNOWN)
    else:
        assert "KELLY: STOP_UNKNOWN, falling back" in [step.name for step in result.chain]
        assert (result.sizing_method, result.weight) == ("EQUAL_WEIGHT", 0.2)


@pytest.mark.parametrize(("equity", "weight"), [(14_999, 1_000 / 14_999), (2_000, 0.5), (1_000, 0.6)])
def test_a_fixed_amount_is_the_same_for_every_account_up_to_the_cap(equity: float, weight: float) -> None:
    result = sized(SizingConfig(method=SizingMethod.FIXED_DOLLAR, max_position_pct=0.6), equity, 10.0)
    assert result.weight == pytest.approx(weight)
    assert result.shares == min(100, int(0.06 * equity))


def test_a_fixed_amount_is_so_many_shares_at_any_equity() -> None:
    """A thousand dollars are ten shares at a hundred, whatever fraction of equity they went through."""
    config = SizingConfig(method=SizingMethod.FIXED_DOLLAR, max_position_pct=1.0)
    assert {sized(config, 1_000.0 + 0.37 * one).shares for one in range(500)} == {Decimal(10)}


def test_equal_weights_leave_the_buffer() -> None:
    config = SizingConfig(
        method=SizingMethod.EQUAL_WEIGHT,
        max_position_pct=1.0,
        max_positions=10,
        max_portfolio_leverage=1.5,
        cash_buffer_fraction=0.1,
    )
    assert sized(config, 1e9, 1.0).weight == pytest.approx(0.135)


OPTIMAL = [SizingMethod.RISK_PARITY, SizingMethod.MEAN_VARIANCE]


@pytest.mark.parametrize("method", OPTIMAL)
def test_an_optimum_is_taken_as_it_is(method: SizingMethod) -> None:
    result = sized(SizingConfig(method=method, max_position_pct=0.2), 1e9, optimal_weight=0.123, signal_strength=0.5)
    assert (result.sizing_method, result.bound_by) == (method.value, method.value)
    assert result.weight == pytest.approx(0.123, rel=1e-6)


@pytest.mark.parametrize("method", OPTIMAL)
def test_no_place_in_the_optimum_is_an_answer_and_not_a_reason_to_fall_back(method: SizingMethod) -> None:
    result = sized(SizingConfig(method=method, max_position_pct=0.2), 1e9, optimal_weight=0.0, volatility=0.3)
    assert (result.shares, result.reason) == (NONE, Reason.NO_OPTIMAL_WEIGHT)


@pytest.mark.parametrize("method", OPTIMAL)
def test_the_plan_s_call_without_an_optimum_falls_back_by_name_or_refuses(method: SizingMethod) -> None:
    result = sized(SizingConfig(method=method, max_position_pct=0.2), 50_000, volatility=0.3)
    assert (result.sizing_method, result.chain[0].name) == (
        "VOLATILITY_ADJUSTED",
        f"{method.value}: NO_OPTIMUM, falling back",
    )
    refused = sized(SizingConfig(method=method, max_position_pct=0.2, optimal_fallback=None), 50_000, volatility=0.3)
    assert refused.reason is Reason.NO_OPTIMUM


def test_fallbacks_follow_each_other_by_name() -> None:
    config = SizingConfig(
        method=SizingMethod.KELLY,
        max_position_pct=0.2,
        kelly_fallback=SizingMethod.RISK_PARITY,
        optimal_fallback=SizingMethod.FIXED_PERCENT,
    )
    result = sized(config, 50_000)
    assert [step.name for step in result.chain] == [
        "KELLY: NO_EVIDENCE, falling back",
        "RISK_PARITY: NO_OPTIMUM, falling back",
        "FIXED_PERCENT",
    ]


# The chain.


def test_a_book_without_room_refuses_the_small_like_the_large() -> None:
    config = {"max_position_pct": 0.2, "sliver_fraction": 0.2}
    found = [sized(fixed(percent, **config), 100_000, book_room=0.03).reason for percent in (0.01, 0.02, 0.05, 0.2)]
    assert set(found) == {Reason.BOOK_VOLATILITY}


@pytest.mark.parametrize(
    ("room", "sliver", "shares", "bound_by"),
    [
        (0.30, 0.0, 100, "FIXED_PERCENT"),
        (0.10, 0.0, 100, "FIXED_PERCENT"),
        (0.04, 0.0, 40, "book_volatility"),
        (0.041, 0.2, 41, "book_volatility"),  # A fifth of the cap of 20 % is 4 %.
        (0.039, 0.2, 0, "BOOK_VOLATILITY"),
        (0.0, 0.0, 0, "BOOK_VOLATILITY"),
        (float("nan"), 0.0, 0, "VOLATILITY_UNKNOWN"),
    ],
)
def test_the_book_s_volatility_cuts_refuses_crumbs_and_is_never_guessed(
    room: float, sliver: float, shares: int, bound_by: str
) -> None:
    result = sized(fixed(0.10, max_position_pct=0.2, sliver_fraction=sliver), 100_000, book_room=room)
    assert (result.shares, result.bound_by) == (Decimal(shares), bound_by)


@pytest.mark.parametrize(
    ("percent", "cap", "scale", "chain", "bound_by", "shares"),
    [
        (0.10, 0.20, 1.0, [("FIXED_PERCENT", 0.10)], "FIXED_PERCENT", 100),
        (0.20, 0.20, 1.0, [("FIXED_PERCENT", 0.20)], "FIXED_PERCENT", 200),  # At the cap, not over it.
        (0.201, 0.20, 1.0, [("FIXED_PERCENT", 0.201), ("max_position_pct", 0.20)], "max_position_pct", 200),
        (0.10, 0.20, 0.5, [("FIXED_PERCENT", 0.10), ("risk_state_scale", 0.05)], "FIXED_PERCENT", 50),
        (
            0.60,
            0.20,
            0.5,
            [("FIXED_PERCENT", 0.60), ("risk_state_scale", 0.30), ("max_position_pct", 0.20)],
            "max_position_pct",
            200,
        ),
    ],
)
def test_the_chain_names_every_scale_and_cap_in_order(
    percent: float, cap: float, scale: float, chain: list[tuple[str, float]], bound_by: str, shares: int
) -> None:
    result = sized(fixed(percent, max_position_pct=cap), 100_000, scale=scale, stop_distance=0.02)
    assert [step.name for step in result.chain] == [name for name, _ in chain]
    assert [step.weight for step in result.chain] == pytest.approx([weight for _, weight in chain])
    assert (result.bound_by, result.shares) == (bound_by, Decimal(shares))
    assert result.risk_contribution == pytest.approx(result.weight * 0.02)


# Shares.


@pytest.mark.parametrize(
    ("price", "fractionable", "shares"),
    [
        (100.0, False, "10"),
        (94.9, False, "10"),  # Without fractions, whatever rounding costs.
        (94.9, True, "10.537407797"),  # Rounding would cost 5.1 %.
        (95.3, True, "10"),  # It costs 4.7 %.
        (2_000.0, False, "0"),
        (2_000.0, True, "0.5"),
    ],
)
def test_whole_shares_are_preferred_while_rounding_costs_little(price: float, fractionable: bool, shares: str) -> None:
    assert sized(fixed(0.10), 10_000, price, fractionable=fractionable).shares == Decimal(shares)


def test_the_preference_for_whole_shares_is_a_setting() -> None:
    assert sized(fixed(0.10, whole_share_preference=0.0), 10_000, 95.3, fractionable=True).shares == Decimal(
        "10.493179433"
    )
    assert sized(fixed(0.10, whole_share_preference=0.06), 10_000, 94.9, fractionable=True).shares == 10


def test_fractions_have_nine_decimals_and_are_rounded_down() -> None:
    shares = sized(fixed(0.10), 10_000, 3_000.0, fractionable=True).shares
    assert shares == Decimal("0.333333333")


@pytest.mark.parametrize(
    ("equity", "minimum", "shares", "reason"),
    [
        (20.0, 1.0, "0.02", Reason.SENT),  # 2 USD.
        (10.0, 1.0, "0.01", Reason.SENT),  # Exactly the minimum.
        (9.99, 1.0, "0", Reason.BELOW_MINIMUM),
        (20.0, 2.01, "0", Reason.BELOW_MINIMUM),
        (0.0, 1.0, "0", Reason.BELOW_MINIMUM),
    ],
)
def test_less_than_the_least_order_is_no_order(equity: float, minimum: float, shares: str, reason: Reason) -> None:
    result = sized(fixed(0.10, minimum_notional_usd=minimum), equity, fractionable=True)
    assert (result.shares, result.reason) == (Decimal(shares), reason)
    assert result.bound_by == ("FIXED_PERCENT" if reason is Reason.SENT else "BELOW_MINIMUM")


# The stop.


@pytest.mark.parametrize(
    ("strategy", "tier", "least", "distance"),
    [
        (0.01, 0.02, 0.002, 0.01),  # The strategy's is tighter.
        (0.05, 0.02, 0.002, 0.02),  # The tier's is tighter.
        (0.02, 0.02, 0.002, 0.02),
        (0.001, 0.02, 0.002, 0.002),  # Never inside a few spreads.
        (None, 0.02, 0.002, 0.02),
        (0.05, None, 0.002, 0.05),
        (None, None, 0.002, None),
        (None, 0.001, 0.002, 0.002),
    ],
)
def test_the_stop_is_the_tighter_of_both_but_never_inside_a_few_spreads(
    strategy: float | None, tier: float | None, least: float, distance: float | None
) -> None:
    sizer = PositionSizer(fixed(0.1, stop_loss_pct=tier, stop_distance_min=least))
    assert sizer.stop_distance(strategy) == distance


@pytest.mark.parametrize(
    ("strategy", "tier", "risk"), [(0.01, 0.02, 0.001), (0.05, 0.02, 0.002), (None, 0.02, 0.002), (None, None, 0.0)]
)
def test_the_risk_is_what_is_lost_at_the_stop_that_will_hold(
    strategy: float | None, tier: float | None, risk: float
) -> None:
    result = sized(fixed(0.10, stop_loss_pct=tier), 100_000, stop_distance=strategy)
    assert result.risk_contribution == pytest.approx(risk)
