"""`ordinis strategies`: which there are, a new one of your own, and whether it keeps the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordinis.ui.options import ConfigOption, SetOption, read_settings

group = typer.Typer(help="Strategies: built in, and your own.", no_args_is_help=True)
BROKEN = 4  # As StrategyError's.


@group.command("list")
def list_(config: ConfigOption = None, overrides: SetOption = None) -> None:
    """Print every strategy that can be enabled, where it is from, and its parameters."""
    settings = read_settings(config, overrides)
    from ordinis import app

    for one in app.known_strategies(settings):
        enabled = ", enabled" if one.name in settings.strategies.enabled else ""
        typer.echo(f"{one.name} ({one.origin}{enabled})")
        for key, value in one.parameters.items():
            typer.echo(f"  {key} = {value}")


@group.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and _.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the two files go.")] = Path(),
) -> None:
    """Write a strategy of your own to begin with, and its test."""
    from ordinis import app

    strategy, test = app.new_strategy(name, folder)
    typer.echo(f"{strategy} and {test} written; next:")
    typer.echo(f"  ordinis strategies check {strategy}")
    typer.echo(f"  ordinis backtest --data bundled --set strategies.files={strategy} --set strategies.enabled={name}")


@group.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A strategy's name, or the file of a new one.")],
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Try a strategy on bundled data: form of its answers, no look-ahead, the same minute by minute."""
    settings = read_settings(config, overrides)
    from ordinis import app

    trial = app.check_strategy(name, settings)
    for finding in trial.findings:
        typer.echo(f"{name}: {finding}", err=True)
    if trial.findings:
        raise typer.Exit(BROKEN)
    typer.echo(
        f"{name} keeps the rules: {trial.minutes:,} minutes, whole and one at a time; "
        f"{trial.entries:,} entries and {trial.exits:,} exits asked for"
    )
    if not trial.entries:
        typer.echo("it asked for no entry, so nothing is known of how it enters", err=True)
