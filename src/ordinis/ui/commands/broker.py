"""`ordinis broker serve`: the simulated broker as a server of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordinis.ui.options import ConfigOption, DataOption, FirstOption, LastOption, SetOption, read_settings

group = typer.Typer(help="The simulated broker.", no_args_is_help=True)
STEP = 0.0  # The speed at which a client lets time pass.


def parse_speed(text: str) -> float:
    """Times of real time: `60x`, or `60`; infinite for `max`, STEP for `step`."""
    named = {"max": float("inf"), "step": STEP}
    try:
        speed = named[text] if text in named else float(text.removesuffix("x"))
    except ValueError:
        speed = float("nan")
    if text in named or 0 < speed < float("inf"):
        return speed
    raise typer.BadParameter(f"{text} is not a speed; write a multiple of real time such as 60x, or max, or step")


@group.callback()
def _group() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@group.command()
def serve(
    data: DataOption,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on the loopback; 0 takes a free one.")] = 8700,
    speed: Annotated[
        str, typer.Option(metavar="Nx|max|step", help="Times real time; max: at once; step: by the client.")
    ] = "1x",
    first: FirstOption = None,
    last: LastOption = None,
    cash: Annotated[
        str | None, typer.Option(metavar="USD", help="The account's cash; default: account.cash_usd.")
    ] = None,
    regime: Annotated[
        str | None, typer.Option(metavar="NAME", help="The margin regime; default: compliance.regime.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of chances; default: run.seed.")] = None,
    faults: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is to go wrong: a plan in TOML or JSON.")
    ] = None,
    requests: Annotated[
        int, typer.Option(metavar="N", min=0, help="Requests a minute of the broker's time; 0: no limit.")
    ] = 200,
    connections: Annotated[
        int, typer.Option(metavar="N", min=0, help="Market-data connections at once; 0: no limit.")
    ] = 1,
    symbols: Annotated[
        int, typer.Option(metavar="N", min=0, help="Symbols subscribed on a connection; 0: no limit.")
    ] = 30,
    numbers: Annotated[
        bool, typer.Option("--numbers", help="Write shares as JSON numbers instead of strings.")
    ] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Serve Alpaca's REST and streams.

    On the loopback, from stored bars, in virtual time. Ctrl-C stops it.
    """
    given = {"account.cash_usd": cash, "compliance.regime": regime, "run.seed": seed}
    named = [f"{key}={value}" for key, value in given.items() if value is not None]
    times = parse_speed(speed)
    settings = read_settings(config, [*(overrides or []), *named])
    from ordinis import app

    app.serve_broker(
        settings,
        data=data,
        first=first,
        last=last,
        port=port,
        speed=times,
        faults=faults,
        seed=seed,
        limits=(requests, connections, symbols),
        numbers=numbers,
    )
