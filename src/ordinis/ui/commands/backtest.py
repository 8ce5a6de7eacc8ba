"""`ordinis backtest`: the decision path over stored bars."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.options import (
    ConfigOption,
    DataOption,
    FirstOption,
    JournalOption,
    JsonOption,
    LastOption,
    SetOption,
    read_settings,
)
from ordinis.ui.progress import progress_bar
from ordinis.ui.summary import show

ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="Write the report (HTML, CSV, JSON) into this folder.")
]
PngOption = Annotated[bool, typer.Option("--png", help="With --report: each picture as a PNG file, too.")]


def backtest(
    data: DataOption,
    first: FirstOption = None,
    last: LastOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    journal: JournalOption = None,
    json_out: JsonOption = None,
    report: ReportOption = None,
    png: PngOption = False,
) -> None:
    """Trade stored bars on the simulated exchange.

    The same decision path as everywhere. Ctrl-C ends it cleanly: what was run is shown, marked partial.
    """
    if png and report is None:
        raise ConfigError("--png writes the report's pictures: give the report a folder (--report DIR), too")
    settings = read_settings(config, overrides)
    from ordinis import app

    with progress_bar("backtest") as progress:
        result, _ = app.run_backtest(
            settings,
            data=data,
            first=first,
            last=last,
            journal=journal,
            report=report,
            png=png,
            command=shlex.join(["ordinis", *sys.argv[1:]]),
            progress=progress,
        )
    show(result, json_out)
