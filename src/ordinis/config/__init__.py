"""Settings: one frozen value from ordinis.toml, `--set` and nothing else. Secrets come by another door."""

from __future__ import annotations

from ordinis.config.loading import FILE_NAME, load
from ordinis.config.settings import Settings
from ordinis.config.writing import shown, template

__all__ = ["FILE_NAME", "Settings", "load", "shown", "template"]
