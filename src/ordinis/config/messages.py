"""What pydantic found, in words that name the key, what it must be, what it was, and a better guess."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import annotated_types as bounds
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ordinis.config.keys import field_at, nearest, unknown_key

_KINDS = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "is_instance_of": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "date_type": "a date like 2026-11-22",
    "dict_type": "a table",
    "model_type": "a section",
    "model_attributes_type": "a section",
}
_BOUNDS = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}


def explain(error: ValidationError, raw: Mapping[str, Any], origin: Callable[[str], str]) -> str:
    """One line a finding. `raw` is what was validated; `origin` says where a dotted key was written."""
    lines = []
    for finding in error.errors(include_url=False):
        path = _dotted(finding["loc"], raw)
        lines.append(f"{origin(path)}: {_sentence(path, finding)}")
    return "\n".join(lines)


def _dotted(loc: Sequence[str | int], raw: Mapping[str, Any]) -> str:
    """Tiers are known by name, not by place."""
    steps = list(loc)
    if len(steps) > 1 and steps[0] == "tiers" and isinstance(steps[1], int):
        tier = raw["tiers"][steps[1]]
        steps[1] = str(tier.get("name", steps[1])) if isinstance(tier, dict) else steps[1]
    return ".".join(map(str, steps))


def _sentence(path: str, finding: ErrorDetails) -> str:
    kind, value = finding["type"], finding["input"]
    if kind == "extra_forbidden":
        return unknown_key(path)
    if kind == "missing":
        return f"{path} is missing; a tier names all of its keys"
    if kind == "value_error":
        return f"{path + ': ' if path else ''}{finding['ctx']['error']}"
    return f"{path} must be {_expected(finding)}, was {shown(value)}{_better(finding)}"


def _expected(finding: ErrorDetails) -> str:
    kind = finding["type"]
    if kind in _BOUNDS:
        return _interval(finding)
    if kind == "literal_error":
        return f"one of {', '.join(map(shown, _choices(finding)))}"
    if kind == "too_short":
        return "a list of at least one"
    if kind == "string_pattern_mismatch":
        return f"text of the form {finding['ctx']['pattern']}"
    return _KINDS.get(kind) or finding["msg"].removeprefix("Input should be ")


def _interval(finding: ErrorDetails) -> str:
    limits = _limits(finding)
    if "lt" not in limits and "le" not in limits:
        return f"above {limits['gt']}" if "gt" in limits else f"at least {limits['ge']}"
    low = f"[{limits['ge']}" if "ge" in limits else f"({limits['gt']}" if "gt" in limits else "(-inf"
    high = f"{limits['le']}]" if "le" in limits else f"{limits['lt']})"
    return f"in {low}, {high}"


def _limits(finding: ErrorDetails) -> dict[str, Any]:
    """Both ends of what the field allows; inside a free table only the end that was broken is known."""
    field = field_at(finding["loc"])
    if field is None:
        name = _BOUNDS[finding["type"]]
        return {name: finding["ctx"][name]}
    kinds = {bounds.Gt: "gt", bounds.Ge: "ge", bounds.Lt: "lt", bounds.Le: "le"}
    return {name: getattr(one, name) for one in field.metadata for kind, name in kinds.items() if type(one) is kind}


def _choices(finding: ErrorDetails) -> tuple[Any, ...]:
    field = field_at(finding["loc"])
    return get_args(field.annotation) if field else ()


def _better(finding: ErrorDetails) -> str:
    """A percentage where a fraction belongs, or a word that is nearly right."""
    kind, value = finding["type"], finding["input"]
    if kind == "literal_error" and isinstance(value, str):
        return nearest(value, map(str, _choices(finding)))
    limits = _limits(finding) if kind in _BOUNDS else {}
    top = limits.get("le", limits.get("lt"))
    if top == 1 and 1 < value <= 100:
        return f"; did you mean {float(value) / 100:g}?"
    return ""


def shown(value: Any) -> str:
    """A value as the file would say it."""
    return json.dumps(value, default=str)
