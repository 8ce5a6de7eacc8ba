"""`ordinis rebalance --dry-run`: what the whole book should be, and what would be cut for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.commands.journal import latest_journal
from ordinis.ui.options import ConfigOption, SetOption, read_settings

if TYPE_CHECKING:
    from ordinis.app.rebalances import Proposal, RebalanceLine

_BAR_WIDTH = 30


def rebalance(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and send nothing.")] = False,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal", metavar="FILE", help="A trader's journal, running or stopped; default: the latest run's."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME|FILE", help="Recorded bars instead: a set of the store, or a file."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="A New York minute such as 2025-01-15T10:31; default: the last."),
    ] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Show what a rebalance of the book would do, whatever its triggers say: the trader's now, or of recorded bars."""
    if not dry_run:
        raise ConfigError("a rebalance is the running trader's to make: ask for what it would do with --dry-run")
    if data is not None and journal is not None:
        raise ConfigError("--data and --journal name two books: give one of them")
    settings = read_settings(config, overrides)
    from ordinis.app.rebalances import propose_rebalance, rebalance_by_journal
    from ordinis.journal.times import parse_time

    at_ns = None if at is None else parse_time(at)
    if data is not None:
        proposal = propose_rebalance(settings, data=data, at_ns=at_ns)
    else:
        proposal = rebalance_by_journal(journal or latest_journal(config, overrides), settings, at_ns)
    typer.echo(rendered(proposal))


def rendered(proposal: Proposal) -> str:
    """The plan as a table and a picture."""
    from ordinis.journal.times import new_york_text

    plan = proposal.plan
    head = (
        f"{new_york_text(proposal.at_ns)} New York, equity ${proposal.equity_usd:,.2f} ({proposal.data_label}); "
        f"{plan.method} by {plan.rung}"
    )
    if not plan.lines and not plan.entries:
        return f"{head}\nNothing is held and nothing may be entered: there is nothing to rebalance."
    lines = [head, *_table(plan.lines)]
    lines += [f"{symbol:<8} may be entered, at most {weight:7.2%}" for symbol, weight in plan.entries.items()]
    lines += ["", *_picture(plan.lines)]
    lines.append(
        f"turnover {plan.turnover:.2%} of equity, cost ${plan.cost_usd:,.2f}; "
        f"forecast volatility {plan.volatility_before:.2%} before, {plan.volatility_after:.2%} after"
    )
    return "\n".join([*lines, f"note: {plan.note}"] if plan.note else lines)


def _table(lines: tuple[RebalanceLine, ...]) -> list[str]:
    head = f"{'symbol':<8} {'now':>8} {'at most':>8} {'target':>8} {'shares':>14} {'USD':>12} {'cost':>8}  why"
    return [
        head,
        *(
            f"{one.symbol:<8} {one.current:>8.2%} {one.most:>8.2%} {one.target:>8.2%} {one.quantity:>14f} "
            f"{one.notional_usd:>12,.2f} {one.cost_usd:>8.2f}  {_why(one)}"
            for one in lines
        ),
    ]


def _why(line: RebalanceLine) -> str:
    if not line.quantity:
        return line.reason.text
    return "added to" if float(line.quantity) * line.current > 0.0 else "cut"


def _picture(lines: tuple[RebalanceLine, ...]) -> list[str]:
    """Weights as bars: in full what stays of what is held, light what goes, darker what comes."""
    largest = max((max(abs(one.current), abs(one.target)) for one in lines), default=0.0)
    if not largest:
        return []

    def bar(one: RebalanceLine) -> str:
        held, target = (round(_BAR_WIDTH * abs(weight) / largest) for weight in (one.current, one.target))
        return ("█" * min(held, target) + "░" * (held - target) + "▓" * (target - held)).ljust(_BAR_WIDTH)

    return [*(f"{one.symbol:<8} {bar(one)} {one.current:>7.2%} -> {one.target:.2%}" for one in lines), ""]
