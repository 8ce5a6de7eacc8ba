"""The same bars give the same journal: twice, row by row, and cut off anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordinis.app import build_engine, build_exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.config import Settings, load
from ordinis.data.importing import import_files
from ordinis.data.store import BarStore
from ordinis.domain.events import CorporateAction, SessionPhase
from ordinis.domain.market import DailyBlock, MarketBlock, MarketSlice, Universe
from ordinis.journal.entries import digest, open_journal
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.runtime.loop import trade
from simulation import random_runs
from simulation.worlds import Tale, play

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
SLICE = "minute"
REAL = {
    "consolidated": ("minute_rth_2025-01_20sym.parquet", "sip", date(2025, 1, 14), date(2025, 1, 16)),
    "iex": ("minute_rth_iex_2025-09_2025-12_16sym.parquet", "iex", date(2025, 11, 26), date(2025, 12, 1)),
}


# Made-up bars: every kind of event, cheap enough for many cuts.


def lines(tale: Tale) -> list[str]:
    """What a journal would hold of each event, as text; a slice by its time alone."""
    return [
        f"{SLICE if isinstance(event, MarketSlice) else event} {event.at_ns} {decision}"
        for event, decision in tale.steps
    ]


def told(blocks: Iterable[MarketBlock], actions: Sequence[CorporateAction] = ()) -> list[str]:
    exchange = random_runs.exchange(random_runs.PLAIN, actions)
    return lines(play(random_runs.engine(random_runs.PLAIN), exchange, blocks))


def cut_after(blocks: Sequence[MarketBlock], minute: int) -> list[MarketBlock]:
    """The first minutes only, over session borders."""
    kept: list[MarketBlock] = []
    for block in blocks:
        if minute <= 0:
            break
        kept.append(block.head(min(minute, block.rows)))
        minute -= block.rows
    return kept


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 5), minute=st.integers(1, random_runs.SESSIONS * random_runs.MINUTES - 1))
def test_cutting_made_up_bars_after_any_minute_changes_no_earlier_decision(seed: int, minute: int) -> None:
    whole, cut = whole_run(seed), told(cut_after(random_runs.bars(seed), minute))
    slices = [index for index, line in enumerate(cut) if line.startswith(SLICE)]
    assert len(slices) == minute
    assert cut[: slices[-1] + 1] == whole[: slices[-1] + 1]


@cache
def whole_run(seed: int) -> list[str]:
    return told(random_runs.bars(seed))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_session_at_once_and_a_minute_at_a_time_are_the_same(seed: int) -> None:
    blocks = random_runs.bars(seed)
    rows = (block.row_block(row) for block in blocks for row in range(block.rows))
    assert told(rows) == told(blocks)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_so_they_are_through_splits_dividends_and_removals(seed: int) -> None:
    actions = random_runs.actions(seed)
    blocks = random_runs.traded(random_runs.bars(seed), actions)
    rows = (block.row_block(row) for block in blocks for row in range(block.rows))
    assert told(rows, actions) == told(blocks, actions)


def test_the_same_bars_give_the_same_tale() -> None:
    assert told(random_runs.bars(11)) == told(random_runs.bars(11))
    assert told(random_runs.bars(11)) != told(random_runs.bars(12))


# Real bars, both bundled strategies, every setting as it comes.


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A few real sessions with what was before them."""

    universe: Universe
    feed: str
    days: list[MarketBlock]
    history: list[MarketBlock]
    daily: DailyBlock


@pytest.fixture(scope="module", params=REAL)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    name, feed, first, last = REAL[request.param]
    if not (SHARED / name).is_file():
        pytest.skip(f"the shared data set {name} is not beside the repository")
    store = BarStore(tmp_path_factory.mktemp("bars"))
    data = import_files([SHARED / name], name="set", store=store, feed=feed).data
    days = list(data.blocks(first, last))
    earlier = [session.date for session in data.sessions if session.date < first][-10:]
    return Stage(
        universe=data.universe,
        feed=feed,
        days=days,
        history=list(data.blocks(earlier[0], earlier[-1])),
        daily=data.daily(data.symbols).before(first),
    )


@pytest.fixture(scope="module")
def wanted() -> Settings:
    return load(
        None,
        ["account.cash_usd=50000", "sizing.volatility_min_sessions=3", "strategies.enabled=atr_rsi,ema_trend"],
    )


Journaled = Callable[[Stage, Iterable[MarketBlock]], Path]


@pytest.fixture
def journaled(tmp_path: Path, wanted: Settings) -> Journaled:
    """Run the stage's engine over these blocks with a journal on disk."""
    runs = iter(range(100))

    def run(stage: Stage, blocks: Iterable[MarketBlock]) -> Path:
        path = tmp_path / f"{next(runs)}.journal"
        engine = build_engine(wanted, stage.universe)
        engine.warm_up(stage.history, stage.daily)
        exchange = build_exchange(wanted, stage.universe, stage.feed)
        meta = {"symbols": json.dumps(stage.universe.symbols)}
        with SqliteJournal(path, meta=meta, durability=Durability.BATCH) as journal:
            trade(engine, SimulatedMarket(exchange, blocks), SimulatedBroker(exchange), journal, lambda: False)
        assert exchange.violations == []
        return path

    return run


def rows(path: Path) -> list[tuple[object, ...]]:
    with open_journal(path) as journal:
        return list(journal.recorded())


def test_real_sessions_give_the_same_journal_twice_and_a_minute_at_a_time(stage: Stage, journaled: Journaled) -> None:
    whole = journaled(stage, stage.days)
    again = journaled(stage, stage.days)
    singles = journaled(stage, (block.row_block(row) for block in stage.days for row in range(block.rows)))
    assert digest(whole) == digest(again) == digest(singles)
    with open_journal(whole) as journal:
        decided = [entry for entry in journal.entries() if entry.decision.actions]
    assert len(decided) > 20  # Otherwise equal journals would say little.


@pytest.mark.parametrize("minute", [1, 137, 390, 391, 583])
def test_cutting_real_sessions_after_a_minute_changes_no_earlier_decision(
    stage: Stage, journaled: Journaled, minute: int
) -> None:
    kept = cut_after(stage.days, minute)
    whole, cut = rows(journaled(stage, stage.days)), rows(journaled(stage, kept))
    last = max(index for index, row in enumerate(cut) if row[2] == 0)  # The last minute that both have seen.
    assert cut[: last + 1] == whole[: last + 1]
    assert sum(row[2] == 0 for row in cut) == sum(block.rows for block in kept)


def test_the_last_event_of_a_run_is_the_close(stage: Stage, journaled: Journaled) -> None:
    with open_journal(journaled(stage, stage.days[:1])) as journal:
        *_, last = journal.entries()
    assert isinstance(last.event, SessionPhase)
