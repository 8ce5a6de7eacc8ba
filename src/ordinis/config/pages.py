"""The settings page of the documentation, made from the models: `ordinis config keys > docs/settings.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ordinis.config.keys import is_list_of_tables, model_in
from ordinis.config.settings import Settings
from ordinis.config.writing import meaning, summary, toml_value

_HEAD = """\
# Settings

Made from the models by `ordinis config keys`; do not edit.

`ordinis init` writes all of this as a commented `ordinis.toml`. Any key can be given on the command line
instead: `--set risk.cash_buffer_fraction=0.2`, `--set strategies.enabled=atr_rsi,ema_trend`, and for a tier by its
name: `--set tiers.small.method=FIXED_PERCENT`. What holds in the end is what `ordinis config show` prints.
Fractions are written as fractions (0.1 is ten percent), files and folders are relative to the settings file, and API
keys do not belong here: they come from `APCA_API_KEY_ID` and `APCA_API_SECRET_KEY`, or from a file of mode 0600.
"""


def settings_page() -> str:
    """Markdown: a table a section, a row a key."""
    settings = Settings()
    return _HEAD + "".join(
        line for name, field in Settings.model_fields.items() for line in _section(name, field, getattr(settings, name))
    )


def _section(path: str, field: FieldInfo, value: Any) -> Iterator[str]:
    model = model_in(field.annotation)
    if model is None:
        return
    yield f"\n## {path}\n\n{summary(model)}\n\n"
    if is_list_of_tables(field):
        yield from _table(path, model, list(value), [f"`{one.name}`" for one in value])
    else:
        yield from _table(path, model, [value], ["default"])
    for name, inner in model.model_fields.items():
        if not is_list_of_tables(field):
            yield from _section(f"{path}.{name}", inner, getattr(value, name))


def _table(path: str, model: type[BaseModel], values: list[BaseModel], heads: list[str]) -> Iterator[str]:
    columns = ["key", *heads, "what and why"]
    yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    for name, field in model.model_fields.items():
        if model_in(field.annotation):
            continue
        shown = [f"`{toml_value(getattr(one, name))}`" for one in values]
        yield f"| `{name}` | {' | '.join(shown)} | {meaning(field)} |\n"
