"""`ordinis broker serve`: the simulated broker as a server of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from ordinis.ui.options import ConfigOption, DataOption, SetOption, read_settings

group = typer.Typer(help="The simulated broker.", no_args_is_help=True)


@group.callback()
def _group() -> None:
    """Keeps `serve` a command of its own while it is the only one."""


@group.command()
def serve(
    data: DataOption,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on the loopback; 0 takes a free one.")] = 8700,
    speed: Annotated[
        float,
        typer.Option(metavar="X", min=0.0, help="Minutes of trading a minute of yours; 0: stepped by the client."),
    ] = 1.0,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Serve Alpaca's REST and streams.

    On the loopback, from stored bars, in virtual time. Ctrl-C stops it.
    """
    settings = read_settings(config, overrides)
    from ordinis import app

    app.serve_broker(settings, data=data, port=port, speed=speed)
