"""`ordinis data`: import, list and check bars."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.ui.options import ConfigOption, SetOption, read_settings

if TYPE_CHECKING:
    from ordinis.data.findings import QualityReport
    from ordinis.data.store import BarStore


class Edge(StrEnum):
    START = "start"
    END = "end"


group = typer.Typer(help="Bars: import, list, check.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Parquet or CSV files of minute or daily bars.")]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Time zone of times without one, for example America/New_York.")
]
Stamped = Annotated[Edge, typer.Option(help="Whether a time is its bar's start or its end.")]
Actions = Annotated[
    Path | None, typer.Option(metavar="FILE", help="CSV of splits, dividends and removals; see docs/data.md.")
]
Symbol = Annotated[str | None, typer.Option(metavar="SYMBOL", help="The symbol of files that have no such column.")]


@group.command("import")
def import_(
    files: Files,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The set's name; default: the first file's.")] = None,
    timezone: Zone = None,
    feed: Annotated[
        str | None, typer.Option(metavar="FEED", help="Whose bars they are; default: the setting data.feed.")
    ] = None,
    stamped: Stamped = Edge.START,
    symbol: Symbol = None,
    accept: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Import in spite of refusals of this kind; repeatable.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a set of that name.")] = False,
    actions: Actions = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Store files of bars as one data set.

    They pass the quality gate first: what it refuses is named by row, and nothing is stored.
    """
    from ordinis.data.importing import import_files

    given = overrides if feed is None else [*(overrides or []), f"data.feed={feed}"]
    settings = read_settings(config, given)
    imported = import_files(
        files,
        name=name or files[0].stem,
        store=_store(config, overrides),
        timezone=timezone,
        feed=settings.data.feed,
        stamped=stamped.value,
        symbol=symbol,
        accept=accept or (),
        replace_set=replace,
        actions=actions,
    )
    _print_findings(imported.report)
    data = imported.data
    typer.echo(f"{data.name}: {len(data.symbols)} symbols, {len(data.sessions)} sessions, {data.bars:,} bars stored")
    typer.echo(f"next: ordinis backtest --data {data.name}")


@group.command("import-actions")
def import_actions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: symbol, ex_date, kind, ratio, amount_usd.")],
    data: Annotated[str, typer.Option(metavar="NAME", help="The data set whose symbols they are about.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace those that the set has.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Keep splits, dividends and removals with a data set.

    For prices as they were traded: where a vendor has adjusted them for splits, leave the splits out.
    """
    from ordinis.data.importing import import_actions as imported

    kept = imported(file, _store(config, overrides).open(data), replace_table=replace)
    typer.echo(f"{data}: {len(kept)} corporate actions kept, {kept[0].ex_date} to {kept[-1].ex_date}")


@group.command("list")
def list_(config: ConfigOption = None, overrides: SetOption = None) -> None:
    """List the data sets of the store."""
    from ordinis.data.importing import describe

    store = _store(config, overrides)
    rows = describe(store)
    if not rows:
        typer.echo(f"no data sets in {store.root}; `ordinis data import FILE...` makes one")
        return
    width = max(len(row.name) for row in rows)
    for row in rows:
        span = f"{row.first}..{row.last}" if row.sessions else "no minutes"
        typer.echo(
            f"{row.name:<{width}}  {row.symbols:>5} symbols  {row.sessions:>5} sessions  {span:<22}  "
            f"{row.bars:>12,} bars  {row.feed}, {row.label}; daily bars {row.daily}"
            + (f"; {row.actions} corporate actions" if row.actions else "")
        )


@group.command()
def check(
    references: Annotated[list[str], typer.Argument(metavar="FILE|NAME", help="Files, or sets of the store.")],
    timezone: Zone = None,
    stamped: Stamped = Edge.START,
    symbol: Symbol = None,
    actions: Actions = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Say what the quality gate finds.

    Nothing is stored. A refusal ends with the exit code of bad data.
    """
    from ordinis.data.importing import check_files

    store = _store(config, overrides)
    names = [one for one in references if one in store.names()]
    for name in names:
        kept = store.open(name)
        known = f"; {len(kept.actions())} corporate actions are known" if kept.actions() else ""
        typer.echo("\n".join([f"{name}: {len(kept.notes)} findings when it was imported{known}", *kept.notes]))
    files = [Path(one) for one in references if one not in names]
    if files:
        report = check_files(files, timezone=timezone, stamped=stamped.value, symbol=symbol, actions=actions)
        _print_findings(report)
        report.require_good(", ".join(map(str, files)))


def _store(config: Path | None, overrides: list[str] | None) -> BarStore:
    from ordinis.config.folders import store_dir
    from ordinis.data.store import BarStore

    return BarStore(store_dir(read_settings(config, overrides)))


def _print_findings(report: QualityReport) -> None:
    for finding in report.findings:
        typer.echo(str(finding))
        for row in finding.rows:
            typer.echo(f"  {row}")
    typer.echo(f"{report.rows:,} rows read, {len(report.findings)} kinds of findings")
