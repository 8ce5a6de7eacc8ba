"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ordinis.config import Settings

SETTINGS_FILE = Path("ordinis.toml")


def parse_day(text: str) -> date:
    """A date; anything else is a wrong use of the command."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is not a day; write it as 2025-01-15") from None


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file; default: ./ordinis.toml if there is one."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting, for example account.cash_usd=50000; repeatable."),
]
DataOption = Annotated[
    str, typer.Option("--data", metavar="NAME|FILE", help="A data set of the store, or a file of bars.")
]
FirstOption = Annotated[
    date | None,
    typer.Option("--from", metavar="YYYY-MM-DD", parser=parse_day, help="First session; default: the data's."),
]
LastOption = Annotated[
    date | None,
    typer.Option("--to", metavar="YYYY-MM-DD", parser=parse_day, help="Last session; default: the data's."),
]
JournalOption = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", help="Where the run's journal goes; default: a new one.")
]
JsonOption = Annotated[Path | None, typer.Option("--json", metavar="OUT", help="Write the result as JSON, too.")]


def read_settings(config: Path | None, overrides: list[str] | None) -> Settings:
    """Raises ConfigError. The file in the current folder counts only where none was named."""
    from ordinis.config import load

    return load(settings_file(config), overrides or [])


def settings_file(config: Path | None) -> Path | None:
    """The file that will be read, or None: then the defaults hold."""
    if config is None and SETTINGS_FILE.is_file():
        return SETTINGS_FILE
    return config
