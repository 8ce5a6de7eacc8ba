"""The same script of orders in process and over the wire: the same events, byte by byte."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.days import block_of
from contract.roads import ROADS, Script, buy, cancel, heard, replace, sell, written
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.domain.events import CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.money import CENT, price_usd
from ordinis.domain.orders import TimeInForce, leg_id
from simulation.actions import dividend, removal, split

GTC = TimeInForce.GTC
DAYS = [block_of(0), block_of(1)]  # Eight minutes each: items 0 to 9 and 10 to 19, phases included.
MODEST = ExchangeSettings(cash_usd=Decimal(100_000))
LOOSE = ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0)
AUCTIONS = ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0, close_auction_minutes_before=2)
SHORTING = ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0, shorting_enabled=True)
PICKY = ExchangeSettings(
    cash_usd=Decimal(100_000), shorting_enabled=True, easy_to_borrow=frozenset({"AAA"}), regime="pattern_day_trader"
)
AT_ONCE = ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0, fill_model=FillModel.THIS_CLOSE)

# Name -> the account, what is sent when, and what each order ends as.
SCENARIOS: dict[str, tuple[ExchangeSettings, Script, dict[str, str]]] = {
    "a round trip and its fees": (
        LOOSE,
        {2: [buy("a", "AAA", "10")], 5: [sell("b", "AAA", "10")]},
        {"a": "filled", "b": "filled"},
    ),
    "fractions keep their digits": (
        LOOSE,
        {2: [buy("a", "AAA", "1.500000000"), buy("b", "BBB", "0.123456789")], 6: [sell("c", "AAA", "1.5")]},
        {"a": "filled", "b": "filled", "c": "filled"},
    ),
    "a stop leg waits, lives and fires": (
        LOOSE,
        {1: [buy("a", "AAA", "10", stop_loss="99.80", good_till=GTC)]},
        {"a": "filled", "a.stop": "filled"},
    ),
    "cancelling an unfilled parent takes its leg along": (
        LOOSE,
        {1: [buy("a", "AAA", "10", limit="50.00", stop_loss="45.00")], 3: [cancel("a", "AAA")]},
        {"a": "canceled", "a.stop": "canceled"},
    ),
    "cancelling a held leg cancels its parent": (
        LOOSE,
        {1: [buy("a", "AAA", "10", limit="50.00", stop_loss="45.00")], 4: [cancel(leg_id("a"), "AAA")]},
        {"a": "canceled", "a.stop": "canceled"},
    ),
    "a cancel and a new order in one breath": (
        LOOSE,
        {
            1: [buy("a", "AAA", "10", limit="50.00"), buy("b", "BBB", "5", limit="51.00")],
            3: [cancel("a", "AAA"), buy("c", "AAA", "7"), cancel("b", "BBB"), buy("d", "BBB", "3")],
        },
        {"a": "canceled", "b": "canceled", "c": "filled", "d": "filled"},
    ),
    "a cancel that comes too late is silent": (
        LOOSE,
        {1: [buy("a", "AAA", "10")], 4: [cancel("a", "AAA")]},
        {"a": "filled"},
    ),
    "a cancel of an order nobody knows is refused": (LOOSE, {1: [cancel("x", "AAA")]}, {"x": "rejected"}),
    "day orders expire, good-till-cancelled orders do not": (
        LOOSE,
        {
            1: [buy("a", "AAA", "1", limit="50.00"), buy("b", "BBB", "1", limit="50.00", good_till=GTC)],
            8: [buy("c", "CCC", "1")],  # At the bell: it waits for tomorrow.
        },
        {"a": "expired", "b": "accepted", "c": "filled"},
    ),
    "orders wait overnight and work from the open": (
        LOOSE,
        {9: [buy("a", "AAA", "10")], 10: [buy("b", "BBB", "10")], 19: [buy("c", "CCC", "1")]},
        {"a": "filled", "b": "filled", "c": "accepted"},
    ),
    "large orders fill in parts": (
        MODEST,
        {1: [buy("a", "AAA", "1200"), buy("b", "BBB", "300.5")], 5: [cancel("a", "AAA")]},
        {"a": "canceled", "b": "filled"},
    ),
    "fills at the deciding close come with the acceptance": (
        AT_ONCE,
        {
            2: [buy("a", "AAA", "10", stop_loss="90.00"), buy("b", "BBB", "5")],
            5: [cancel(leg_id("a"), "AAA"), sell("c", "AAA", "10"), sell("d", "BBB", "5")],
        },
        {"a": "filled", "a.stop": "canceled", "b": "filled", "c": "filled", "d": "filled"},
    ),
    "a bracket takes its profit": (
        LOOSE,
        {1: [buy("a", "BBB", "10", stop_loss="99.00", take_profit_usd="100.40", good_till=GTC)]},
        {"a": "filled", "a.target": "filled", "a.stop": "canceled"},
    ),
    "a bracket is stopped out": (
        LOOSE,
        {1: [buy("a", "BBB", "10", stop_loss="99.80", take_profit_usd="103.00", stop_loss_limit_usd="99.00")]},
        {"a": "filled", "a.target": "canceled", "a.stop": "filled"},
    ),
    "a bracket's target fills in part and its stop takes the rest": (
        MODEST,
        {1: [buy("a", "BBB", "900", stop_loss="99.90", take_profit_usd="100.40")]},
        {"a": "filled", "a.target": "canceled", "a.stop": "filled"},
    ),
    "a living bracket is taken back by either leg": (
        LOOSE,
        {
            1: [
                buy("a", "BBB", "10", stop_loss="90.00", take_profit_usd="110.00"),
                buy("b", "AAA", "10", stop_loss="90.00", take_profit_usd="110.00"),
            ],
            5: [cancel("a.stop", "BBB"), cancel("b.target", "AAA")],
        },
        {"a.target": "canceled", "a.stop": "canceled", "b.target": "canceled", "b.stop": "canceled"},
    ),
    "one triggers a target alone": (
        LOOSE,
        {1: [buy("a", "BBB", "10", take_profit_usd="100.40")]},
        {"a": "filled", "a.target": "filled"},
    ),
    "one cancels the other": (
        LOOSE,
        {
            1: [buy("a", "BBB", "10"), buy("b", "AAA", "10")],
            3: [sell("c", "BBB", "10", take_profit_usd="100.40", stop_loss="99.00", oco=True)],
            4: [sell("d", "AAA", "10", take_profit_usd="105.00", stop_loss="99.60", oco=True)],
        },
        {"c": "filled", "c.stop": "canceled", "d": "canceled", "d.stop": "filled"},
    ),
    "stops with a limit, in time and too late": (
        LOOSE,
        {
            1: [buy("a", "BBB", "10", stop="100.40", limit="100.60"), buy("b", "CCC", "1")],
            5: [
                sell("c", "BBB", "5", stop="99.95", limit="100.05"),
                sell("d", "BBB", "5", stop="99.80", limit="99.79"),
            ],
        },
        {"a": "filled", "c": "expired", "d": "filled"},
    ),
    "a stop trails the price": (
        LOOSE,
        {
            1: [buy("a", "BBB", "20")],
            2: [
                sell("b", "BBB", "10", trail_usd="0.30"),
                sell("c", "BBB", "10", trail_percent="0.5"),
                buy("d", "AAA", "3", trail_usd="0.10", good_till=GTC),
            ],
        },
        {"b": "filled", "c": "filled", "d": "filled"},
    ),
    "immediate orders take what there is, all-or-none orders all": (
        MODEST,
        {
            1: [buy("a", "BBB", "900", good_till=TimeInForce.IOC), buy("b", "AAA", "5", good_till=TimeInForce.IOC)],
            2: [buy("c", "BBB", "900", good_till=TimeInForce.FOK), buy("d", "CCC", "9", good_till=TimeInForce.FOK)],
            3: [
                buy("e", "BBB", "9", limit="100.40", good_till=TimeInForce.IOC),
                buy("f", "BBB", "9", limit="100.50", good_till=TimeInForce.FOK),
            ],
        },
        {"a": "canceled", "b": "canceled", "c": "canceled", "e": "canceled", "f": "filled"},
    ),
    "orders of the auctions": (
        AUCTIONS,
        {
            1: [buy("a", "BBB", "10", good_till=TimeInForce.CLS), buy("b", "AAA", "10", good_till=TimeInForce.OPG)],
            4: [buy("c", "AAA", "1", limit="90.00", good_till=TimeInForce.CLS)],
            7: [buy("d", "AAA", "10", good_till=TimeInForce.CLS)],
            9: [sell("e", "BBB", "4", good_till=TimeInForce.OPG), buy("f", "AAA", "1", good_till=TimeInForce.CLS)],
        },
        {"a": "filled", "b": "rejected", "c": "canceled", "d": "rejected", "e": "filled", "f": "filled"},
    ),
    "an order gives way to another": (
        LOOSE,
        {
            1: [buy("a", "BBB", "10", limit="90.00"), buy("b", "AAA", "10"), buy("c", "CCC", "1", limit="80.00")],
            3: [
                replace("a2", "a", "BBB", limit_price_usd="100.41", quantity="7"),
                replace("c2", "c", "CCC", limit_price_usd="80.00"),
                replace("c1", "c", "CCC", limit_price_usd="81.00"),
                replace("x2", "x", "AAA", quantity="3"),
            ],
            5: [replace("b2", "b", "AAA", quantity="5"), sell("s", "AAA", "10", trail_usd="5.00", good_till=GTC)],
            6: [replace("s2", "s", "AAA", trail="0.05"), replace("c3", "c1", "CCC", time_in_force=GTC)],
        },
        {
            "a": "replaced",
            "a2": "filled",
            "b2": "rejected",
            "c2": "rejected",
            "c": "replaced",
            "c1": "replaced",
            "c3": "accepted",
        }
        | {"x2": "rejected", "s": "replaced", "s2": "filled"},
    ),
    "a short is sold, protected and covered": (
        SHORTING,
        {
            1: [sell("a", "AAA", "10", stop_loss="105.00", good_till=GTC), sell("b", "BBB", "10")],
            4: [cancel("a.stop", "AAA"), buy("c", "AAA", "10"), buy("d", "BBB", "4"), buy("e", "BBB", "7")],
            6: [buy("f", "BBB", "6", stop="103.00", good_till=GTC), sell("g", "AAA", "3")],
        },
        {"a": "filled", "a.stop": "canceled", "b": "filled", "c": "filled", "d": "filled", "e": "rejected"}
        | {"f": "accepted", "g": "filled"},
    ),
    "a short's bracket and its pair": (
        SHORTING,
        {
            1: [sell("a", "AAA", "10", stop_loss="105.00", take_profit_usd="99.70"), sell("b", "BBB", "10")],
            3: [buy("c", "BBB", "10", take_profit_usd="90.00", stop_loss="100.30", oco=True)],
        },
        {"a": "filled", "a.target": "filled", "a.stop": "canceled", "b": "filled", "c": "canceled", "c.stop": "filled"},
    ),
    "orders of a group get new prices": (
        LOOSE,
        {
            1: [
                buy("a", "AAA", "10", limit="50.00", stop_loss="45.00", take_profit_usd="103.00", good_till=GTC),
                buy("b", "BBB", "10", stop_loss="90.00", take_profit_usd="110.00"),
                replace("b2", "b.stop", "BBB", stop_price_usd="91.00"),
            ],
            3: [
                replace("a2", "a", "AAA", limit_price_usd="101.00"),
                replace("a3", "a.target", "AAA", limit_price_usd="104.00"),
                replace("b3", "b.target", "BBB", limit_price_usd="100.45"),
                replace("b4", "b2", "BBB", stop_price_usd="100.45"),
            ],
            6: [cancel("a3", "AAA")],
        },
        {"a": "replaced", "a2": "filled", "a.target": "replaced", "a3": "canceled", "a.stop": "canceled"}
        | {"b": "filled", "b.stop": "replaced", "b2": "canceled", "b.target": "replaced", "b3": "filled"}
        | {"b4": "rejected"},
    ),
    "short sales that are refused": (
        PICKY,
        {
            2: [sell("a", "BBB", "1"), sell("b", "AAA", "0.5"), sell("c", "AAA", "5000"), sell("d", "AAA", "1")],
            4: [buy("e", "AAA", "1.5"), buy("f", "AAA", "0.5"), sell("g", "AAA", "1", stop_loss="90.00")],
        },
        {"a": "rejected", "b": "rejected", "c": "rejected", "d": "filled"}
        | {"e": "rejected", "f": "rejected", "g": "rejected"},
    ),
    "refusals carry the broker's code and words": (
        LOOSE,
        {
            2: [
                buy("a", "AAA", "1"),
                buy("b", "ZZZZ", "1"),
                buy("c", "AAA", "100000"),
                buy("d", "AAA", "1", limit="99.123"),
                sell("e", "BBB", "1"),
                buy("f", "AAA", "0.5", limit="99.00", good_till=GTC),
                buy("g", "AAA", "0.000001"),
                buy("h", "AAA", "-1"),
                buy("i", "AAA", "1", stop_loss="500.00"),
                sell("j", "AAA", "1"),
            ],
            4: [sell("k", "AAA", "2"), sell("l", "AAA", "1", limit="500.00"), buy("m", "AAA", "1")],
        },
        {"a": "filled", "b": "rejected", "c": "rejected", "l": "expired", "k": "rejected", "m": "rejected"},
    ),
}


@cache
def _told(name: str, road: str) -> list[Any]:
    account, script, _ = SCENARIOS[name]
    return heard(road, account, DAYS, script)


def _endings(events: list[Any]) -> dict[str, str]:
    return {one.client_order_id: one.status.value for one in events if isinstance(one, OrderUpdate)}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_orders_end_as_they_should(name: str, road: str) -> None:
    assert SCENARIOS[name][2].items() <= _endings(_told(name, road)).items()


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_roads_give_the_same_events_to_the_last_byte(name: str) -> None:
    in_process, over_the_wire = (_told(name, road) for road in ROADS)
    assert [written(one) for one in over_the_wire] == [written(one) for one in in_process]


def test_fees_arrive_at_the_close_with_the_exchange_s_own_ids() -> None:
    fees = [one for one in _told("a round trip and its fees", "over the wire") if isinstance(one, CashFlow)]
    assert [one.id for one in fees] == ["fee-sec-2025-01-02", "fee-taf-2025-01-02", "fee-cat-2025-01-02"]
    assert all(one.at_ns == DAYS[0].session.close_ns and one.amount_usd < 0 for one in fees)


def test_what_a_night_brings_is_told_before_the_opening_on_both_roads() -> None:
    account = ExchangeSettings(
        cash_usd=Decimal(100_000), participation_max=0.0, margin_interest_fraction=Decimal("0.0625")
    )
    days = (dividend("BBB", DAYS[1].session.date, "0.25"),)
    script = {1: [buy("a", "BBB", "1500")]}
    in_process, over_the_wire = (heard(road, account, DAYS, script, days) for road in ROADS)
    assert [written(one) for one in over_the_wire] == [written(one) for one in in_process]
    flows = [one for one in over_the_wire if isinstance(one, CashFlow) and one.kind != "fee"]
    assert [(one.kind, one.amount_usd) for one in flows] == [
        ("interest", Decimal("-8.68")),
        ("dividend", Decimal("375.00")),
    ]


def test_who_is_short_pays_the_dividend_and_the_borrower_s_fee_on_both_roads() -> None:
    account = ExchangeSettings(
        cash_usd=Decimal(100_000), participation_max=0.0, shorting_enabled=True, borrow_fee_fraction=Decimal("0.036")
    )
    days = (dividend("BBB", DAYS[1].session.date, "0.25"),)
    script = {1: [sell("a", "BBB", "900")]}
    close_usd = price_usd(DAYS[0].close[-1, DAYS[0].universe.column["BBB"]])
    in_process, over_the_wire = (heard(road, account, DAYS, script, days) for road in ROADS)
    assert [written(one) for one in over_the_wire] == [written(one) for one in in_process]
    flows = [one for one in over_the_wire if isinstance(one, CashFlow) and one.kind != "fee"]
    assert [(one.kind, one.amount_usd) for one in flows] == [
        ("interest", -(900 * close_usd / 10_000).quantize(CENT, ROUND_UP)),  # A night of 3.6 % a year.
        ("dividend", Decimal("-225.00")),
    ]


NIGHT = DAYS[1].session.date


@pytest.mark.parametrize("fractionable", [True, False])
def test_splits_dividends_and_removals_are_told_alike_on_both_roads(fractionable: bool) -> None:
    account = ExchangeSettings(cash_usd=Decimal(100_000), participation_max=0.0, fractionable=fractionable)
    actions = (split("AAA", NIGHT, "1.5"), dividend("AAA", NIGHT, "0.25"), removal("BBB", NIGHT))
    script = {
        1: [buy("a", "AAA", "15"), buy("b", "BBB", "7")],
        6: [sell("stop", "AAA", "15", stop="80", good_till=TimeInForce.GTC)],
    }
    in_process, over_the_wire = (heard(road, account, DAYS, script, actions) for road in ROADS)
    assert [written(one) for one in over_the_wire] == [written(one) for one in in_process]
    told = [one for one in in_process if isinstance(one, CorporateAction)]
    assert [(one.symbol, one.kind.value) for one in told] == [("AAA", "dividend"), ("AAA", "split"), ("BBB", "removal")]
    flows = [one.kind for one in in_process if isinstance(one, CashFlow) and one.symbol]
    assert flows == (["dividend", "removal"] if fractionable else ["dividend", "cash_in_lieu", "removal"])
    held = in_process[-1].positions
    assert [(one.symbol, one.quantity) for one in held] == [("AAA", Decimal("22.5" if fractionable else 22))]
    assert _endings(in_process)["stop"] == "canceled"


_SYMBOLS = st.sampled_from(DAYS[0].universe.symbols)
_QUANTITIES = st.sampled_from(["1", "7", "250", "0.75", "3.141592653", "900"])
_FIELDS = ["limit", "stop", "stop_loss", "take_profit_usd", "oco", "trail_usd", "trail_percent"]
_CHANGES = ["quantity", "limit_price_usd", "stop_price_usd", "trail"]
_EXTRAS: dict[str, list[Any]] = {"oco": [True, False], "trail_usd": ["0.20"], "trail_percent": ["0.1"]}
_PRICES = st.sampled_from([None, "95.00", "99.90", "100.05", "103.00"])


@st.composite
def _scripts(draw: st.DrawFn) -> Script:
    """Orders and cancels as they come, many of them refused."""
    script: dict[int, list[Any]] = {}
    names: list[str] = []
    for number in range(draw(st.integers(3, 14))):
        symbol, side = draw(_SYMBOLS), draw(st.sampled_from([buy, sell]))
        place = script.setdefault(draw(st.integers(0, 19)), [])
        if names and draw(st.integers(0, 3)) == 0:
            place.append(cancel(draw(st.sampled_from(names)), symbol))
            continue
        if names and draw(st.integers(0, 3)) == 0:
            old, price = draw(st.sampled_from(names)), draw(_PRICES)
            place.append(replace(f"o{number}", old, symbol, **{draw(st.sampled_from(_CHANGES)): price}))
            names.append(f"o{number}")
            continue
        kinds = draw(st.lists(st.sampled_from(_FIELDS), min_size=1, max_size=3, unique=True))
        prices = {kind: draw(_PRICES) for kind in kinds}
        prices |= {kind: draw(st.sampled_from(amounts)) for kind, amounts in _EXTRAS.items() if kind in kinds}
        good_till = draw(st.sampled_from(list(TimeInForce)))
        place.append(side(f"o{number}", symbol, draw(_QUANTITIES), good_till=good_till, **prices))
        names += [f"o{number}", leg_id(f"o{number}")]
    return script


@given(script=_scripts(), model=st.sampled_from([MODEST, LOOSE, AT_ONCE, SHORTING, PICKY]))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_script_gives_the_same_events_on_both_roads(script: Script, model: ExchangeSettings) -> None:
    in_process, over_the_wire = (heard(road, model, DAYS, script) for road in ROADS)
    assert [written(one) for one in over_the_wire] == [written(one) for one in in_process]
