"""A defect of ours: the traceback goes into a file, one line goes to the person."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path


def write_down(defect: Exception, folder: Path | None = None) -> str:
    """Write the traceback into the user's log folder; the line to show, which names the file."""
    name = f"{type(defect).__name__}: {defect}".splitlines()[0]
    text = "".join(traceback.format_exception(defect))
    try:
        path = _new_file(folder or _log_folder())
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"this is a defect ({name}), and its traceback could not be written ({error}):\n{text}"
    return f"this is a defect ({name}); the traceback is in {path}: please report it"


def _log_folder() -> Path:
    from platformdirs import user_log_path

    return user_log_path("ordinis", appauthor=False)


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    numbers = (f"{stem}-{number}.txt" for number in range(1, 1000))
    return next(folder / one for one in (f"{stem}.txt", *numbers) if not (folder / one).exists())
