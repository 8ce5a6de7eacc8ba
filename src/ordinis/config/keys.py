"""The map of all settings: which dotted keys there are, and which field each leads to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ordinis.config.settings import Settings


def field_at(path: Sequence[str | int]) -> FieldInfo | None:
    """The field at the end of a path; None where there is none, as inside a free table.

    In a list of tables the step after the list's name is a place or a name: tiers.small.method.
    """
    model: type[BaseModel] | None = Settings
    field: FieldInfo | None = None
    steps = iter(path)
    for step in steps:
        field = model.model_fields.get(str(step)) if model else None
        if field is None:
            return None
        model = model_in(field.annotation)
        if is_list_of_tables(field):
            next(steps, None)
    return field


def known_keys() -> list[str]:
    """Every section and key, dotted; those of a tier under each default tier's name."""
    return list(_keys_of(Settings, ""))


def _keys_of(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        yield path
        inner = model_in(field.annotation)
        if inner is not None:
            for place in _places(path, field):
                yield from _keys_of(inner, f"{place}.")


def _places(path: str, field: FieldInfo) -> list[str]:
    if not is_list_of_tables(field):
        return [path]
    return [f"{path}.{one.name}" for one in field.get_default(call_default_factory=True)]


def is_list_of_tables(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple and model_in(field.annotation) is not None


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone or in a list."""
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, whatever the capitals, or nothing when nothing is near."""
    spelled = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return f"; did you mean {spelled[near[0]]}?" if near else ""


def unknown_key(path: str) -> str:
    """What is said of a key that no setting has."""
    known = known_keys()
    leaf = path.rsplit(".", 1)[-1]
    moved = [key for key in known if key.rsplit(".", 1)[-1] == leaf]  # The right key in the wrong section.
    return f"there is no setting {path}" + (f"; did you mean {moved[0]}?" if moved else nearest(path, known))
