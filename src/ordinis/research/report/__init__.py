"""The report of a backtest: one page that needs nothing beside it, and its figures as CSV and JSON.

require_plotly()                                     # before a long run, not after it
source = gather(result, engine, benchmark_of(blocks, start_usd), command)
files = write_report(source, folder)
"""

from __future__ import annotations

from ordinis.engines.comovement import MARKET
from ordinis.research.report.benchmark import Benchmark, benchmark_of
from ordinis.research.report.gathering import gather
from ordinis.research.report.source import ReportSource
from ordinis.research.report.writing import ReportFiles, require_plotly, write_report

__all__ = [
    "MARKET",
    "Benchmark",
    "ReportFiles",
    "ReportSource",
    "benchmark_of",
    "gather",
    "require_plotly",
    "write_report",
]
