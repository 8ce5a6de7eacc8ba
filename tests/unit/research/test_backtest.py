"""A backtest from settings and a data set to a result: what it counts, how it ends early, what bad input gets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ordinis import app
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config import Settings, load
from ordinis.data.calendar import sessions
from ordinis.data.store import BarStore
from ordinis.domain.errors import AccountError, DataError, OrdinisError, StrategyError
from ordinis.domain.market import MINUTE_NS, MarketBlock, Universe
from ordinis.domain.orders import OrderIntent, OrderType, Purpose
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.estimates import Volatility
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.outlook import Outlook
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.strategy import StrategyColumns
from ordinis.engines.state import TradingSettings
from ordinis.engines.trading import TradingEngine
from ordinis.journal import reading
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.research.backtest import Run, backtest
from ordinis.research.result import BacktestResult

SYMBOLS = ("AAPL", "IBM", "MSFT")
PRICES = ("open", "high", "low", "close")
DAYS = sessions(date(2025, 1, 13), date(2025, 1, 17))


def blocks(scale: float = 1.0) -> list[MarketBlock]:
    """Five sessions of seeded walks; one minute in ten is missing."""
    random = np.random.default_rng(3)
    made = []
    price = np.array([230.0, 220.0, 420.0]) * scale
    for session in DAYS:
        shape = (session.minutes, len(SYMBOLS))
        close = np.round(price * np.exp(np.cumsum(random.normal(0, 8e-4, shape), axis=0)), 4)
        price = close[-1]
        present = random.random(shape) < 0.9
        known = np.where(present, close, np.nan)
        made.append(
            MarketBlock(
                universe=Universe(SYMBOLS),
                session=session,
                closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1),
                open=known,
                high=np.round(known * 1.0005, 4),
                low=np.round(known * 0.9995, 4),
                close=known,
                volume=np.where(present, 100_000.0, 0.0),
                present=present,
            )
        )
    return made


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with a store that holds the set `walks`."""
    BarStore(tmp_path / "bars").write(
        "walks", symbols=SYMBOLS, blocks=blocks(), feed="sip", label="walks of a test", synthetic=True
    )

    def settings(*changes: str) -> Settings:
        tier = {"method": "FIXED_PERCENT", "min_confidence": 0.0, "cooldown_minutes": 0, "hold_sessions": 0}
        tiers = [
            f"tiers.{name}.{key}={value}"
            for name in ("small", "standard")
            for key, value in {**tier, "exit_bar": "1Min"}.items()
        ]
        base = [
            f"data.store_dir={tmp_path / 'bars'}",
            f"journal.dir={tmp_path / 'journals'}",
            "account.cash_usd=50000",
            "strategies.enabled=sma_cross",
        ]
        return load(None, [*base, *tiers, *changes])

    return settings


SettingsOf = Callable[..., Settings]


def test_a_backtest_counts_what_the_journal_tells(settings_of: SettingsOf) -> None:
    result, engine = app.run_backtest(settings_of(), data="walks")
    journal = Path(result.journal)
    fills, orders = reading.fills(journal), reading.orders(journal)
    first_fills = {fill.execution_id for fill in fills if fill.quantity > 0}
    assert result.bars == int(sum(block.present.sum() for block in blocks()))
    assert (result.sessions, result.first_session, result.last_session) == (5, "2025-01-13", "2025-01-17")
    assert 10 < result.entries <= len(first_fills)
    assert result.trades == len(engine.state.trips) > 10
    assert result.violations == result.refused_by_exchange == 0
    assert sum(result.bound_by.values()) == sum(one.purpose.value == "entry" for one in orders)
    assert result.sizing_methods == {"FIXED_PERCENT": sum(result.bound_by.values())}
    assert result.fees == -float(sum(flow.amount_usd for flow in reading.cash_flows(journal)))
    assert result.decisions_by_reason == reading.decisions_by_reason(journal)
    assert (result.data_label, result.synthetic, result.fill_model) == ("walks of a test", True, "spread")
    assert result.journal_digest == reading.digest(journal)
    assert not result.partial


