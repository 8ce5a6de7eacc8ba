"""`ordinis run`: trade through Alpaca's own wire."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.options import ConfigOption, JournalOption, JsonOption, SetOption, parse_day, read_settings
from ordinis.ui.summary import show

if TYPE_CHECKING:
    from ordinis.app.accounts import Mode
    from ordinis.config import Settings

BUNDLED = "bundled"


def run(
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="NAME|FILE",
            help=f"With --sim: a data set of the store, or a file of bars; default: {BUNDLED}.",
        ),
    ] = None,
    day: Annotated[
        date | None,
        typer.Option(metavar="YYYY-MM-DD", parser=parse_day, help="With --sim: the session; default: the data's last."),
    ] = None,
    sim: Annotated[
        bool, typer.Option("--sim", help="Against the simulated broker, over its REST and streams; needs no account.")
    ] = False,
    paper: Annotated[bool, typer.Option("--paper", help="A paper account at Alpaca: the default.")] = False,
    live: Annotated[bool, typer.Option("--live", help="A live account: real money.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes-i-mean-live", help="Do not ask; the settings must hold broker.live_word as well.")
    ] = False,
    sessions: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Paper and live: stop after so many closes.")
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            metavar="X", min=0.0, help="With --sim: minutes of trading a minute of yours; 0: as fast as it goes."
        ),
    ] = 0.0,
    broker: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --sim: a broker that runs by itself, as `ordinis broker serve` says."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="With --sim: start anew, though the journal could be gone on with.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Paper and live: take back what stops entries, and count limits from now on."),
    ] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    journal: JournalOption = None,
    json_out: JsonOption = None,
) -> None:
    """Trade over Alpaca's REST and streams.

    A simulated broker's day, a paper account (the default) or a live one. A run that was stopped or killed goes on
    where it stood when it is started again.
    """
    if sim + paper + live > 1:
        raise ConfigError("--sim, --paper and --live exclude each other: name one")
    of_accounts = {"--resume": resume, "--sessions": sessions is not None, "--yes-i-mean-live": yes}
    of_sim = {"--data": data, "--day": day, "--speed": speed, "--broker": broker, "--fresh": fresh}
    _refuse(of_accounts if sim else of_sim, "paper and live accounts" if sim else "--sim")
    settings = read_settings(config, overrides)
    from ordinis import app

    if sim:
        bars = BUNDLED if data is None else data
        result = app.run_simulation(
            settings, data=bars, day=day, speed=speed, journal=journal, resume=not fresh, broker=broker, say=_say
        )
    else:
        mode = mode_of(settings, paper=paper, live=live)
        result = app.run_account(
            settings, mode, yes=yes, ask=_typed, say=_say, journal=journal, sessions_max=sessions, resume=resume
        )
    show(result, json_out)


def _refuse(options: Mapping[str, object], mode: str) -> None:
    """An option that means nothing here is a mistake about what is about to be traded."""
    given = [name for name, value in options.items() if value]
    if given:
        raise ConfigError(f"{' and '.join(given)} only with {mode}; see `ordinis run --help`")


def mode_of(settings: Settings, *, paper: bool, live: bool) -> Mode:
    """Paper unless live was asked for here: settings alone never trade real money."""
    if paper and live:
        raise ConfigError("--paper and --live exclude each other: name one")
    if settings.broker.mode == "live" and not (paper or live):
        raise ConfigError("broker.mode is live, and live trading needs --live on the command line, too; or use --paper")
    return "live" if live else "paper"


def _typed(question: str) -> str:
    answer: str = typer.prompt(question)
    return answer


def _say(line: str) -> None:
    with suppress(OSError):  # On a full disk the log has no room; the run goes on all the same.
        typer.echo(line, err=True)
