"""The composition root: the only room that knows every name. Settings go in, running things come out."""

from __future__ import annotations

from ordinis.app import processes
from ordinis.app.accelerators import measure_backends
from ordinis.app.build import build_engine, build_exchange
from ordinis.app.demo import demo
from ordinis.app.doctor import examine
from ordinis.app.live import run_account
from ordinis.app.optimizing import optimize_data
from ordinis.app.parity import compare_day
from ordinis.app.runs import BUNDLED, Progress, open_data, run_backtest, serve_broker, store
from ordinis.app.simulations import run_simulation
from ordinis.app.strategies import check_strategy, known_strategies, new_strategy
from ordinis.runtime.build import BUILD

__all__ = [
    "BUILD",
    "BUNDLED",
    "Progress",
    "build_engine",
    "build_exchange",
    "check_strategy",
    "compare_day",
    "demo",
    "examine",
    "known_strategies",
    "measure_backends",
    "new_strategy",
    "open_data",
    "optimize_data",
    "processes",
    "run_account",
    "run_backtest",
    "run_simulation",
    "serve_broker",
    "store",
]
