"""The page says what its source says, in figures and in words."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import pytest

from ordinis.domain.decision import Reason
from ordinis.research.report import ReportSource
from ordinis.research.report.page import page
from ordinis.research.report.parts import TRADES_SHOWN_MAX
from ordinis.research.report.pictures import pictures
from ordinis.research.report.source import Sizes

if TYPE_CHECKING:
    from unit.research.conftest import MakeSource, ReadPage, SmallRun


def figures(source: ReportSource) -> dict[str, Any]:
    return {one.place: one.figure for one in pictures(source) if one.figure is not None}


def test_the_headline_is_the_result(make_source: MakeSource, read_page: ReadPage) -> None:
    money, trading = read_page(make_source()).sections["Result"]
    assert dict(money.rows) == {
        "Start equity": "$50,000.00",
        "Final equity": "$50,090.00",
        "Return": "0.18%",
        "Benchmark's return": "2.00%",
        "Max drawdown": "0.20%",
        "Sharpe (daily, annualised)": "–",
        "Fees": "$2.50",
        "Rule violations": "0",
    }
    assert dict(trading.rows) == {
        "Closed trades": "2",
        "Positions opened": "3",
        "Mean size of an entry, of equity": "12.34%",
        "Win rate": "50.00%",
        "Profit factor": "3.50",
        "Orders refused by the exchange": "1",
        "Latched stops resumed": "0",
        "Account tier at the end": "standard",
        "Sizing method it asks for": "HALF_KELLY",
    }


def test_a_small_runs_page_has_its_figures(small_run: SmallRun, read_page: ReadPage) -> None:
    result, found = small_run.result, read_page(small_run.source)
    money, trading = found.sections["Result"]
    assert money.figure("Final equity") == f"${result.final_equity:,.2f}"
    assert money.figure("Fees") == f"${result.fees:,.2f}"
    assert trading.figure("Closed trades") == f"{result.trades:,}"
    assert found.sections["From start to end"][0].rows[-1] == ["Final equity", f"${result.final_equity:,.2f}"]
    assert len(found.sections["From start to end"][0].rows) == 5  # No rest that nobody explains.


def test_the_account_adds_up_or_shows_the_rest(make_source: MakeSource, read_page: ReadPage) -> None:
    rows = dict(read_page(make_source()).sections["From start to end"][0].rows)
    assert rows["2 closed trades, before fees"] == "$99.75"
    assert rows["1 open position, at the last prices"] == "−$7.25"
    assert rows["Fees charged"] == "−$2.50"
    assert "Fees of the session that was not finished, and rounding" not in rows
    rows = dict(read_page(make_source(final_equity=50_089.97)).sections["From start to end"][0].rows)
    assert rows["Fees of the session that was not finished, and rounding"] == "−$0.03"


def test_every_trade_is_listed(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source()).sections["Trades"][1]
    assert found.rows[1] == [
        *("AAPL", "atr_rsi", "2025-01-13 09:35", "2025-01-13 11:10", "1 h 35 min", "12.5", "234.61", "240.1234"),
        *("$140.00", "1.40", "signal exit"),
    ]
    assert found.column("Result") == ["$140.00", "−$40.25"]
    assert found.column("In risk") == ["1.40", "–"]
    assert found.column("Closed by") == ["signal exit", "protective stop"]


def test_a_long_trade_list_is_cut_and_says_so(make_source: MakeSource, read_page: ReadPage) -> None:
    many = make_source().trades * TRADES_SHOWN_MAX
    found = read_page(make_source(trades=many))
    assert len(found.sections["Trades"][1].rows) == TRADES_SHOWN_MAX + 1
    assert "The last 1,000 of 2,000 are shown." in found.text["Trades"]


def test_trades_are_summed_by_strategy_and_exit(small_run: SmallRun, read_page: ReadPage) -> None:
    groups = read_page(small_run.source).sections["Trades"][0]
    assert sum(int(count) for count in groups.column("Trades")) == small_run.result.trades
    told = sum(Decimal(text.replace("−", "-").replace("$", "").replace(",", "")) for text in groups.column("Result"))
    assert float(told) == pytest.approx(float(small_run.source.realised_usd), abs=0.01 * len(groups.rows))


def test_trades_are_counted_by_how_long_they_were_held(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source()).sections["How long positions were held"][0]
    assert found.rows[1:] == [["30 min to 2 h", "2", "50.00%", "$99.75"]]


def test_slippage_is_told_by_type_and_size_weighted_by_notional(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source()).sections["Slippage"][0]
    assert found.rows[1:] == [
        ["market", "under $1,000", "2", "$1,000.00", "2.00", "11.00", "$0.20"],
        ["stop", "to $100,000", "1", "$25,000.00", "5.00", "5.00", "$12.50"],
    ]


def test_refusals_come_with_their_words_in_order_of_precedence(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source())
    reasons, broker = found.sections["Why there was no order"]
    assert reasons.rows[1:] == [
        [Reason.COOLDOWN.text, "COOLDOWN", "17"],
        [Reason.LOW_CONFIDENCE.text, "LOW_CONFIDENCE", "23"],
    ]
    assert broker.rows[1:] == [["40310000: insufficient buying power", "1"]]
    assert "sent, entry or exit, 6 times" in found.text["Why there was no order"]


@pytest.mark.parametrize(
    ("set_by", "sentence"),
    [
        (
            {"max_position_pct": 7, "HALF_KELLY": 3},
            "The real method of this run is the cap max_position_pct, not HALF_KELLY: it set the size in 7 of 10"
            " entries (70%).",
        ),
        (
            {"VOLATILITY_ADJUSTED": 6, "HALF_KELLY": 4},
            "The real method of this run is VOLATILITY_ADJUSTED, not HALF_KELLY, which the tier asks for: it sized 6 of"
            " 10 entries (60%).",
        ),
        ({"HALF_KELLY": 8, "CASH_BUFFER": 2}, "HALF_KELLY is the real method of this run"),
        ({"HALF_KELLY": 5, "CASH_BUFFER": 5}, "Nothing set most of the sizes: HALF_KELLY comes first, with 5 of 10"),
        ({}, "No entry was sent, so nothing was sized."),
    ],
)
def test_the_real_method_is_named(
    make_source: MakeSource, read_page: ReadPage, set_by: dict[str, int], sentence: str
) -> None:
    found = read_page(make_source(sizes=Sizes(set_by=set_by, took_part=set_by)))
    assert sentence in found.text["What set the sizes"]


def test_how_often_each_link_bound(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source()).sections["What set the sizes"][0]
    assert found.rows[1][:4] == ["max_position_pct", "2", "66.67%", "2"]
    assert found.rows[2][:4] == ["HALF_KELLY", "1", "33.33%", "3"]


def test_costs_are_fees_and_spread(make_source: MakeSource, read_page: ReadPage) -> None:
    assert dict(read_page(make_source()).sections["Costs"][0].rows) == {
        "Bought and sold": "$25,000.00",
        "Spread paid, inside the prices": "$4.50",
        "SEC fee": "$2.00",
        "TAF fee": "$0.50",
        "All costs": "$7.00",
        "Of the start equity": "0.01%",
        "Return of the same trades without them": "0.19%",
    }


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("spread", ["made 2 basis points worse", "an assumed spread of 4", "half the spread worse"]),
        ("next_open", ["at the open of the symbol's next minute with a bar", "No spread is paid: optimistic"]),
        ("next_close", ["at the close of the symbol's next minute with a bar", "No spread is paid: optimistic"]),
        ("this_close", ["at the close of minute t itself", "Nobody gets that price", "fills them whole"]),
    ],
)
def test_the_fill_model_is_told_in_words(
    make_source: MakeSource, read_page: ReadPage, model: str, words: list[str]
) -> None:
    source = make_source()
    settings = {**source.settings, "exchange": {**source.settings["exchange"], "fill_model": model}}
    found = read_page(make_source(settings=settings, fill_model=model))
    text = found.text[f"What the fills assume: {model}"]
    assert [word for word in [*words, "at most 10% is ours", "SEC $20.60 a million sold"] if word not in text] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"participation_fraction_max": 0.0}, "Any size fills at once"),
        ({"fees": {"enabled": False}}, "No fees are charged."),
        ({"half_spread_bps": "by_price"}, "made worse by half the spread that real quotes"),
    ],
)
def test_other_assumptions_are_told(
    make_source: MakeSource, read_page: ReadPage, change: dict[str, Any], words: str
) -> None:
    source = make_source()
    settings = {**source.settings, "exchange": {**source.settings["exchange"], **change}}
    assert words in read_page(make_source(settings=settings)).whole_text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("limit", "Entries are limits up to 0.30% beyond the price that they were decided on."),
        ("limit", "What has not filled in 5 minutes is taken back."),
        ("market", "Entries are market orders, as exits are."),
    ],
)
def test_how_entries_are_sent_is_told(make_source: MakeSource, read_page: ReadPage, kind: str, words: str) -> None:
    source = make_source()
    settings = {**source.settings, "execution": {**source.settings["execution"], "entry_order": kind}}
    assert words in read_page(make_source(settings=settings)).whole_text


@pytest.mark.parametrize(
    ("synthetic", "label", "shown"),
    [
        (False, "real minutes", "Real minutes"),
        (True, "synthetic minutes made from daily bars", "SYNTHETIC minutes made from daily bars"),
        (True, "a random walk", "SYNTHETIC minutes: a random walk"),
        (False, "bought from a vendor", "Real minutes: bought from a vendor"),
    ],
)
def test_the_label_stands_in_title_headline_and_under_every_picture(
    make_source: MakeSource, read_page: ReadPage, synthetic: bool, label: str, shown: str
) -> None:
    found = read_page(make_source(synthetic=synthetic, data_label=label))
    kind = "SYNTHETIC minutes" if synthetic else "Real minutes"
    assert kind in found.title
    assert shown in found.text[""]
    assert len(found.captions) == 8  # Two sessions are too few for a rolling beta and volatility.
    for caption in found.captions:
        assert caption.startswith(f"Data set hand-made, {shown}.")
        assert caption.endswith(" Made by ordinis backtest --data hand-made")
    assert ("say nothing of what would have been earned" in found.text[""]) is synthetic


@pytest.mark.parametrize("partial", [True, False])
def test_a_partial_run_is_marked(make_source: MakeSource, read_page: ReadPage, partial: bool) -> None:
    found = read_page(make_source(partial=partial))
    assert found.title.startswith("PARTIAL ") is partial
    assert ("PARTIAL: stopped before the end of the data" in found.text[""]) is partial
    assert [("PARTIAL run" in caption) for caption in found.captions] == [partial] * 8


def test_the_page_says_what_its_figures_are_worth(make_source: MakeSource, read_page: ReadPage) -> None:
    told = read_page(make_source(violations=2)).text[""]
    assert "In-sample: the parameters were not chosen on other data than this." in told
    assert "2 sessions: under 20 a Sharpe ratio says nothing." in told
    assert "2 closed trades: under 30" in told
    assert "2 violations of the account's rules" in told
    enough = read_page(make_source(sessions=20, trades=30)).text[""]
    assert "under" not in enough


def test_it_says_how_to_run_it_again(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source())
    facts = dict(found.sections["To run it again"][0].rows[1:])
    assert facts["Data set"] == "hand-made"
    assert facts["SHA-256 of the bars"] == "5a" * 32
    assert facts["Sessions"] == "2 sessions, 2025-01-13 to 2025-01-14, fills: spread"
    assert facts["Journal's digest"] == "d1" * 32
    text = found.text["To run it again"]
    assert "ordinis backtest --data hand-made" in text
    assert 'exchange.fees.as_of = "2026-11-22"' in text
    assert 'tiers.standard.method = "HALF_KELLY"' in text
    assert "tier standard (HALF_KELLY)" in found.sections["Notes of the run"][0].rows[1][1]


def test_the_benchmark_is_named(make_source: MakeSource, read_page: ReadPage) -> None:
    found = read_page(make_source())
    name = "equal weight of the 3 symbols, bought at the first open, no costs"
    assert f"Benchmark: {name}." in found.text["Result"]
    assert name in found.text["Course"]


def test_names_cannot_become_markup(make_source: MakeSource, read_page: ReadPage) -> None:
    evil = "</script><img src=x onerror=alert(1)>&amp;"
    source = make_source()
    fees = {**source.settings["exchange"]["fees"], "as_of": evil}
    found = read_page(
        make_source(
            data=evil,
            data_label=evil,
            command=evil,
            symbols=(evil,),
            broker_refusals={evil: 1},
            notes=((0, evil),),
            benchmark=replace(source.benchmark, name=evil),
            settings={**source.settings, "exchange": {**source.settings["exchange"], "fees": fees}},
        )
    )
    assert "img" not in found.tags
    assert found.title.startswith(f"backtest of {evil}")
    assert [section for section, text in found.text.items() if evil in text] == [
        *("", "Result", "Course", "What the fills assume: spread", "To run it again"),
    ]
    assert f"Benchmark: {evil}." in found.text["Result"]


def test_text_inside_the_pictures_cannot_end_their_script(make_source: MakeSource) -> None:
    source = make_source()
    inside = page(source, plotly="").split('id="figures">')[1].split("</script>")[0]
    assert "<" not in inside
    assert json.loads(inside) == figures(source)


def test_nothing_is_loaded_from_anywhere(small_run: SmallRun, read_page: ReadPage) -> None:
    document = page(small_run.source, plotly="")
    assert ("http://" in document, "https://" in document) == (False, False)
    assert read_page(small_run.source).links == []
    assert "default-src 'none'" in document


def test_the_pictures_show_the_curve(small_run: SmallRun) -> None:
    source, drawn = small_run.source, figures(small_run.source)
    benchmark, equity = drawn["equity"]["data"]
    assert equity["y"][-1] == pytest.approx(source.curve.equity_usd[-1], abs=1e-3)
    assert benchmark["y"] == pytest.approx([50_000.0, *source.benchmark.values_usd], abs=1e-3)
    assert benchmark["x"] == [0, 390, 780, 1_170]
    assert min(drawn["underwater"]["data"][0]["y"]) == pytest.approx(-100 * source.result.max_drawdown, abs=1e-3)
    assert max(drawn["positions"]["data"][0]["y"]) == source.curve.positions.max()


def test_plotly_understands_every_picture(small_run: SmallRun) -> None:
    """Its own validators know every property; colours are names that the page's script looks up."""
    for figure in figures(small_run.source).values():
        for trace in figure["data"]:
            for part in ("line", "marker"):
                if part in trace:
                    trace[part] = {**trace[part], "color": "black"}
        go.Figure(figure)


def test_a_session_in_which_nothing_happened_has_a_page(nothing: ReportSource, read_page: ReadPage) -> None:
    found = read_page(nothing)
    assert "No trade was closed." in found.text["Trades"]
    assert "Nothing was refused." in found.text["Why there was no order"]
    assert "Still open at the end" not in found.sections
    assert found.sections["From start to end"][0].figure("Final equity") == "$50,000.00"
    assert "None." in found.text["Notes of the run"]
    assert [why in found.text["Course"] for why in ("Nothing was ever held.", "No trade was closed.")] == [True, True]
    assert "Slippage" not in found.sections


def test_a_run_of_no_minute_has_a_page(no_minute: ReportSource, read_page: ReadPage) -> None:
    found = read_page(no_minute)
    assert "Not a minute was run" in found.text["Pictures"]
    assert found.sections["Result"][0].figure("Benchmark's return") == "–"
