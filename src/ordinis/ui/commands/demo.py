"""`ordinis demo`: what Ordinis does, on data that comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where report and journals go.")] = Path("out/demo"),
) -> None:
    """Show all of it on data that comes along.

    Two accounts over real daily bars with synthetic minutes, then one of the days over the wire.
    """
    from ordinis import app

    typer.echo(app.demo(out))
