"""A small run made on the spot, a report's source made by hand, and a page read back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ordinis import app
from ordinis.brokers.simulated.pricing import Pricing
from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.config import load
from ordinis.data.store import BarStore
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.engines.round_trip import RoundTrip
from ordinis.engines.trading import TradingEngine
from ordinis.research.report import Benchmark, ReportSource, Surroundings, benchmark_of, gather
from ordinis.research.report.page import page
from ordinis.research.report.source import Costs, Curve, Exit, OpenPosition, SectorExposure, Sizes, Slip, Trade
from ordinis.research.result import BacktestResult

DAYS = (date(2025, 1, 13), date(2025, 1, 14), date(2025, 1, 15))
OPEN_NS = 1736778600 * 10**9  # 2025-01-13 09:30 in New York.
DAY_NS = 86_400 * 10**9
SYMBOLS = ("AAPL", "IBM", "MSFT")
RESULT = BacktestResult(
    data="hand-made",
    data_label="real minutes",
    synthetic=False,
    first_session="2025-01-13",
    last_session="2025-01-14",
    sessions=2,
    fill_model="spread",
    tier="standard",
    sizing_method="HALF_KELLY",
    start_equity=50_000.0,
    final_equity=50_090.0,
    return_=0.0018,
    max_drawdown=0.002,
    sharpe=None,
    trades=2,
    entries=3,
    win_rate=0.5,
    profit_factor=3.5,
    fees=2.5,
    violations=0,
    refused_by_exchange=1,
    average_position=0.1234,
    rebalances=12,
    rebalance_cuts=3,
    rebalance_additions=0,
    rebalance_turnover=0.21,
    rebalance_cost=2.1,
    resumes=0,
    bars=2_340,
    seconds=0.5,
    cpu_seconds=0.4,
    loading_cpu_seconds=0.1,
    bars_per_second=4_680.0,
    rules_evaluated=9_000,
    decisions_by_reason={"NO_SIGNAL": 41, "SENT": 5, "RESIZED": 1, "COOLDOWN": 17, "LOW_CONFIDENCE": 23},
    bound_by={"HALF_KELLY": 1, "max_position_pct": 2},
    sizing_methods={"HALF_KELLY": 3},
    journal="runs/hand-made.journal",
    journal_digest="d1" * 32,
    partial=False,
)
EXCHANGE = {
    "fill_model": "spread",
    "half_spread_bps": 2.0,
    "participation_fraction_max": 0.1,
    "fees": {
        "enabled": True,
        "as_of": "2026-11-22",
        "sec_usd_per_million": "20.60",
        "taf_usd_per_share": "0.000195",
        "taf_usd_max": "9.79",
        "cat_usd_per_share": "0.000003",
    },
}

NO_SECTORS = SectorExposure(sectors=(), rows=np.empty(0, np.int64), usd=np.empty((0, 0)))

MakeSource = Callable[..., ReportSource]
ReadPage = Callable[[ReportSource], "Page"]

sys.path.insert(0, str(Path(__file__).parents[2]))  # For `simulation.actions`.


def session(day: int) -> Session:
    open_ns = OPEN_NS + day * DAY_NS
    return Session(date=DAYS[day], open_ns=open_ns, close_ns=open_ns + 390 * MINUTE_NS)


def block(day: int, opens: np.ndarray[Any, Any], symbols: tuple[str, ...] = SYMBOLS) -> MarketBlock:
    """Minutes that open at these prices, `[rows x symbols]`, and close a dollar higher; NaN where there is no bar."""
    present = ~np.isnan(opens)
    return MarketBlock(
        universe=Universe(symbols),
        session=session(day),
        closed_at_ns=session(day).open_ns + np.arange(1, opens.shape[0] + 1) * MINUTE_NS,
        open=opens,
        high=opens + 1.25,
        low=opens - 0.25,
        close=opens + 1.0,
        volume=np.where(present, 50_000.0, 0.0),
        present=present,
    )


def trade(symbol: str, result_usd: str, closed_by: Exit, risk_usd: str = "100") -> Trade:
    return Trade(
        trip=RoundTrip(
            symbol=symbol,
            strategy="atr_rsi",
            quantity=Decimal("12.5"),
            entry_price_usd=Decimal("234.61"),
            exit_price_usd=Decimal("240.1234"),
            opened_at_ns=OPEN_NS + 5 * MINUTE_NS,
            closed_at_ns=OPEN_NS + 100 * MINUTE_NS,
            pnl_usd=Decimal(result_usd),
            risk_usd=Decimal(risk_usd),
        ),
        exit=closed_by,
        held_minutes=95,
        held_nights=0,
    )


def curve(sessions: int = 2) -> Curve:
    """390 minutes a session: a rise, a fall of 0.2 % of the high, a rise."""
    rows = 390 * sessions
    equity_usd = np.linspace(50_000.0, 50_095.0, rows)
    if rows:
        equity_usd[100:200] = 50_100.0
        equity_usd[150] = 50_100.0 * 0.998
    marks = [session(day).open_ns + np.arange(1, 391) * MINUTE_NS for day in range(sessions)]
    return Curve(
        at_ns=np.concatenate([np.empty(0, np.int64), *marks]).astype(np.int64),
        equity_usd=equity_usd,
        long_usd=np.full(rows, 10_000.0),
        short_usd=np.zeros(rows),
        positions=np.ones(rows, np.int64),
        sessions=tuple((DAYS[day], 390 * (day + 1)) for day in range(sessions)),
    )


SOURCE = ReportSource(
    result=RESULT,
    command="ordinis backtest --data hand-made",
    symbols=SYMBOLS,
    data_sha256="5a" * 32,
    settings={
        "account": {"cash_usd": "50000"},
        "broker": {"data_url": "https://data.alpaca.markets"},
        "exchange": EXCHANGE,
        "execution": {"entry_order": "limit", "entry_collar_fraction": 0.003, "entry_life_minutes": 5},
        "tiers": [{"name": "small", "method": "FIXED_PERCENT"}, {"name": "standard", "method": "HALF_KELLY"}],
    },
    benchmark=Benchmark(
        name="equal weight of the 3 symbols, bought at the first open, no costs",
        start_usd=50_000.0,
        dates=DAYS[:2],
        values_usd=(50_500.0, 51_000.0),
    ),
    curve=curve(),
    target_volatility=0.15,
    sectors=SectorExposure(
        sectors=("Energy", "Financials"),
        rows=np.array([389, 779]),
        usd=np.array([[1_000.0, 9_000.0], [4_000.0, 6_000.0]]),
    ),
    slips=(
        Slip(order_type="market", notional_usd=900.0, cost_usd=0.09),
        Slip(order_type="market", notional_usd=100.0, cost_usd=0.11),
        Slip(order_type="stop", notional_usd=25_000.0, cost_usd=12.5),
    ),
    trades=(trade("AAPL", "140", Exit.SIGNAL), trade("IBM", "-40.25", Exit.STOP, risk_usd="0")),
    open_positions=(
        OpenPosition(
            symbol="MSFT",
            strategy="ema_trend",
            quantity=Decimal(24),
            opened_at_ns=OPEN_NS + 30 * MINUTE_NS,
            paid_usd=Decimal("10007.25"),
        ),
    ),
    sizes=Sizes(set_by={"max_position_pct": 2, "HALF_KELLY": 1}, took_part={"HALF_KELLY": 3, "max_position_pct": 2}),
    costs=Costs(traded_usd=Decimal("25000"), spread_usd=4.5, fees_usd={"SEC": Decimal("2.00"), "TAF": Decimal("0.50")}),
    broker_refusals={"40310000: insufficient buying power": 1},
    notes=((OPEN_NS, "tier standard (HALF_KELLY): 50,000.00 USD at the last close"),),
)


@pytest.fixture
def make_source() -> MakeSource:
    """A source made by hand; plain values change its result, the others the source itself."""

    def make(**changes: Any) -> ReportSource:
        of_source = {"trades"} if isinstance(changes.get("trades"), tuple) else set()
        of_source |= {name for name in changes if name not in RESULT.__struct_fields__}
        of_result = {name: value for name, value in changes.items() if name not in of_source}
        rest = {name: changes[name] for name in of_source}
        return replace(SOURCE, result=msgspec.structs.replace(RESULT, **of_result), **rest)

    return make


@pytest.fixture
def nothing(make_source: MakeSource) -> ReportSource:
    """One session in which nothing happened."""
    quiet = make_source(
        sessions=1,
        last_session="2025-01-13",
        trades=0,
        entries=0,
        average_position=None,
        win_rate=None,
        profit_factor=None,
        decisions_by_reason={},
        refused_by_exchange=0,
        final_equity=50_000.0,
        return_=0.0,
        fees=0.0,
    )
    return replace(
        quiet,
        trades=(),
        open_positions=(),
        sectors=NO_SECTORS,
        slips=(),
        curve=curve(1),
        benchmark=SOURCE.benchmark.until(DAYS[:1]),
        sizes=Sizes(set_by={}, took_part={}),
        costs=Costs(traded_usd=Decimal(0), spread_usd=0.0, fees_usd={}),
        broker_refusals={},
        notes=(),
    )


@pytest.fixture
def no_minute(nothing: ReportSource) -> ReportSource:
    """A run that was stopped before its first minute."""
    return replace(nothing, curve=curve(0), benchmark=nothing.benchmark.until(()))


@dataclass(slots=True)
class Table:
    rows: list[list[str]] = field(default_factory=list)

    def column(self, title: str) -> list[str]:
        place = self.rows[0].index(title)
        return [row[place] for row in self.rows[1:]]

    def figure(self, name: str) -> str:
        """The last cell of the row that begins with this."""
        return next(row[-1] for row in self.rows if row[0] == name)


class Page(HTMLParser):
    """A page read back: its tables and sections, its text, and whatever it would load."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.title = ""
        self.sections: dict[str, list[Table]] = {"": []}
        self.text: dict[str, str] = {"": ""}
        self.captions: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self._section = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag in ("meta", "br"):
            return
        self._open.append(tag)
        if tag == "table":
            self.sections[self._section].append(Table())
        elif tag == "tr":
            self.sections[self._section][-1].rows.append([])
        elif tag in ("td", "th"):
            self.sections[self._section][-1].rows[-1].append("")
        elif tag == "figcaption":
            self.captions.append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        where = self._open[-1] if self._open else ""
        if where == "script":
            self.scripts[-1] += data
        elif where == "title":
            self.title += data
        elif where == "h2":
            self._section = data
            self.sections[data], self.text[data] = [], ""
        elif where in ("td", "th"):
            self.sections[self._section][-1].rows[-1][-1] += data
        elif "figcaption" in self._open:
            self.captions[-1] += data
        elif where != "style":
            self.text[self._section] += data

    @property
    def whole_text(self) -> str:
        cells = [cell for tables in self.sections.values() for one in tables for row in one.rows for cell in row]
        return " ".join([*self.text.values(), *cells, *self.captions])


