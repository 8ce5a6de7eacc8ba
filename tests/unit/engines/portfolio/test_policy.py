"""Tiers by the equity at the close, with hysteresis, and never in mid-session."""

from __future__ import annotations

import pytest

from ordinis.domain.errors import ConfigError
from ordinis.domain.orders import OrderIntent
from ordinis.engines.portfolio.policy import TierPolicy
from simulation.worlds import Hand, tier_of

SMALL = tier_of(name="small", equity_min_usd=0.0, fixed_percent=0.20)
STANDARD = tier_of(name="standard", equity_min_usd=25_000.0, fixed_percent=0.10)
LARGE = tier_of(name="large", equity_min_usd=100_000.0)


@pytest.mark.parametrize(
    ("closes", "tiers"),
    [
        ([14_999], "small"),
        ([24_999.99], "small"),
        ([25_000], "standard"),
        ([500_000], "standard"),
        ([24_000, 25_000, 25_499], "small small small"),  # Not 2 % past its edge.
        ([24_000, 25_500], "small standard"),
        ([26_000, 24_999, 24_500], "standard standard standard"),
        ([26_000, 24_499.99], "standard small"),
        ([26_000, 24_400, 25_400, 25_500, 24_500], "standard small small standard standard"),
        ([14_999, 60_000, 10], "small standard small"),
    ],
)
def test_a_tier_is_left_only_two_percent_past_its_edge(closes: list[float], tiers: str) -> None:
    policy = TierPolicy([STANDARD, SMALL], 0.02)
    assert " ".join(policy.session_opens(close).name for close in closes) == tiers


@pytest.mark.parametrize(
    ("closes", "tiers"),
    [
        ([10_000, 200_000, 10_000], "small large small"),
        ([200_000, 98_001, 97_999], "large large standard"),
        ([50_000, 101_999, 102_000], "standard standard large"),
        ([50_000, 24_000, 30_000], "standard small standard"),
    ],
)
def test_three_tiers_have_two_edges(closes: list[float], tiers: str) -> None:
    policy = TierPolicy([LARGE, SMALL, STANDARD], 0.02)
    assert " ".join(policy.session_opens(close).name for close in closes) == tiers


def test_without_hysteresis_the_edge_itself_decides() -> None:
    policy = TierPolicy([SMALL, STANDARD], 0.0)
    names = [policy.session_opens(close).name for close in (24_999.99, 25_000.0, 24_999.99)]
    assert names == ["small", "standard", "small"]


def test_an_account_below_all_tiers_is_under_the_lowest() -> None:
    assert TierPolicy([STANDARD, LARGE], 0.02).session_opens(100.0).name == "standard"


def test_no_tier_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ConfigError, match="at least one tier"):
        TierPolicy([], 0.02)


def test_the_tier_changes_at_the_open_and_never_in_mid_session() -> None:
    """Equity falls from 26,000 USD far below the edge within the session; sizes follow at the next open."""
    hand = Hand(tiers=[SMALL, STANDARD], cash_usd=26_000)
    assert hand.opens().notes[-1:] == ("tier standard (FIXED_PERCENT): 26,000.00 USD at the last close",)
    hand.enters("AAA", 100.0)
    decision = hand.minute(enter="BBB", AAA=10.0, BBB=100.0)
    (order,) = decision.actions
    assert isinstance(order, OrderIntent)
    assert hand.engine.state.tier is STANDARD
    assert order.quantity == 23  # Still 10 % of 23,660 USD, at 100.
    assert not hand.closes().notes
    assert hand.opens(equity_usd=23_660, last_equity_usd=23_660).notes == (
        "tier small (FIXED_PERCENT): 23,660.00 USD at the last close",
    )
    (order,) = hand.minute(enter="CCC", AAA=10.0, CCC=100.0).actions
    assert isinstance(order, OrderIntent)
    assert order.quantity == 47  # 20 %.


def test_the_tier_goes_by_the_last_close_not_by_the_equity_of_the_morning() -> None:
    hand = Hand(tiers=[SMALL, STANDARD])
    hand.opens(equity_usd=26_000, last_equity_usd=24_000)
    assert hand.engine.state.tier is SMALL


def test_a_tier_that_stays_is_not_announced_again() -> None:
    hand = Hand(tiers=[SMALL, STANDARD])
    hand.opens()
    hand.closes()
    assert hand.opens().notes == ()