def test_by_price_each_fill_pays_what_the_bucket_of_its_own_price_costs(settings_of: SettingsOf) -> None:
    """The same days with one symbol a bucket: IBM at a twentieth of its price, AAPL at a fifth, MSFT as it is."""
    scale = np.array([0.2, 0.05, 1.0])
    settings = settings_of("exchange.half_spread_bps=by_price", "exchange.participation_fraction_max=0")
    days = [replace(one, **{p: np.round(getattr(one, p) * scale, 4) for p in PRICES}) for one in blocks()]
    app.store(settings).write("cheap", symbols=SYMBOLS, blocks=days, feed="sip", label="made", synthetic=True)
    result, _ = app.run_backtest(settings, data="cheap")
    opens = {
        (symbol, at_ns - MINUTE_NS): day.open[row, column]
        for day in days
        for row, at_ns in enumerate(day.closed_at_ns.tolist())
        for column, symbol in enumerate(SYMBOLS)
    }
    orders = {one.client_order_id: one.type for one in reading.orders(Path(result.journal))}
    paid_bps: dict[str, list[float]] = {symbol: [] for symbol in SYMBOLS}
    for update in reading.updates(Path(result.journal)):
        if update.fill is not None and orders.get(update.client_order_id) is OrderType.MARKET:
            open_usd = opens[update.symbol, update.fill.filled_at_ns]
            worse_usd = (float(update.fill.price_usd) - open_usd) * (1 if update.fill.quantity > 0 else -1)
            paid_bps[update.symbol].append(1e4 * worse_usd / open_usd)
    assert all(len(paid) > 5 for paid in paid_bps.values())
    assert paid_bps["AAPL"] == pytest.approx([1.07] * len(paid_bps["AAPL"]), abs=0.1)  # 46 USD: as measured.
    assert paid_bps["MSFT"] == pytest.approx([0.80] * len(paid_bps["MSFT"]), abs=0.1)
    assert min(paid_bps["IBM"]) > 3.5  # 11 USD: half a cent, the least there is.


def orders_of(settings: Settings) -> list[OrderIntent]:
    return reading.orders(Path(app.run_backtest(settings, data="walks")[0].journal))


def test_a_strategy_s_own_daily_exits_are_those_of_a_tier_on_daily_bars(settings_of: SettingsOf) -> None:
    by_strategy = orders_of(settings_of("strategies.exit_timeframe.sma_cross=1D"))
    by_tier = orders_of(settings_of("tiers.small.exit_bar=1D", "tiers.standard.exit_bar=1D"))
    assert by_strategy == by_tier
    assert by_strategy != orders_of(settings_of())
    assert sum(one.purpose is Purpose.EXIT for one in by_strategy) >= 3


@pytest.mark.parametrize(("exit_bar", "at_the_open"), [("1D", True), ("1Min", False)])
def test_a_tier_s_daily_bar_goes_before_a_strategy_s_quicker_one(
    settings_of: SettingsOf, exit_bar: str, at_the_open: bool
) -> None:
    tier = [f"tiers.{name}.exit_bar={exit_bar}" for name in ("small", "standard")]
    orders = orders_of(settings_of("strategies.exit_timeframe.sma_cross=15m", *tier))
    first_minutes = {session.open_ns + MINUTE_NS for session in DAYS}
    decided = {one.decided_at_ns for one in orders if one.purpose is Purpose.EXIT}
    assert decided
    assert (decided <= first_minutes) is at_the_open


def test_exits_on_slower_bars_are_of_positions_older_than_the_bar(settings_of: SettingsOf) -> None:
    settings = settings_of("strategies.exit_timeframe.sma_cross=15m", "execution.protection=none")
    result, engine = app.run_backtest(settings, data="walks")
    assert result.trades > 10
    for trip in engine.state.trips:
        into_session_ns = (trip.closed_at_ns - DAYS[0].open_ns) % (86_400 * 10**9)
        bar_closed_ns = trip.closed_at_ns - into_session_ns % (15 * MINUTE_NS)
        assert trip.opened_at_ns < bar_closed_ns


