"""`ordinis journal` and `ordinis why`: reading what a run wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordinis.domain.errors import JournalError
from ordinis.ui.options import ConfigOption, SetOption, read_settings

group = typer.Typer(help="The record of a run.", no_args_is_help=True)

Journal = Annotated[Path, typer.Argument(metavar="JOURNAL", help="A journal's file.")]


@group.command()
def digest(journals: Annotated[list[Path], typer.Argument(metavar="JOURNAL")]) -> None:
    """Print a digest of each journal: equal digests mean equal events and equal decisions."""
    for path in journals:
        typer.echo(digest_line(path))


def digest_line(path: Path) -> str:
    """The digest and the file, as checksum tools print them."""
    from ordinis.journal import reading

    return f"{reading.digest(path)}  {path}"


@group.command()
def export(
    journal: Journal,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write it, one JSON object a line.")],
) -> None:
    """Write a journal as JSON lines, the same for the same events whatever wrote them."""
    from ordinis.journal.export import export as write

    typer.echo(f"{write(journal, out):,} lines written to {out}")


def why(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="The run's journal; default: the latest run's.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="A New York minute such as 2025-01-15T10:31; default: the run's last."
        ),
    ] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Say what became of a symbol, and why.

    Signal, size chain, rules, order and fills of its candidates in one minute.
    """
    from ordinis.journal.why import parse_time, render
    from ordinis.journal.why import why as ask

    path = journal or latest_journal(config, overrides)
    typer.echo(f"{path}\n{render(ask(path, symbol.upper(), None if at is None else parse_time(at)))}")


def latest_journal(config: Path | None, overrides: list[str] | None) -> Path:
    """The one written to last, of those that went where the settings say. Raises JournalError when there is none."""
    from ordinis.config.folders import journal_dir

    folder = journal_dir(read_settings(config, overrides))
    journals = sorted(folder.glob("*.journal"), key=lambda path: path.stat().st_mtime_ns)
    if not journals:
        raise JournalError(
            f"there is no journal in {folder} yet; run `ordinis backtest` first, or name one (--journal)"
        )
    return journals[-1]
