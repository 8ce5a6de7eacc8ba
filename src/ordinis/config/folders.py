"""Where files live: what the settings say, or this user's own folders. Never the current folder by accident."""

from __future__ import annotations

from pathlib import Path

from ordinis.config.settings import Settings


def store_dir(settings: Settings) -> Path:
    """The bar store's root."""
    return _chosen(settings.data.store_dir, "bars")


def journal_dir(settings: Settings) -> Path:
    """The folder that journals go to when no file is named."""
    return _chosen(settings.journal.dir, "journals")


def _chosen(given: str, name: str) -> Path:
    if given:
        return Path(given).expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("ordinis", appauthor=False) / name
