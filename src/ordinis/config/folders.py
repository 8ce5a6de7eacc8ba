"""Where files live: what the settings say, or this user's own folders. Never the current folder by accident."""

from __future__ import annotations

from pathlib import Path

from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError


def store_dir(settings: Settings) -> Path:
    """The bar store's root."""
    return _chosen(settings.data.store_dir, "bars")


def journal_dir(settings: Settings) -> Path:
    """The folder that journals go to when no file is named."""
    return _chosen(settings.journal.dir, "journals")


def state_dir(settings: Settings) -> Path:
    """Where a running trader says that it runs: its lock, its process, its log."""
    return _chosen(settings.run.state_dir, "state", state=True)


def make_state_dir(settings: Settings, account: str = "") -> Path:
    """That folder, or the one in it of an account. Errors: ConfigError."""
    folder = state_dir(settings) / account
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"run.state_dir: {folder} cannot be made ({error}); name a folder you may write in"
        ) from error
    return folder


def _chosen(given: str, name: str, *, state: bool = False) -> Path:
    if given:
        return Path(given).expanduser().resolve()
    from platformdirs import user_data_path, user_state_path

    folder = user_state_path if state else user_data_path
    return folder("ordinis", appauthor=False) / name