def test_the_final_equity_is_the_exchange_s_and_the_return_follows(settings_of: SettingsOf) -> None:
    result, engine = app.run_backtest(settings_of(), data="walks")
    cash = Decimal(50_000) - sum(fill.quantity * fill.price_usd for fill in reading.fills(Path(result.journal)))
    last = {symbol: column[~np.isnan(column)][-1] for symbol, column in zip(SYMBOLS, blocks()[-1].close.T, strict=True)}
    worth = (
        float(cash)
        - result.fees
        + sum(float(one.quantity) * last[s] for s, one in engine.state.ledger.holdings.items())
    )
    assert result.final_equity == pytest.approx(worth, abs=1e-6)
    assert result.return_ == pytest.approx(result.final_equity / 50_000 - 1)
    assert 0.0 < result.max_drawdown < 0.2
    assert result.sharpe is None  # Five sessions say nothing.


def test_the_mean_size_and_what_bound_are_of_the_orders_that_went_out(settings_of: SettingsOf) -> None:
    """A buffer that leaves little room: RiskGuard cuts what the sizer asked for."""
    result, _ = app.run_backtest(settings_of("risk.cash_buffer_fraction=0.9"), data="walks")
    assert result.average_position is not None
    assert 0.0 < result.average_position < 0.05  # Less than the sizer asked for.
    assert result.bound_by["CASH_BUFFER"] > 0
    assert sum(result.bound_by.values()) == sum(result.sizing_methods.values())


