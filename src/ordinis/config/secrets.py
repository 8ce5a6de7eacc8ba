"""API keys: from the environment, or from a file only its owner can read. Never in settings, logs or journals."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError

KEY_ID = "APCA_API_KEY_ID"
SECRET_KEY = "APCA_API_SECRET_KEY"


class Credentials(BaseModel):
    """Both keys. Printing them shows asterisks; `.get_secret_value()` is called at the wire only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_id: SecretStr
    secret_key: SecretStr


def credentials(settings: Settings, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The environment's keys first, then the key file's.

    Raises:
        ConfigError: no keys anywhere, only one of the two, or a key file that others can read.
    """
    found = {name: environment.get(name, "") for name in (KEY_ID, SECRET_KEY)}
    if all(found.values()):
        return Credentials(key_id=SecretStr(found[KEY_ID]), secret_key=SecretStr(found[SECRET_KEY]))
    if any(found.values()):
        missing = next(name for name, value in found.items() if not value)
        raise ConfigError(f"{missing} is not set, though the other key is; set both")
    if settings.broker.key_file:
        return _from_file(Path(settings.broker.key_file))
    raise ConfigError(f"no API keys: set {KEY_ID} and {SECRET_KEY}, or name a file in broker.key_file")


def _from_file(path: Path) -> Credentials:
    try:
        readable_by_others = path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        if readable_by_others:
            raise ConfigError(f"{path} can be read by others; `chmod 600 {path}`")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Credentials.model_validate(
            {name.lower().removeprefix("apca_api_"): table[name] for name in (KEY_ID, SECRET_KEY)}
        )
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"broker.key_file: {path} cannot be read: {error}") from error
    except (tomllib.TOMLDecodeError, KeyError, ValidationError):
        # Not chained: the original would quote the file's lines.
        raise ConfigError(f'{path} must hold two lines: {KEY_ID} = "..." and {SECRET_KEY} = "..."') from None


def shown(environment: Mapping[str, str] = os.environ) -> str:
    """Whether keys are there, as comments: never what they are."""
    lines = [f"# {name}: {'set, hidden' if environment.get(name) else 'not set'}" for name in (KEY_ID, SECRET_KEY)]
    return "\n".join(lines) + "\n"
