"""`ordinis run`: trade a day through Alpaca's own wire."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.options import ConfigOption, DataOption, JournalOption, JsonOption, SetOption, parse_day, read_settings
from ordinis.ui.summary import show


def run(
    data: DataOption,
    day: Annotated[
        date | None,
        typer.Option(metavar="YYYY-MM-DD", parser=parse_day, help="The session; default: the data's last."),
    ] = None,
    sim: Annotated[
        bool, typer.Option("--sim", help="Against the simulated broker, over its REST and streams.")
    ] = False,
    speed: Annotated[
        float, typer.Option(metavar="X", min=0.0, help="Minutes of trading a minute of yours; 0: as fast as it goes.")
    ] = 0.0,
    broker: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A broker of its own process: the line that `ordinis broker serve` printed."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew, though the journal could be continued; it is replaced.")
    ] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    journal: JournalOption = None,
    json_out: JsonOption = None,
) -> None:
    """Trade one day over Alpaca's REST and streams.

    So far against the simulated broker only, which is started for the run or runs by itself. A run that was stopped
    or killed goes on where it stood when it is started again.
    """
    if not sim:
        raise ConfigError("only the simulated broker can be traded on so far: add --sim")
    settings = read_settings(config, overrides)
    from ordinis import app

    result = app.run_simulation(
        settings,
        data=data,
        day=day,
        speed=speed,
        journal=journal,
        resume=not fresh,
        broker=broker,
        say=lambda line: typer.echo(line, err=True),
    )
    show(result, json_out)
