"""The report's files, in a folder of the user's choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from ordinis.domain.errors import ConfigError
from ordinis.research.report.drawing import draw, require_matplotlib
from ordinis.research.report.page import page
from ordinis.research.report.pictures import pictures
from ordinis.research.report.source import ReportSource
from ordinis.research.report.tables import write_minutes, write_trades
from ordinis.research.report.words import caption


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where everything is."""

    page: Path
    trades: Path
    minutes: Path
    summary: Path
    pictures: tuple[Path, ...] = ()


def write_report(source: ReportSource, folder: Path, *, png: bool = False) -> ReportFiles:
    """Write report.html, trades.csv, equity.csv and summary.json, with `png` each picture, too; earlier ones go.

    Errors: ConfigError where plotly or, for `png`, matplotlib is missing, or the folder cannot be written.
    """
    drawn = [one for one in pictures(source) if one.figure is not None] if png else []
    if png:
        require_matplotlib()
    written = ReportFiles(
        page=folder / "report.html",
        trades=folder / "trades.csv",
        minutes=folder / "equity.csv",
        summary=folder / "summary.json",
        pictures=tuple(folder / "pictures" / f"{one.place}.png" for one in drawn),
    )
    document = page(source, _plotly())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written.page.write_text(document, encoding="utf-8", newline="\n")
        write_trades(source, written.trades)
        write_minutes(source, written.minutes)
        written.summary.write_bytes(msgspec.json.format(msgspec.json.encode(source.result), indent=1) + b"\n")
        for one, path in zip(drawn, written.pictures, strict=True):
            path.parent.mkdir(exist_ok=True)
            draw(one, f"{caption(source, one.note)} {source.command}", path)
    except OSError as error:
        raise ConfigError(
            f"the report cannot be written into {folder} ({error}): name another folder, or make room in this one"
        ) from error
    return written


def require_plotly() -> None:
    """Before a long run: the error that the report would otherwise end it with. Errors: ConfigError."""
    try:
        import plotly  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "the report's pictures need plotly, which is not installed: pip install 'ordinis[research]'"
        ) from error


def _plotly() -> str:
    """The library's script, as it comes with the package."""
    require_plotly()
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
