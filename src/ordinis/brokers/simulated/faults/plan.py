"""A plan of faults: read from TOML or JSON, or one fault at a time from a request."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec

from ordinis.brokers.simulated.faults.kinds import Fault
from ordinis.domain.errors import ConfigError

KINDS: dict[str, type[Any]] = {kind.__struct_config__.tag: kind for kind in get_args(Fault)}
_READERS: dict[str, Callable[[bytes], Any]] = {".toml": msgspec.toml.decode, ".json": msgspec.json.decode}
_PLACE = re.compile(r" - at `\$(?P<place>[^`]*)`$")


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to go wrong, and the seed of its chances."""

    seed: int = 0
    fault: tuple[Fault, ...] = ()


def read_plan(path: Path) -> FaultPlan:
    """A plan from a `.toml` or `.json` file. Errors: ConfigError that names the file, the place and the remedy."""
    reader = _READERS.get(path.suffix)
    if reader is None:
        raise ConfigError(f"{path}: a fault plan is a .toml or a .json file")
    try:
        content = reader(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: the fault plan cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"{path}: the fault plan is no {path.suffix[1:].upper()}: {error}") from error
    try:
        plan: FaultPlan = converted(content, FaultPlan)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return plan


def parse_faults(body: bytes) -> list[Fault]:
    """One fault, or a list of them, as JSON. Errors: ConfigError."""
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ConfigError(f"the faults are no JSON: {error}") from error
    faults: list[Fault] = converted(content if isinstance(content, list) else [content], list[Fault])
    return faults


def converted(content: object, kind: Any) -> Any:
    """Checked content. Errors: ConfigError in words."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(_in_words(str(error))) from error


def _in_words(text: str) -> str:
    """What is wrong, where it stands, and for a kind nobody knows those that there are."""
    found = _PLACE.search(text)
    place = found["place"].lstrip(".") if found else ""
    said = text[: found.start()] if found else text
    if "Invalid value" in said and place.endswith("kind"):
        said += f"; there are {', '.join(sorted(KINDS))}"
    elif "missing required field `kind`" in said:
        said += f", one of {', '.join(sorted(KINDS))}"
    return f"{place}: {said}" if place else said
