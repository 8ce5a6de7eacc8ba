"""Settings written down: the file of `ordinis init`, `config show`, and docs/settings.md."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ordinis.config import secrets
from ordinis.config.keys import is_list_of_tables, model_in
from ordinis.config.settings import Settings

_HEAD = """\
# Settings of Ordinis. Every key is here with its default; delete a line to keep the default.
# `ordinis config show` prints what holds; any key can be overridden: --set risk.cash_buffer_fraction=0.2
# Files and folders are relative to this file. API keys do not belong here: they come from the environment
# (APCA_API_KEY_ID, APCA_API_SECRET_KEY) or from a file of mode 0600 named in broker.key_file.
"""


def template() -> str:
    """The commented file that `ordinis init` writes: loading it gives the defaults."""
    return _HEAD + "".join(_tables(Settings(), comments=True))


def as_toml(settings: Settings) -> str:
    """All settings, without comments: loading it gives the same settings."""
    return "".join(_tables(settings, comments=False)).lstrip("\n")


def shown(settings: Settings) -> str:
    """The settings as a TOML file would say them, and whether keys are set, never what they are."""
    return f"{as_toml(settings)}\n{secrets.shown()}"


def _tables(settings: Settings, *, comments: bool) -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if is_list_of_tables(field):
            for place, one in enumerate(value):
                yield from _table(f"[[{name}]]", one, comments=comments and place == 0)
        else:
            yield from _section(name, value, comments=comments)


def _section(path: str, section: BaseModel, *, comments: bool) -> Iterator[str]:
    yield from _table(f"[{path}]", section, comments=comments)
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if model_in(field.annotation):
            yield from _section(f"{path}.{name}", value, comments=comments)
        elif isinstance(value, dict):
            yield from _free_table(f"{path}.{name}", value, field, comments=comments)


def _table(head: str, section: BaseModel, *, comments: bool) -> Iterator[str]:
    yield "\n"
    if comments:
        yield _comment(summary(type(section)))
    yield f"{head}\n"
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel | dict):
            continue  # Tables of their own, after this one's keys.
        if comments:
            yield _comment(meaning(field))
        yield f"{name} = {toml_value(value)}\n"


def _free_table(path: str, table: dict[str, Any], field: FieldInfo, *, comments: bool) -> Iterator[str]:
    nested = {name: value for name, value in table.items() if isinstance(value, dict)}
    plain = {name: value for name, value in table.items() if name not in nested}
    if comments or plain:
        yield "\n"
        yield _comment(meaning(field)) if comments else ""
        yield f"[{path}]\n"
        yield from (f"{_key(name)} = {toml_value(value)}\n" for name, value in plain.items())
    for name, value in nested.items():
        yield from _free_table(f"{path}.{_key(name)}", value, field, comments=False)


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 110))


def summary(model: type[BaseModel]) -> str:
    """The first paragraph of a section's docstring."""
    return (model.__doc__ or "").split("\n\n")[0].strip()


def meaning(field: FieldInfo) -> str:
    """A key's description, with the words it can take."""
    words = get_args(field.annotation)
    is_choice = words and all(isinstance(word, str | int) for word in words)
    choices = f" One of {', '.join(map(str, words))}." if is_choice else ""
    return f"{field.description}{choices}"


def toml_value(value: Any) -> str:
    """A plain value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float | date):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {toml_value(one)}' for key, one in value.items())} }}"
    return _quoted(str(value))


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(letter):04x}" if ord(letter) < 32 or letter in '"\\' or ord(letter) == 127 else letter
        for letter in text
    )
    return f'"{escaped}"'


def _key(name: str) -> str:
    is_bare = name and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name)
    return name if is_bare else _quoted(name)
