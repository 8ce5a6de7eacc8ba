"""`ordinis demo`: what Ordinis does, on data that comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.ui.summary import side_by_side

if TYPE_CHECKING:
    from ordinis.app.demo import DemoResult

DIFFERS = 1


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where report and journals go.")] = Path("out/demo"),
) -> None:
    """Show all of it on data that comes along.

    Two accounts over real daily bars with synthetic minutes, then one of the days over the wire.
    """
    from ordinis import app

    result = app.demo(out, say=lambda line: typer.echo(line, err=True))
    typer.echo(told(result, out))
    if not result.equal:
        raise typer.Exit(DIFFERS)


def told(result: DemoResult, out: Path) -> str:
    """Both accounts side by side, whether the wire said the same, and where to go from here."""
    accounts = [result.small, result.large]
    bars = f"--set data.store_dir={out / 'bars'}"
    return "\n".join(
        [
            "",
            side_by_side([f"${one.start_equity:,.0f} account" for one in accounts], accounts),
            "",
            _verdict(result),
            f"report: {result.report}",
            "",
            "next:",
            f"  ordinis why AAPL --journal {result.small.journal}",
            f"  ordinis backtest --data bundled {bars} --set tiers.small.method=FIXED_PERCENT",
            "  ordinis init, then edit ordinis.toml; ordinis data import FILE... for your own bars",
        ]
    )


def _verdict(result: DemoResult) -> str:
    day, wire = result.day, result.wire
    if result.equal:
        return f"{day.first_session}: the journal over the wire equals the backtest's ({wire.journal_digest[:16]})"
    return (
        f"{day.first_session}: the journals DIFFER: in process {day.journal_digest[:16]} ({day.journal}), "
        f"over the wire {wire.journal_digest[:16]} ({wire.journal})"
    )
