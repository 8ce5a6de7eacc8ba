"""A small allocation of a large account trades like a small account, under the large account's rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.trading import TradingEngine
from simulation.worlds import Hand, Tale, day, engine_of, exchange_of, limits_of, play, tier_of

DAY = day(
    0,
    {"AAA": [100.0, 101.0, 102.0, 101.0], "BBB": [50.0, 50.5, 51.0, 50.0], "CCC": [20.0, 19.0, 21.0, 22.0]},
    enter={"AAA": [1], "BBB": [2], "CCC": [2]},
    leave={"AAA": [3]},
)


def traded(cash_usd: int, allocation_usd: float | None) -> tuple[TradingEngine, Tale]:
    engine = engine_of(
        tiers=[
            tier_of(name="tiny", fixed_percent=0.4, max_position_pct=0.35),
            tier_of(name="large", equity_min_usd=5_000.0, fixed_percent=0.1),
        ],
        limits=limits_of(cash_buffer_fraction=0.1),
        fractionable=True,
        allocation_usd=allocation_usd,
    )
    return engine, play(engine, exchange_of(cash_usd=Decimal(cash_usd)), [DAY])


def test_an_allocation_of_1000_in_15000_is_traded_like_an_account_of_1000() -> None:
    (small, told_small), (part, told_part) = traded(1_000, None), traded(15_000, 1_000.0)
    assert told_part.short == told_small.short
    assert [one.size.weight for one in told_part.assessments if one.size] == pytest.approx(
        [one.size.weight for one in told_small.assessments if one.size]
    )
    assert part.state.tier.name == small.state.tier.name == "tiny"
    assert part.state.book.equity_usd == pytest.approx(small.state.book.equity_usd)
    assert float(part.state.ledger.cash_usd - small.state.ledger.cash_usd) == pytest.approx(14_000)


def test_without_an_allocation_the_whole_account_is_traded() -> None:
    assert traded(15_000, None)[1].short != traded(15_000, 1_000.0)[1].short


def test_an_allocation_larger_than_the_account_is_the_account() -> None:
    assert traded(1_000, 5_000.0)[1].short == traded(1_000, None)[1].short


@pytest.mark.parametrize(("cash_usd", "limited"), [(30_000, False), (20_000, True)])
def test_the_account_s_rules_look_at_all_of_it(cash_usd: int, limited: bool) -> None:
    """Day trades are limited below 25,000 USD: an account above is not, however little of it is traded."""
    throttle = Throttle(enabled=True, day_trades_max=0)
    hand = Hand(cash_usd=cash_usd, allocation_usd=1_000.0, throttle=throttle)
    hand.opens()
    assert hand.engine.state.slots.full is limited
    assert hand.engine.state.halts.session_open_equity_usd == 1_000


@pytest.mark.parametrize(("cash_usd", "owes"), [(15_000, True), (1_900, False)])
def test_what_the_broker_lends_depends_on_all_of_the_account(cash_usd: int, owes: bool) -> None:
    """Below 2,000 USD nothing is lent: an account above may, however little of it is traded."""
    hand = Hand(
        cash_usd=cash_usd,
        allocation_usd=1_000.0,
        tiers=[tier_of(fixed_percent=0.9, max_position_pct=0.9)],
    )
    hand.opens()
    hand.enters("AAA")
    gate, book = hand.engine.state.gate, hand.engine.state.book
    assert book.equity_usd == pytest.approx(1_000.0)
    assert (gate.equity_usd, gate.free_cash_usd) == pytest.approx((cash_usd, cash_usd))
    assert (gate.equity_usd >= gate.rules.margin.equity_min_usd) is owes
