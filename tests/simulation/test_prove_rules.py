"""The proof of the rules, in small: the same episodes as `make prove-rules`, as many as a test may take."""

from __future__ import annotations

import pytest

from episodes import Episode
from prove_rules import Proof, prove
from trials import play

SESSIONS = {"pattern_day_trader": 200, "intraday_margin": 150, "cash": 150}


@pytest.fixture(scope="module", params=SESSIONS)
def proof(request: pytest.FixtureRequest) -> Proof:
    return prove(request.param, SESSIONS[request.param])


def test_no_order_breaks_a_rule_and_no_exit_is_blocked(proof: Proof) -> None:
    assert proof.failures == []
    assert (sum(proof.gated.refusals.values()), sum(proof.gated.violations.values())) == (0, 0)
    assert proof.gated.counts["exits blocked"] == 0


def test_the_same_seeds_without_the_gate_break_many(proof: Proof) -> None:
    """Otherwise the gate had nothing to do, and the proof would prove nothing."""
    assert sum(proof.ungated.refusals.values()) + sum(proof.ungated.violations.values()) >= 50


def test_such_episodes_trade_a_lot(proof: Proof) -> None:
    counts = proof.gated.counts
    assert counts["entries"] >= counts["sessions"]
    assert counts["refusals at random"] >= 10
    assert counts["exits forced on the first day"] >= 10
    assert min(counts["partial fills"], counts["splits"], counts["deposits"]) >= 1


@pytest.mark.parametrize(("regime", "seed"), [("pattern_day_trader", 11), ("intraday_margin", 11), ("cash", 7)])
def test_no_addition_to_a_position_breaks_a_rule(regime: str, seed: int) -> None:
    """Every fourth episode is rebalanced each minute, and adds."""
    played = play(Episode(seed, regime, 30))
    assert played.counts["additions"] >= 10
    assert (played.faults, played.refusals, played.violations) == ([], {}, {})


def test_an_episode_is_the_same_every_time() -> None:
    first, second = (play(Episode(3, "intraday_margin", 12)) for _ in range(2))
    assert (first.counts, first.refusals, first.faults) == (second.counts, second.refusals, second.faults)
    assert first.counts["orders"] > 0
