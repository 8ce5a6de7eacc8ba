"""`ordinis doctor`: what would keep it from trading, before the session."""

from __future__ import annotations

from typing import Annotated

import typer

from ordinis.ui.commands.run import mode_of
from ordinis.ui.options import ConfigOption, SetOption, read_settings


def doctor(
    paper: Annotated[bool, typer.Option("--paper", help="The paper account: the default.")] = False,
    live: Annotated[bool, typer.Option("--live", help="The live account. Nothing is traded.")] = False,
    measure_backends: Annotated[
        bool,
        typer.Option("--measure-backends", help="Only measure what multiplies the optimiser's tables, and keep it."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Ask everything a session needs, and say what is wrong and what to do.

    Leaves with the exit code of the first fault found, with 0 when there is none: a warning is no fault.
    """
    settings = read_settings(config, overrides)
    import msgspec

    from ordinis import app

    if measure_backends:
        typer.echo("\n".join(app.measure_backends(settings)))
        return
    checks = app.examine(settings, mode_of(settings, paper=paper, live=live))
    if as_json:
        typer.echo(msgspec.json.encode(checks).decode())
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            typer.echo(f"{one.verdict:<5}  {one.name:<{width}}  {one.found}")
    faults = [one for one in checks if one.verdict == "fault"]
    if faults:
        raise typer.Exit(faults[0].exit_code)