def test_the_same_run_twice_has_the_same_digest_and_another_account_another(settings_of: SettingsOf) -> None:
    digests = [
        app.run_backtest(settings_of(*changes), data="walks")[0].journal_digest
        for changes in ([], [], ["account.cash_usd=49999"])
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_range_of_days_is_that_range_warmed_up_on_the_days_before(settings_of: SettingsOf) -> None:
    seen: list[tuple[int, int]] = []
    result, _ = app.run_backtest(
        settings_of(),
        data="walks",
        first=date(2025, 1, 15),
        last=date(2025, 1, 16),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (result.first_session, result.last_session, result.sessions) == ("2025-01-15", "2025-01-16", 2)
    assert seen == [(0, 2), (1, 2), (2, 2)]
    first = reading.orders(Path(result.journal))[0]
    assert first.decided_at_ns < DAYS[2].open_ns + 60 * MINUTE_NS  # Sixty bars were there before.


def test_a_second_run_replaces_the_journal_of_the_first(settings_of: SettingsOf) -> None:
    one, _ = app.run_backtest(settings_of(), data="walks", last=date(2025, 1, 13))
    two, _ = app.run_backtest(settings_of(), data="walks", last=date(2025, 1, 13))
    assert (one.journal, one.journal_digest) == (two.journal, two.journal_digest)


# Ended early.


class Pieces:
    """A run put together by hand, so that a test can stop it or give it a strategy of its own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.universe = Universe(SYMBOLS)
        self.engine = app.build_engine(settings, self.universe)
        self.exchange = app.build_exchange(settings, self.universe, "sip")
        self.path = folder / "by-hand.journal"

    def run(self, stopped: Callable[[], bool] = lambda: False) -> BacktestResult:
        run = Run(
            data="walks",
            data_label="walks of a test",
            synthetic=True,
            fill_model="spread",
            start_usd=50_000.0,
            journal=self.path,
        )
        meta = {"symbols": json.dumps(SYMBOLS)}
        with closing(SqliteJournal(self.path, meta=meta, durability=Durability.BATCH)) as journal:
            market = SimulatedMarket(self.exchange, blocks())
            return backtest(self.engine, market, SimulatedBroker(self.exchange), journal, self.exchange, run, stopped)


@pytest.mark.parametrize(("events", "sessions_ended"), [(1, 0), (100, 0), (600, 1), (1_500, 3)])
def test_an_interrupted_run_has_a_partial_result_and_a_readable_journal(
    settings_of: SettingsOf, tmp_path: Path, events: int, sessions_ended: int
) -> None:
    asked = itertools.count(1)
    pieces = Pieces(settings_of(), tmp_path)
    result = pieces.run(lambda: next(asked) >= events)
    assert (result.partial, result.sessions) == (True, sessions_ended)
    assert sum(reading.counts(pieces.path).values()) == events
    assert result.journal_digest == reading.digest(pieces.path)
    assert result.final_equity == float(pieces.exchange.account().equity_usd)
    assert json.loads(msgspec.json.encode(result))["partial"] is True


def test_a_run_that_nobody_stops_is_whole(settings_of: SettingsOf, tmp_path: Path) -> None:
    result = Pieces(settings_of(), tmp_path).run()
    assert (result.partial, result.sessions) == (False, 5)


# Bad input.


class Faulty:
    """Fails at its 500th minute."""

    name = "faulty"

    def __init__(self, *, raises: bool) -> None:
        self._raises = raises

    def advance(self, bars: OwnBars) -> StrategyColumns:
        shape = (bars.rows, bars.symbols)
        wrong = bars.block.session == DAYS[1]
        if wrong and self._raises:
            raise ValueError("a bar too many")
        nothing = np.zeros(shape, np.bool_)
        asks = nothing.copy()
        asks[min(109, bars.rows - 1), 1] = wrong
        return StrategyColumns(
            direction=asks.view(np.int8),
            exit=nothing,
            score=np.full(shape, np.nan),
            stop_distance=np.full(shape, np.nan),
            ready=bars.warm(1),
        )


@pytest.mark.parametrize(
    ("raises", "said"),
    [
        (True, r"strategy faulty raised ValueError: a bar too many, reading 390 minutes, .*2025-01-14T14:31:00 UTC"),
        (False, r"strategy faulty gave score nan for IBM at the minute that closed 2025-01-14T.* expected a finite"),
    ],
)
def test_a_strategy_that_fails_ends_the_run_with_its_name_and_leaves_a_readable_journal(
    settings_of: SettingsOf, tmp_path: Path, raises: bool, said: str
) -> None:
    pieces = Pieces(settings_of(), tmp_path)
    core = SignalCore(pieces.universe, [Faulty(raises=raises)], SignalSettings())
    pieces.engine = engine_with(pieces.engine, core)
    with pytest.raises(StrategyError, match=said) as failure:
        pieces.run()
    assert failure.value.exit_code == 4
    assert reading.counts(pieces.path) == {"slice": 390, "account": 2, "phase": 3}


def engine_with(engine: TradingEngine, core: SignalCore) -> TradingEngine:
    """The same account with other strategies."""
    state = engine.state
    settings = TradingSettings(
        tiers=[state.tier],
        hysteresis_fraction=0.02,
        limits=state.guard.limits,
        throttle=Throttle(enabled=False),
        execution=ExecutionSettings(),
        fractionable=True,
    )
    return TradingEngine(state.universe, Outlook(state.universe, core, Volatility(state.universe)), settings)


@pytest.mark.parametrize(
    ("data", "changes", "error", "said"),
    [
        ("nowhere", [], DataError, "there is no data set nowhere"),
        ("walk", [], DataError, "did you mean walks"),
        ("walks", ["data.symbols=AAPL,IMB"], DataError, "no symbol IMB; did you mean IBM"),
    ],
)
def test_what_the_data_does_not_have_is_said_before_anything_runs(
    settings_of: SettingsOf, data: str, changes: list[str], error: type[OrdinisError], said: str
) -> None:
    settings = settings_of(*changes)
    with pytest.raises(error, match=said):
        app.run_backtest(settings, data=data)
    assert not Path(settings.journal.dir).exists()


def test_a_range_without_a_session_names_what_there_is(settings_of: SettingsOf) -> None:
    with pytest.raises(DataError, match="2025-01-13 to 2025-01-17"):
        app.run_backtest(settings_of(), data="walks", first=date(2025, 2, 1))


def test_an_account_that_is_worth_nothing_cannot_be_traded(settings_of: SettingsOf, tmp_path: Path) -> None:
    pieces = Pieces(settings_of(), tmp_path)
    pieces.exchange.books.cash_usd = Decimal(0)
    with pytest.raises(AccountError, match="equity is 0 USD") as failure:
        pieces.run()
    assert failure.value.exit_code == 7
    assert reading.counts(pieces.path) == {"phase": 1}
