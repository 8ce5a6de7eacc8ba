"""The gate: each rule that asks for a size where it alone binds, and what a broker's figures do to entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import inf
from typing import Any

import numpy as np
import pytest

from ordinis.domain.account import AccountView, Position
from ordinis.domain.decision import Reason
from ordinis.domain.events import CashFlow
from ordinis.domain.market import MINUTE_NS, Session, Universe
from ordinis.domain.orders import Fill
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountGate, AccountRules
from ordinis.engines.compliance.intraday_margin import MarginRules
from ordinis.engines.compliance.regimes import Regime, RegimeName
from ordinis.engines.compliance.settlement import SettlementRules
from ordinis.engines.compliance.wanted import Wanted

TODAY = date(2025, 1, 15)
OPEN_NS = 1_736_951_400 * 10**9
CLOSE_NS = OPEN_NS + 390 * MINUTE_NS
UNIVERSE = Universe(("AAA", "BBB"))
CONFIRMED = date(2025, 1, 1)


def view_of(**figures: Any) -> AccountView:
    usual: dict[str, Any] = {
        "at_ns": OPEN_NS,
        "equity_usd": Decimal(10_000),
        "cash_usd": Decimal(10_000),
        "buying_power_usd": Decimal(20_000),
        "last_equity_usd": Decimal(10_000),
        "multiplier": 2,
    }
    return AccountView(**{**usual, **figures})


def gate_of(
    regime: RegimeName = "intraday_margin",
    *,
    without: str = "",
    throttle: Throttle | None = None,
    margin: MarginRules | None = None,
    settlement: SettlementRules | None = None,
    confirmed: bool = True,
    **figures: Any,
) -> AccountGate:
    """An account whose session has opened; no collar, so that figures are round."""
    rules = AccountRules(
        regime=Regime(regime=regime, source="test", confirmed_on=CONFIRMED if confirmed else None),
        margin=margin or MarginRules(buffer_fraction=0.0, overnight_buffer_fraction=0.0),
        settlement=settlement or SettlementRules(),
        without=frozenset({without} - {""}),
    )
    gate = AccountGate(rules, throttle or Throttle(enabled=False), UNIVERSE, 0.0)
    gate.session_opens(Session(date=TODAY, open_ns=OPEN_NS, close_ns=CLOSE_NS))
    view = view_of(**({"multiplier": 1} if regime == "cash" else {}) | figures)
    gate.account(view, {one.symbol: one.quantity for one in view.positions}, None)
    return gate


def rooms(
    gate: AccountGate, *, minutes_left: int = 100, direction: int = 1, cash: float = 10_000.0
) -> dict[str, float]:
    """What each rule leaves of AAA at $10, nothing else held."""
    at_ns = CLOSE_NS - minutes_left * MINUTE_NS
    zero = np.zeros(2)
    gate.look(at_ns, zero, np.array([10.0, 50.0]), zero, cash, cash)
    return {reason.name: usd for reason, usd in gate.rooms(Wanted(10.0, 0, direction))}


def called(gate: AccountGate) -> None:
    gate.deficits.reduced(date(2025, 1, 14), -5_000.0)


def day_traded(gate: AccountGate) -> None:
    fill = Fill(execution_id="1", symbol="BBB", quantity=Decimal(500), price_usd=Decimal(50), filled_at_ns=OPEN_NS + 1)
    gate.filled(fill, "order", protective=False)


def nothing(gate: AccountGate) -> None:
    """The account as it opened."""


RULES: list[tuple[str, str, dict[str, Any], Callable[[AccountGate], None], dict[str, Any], float]] = [
    # Rule, reason, account, what happens, the moment, what is left.
    ("minimum_equity", "MARGIN_EQUITY", {}, nothing, {"cash": 1_999.0}, 1_999.0),
    ("minimum_equity", "MARGIN_EQUITY", {}, nothing, {"cash": 2_000.0}, inf),
    ("minimum_equity", "MARGIN_EQUITY", {}, nothing, {"cash": 1_999.0, "direction": -1}, 0.0),
    ("minimum_equity", "MARGIN_EQUITY", {"multiplier": 1}, nothing, {"minutes_left": 0}, 0.0),
    ("intraday_margin", "INTRADAY_MARGIN", {}, nothing, {}, 10_000 / 0.3),
    ("intraday_margin", "INTRADAY_MARGIN", {}, nothing, {"direction": -1}, 20_000.0),  # $5 a share.
    ("margin_restricted", "MARGIN_RESTRICTED", {}, nothing, {}, inf),
    ("margin_restricted", "MARGIN_RESTRICTED", {}, called, {}, 10_000.0),
    ("margin_restricted", "MARGIN_RESTRICTED", {}, called, {"direction": -1}, 0.0),
    ("overnight", "BUYING_POWER", {"multiplier": 4}, nothing, {"minutes_left": 31}, inf),
    ("overnight", "BUYING_POWER", {"multiplier": 4}, nothing, {"minutes_left": 30}, 20_000.0),
    ("settled_cash", "SETTLED_CASH", {"regime": "cash"}, nothing, {}, 10_000.0),
    (
        *("settled_cash", "SETTLED_CASH"),
        *({"regime": "cash", "non_marginable_buying_power_usd": Decimal(4_000)}, nothing, {}, 4_000.0),
    ),
    ("settled_cash", "SETTLED_CASH", {"regime": "cash"}, nothing, {"minutes_left": 0}, 0.0),
    ("settled_cash", "SETTLED_CASH", {"regime": "cash"}, nothing, {"direction": -1}, 0.0),
    (
        *("day_trading_power", "DAY_TRADING_POWER"),
        *({"regime": "pattern_day_trader", "multiplier": 4, "last_equity_usd": Decimal(30_000)},),
        *(day_traded, {"cash": 30_000.0}, 120_000.0 - 25_000.0),
    ),
    (
        *("day_trading_power", "DAY_TRADING_POWER"),
        {
            "regime": "pattern_day_trader",
            "multiplier": 4,
            "last_equity_usd": Decimal(30_000),
            "daytrading_buying_power_usd": Decimal(50_000),
        },
        *(nothing, {"cash": 30_000.0}, 50_000.0),
    ),
]


@pytest.mark.parametrize(("rule", "reason", "account", "happens", "moment", "left"), RULES)
def test_each_rule_leaves_what_it_says_and_nothing_is_said_without_it(
    rule: str,
    reason: str,
    account: dict[str, Any],
    happens: Callable[[AccountGate], None],
    moment: dict[str, Any],
    left: float,
) -> None:
    gate = gate_of(**account)
    happens(gate)
    assert rooms(gate, **moment)[reason] == pytest.approx(left)
    other = gate_of(**account, without=rule)
    happens(other)
    assert reason not in rooms(other, **moment)


def test_an_unknown_rule_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="no such rule: slots; rules are day_trade_slots, reservation"):
        gate_of(without="slots")


def test_four_times_is_lent_by_day_only_and_not_where_day_trades_are_rationed() -> None:
    gate = gate_of(multiplier=4)
    rooms(gate)
    assert gate.intraday_power_usd == pytest.approx(40_000.0)
    rooms(gate, minutes_left=30)
    assert gate.intraday_power_usd is None
    rationed = gate_of("pattern_day_trader", multiplier=4)
    rooms(rationed)
    assert rationed.slots.by_law
    assert rationed.intraday_power_usd is None


def test_gains_of_today_count_only_where_the_settings_say_so() -> None:
    """500 shares of BBB bought at 50 stand at 60: 5,000 of gains."""
    for counts, level in ((True, 30_000 - 9_000.0), (False, 25_000 - 9_000.0)):
        gate = gate_of(margin=MarginRules(profit_counts=counts))
        day_traded(gate)
        assert gate.level_usd(np.array([0.0, 500.0]), np.array([10.0, 60.0]), 0.0) == pytest.approx(level)


def test_what_the_broker_asks_for_outranks_our_table() -> None:
    """100 AAA at 10: the table asks for 300, the broker for 700."""
    held = (Position(symbol="AAA", quantity=Decimal(100), average_price_usd=Decimal(10)),)
    for theirs, required in ((Decimal(700), 700.0), (Decimal(100), 300.0), (None, 300.0)):
        gate = gate_of(positions=held, maintenance_margin_usd=theirs)
        level = gate.level_usd(np.array([100.0, 0.0]), np.array([10.0, 50.0]), 9_000.0)
        assert 10_000.0 - level == pytest.approx(required)


def test_deposits_satisfy_a_call_and_fees_do_not() -> None:
    gate = gate_of()
    called(gate)
    zero, marks = np.zeros(2), np.array([10.0, 50.0])
    gate.deficits.day_ends(date(2025, 1, 14), -5_000.0, 10_000.0)
    gate.flowed(CashFlow(at_ns=0, id="f", kind="fee", amount_usd=Decimal(5_000)))
    gate.session_closes(zero, marks, -5_000.0)
    assert gate.deficits.outstanding_usd == 5_000.0
    gate.flowed(CashFlow(at_ns=0, id="d", kind="deposit", amount_usd=Decimal(5_000)))
    assert gate.session_closes(zero, marks, -5_000.0) == ["the intraday margin deficit of 2025-01-14 is satisfied"]


def test_a_negative_level_after_a_fill_is_a_deficit_only_where_something_is_owed() -> None:
    gate = gate_of()
    marks = np.array([2.0, 50.0])
    assert gate.reduced_level(np.array([4_000.0, 0.0]), marks, 0.0) == []
    (note,) = gate.reduced_level(np.array([10_000.0, 0.0]), marks, -10_000.0)  # Pennies are no collateral.
    assert note.startswith("intraday margin deficit of 10,000.00 USD")
    assert gate_of("pattern_day_trader").reduced_level(np.array([10_000.0, 0.0]), marks, -10_000.0) == []


# What a broker says.


@pytest.mark.parametrize(
    ("regime", "figures", "said"),
    [
        ("intraday_margin", {"multiplier": None}, "the broker does not report multiplier"),
        ("intraday_margin", {"last_equity_usd": None}, "the broker does not report last_equity"),
        ("cash", {"multiplier": 2}, "compliance.regime is cash, the broker's multiplier is 2"),
        ("cash", {"account_type": "margin"}, "compliance.regime is cash, the broker calls the account margin"),
        (
            "intraday_margin",
            {"account_type": "cash"},
            "the regime is intraday_margin, the broker calls the account cash",
        ),
    ],
)
def test_a_view_that_lacks_or_contradicts_stops_entries(regime: RegimeName, figures: dict[str, Any], said: str) -> None:
    gate = gate_of(regime, **figures)
    assert gate.stopped is Reason.RULES_UNSURE
    assert [said in doubt for doubt in gate.doubts] == [True]
    assert gate_of(regime, without="unsure", **figures).stopped is None


@pytest.mark.parametrize(
    "figures",
    [{"account_blocked": True}, {"trading_blocked": True}, {"trade_suspended_by_user": True}, {"status": "INACTIVE"}],
)
def test_a_blocked_account_opens_nothing_until_it_is_free(figures: dict[str, Any]) -> None:
    gate = gate_of(**figures)
    assert gate.stopped is Reason.ACCOUNT_BLOCKED
    assert gate.account_again(view_of(), []) == ["what stopped entries in the broker's figures is over"]
    assert gate.stopped is None


def test_an_account_that_changes_its_type_in_mid_session_is_doubted_until_the_next() -> None:
    gate = gate_of()
    (note,) = gate.account_again(view_of(multiplier=4), [])
    assert note == "entries are stopped: the account's multiplier was 2 at the open and is 4 now"
    assert gate.account_again(view_of(multiplier=4), []) == []
    gate.account_again(view_of(), [])
    assert gate.stopped is Reason.RULES_UNSURE
    gate.session_opens(Session(date=date(2025, 1, 16), open_ns=OPEN_NS, close_ns=CLOSE_NS))
    gate.account(view_of(), {}, None)
    assert gate.stopped is None


def test_positions_that_differ_in_mid_session_stop_entries_until_they_agree() -> None:
    gate = gate_of()
    gate.account_again(view_of(), ["AAA: our book holds 5, the broker 4"])
    assert gate.stopped is Reason.BOOK_DIFFERS
    gate.account_again(view_of(), [])
    assert gate.stopped is None


def test_a_count_that_our_whole_record_cannot_explain_stops_entries_with_both_figures() -> None:
    gate = gate_of("pattern_day_trader", throttle=Throttle(enabled=True), daytrade_count=2)
    assert gate.stopped is None  # Days before our record may explain it.
    assert gate.slots.used == 2
    for day in (16, 17, 20, 21, 22):
        gate.session_closes(np.zeros(2), np.array([10.0, 50.0]), 10_000.0)
        gate.session_opens(Session(date=date(2025, 1, day), open_ns=OPEN_NS, close_ns=CLOSE_NS))
        notes = gate.account(view_of(daytrade_count=2 if day == 22 else 0), {}, None)
    assert notes == ["entries are stopped: the broker counts 2 day trades in the window, our fills make 0"]
    assert gate.stopped is Reason.RULES_UNSURE


def test_a_broker_that_still_counts_day_trades_is_held_to_both_regimes() -> None:
    gate = gate_of(daytrade_count=0)
    assert gate.regime.counts_day_trades
    assert gate.slots.by_law
    assert gate.regime.source == "test; but the broker still counts day trades"


def test_the_regime_is_told_once_and_again_when_it_changes() -> None:
    gate = gate_of()
    assert gate.account(view_of(), {}, None) == []
    assert [note.partition(":")[0] for note in gate.account(view_of(daytrade_count=0), {}, None)] == [
        "regime intraday_margin"
    ]
