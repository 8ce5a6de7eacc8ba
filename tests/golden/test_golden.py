"""Whole backtests, pinned: every order exactly, every figure to 1e-9.

A change that is meant to change decisions refreshes the files, and its commit says why they moved:

    ORDINIS_REFRESH_GOLDEN=1 .venv/bin/pytest tests/golden

The synthetic cases show some of their orders; of the real sets, which are not ours to copy, only a digest is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ordinis import app
from ordinis.config import load
from ordinis.data.calendar import sessions
from ordinis.data.importing import import_files
from ordinis.data.store import BarStore
from ordinis.domain.market import MINUTE_NS, MarketBlock, Universe
from ordinis.domain.orders import OrderIntent
from ordinis.engines.signalcore.registry import built_in
from ordinis.journal import reading

HERE = Path(__file__).parent
SHARED = HERE.parents[1].parent / "shared" / "data"
REFRESH = os.environ.get("ORDINIS_REFRESH_GOLDEN") == "1"
SYNTHETIC = "waves"
UNIVERSE = Universe(("AAA", "BBB", "CCC", "DDD", "EEE", "FFF"))
REAL = {
    "january": ("minute_rth_2025-01_20sym.parquet", "sip", date(2025, 1, 29), date(2025, 1, 31)),
    "autumn": ("minute_rth_iex_2025-09_2025-12_16sym.parquet", "iex", date(2025, 11, 25), date(2025, 11, 28)),
}
ACCOUNTS = {"small": "account.cash_usd=14999", "standard": "account.cash_usd=50000"}
STRATEGIES: dict[str, list[str]] = {
    **{name: [] for name in ("atr_rsi", "donchian", "bollinger", "macd", "cross_sectional", "sma_cross", "ema_trend")},
    "ema_trend_adx": ["strategies.enabled=ema_trend", "strategies.parameters.ema_trend.adx_min=25"],
    "ema_trend_exits_1h": ["strategies.enabled=ema_trend", "strategies.exit_timeframe.ema_trend=1H"],
}
QUICK = ("sizing.volatility_min_sessions=3", "strategies.score_history_min=20")


def waves() -> list[MarketBlock]:
    """Twelve sessions in which each symbol swings, trends and jumps overnight; prices in cents, gaps in the minutes."""
    random = np.random.default_rng(20250106)
    days = sessions(date(2025, 1, 6), date(2025, 1, 24))[:12]
    price = np.array([12.0, 35.0, 80.0, 150.0, 320.0, 640.0])
    speed = np.linspace(40.0, 160.0, len(UNIVERSE))
    made = []
    for number, session in enumerate(days):
        rows = np.arange(session.minutes)[:, None]
        shape = (session.minutes, len(UNIVERSE))
        swing = 0.012 * np.sin((rows + 70 * number) / speed)
        walk = np.cumsum(random.normal(2e-5 * (-1) ** number, 6e-4, shape), axis=0)
        close = np.round(price * np.exp(swing + walk + random.normal(0, 0.004, len(UNIVERSE))), 2)
        opening = np.round(close * (1 + random.normal(0, 2e-4, shape)), 2)
        high = np.round(np.maximum(opening, close) * (1 + random.uniform(0, 6e-4, shape)), 2)
        low = np.round(np.minimum(opening, close) * (1 - random.uniform(0, 6e-4, shape)), 2)
        present = random.random(shape) < 0.95
        prices = [np.where(present, one, np.nan) for one in (opening, high, low, close)]
        made.append(
            MarketBlock(
                universe=UNIVERSE,
                session=session,
                closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, session.minutes + 1),
                open=prices[0],
                high=prices[1],
                low=prices[2],
                close=prices[3],
                volume=np.where(present, random.integers(100, 20_000, shape), 0).astype(float),
                present=present,
            )
        )
        price = close[-1]
    return made


def row_of(order: OrderIntent) -> str:
    """An order in a line; prices are exact."""
    prices = [order.limit_price_usd, order.stop_price_usd, order.stop_loss_usd]
    words = [order.client_order_id, order.side.value, f"{order.quantity:f}", order.type.value]
    return " ".join([*words, order.time_in_force.value, *(str(price) for price in prices if price is not None)])


def pinned(store: BarStore, data: str, changes: Sequence[str], days: tuple[date, date] | None) -> dict[str, Any]:
    """Run it, and keep what is worth keeping."""
    folder = store.root.parent
    settings = load(None, [f"data.store_dir={store.root}", f"journal.dir={folder}", *QUICK, *changes])
    first, last = days or (None, None)
    result, engine = app.run_backtest(settings, data=data, first=first, last=last)
    journal = Path(result.journal)
    rows = [row_of(order) for order in reading.orders(journal)]
    sizes = [one.assessment.size for one in reading.assessments(journal) if one.assessment.size is not None]
    return {
        "orders": rows,
        "fills": len(reading.fills(journal)),
        "trades": result.trades,
        "entries": result.entries,
        "tier": result.tier,
        "violations": result.violations,
        "refused_by_exchange": result.refused_by_exchange,
        "decisions_by_reason": dict(result.decisions_by_reason),
        "sizing_methods": dict(result.sizing_methods),
        "bound_by": dict(result.bound_by),
        "floats": {
            "final_equity": result.final_equity,
            "max_drawdown": result.max_drawdown,
            "win_rate": result.win_rate,
            "profit_factor": result.profit_factor,
            "fees": result.fees,
            "weights": sum(size.weight for size in sizes),
            "risk": sum(size.risk_contribution for size in sizes),
            "closes": engine.curve.closes_usd().tolist(),
        },
    }


def digested(found: dict[str, Any], shown: int) -> dict[str, Any]:
    """The same with a digest in the place of the orders, and so many of the first and last of them."""
    rows = found["orders"]
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    orders = {"count": len(rows), "sha256": digest, "first": rows[:shown], "last": rows[len(rows) - shown :]}
    return {**found, "orders": orders}


def compare(name: str, found: dict[str, Any]) -> None:
    path = HERE / f"{name}.json"
    if REFRESH:
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    golden = json.loads(path.read_text(encoding="utf-8"))
    floats, golden_floats = found.pop("floats"), golden.pop("floats")
    assert found == golden
    assert floats.keys() == golden_floats.keys()
    for key, value in golden_floats.items():
        assert floats[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> BarStore:
    store = BarStore(tmp_path_factory.mktemp("golden") / "bars")
    store.write(
        SYNTHETIC, symbols=UNIVERSE.symbols, blocks=waves(), feed="sip", label="made for a test", synthetic=True
    )
    return store


Imported = Callable[[str], str]


@pytest.fixture(scope="module")
def imported(store: BarStore) -> Imported:
    """Import a real set once; its name."""

    def by_name(name: str) -> str:
        file, feed, _, _ = REAL[name]
        if not (SHARED / file).is_file():
            pytest.skip(f"the shared data set {file} is not beside the repository")
        if name not in store.names():
            import_files([SHARED / file], name=name, store=store, feed=feed)
        return name

    return by_name


@pytest.mark.parametrize("account", ACCOUNTS)
def test_made_up_sessions_give_the_pinned_orders(store: BarStore, account: str) -> None:
    found = digested(pinned(store, SYNTHETIC, [ACCOUNTS[account]], None), shown=10)
    assert found["violations"] == 0
    compare(f"waves-{account}", found)


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("name", REAL)
def test_real_sessions_give_the_pinned_orders(store: BarStore, imported: Imported, name: str, account: str) -> None:
    _, _, first, last = REAL[name]
    found = digested(pinned(store, imported(name), [ACCOUNTS[account]], (first, last)), shown=0)
    assert found["violations"] == 0
    compare(f"{name}-{account}", found)


def test_no_strategy_of_the_house_is_left_out() -> None:
    assert built_in() - {"idle"} <= set(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", REAL)
def test_every_strategy_by_itself_gives_the_pinned_orders(
    store: BarStore, imported: Imported, name: str, strategy: str
) -> None:
    """All sessions of the set, in an account in which it trades by the minute."""
    alone = STRATEGIES[strategy] or [f"strategies.enabled={strategy}"]
    found = digested(pinned(store, imported(name), [ACCOUNTS["standard"], *alone], None), shown=0)
    assert found["violations"] == 0
    assert found["fills"] > 0
    compare(f"{name}-{strategy}", found)