@pytest.fixture
def read_page() -> ReadPage:
    """A source's page, read back; the library is left out."""
    return lambda source: Page(page(source, plotly=""))


def given_away(buys: bool, fill_usd: float) -> float:
    """The exchange's half spread at default settings, of a fill."""
    return Pricing(ExchangeSettings(cash_usd=Decimal(1))).given_away(buys, fill_usd)


@dataclass(frozen=True, slots=True)
class SmallRun:
    result: BacktestResult
    engine: TradingEngine
    benchmark: Benchmark
    around: Surroundings
    source: ReportSource


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Three sessions of three wandering symbols through the whole path."""
    folder = tmp_path_factory.mktemp("small-run")
    blocks = list(_wandering())
    BarStore(folder / "bars").write(
        "wandering", symbols=SYMBOLS, blocks=blocks, feed="sip", label="made for a test", synthetic=True
    )
    settings = load(
        None,
        [
            f"data.store_dir={folder / 'bars'}",
            "account.cash_usd=50000",
            "strategies.score_history_min=2",
            "tiers.standard.method=FIXED_PERCENT",
            "tiers.standard.min_confidence=0",
        ],
    )
    result, engine = app.run_backtest(settings, data="wandering", journal=folder / "small.journal")
    benchmark = benchmark_of(blocks, 50_000.0)
    around = Surroundings(
        command="ordinis backtest",
        benchmark=benchmark,
        given_away=given_away,
        bars=lambda symbols: BarStore(folder / "bars").open("wandering").blocks(DAYS[0], DAYS[-1], symbols),
        sector_of={"AAPL": "Technology", "MSFT": "Technology"},
    )
    return SmallRun(result, engine, benchmark, around, gather(result, engine, around))


def _wandering() -> Iterator[MarketBlock]:
    random = np.random.default_rng(11)
    price = np.array([100.0, 60.0, 250.0])
    for day in range(len(DAYS)):
        path = price * np.exp(np.cumsum(random.normal(0.0, 0.002, (390, len(SYMBOLS))), axis=0))
        price = path[-1]
        opens = path.round(2)
        opens[random.random(opens.shape) < 0.1] = np.nan
        yield block(day, opens)
