"""Every rule through the whole engine and its own setting: where it alone binds, a hair inside, and switched off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from ordinis.app import build_engine
from ordinis.config import load
from ordinis.domain.decision import Assessment, Reason
from ordinis.domain.market import DailyBlock
from ordinis.domain.orders import OrderIntent, OrderStatus, Purpose
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.book import Book, companions
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.rules import beta_room, gross_room, net_room, sector_room
from simulation.worlds import UNIVERSE, Hand, tier_of

PLAIN = ExecutionSettings(protect=False)
ALL_OFF = (
    "risk.cash_buffer_fraction=0",
    "risk.last_entry_minutes_before_close=0",
    "risk.daily_loss_fraction_max=1.0",
    "risk.weekly_loss_fraction_max=0",
    "risk.monthly_loss_fraction_max=0",
    "risk.consecutive_losses_max=0",
    "risk.drawdown_fraction_warn=1.0",
    "risk.drawdown_fraction_halve=1.0",
    "risk.drawdown_fraction_stop=1.0",
    "risk.orders_a_session_max=0",
    "risk.symbol_refusals_max=0",
    "risk.price_collar_fraction_max=0",
    "risk.spread_bps_max=0",
    "risk.trade_risk_fraction_max=0",
    "risk.gross_exposure_max=0",
    "risk.net_exposure_max=0",
    "risk.order_volume_fraction_max=0",
    "risk.sector_fraction_max=0",
    "risk.cluster_fraction_max=0",
    "risk.beta_rule=off",
    "risk.market_volatility_full=0",
    "execution.market_buy_collar_fraction=0",
)


def limits_by(*settings: str) -> Limits:
    """The limits of these settings, every other rule switched off by its own."""
    return build_engine(load(None, [*ALL_OFF, *settings]), UNIVERSE).state.guard.limits


def history(*, unknown: str = "") -> DailyBlock:
    """Twenty sessions in which AAA and BBB move as one and CCC against them, by half."""
    swing = np.random.default_rng(7).normal(0.0, 0.02, 20)
    close = 100.0 * np.exp(np.cumsum(np.column_stack([swing, swing, -0.5 * swing]), axis=0))
    if unknown:
        close[:, UNIVERSE.column[unknown]] = np.nan
    dates = tuple(date(2025, 1, 15) - timedelta(20 - day) for day in range(20))
    volume = np.full(close.shape, 1e6)
    return DailyBlock(universe=UNIVERSE, dates=dates, open=close, high=close, low=close, close=close, volume=volume)


def hand_of(limits: Limits, *, daily: DailyBlock | None = None, **more: Any) -> Hand:
    hand = Hand(**{"execution": PLAIN, "limits": limits, "tiers": [tier_of(stop_loss_pct=0.02)], **more})
    if daily is not None:
        hand.engine.warm_up([], daily)
    hand.opens()
    return hand


def bought(hand: Hand, symbol: str = "AAA") -> int:
    """Shares of the newest entry of the symbol that was decided this minute."""
    entries = [one for one in hand.tale.orders if one.purpose is Purpose.ENTRY and one.symbol == symbol]
    return int(entries[-1].quantity) if entries and entries[-1].decided_at_ns == hand.at_ns else 0


def alone(hand: Hand) -> None:
    hand.minute(enter="AAA")


def beside(symbol: str) -> Callable[[Hand], None]:
    """10 % of another symbol are held."""

    def play(hand: Hand) -> None:
        hand.enters(symbol)
        hand.minute(enter="AAA")

    return play


def fallen(hand: Hand) -> None:
    """5 % of equity are lost."""
    hand.enters("BBB", 100.0)
    hand.minute(enter="AAA", AAA=100.0, BBB=50.0)


def leapt(hand: Hand) -> None:
    hand.minute()
    hand.closes()
    hand.opens()
    hand.minute(enter="AAA", AAA=121.0)


def lost_twice(hand: Hand) -> None:
    for _ in range(2):
        order = hand.enters("BBB")
        (sale,) = hand.minute(leave="BBB").actions
        hand.fills(sale.client_order_id, -order.quantity, 99.0)
    hand.minute(enter="AAA")


def refused_twice(hand: Hand) -> None:
    for _ in range(2):
        (order,) = hand.minute(enter="AAA", skip=5).actions
        assert isinstance(order, OrderIntent)
        hand.says(order.client_order_id, OrderStatus.REJECTED, code=403)
    hand.minute(enter="AAA", skip=5)


PAIR: dict[str, Any] = {"sectors": {"AAA": "Energy", "BBB": "Energy", "CCC": "Utilities"}}
WARM: dict[str, Any] = {"daily": history()}
KEPT = {"execution": ExecutionSettings()}  # Stops at the broker.
SPREAD = {"outlook": {"spread_bps": 10.0}}

# What it is reported as; the setting that binds, the one a hair inside, the one that switches it off; the world; what
# happens; the shares of AAA bought where the rule binds, of the 100 that are wanted.
Row = tuple[Reason, str, str, str, dict[str, Any], Callable[[Hand], None], int]
ROWS: list[Row] = [
    (Reason.TRADE_RISK, "trade_risk_fraction_max=0.0019", "=0.002", "=0", KEPT, alone, 95),
    (Reason.GROSS_EXPOSURE, "gross_exposure_max=0.15", "=0.2", "=0", {}, beside("BBB"), 50),
    (Reason.NET_EXPOSURE, "net_exposure_max=0.15", "=0.2", "=0", {}, beside("BBB"), 50),
    (Reason.ORDER_VOLUME, "order_volume_fraction_max=0.00005", "=0.0001", "=0", {}, alone, 50),
    (Reason.ORDERS_A_SESSION, "orders_a_session_max=1", "=2", "=0", {}, beside("BBB"), 0),
    (Reason.SECTOR, "sector_fraction_max=0.15", "=0.2", "=0", PAIR, beside("BBB"), 50),
    (Reason.CLUSTER, "cluster_fraction_max=0.15", "=0.2", "=0", WARM, beside("BBB"), 50),
    (Reason.WEEKLY_LOSS, "weekly_loss_fraction_max=0.05", "=0.0501", "=0", {}, fallen, 0),
    (Reason.MONTHLY_LOSS, "monthly_loss_fraction_max=0.05", "=0.0501", "=0", {}, fallen, 0),
    (Reason.CONSECUTIVE_LOSSES, "consecutive_losses_max=2", "=3", "=0", {}, lost_twice, 0),
    (Reason.REFUSED_TOO_OFTEN, "symbol_refusals_max=2", "=3", "=0", {}, refused_twice, 0),
    (Reason.PRICE_COLLAR, "price_collar_fraction_max=0.2", "=0.21", "=0", {}, leapt, 0),
    (Reason.SPREAD, "spread_bps_max=9.9", "=10.0", "=0", SPREAD, alone, 0),
]
NAMES = [row[0].name for row in ROWS]


def played(setting: str, world: dict[str, Any], play: Callable[[Hand], None]) -> Hand:
    hand = hand_of(limits_by(f"risk.{setting}"), **world)
    play(hand)
    return hand


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_where_it_alone_binds_it_is_named_and_the_verdict_carries_what_goes_out(row: Row) -> None:
    reason, setting, _, _, world, play, shares = row
    hand = played(setting, world, play)
    assert bought(hand) == shares
    if shares:
        assert (hand.reason(), last_of(hand).verdict.reason) == (Reason.RESIZED, reason)
        assert last_of(hand).verdict.quantity == shares
    else:
        assert hand.reason() is reason


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_hair_inside_its_limit_it_says_nothing(row: Row) -> None:
    _, setting, inside, _, world, play, shares = row
    hand = played(setting.split("=")[0] + inside, world, play)
    assert hand.reason() is Reason.SENT
    assert bought(hand) > shares


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_switched_off_by_its_setting_the_outcome_changes(row: Row) -> None:
    _, setting, _, off, world, play, shares = row
    hand = played(setting.split("=")[0] + off, world, play)
    assert hand.reason() is Reason.SENT
    assert bought(hand) > shares


def last_of(hand: Hand) -> Assessment:
    return hand.tale.assessments[-1]


# The beta band and the market's volatility take figures that were measured.


def test_the_book_s_beta_stays_in_its_band() -> None:
    """AAA and BBB have one beta; 10 % of BBB are held. CCC moves against the market and may always be bought."""
    beta = hand_of(limits_by(), **WARM).engine._outlook.moves.betas[0]
    full = 0.2 * beta

    def shares(*settings: str, symbol: str = "AAA") -> tuple[int, Reason]:
        hand = hand_of(limits_by(*settings), **WARM)
        hand.enters("BBB")
        hand.minute(enter=symbol)
        verdict = last_of(hand).verdict
        return bought(hand, symbol), verdict.reason

    on = "risk.beta_rule=on"
    assert shares(on, f"risk.beta_max={0.75 * full}") in ((50, Reason.BETA), (49, Reason.BETA))
    assert shares(on, f"risk.beta_max={1.0001 * full}") == (100, Reason.SENT)
    assert shares(on, f"risk.beta_max={0.4 * full}") == (0, Reason.BETA)  # Out of its band already.
    assert shares(on, f"risk.beta_max={0.4 * full}", symbol="CCC") == (100, Reason.SENT)  # Draws it back.
    assert shares(f"risk.beta_max={0.4 * full}", "risk.beta_rule=off") == (100, Reason.SENT)


def test_the_lower_edge_of_the_band_binds_what_moves_against_the_market() -> None:
    hand = hand_of(limits_by(), **WARM)
    beta = hand.engine._outlook.moves.betas[UNIVERSE.column["CCC"]]
    assert beta < 0
    for edge, expected in ((0.5 * beta, 49), (1.01 * beta, 100)):
        hand = hand_of(limits_by("risk.beta_rule=on", f"risk.beta_min={0.1 * edge}", "risk.beta_max=9.0"), **WARM)
        hand.minute(enter="CCC")
        assert bought(hand, "CCC") in (expected, expected + 1 if expected < 100 else expected)


@pytest.mark.parametrize(("times", "shares"), [(0.5, 50), (1.0001, 100), (0.0, 100)])
def test_new_positions_shrink_as_the_market_s_volatility_grows(times: float, shares: int) -> None:
    volatility = hand_of(limits_by(), **WARM).engine._outlook.moves.market_volatility
    hand = hand_of(limits_by(f"risk.market_volatility_full={times * volatility}"), **WARM)
    hand.minute(enter="AAA")
    assert bought(hand) in (shares, shares - 1 if times == 0.5 else shares)
    size = last_of(hand).size
    assert size is not None
    assert ("risk_state_scale" in [step.name for step in size.chain]) is (times == 0.5)


# Input that is missing.


@pytest.mark.parametrize(
    ("reason", "settings", "world"),
    [
        (Reason.CLUSTER, ["risk.cluster_fraction_max=10.0"], {"daily": history(unknown="AAA")}),
        (Reason.BETA, ["risk.beta_rule=on", "risk.beta_max=10.0"], {"daily": history(unknown="AAA")}),
    ],
)
def test_a_rule_that_lacks_its_input_refuses(reason: Reason, settings: list[str], world: dict[str, Any]) -> None:
    hand = hand_of(limits_by(*settings), **world)
    hand.minute(enter="AAA BBB")
    assert hand.reason("AAA") is reason
    assert hand.reason("BBB") is Reason.SENT


@pytest.mark.parametrize(
    "world", [{"tiers": [tier_of()], "execution": ExecutionSettings()}, {"execution": PLAIN}], ids=["none", "not kept"]
)
def test_without_a_stop_the_whole_position_is_at_risk(world: dict[str, Any]) -> None:
    hand = hand_of(limits_by("risk.trade_risk_fraction_max=0.05"), **world)
    hand.minute(enter="AAA")
    assert (bought(hand), last_of(hand).verdict.reason) == (50, Reason.TRADE_RISK)


@pytest.mark.interpreted
def test_without_volume_nothing_is_bought() -> None:
    hand = hand_of(limits_by("risk.order_volume_fraction_max=0.1"), outlook={"volume_minutes": 1})
    hand.engine._outlook._volume.advance = lambda block: np.zeros(block.close.shape)  # type: ignore[method-assign]
    hand.minute(enter="AAA")
    assert hand.reason() is Reason.ORDER_VOLUME


def test_a_market_that_is_not_known_after_warm_up_stops_entries() -> None:
    still = history()
    still.close[:] = 100.0
    still.close[::2, 1] = 101.0  # A market that moves, until its symbol is taken away.
    hand = hand_of(limits_by("risk.market_volatility_full=0.2"), daily=still)
    hand.engine._outlook._market_column = UNIVERSE.column["AAA"]  # It never moved.
    hand.engine._outlook._measure()
    hand.minute(enter="BBB")
    assert hand.reason("BBB") is Reason.MARKET_VOLATILITY_UNKNOWN


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["risk.cluster_fraction_max=0.01", "risk.beta_rule=on", "risk.beta_max=0.01"], "clusters, beta"),
        (["risk.market_volatility_full=0.01"], "market volatility"),
    ],
)
def test_while_there_is_too_little_history_a_person_is_told_which_rules_wait(settings: list[str], named: str) -> None:
    hand = Hand(limits=limits_by(*settings), execution=PLAIN)
    said = hand.opens()
    waits = f"too few daily returns to judge {named} by: these rules let entries pass until there are"
    assert waits in said.notes
    hand.minute(enter="AAA")
    assert bought(hand) == 100


def test_rules_that_are_off_wait_for_nothing() -> None:
    assert not [note for note in Hand(limits=limits_by()).opens().notes if "too few" in note]


# Batches, sessions, persons.


def test_what_a_minute_s_first_entry_takes_counts_against_the_second() -> None:
    hand = hand_of(limits_by("risk.sector_fraction_max=0.15"), **PAIR)
    hand.minute(enter="AAA BBB CCC")
    assert [bought(hand, symbol) for symbol in ("AAA", "BBB", "CCC")] == [100, 50, 100]


def test_an_entry_that_ends_unfilled_gives_its_sector_s_room_back() -> None:
    hand = hand_of(limits_by("risk.sector_fraction_max=0.1"), **PAIR)
    (order,) = hand.minute(enter="BBB").actions
    hand.minute(enter="AAA")
    assert hand.reason() is Reason.SECTOR
    hand.says(order.client_order_id, OrderStatus.CANCELED)
    hand.minute(enter="AAA")
    assert bought(hand) == 100


def test_a_symbol_in_no_table_is_its_own_sector() -> None:
    hand = hand_of(limits_by("risk.sector_fraction_max=0.1"))
    hand.enters("BBB")
    hand.minute(enter="AAA")
    assert bought(hand) == 100


def test_orders_are_counted_anew_each_session() -> None:
    hand = hand_of(limits_by("risk.orders_a_session_max=1"))
    hand.minute(enter="AAA BBB")
    assert (bought(hand, "AAA"), bought(hand, "BBB")) == (100, 0)
    hand.closes()
    hand.opens()
    hand.minute(enter="BBB")
    assert bought(hand, "BBB") == 100


def test_a_symbol_shut_for_its_refusals_is_told_and_opens_with_the_next_session() -> None:
    hand = hand_of(limits_by("risk.symbol_refusals_max=2"))
    refused_twice(hand)
    hand.minute(enter="BBB")
    assert bought(hand, "BBB") == 100  # Nobody else is shut.
    told = "AAA: 2 refusals this session; no entries until the next one, or a person resumes"
    assert [note for note in hand.tale.notes if "refusals" in note] == [told]
    hand.closes()
    hand.opens()
    hand.minute(enter="AAA")
    assert bought(hand) == 100


def test_reducing_orders_pass_every_limit() -> None:
    """Every rule at its tightest, and past it: the exit goes out whole."""
    tight = limits_by(
        *("risk.daily_loss_fraction_max=0.0001", "risk.weekly_loss_fraction_max=0.0001"),
        *("risk.monthly_loss_fraction_max=0.0001", "risk.consecutive_losses_max=1", "risk.orders_a_session_max=1"),
        *("risk.symbol_refusals_max=1", "risk.price_collar_fraction_max=0.0001", "risk.spread_bps_max=0.001"),
        *("risk.trade_risk_fraction_max=0.000001", "risk.gross_exposure_max=0.0001", "risk.net_exposure_max=0.0001"),
        *("risk.order_volume_fraction_max=1e-9", "risk.sector_fraction_max=0.0001"),
        *("risk.cluster_fraction_max=0.0001", "risk.beta_rule=on", "risk.beta_min=0.0", "risk.beta_max=0.0001"),
        "risk.market_volatility_full=0.0001",
    )
    loose, strict = hand_of(limits_by(), **WARM), hand_of(tight, **WARM, outlook={"spread_bps": 10.0})
    order = loose.enters("AAA")
    state = loose.engine.state
    state.guard, state.halts = strict.engine.state.guard, strict.engine.state.halts
    state.refusals["AAA"] = state.refusals["BBB"] = 9
    state.halts.trade_closed(-1.0)
    decision = loose.minute(leave="AAA", enter="BBB", AAA=10.0, BBB=100.0)
    (sale,) = decision.actions
    assert isinstance(sale, OrderIntent)
    assert (sale.purpose, sale.quantity) == (Purpose.EXIT, order.quantity)
    assert state.halts.reason is Reason.DAILY_LOSS


@pytest.mark.parametrize("rule", ["gross_exposure_max=0.15", "net_exposure_max=0.15"])
def test_exposure_counts_the_entries_of_the_same_minute(rule: str) -> None:
    hand = hand_of(limits_by(f"risk.{rule}"))
    hand.minute(enter="AAA BBB CCC")
    assert [bought(hand, symbol) for symbol in ("AAA", "BBB", "CCC")] == [100, 50, 0]


def test_beta_counts_the_entries_of_the_same_minute() -> None:
    beta = hand_of(limits_by(), **WARM).engine._outlook.moves.betas[0]
    hand = hand_of(limits_by("risk.beta_rule=on", f"risk.beta_max={0.1501 * beta}"), **WARM)
    hand.minute(enter="AAA BBB")
    assert [bought(hand, symbol) for symbol in ("AAA", "BBB")] == [100, 50]


def test_the_collar_hangs_on_the_last_session_not_on_the_first() -> None:
    hand = hand_of(limits_by("risk.price_collar_fraction_max=0.2"))
    for close in (100.0, 115.0):
        hand.minute(AAA=close)
        hand.closes()
        hand.opens()
    hand.minute(enter="AAA", AAA=137.0)
    assert bought(hand) == 72
    hand.minute(enter="BBB", BBB=137.0)  # It had no close: its first open stands for one.
    assert bought(hand, "BBB") == 72


def test_longs_and_shorts_add_up_in_gross_and_offset_each_other_in_net() -> None:
    """80 % long and 30 % short: 110 % gross, 50 % net."""
    book = Book((None, None))
    book.equity_usd = 100_000.0
    book.long_usd, book.short_usd = 50_000.0, 30_000.0
    quantity, marks = np.array([800.0, -300.0]), np.array([100.0, 100.0])
    book.look(quantity, marks, hand_of(limits_by()).engine._outlook.moves, 0)
    asked, sizing = Asked(100.0), tier_of().sizing
    assert gross_room(asked, book, sizing, limits_by("risk.gross_exposure_max=1.2")) == pytest.approx(10_000)
    assert net_room(asked, book, sizing, limits_by("risk.net_exposure_max=1.2")) == pytest.approx(70_000)


def test_a_short_weighs_in_its_sector_as_a_long_does() -> None:
    book = Book(companions(["same", "same", "other"]))
    book.equity_usd = 100_000.0
    book.look(np.array([0.0, -300.0, 0.0]), np.full(3, 100.0), hand_of(limits_by()).engine._outlook.moves, 0)
    limits, sizing = limits_by("risk.sector_fraction_max=0.4"), tier_of().sizing
    for direction in (1, -1):
        asked = Asked(100.0, direction=direction)
        assert sector_room(asked, book, sizing, limits) == pytest.approx(10_000)
    book.commit("one", 50.0, 100.0, column=1, direction=-1)
    assert sector_room(Asked(100.0), book, sizing, limits) == pytest.approx(5_000)


def test_beta_takes_a_short_with_the_sign_turned() -> None:
    """The book is 10 % short of BBB: a long has that much more room, a short of AAA that much less."""
    moves = hand_of(limits_by(), **WARM).engine._outlook.moves
    one, other = moves.betas[0], moves.betas[1]
    book = Book((None, None, None))
    book.equity_usd = 100_000.0
    book.look(np.array([0.0, -100.0, 0.0]), np.full(3, 100.0), moves, 0)
    band = limits_by("risk.beta_rule=on", "risk.beta_min=-0.5", "risk.beta_max=0.5")
    long, short = (beta_room(Asked(100.0, direction=way), book, tier_of().sizing, band) for way in (1, -1))
    assert long == pytest.approx((50_000 + 10_000 * other) / one)
    assert short == pytest.approx((50_000 - 10_000 * other) / one)
    book.commit("one", 100.0, 100.0, column=0, direction=-1)
    assert book.beta_usd == pytest.approx(-10_000 * (one + other))
