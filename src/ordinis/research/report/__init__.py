"""The report of a backtest: one page that needs nothing beside it, and its figures as CSV and JSON.

require_plotly()                                     # before a long run, not after it
source = gather(result, engine, Surroundings(command=..., benchmark=benchmark_of(blocks, start_usd), ...))
files = write_report(source, folder)
"""

from __future__ import annotations

from ordinis.engines.comovement import MARKET
from ordinis.research.report.benchmark import Benchmark, benchmark_of
from ordinis.research.report.drawing import require_matplotlib
from ordinis.research.report.gathering import Surroundings, gather
from ordinis.research.report.source import ReportSource
from ordinis.research.report.writing import ReportFiles, require_plotly, write_report

__all__ = [
    "MARKET",
    "Benchmark",
    "ReportFiles",
    "ReportSource",
    "Surroundings",
    "benchmark_of",
    "gather",
    "require_matplotlib",
    "require_plotly",
    "write_report",
]
