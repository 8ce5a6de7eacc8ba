"""`ordinis init` and `ordinis config`: the settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.options import SETTINGS_FILE, ConfigOption, SetOption, read_settings, settings_file

group = typer.Typer(help="What the settings are.", no_args_is_help=True)


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = SETTINGS_FILE,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
) -> None:
    """Write a commented settings file."""
    from ordinis.config import template

    try:
        with file.open("w" if replace else "x", encoding="utf-8") as out:
            out.write(template())
    except FileExistsError as error:
        raise ConfigError(f"{file} is there already; name another file, or replace it with --replace") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error}") from error
    named = "" if file == SETTINGS_FILE else f" --config {file}"
    typer.echo(f"{file} written; `ordinis config show{named}` prints what holds")


@group.command()
def show(config: ConfigOption = None, overrides: SetOption = None) -> None:
    """Print the settings that hold, as TOML. Secrets are hidden."""
    source = settings_file(config)
    from ordinis.config import shown

    text = shown(read_settings(config, overrides))
    typer.echo(f"# {source or 'defaults: there is no settings file'}")
    typer.echo(text, nl=False)


@group.command()
def keys() -> None:
    """Print every key with its default and its reason, as Markdown."""
    from ordinis.config.pages import settings_page

    typer.echo(settings_page(), nl=False)
