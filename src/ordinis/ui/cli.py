"""The command line. Everything heavy is imported inside the command that needs it, so that help is instant."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from ordinis.domain.errors import JournalError, OrdinisError
from ordinis.ui.commands import (
    backtest,
    broker,
    data,
    demo,
    doctor,
    journal,
    optimize,
    parity,
    processes,
    rebalance,
    rules,
    run,
    settings,
    strategies,
)
from ordinis.ui.summary import INTERRUPTED

DEFECT = 1
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

cli = typer.Typer(
    name="ordinis",
    help="Trades US equities on an Alpaca account by itself, inside the account's rules, and says why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
cli.command("init")(settings.init)
cli.add_typer(settings.group, name="config")
cli.add_typer(data.group, name="data")
cli.add_typer(strategies.group, name="strategies")
cli.command("backtest")(backtest.backtest)
cli.command("run")(run.run)
cli.command("start")(processes.start)
cli.command("stop")(processes.stop)
cli.command("status")(processes.status)
cli.command("doctor")(doctor.doctor)
cli.command("parity")(parity.parity)
cli.add_typer(broker.group, name="broker")
cli.add_typer(journal.group, name="journal")
cli.command("why")(journal.why)
cli.command("rules")(rules.rules)
cli.command("optimize")(optimize.optimize)
cli.command("rebalance")(rebalance.rebalance)
cli.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from ordinis.runtime.build import BUILD

        typer.echo(f"ordinis {version('ordinis')} ({BUILD})")
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """What holds for every command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; docs/exit-codes.md is the table."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        cli(arguments)
    except OrdinisError as error:
        typer.echo(f"ordinis: {_printable(str(error))}", err=True)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else DEFECT
    except Exception as defect:
        return _failed(defect)
    return 0


def _printable(text: str) -> str:
    """What stood in a file that is none of ours must not steer the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else "?" for one in text)


def _failed(defect: Exception) -> int:
    """A full disk can come up in any write, that of this line among them; all else is a defect of ours."""
    if isinstance(defect, OSError) and defect.errno in NO_ROOM:
        with suppress(OSError):
            typer.echo(f"ordinis: the disk is full ({defect}): free some space, and start again", err=True)
        return JournalError.exit_code
    from ordinis.ui.crash import write_down

    typer.echo(f"ordinis: {write_down(defect)}", err=True)
    return DEFECT
