"""Settings from a TOML file and from `--set section.key=value`, checked as a whole."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from ordinis.config.keys import field_at, nearest
from ordinis.config.messages import explain
from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError

FILE_NAME = "ordinis.toml"
_PATHS = (
    ("data", "store_dir"),
    ("data", "actions_file"),
    ("journal", "dir"),
    ("run", "state_dir"),
    ("broker", "key_file"),
    ("risk", "sector_file"),
)
SECRET_WORDS = ("secret", "api_key", "key_id", "password", "token")


def load(path: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """The defaults, then the file's keys, then each override `section.key=value` in order.

    Files and folders in the file are relative to the file, so that a run does not depend on where it was started.

    Raises:
        ConfigError: what, where, what was expected; all findings at once.
    """
    raw = _read(path) if path else {}
    if path:
        _anchor_paths(raw, path.resolve().parent)
    overridden = [_override(raw, text) for text in overrides]
    source = str(path) if path else "settings"

    def origin(key: str) -> str:
        near = (one for one in overridden if _is_inside(one, key) or _is_inside(key, one))
        return next(("--set" if one == key else f"--set {one}" for one in near), source)

    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(explain(error, raw, origin)) from error


def _is_inside(key: str, table: str) -> bool:
    return bool(table) and f"{key}.".startswith(f"{table}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Some editors begin a file with a mark.
    except FileNotFoundError as error:
        raise ConfigError(f"there is no settings file {path}; `ordinis init` writes one") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    _refuse_secrets(raw, path)
    return raw


def _refuse_secrets(table: dict[str, Any], path: Path, prefix: str = "") -> None:
    """A key in a settings file ends up in a repository or a bug report."""
    for key, value in table.items():
        if any(word in key.lower() for word in SECRET_WORDS):
            raise ConfigError(
                f"{path}: {prefix}{key} looks like a secret; secrets come from APCA_API_KEY_ID and "
                "APCA_API_SECRET_KEY, or from the file that broker.key_file names"
            )
        if isinstance(value, dict):
            _refuse_secrets(value, path, f"{prefix}{key}.")


def _anchor_paths(raw: dict[str, Any], base: Path) -> None:
    for section, key in _PATHS:
        table = raw.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str) and table[key]:
            table[key] = str(base / Path(table[key]).expanduser())
    strategies = raw.get("strategies")
    if isinstance(strategies, dict) and isinstance(strategies.get("files"), list):
        strategies["files"] = [
            str(base / Path(one).expanduser()) if isinstance(one, str) else one for one in strategies["files"]
        ]


def _override(raw: dict[str, Any], text: str) -> str:
    """Write one override into the raw tables; returns its key."""
    key, equals, value = text.partition("=")
    key = key.strip()
    steps = key.split(".")
    if not equals or len(steps) < 2:
        raise ConfigError(f"--set {text}: expected section.key=value, for example risk.cash_buffer_fraction=0.1")
    table = _table_for(raw, steps, text)
    table[steps[-1]] = _value(steps, value.strip())
    return key


def _table_for(raw: dict[str, Any], steps: list[str], text: str) -> dict[str, Any]:
    if steps[0] == "tiers":
        return _tier(raw, steps, text)
    table = raw
    for step in steps[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {text}: {step} holds a value, not keys")
        table = inner
    return table


def _tier(raw: dict[str, Any], steps: list[str], text: str) -> dict[str, Any]:
    """Tiers are a list, but each has a name, and people think of it by that."""
    tiers = raw.setdefault("tiers", [one.model_dump() for one in Settings().tiers])
    by_name = {str(one.get("name")): one for one in tiers if isinstance(one, dict)} if isinstance(tiers, list) else {}
    if len(steps) != 3:
        raise ConfigError(f"--set {text}: expected tiers.NAME.key=value, for example tiers.small.method=FIXED_PERCENT")
    if steps[1] not in by_name:
        raise ConfigError(
            f"--set {text}: there is no tier {steps[1]}, only {', '.join(by_name)}{nearest(steps[1], by_name)}"
        )
    return by_name[steps[1]]


def _value(steps: list[str], text: str) -> Any:
    """Typed by the key it is for: words need no quotes, lists are written a,b,c; otherwise as in TOML."""
    field = field_at(steps)
    annotation = field.annotation if field else None
    if annotation is str:
        return text
    if get_origin(annotation) is tuple and str in get_args(annotation):
        if text.startswith("[") != text.endswith("]"):
            return text  # Half a list, as a shell leaves of one without quotes.
        return [one.strip() for one in text.strip("[]").replace('"', "").split(",") if one.strip()]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
