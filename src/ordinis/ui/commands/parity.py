"""`ordinis parity`: did the backtest say what the day did."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ordinis.ui.commands.journal import latest_journal
from ordinis.ui.options import ConfigOption, SetOption, parse_day, read_settings

DIFFERS = 1


def parity(
    day: Annotated[date, typer.Argument(metavar="DATE", parser=parse_day, help="A session of the journal.")],
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="The run's journal; default: the latest run's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Replay a recorded day through the backtest, and show what differs and why.

    Leaves with 1 when something does.
    """
    path = journal or latest_journal(config, overrides)
    settings = read_settings(config, overrides)
    import msgspec

    from ordinis import app
    from ordinis.journal.times import new_york_text

    found = app.compare_day(path, day, settings)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        for one in found:
            typer.echo(f"{new_york_text(one.at_ns)}  {one.what:<8}  {one.subject}")
            typer.echo(f"    recorded {one.recorded}; replayed {one.replayed}; {one.cause}")
        typer.echo(f"{path}, {day}: {f'{len(found)} differences' if found else 'the replay is identical'}")
    if found:
        raise typer.Exit(DIFFERS)
