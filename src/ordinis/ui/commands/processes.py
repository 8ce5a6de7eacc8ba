"""`ordinis start`, `stop`, `status`: a trader in the background."""

from __future__ import annotations

from typing import Annotated

import typer

from ordinis.ui.commands.run import mode_of
from ordinis.ui.options import ConfigOption, SetOption, read_settings

NOT_RUNNING = 3  # As service managers expect of `status`.


def start(
    paper: Annotated[bool, typer.Option("--paper", help="A paper account: the default.")] = False,
    live: Annotated[bool, typer.Option("--live", help="A live account: real money; needs broker.live_word.")] = False,
    silent: Annotated[bool, typer.Option("--silent", help="Say nothing when it went well.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Take back what stops entries, as `run` does.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Trade in a process of its own, and return once it does.

    It goes on when this terminal closes; `ordinis stop` ends it.
    """
    settings = read_settings(config, overrides)
    from ordinis import app

    mode = mode_of(settings, paper=paper, live=live)
    arguments = [f"--{mode}", *(["--yes-i-mean-live"] if live else []), *(["--resume"] if resume else [])]
    if config is not None:
        arguments += ["--config", str(config.resolve())]
    arguments += [f"--set={one}" for one in overrides or ()]
    trader = app.processes.start(settings, arguments)
    if not silent:
        typer.echo(f"{trader.mode} account {trader.account} is traded by process {trader.process}; log {trader.log}")


def stop(config: ConfigOption = None, overrides: SetOption = None) -> None:
    """Stop every trader of this machine, between two events.

    Positions stay, and so do their stops at the broker.
    """
    settings = read_settings(config, overrides)
    from ordinis import app

    stopped = app.processes.stop(settings)
    for one in stopped:
        typer.echo(f"{one.mode} account {one.account}: process {one.process} has stopped")
    if not stopped:
        typer.echo("no trader runs")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Say which traders run, and what they wrote last. Leaves with 3 when none runs."""
    settings = read_settings(config, overrides)
    import msgspec

    from ordinis import app

    traders = app.processes.traders(settings)
    if as_json:
        typer.echo(msgspec.json.encode(traders).decode())
    else:
        for one in traders:
            state = "runs" if one.alive else "DIED without stopping; start it again and it goes on"
            typer.echo(f"{one.mode} account {one.account}: process {one.process} {state}")
            typer.echo(f"  journal {one.journal}: {one.events:,} events, the last at {one.last_event or '-'}")
        if not traders:
            typer.echo("no trader runs")
    if not any(one.alive for one in traders):
        raise typer.Exit(NOT_RUNNING)
