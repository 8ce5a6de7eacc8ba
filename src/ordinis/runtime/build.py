"""Which build this is. Both decide the same; a compiled one is sooner done (see hatch_build.py)."""

from __future__ import annotations

from typing import Literal

from ordinis.runtime import loop

BUILD: Literal["compiled", "interpreted"] = "interpreted" if (loop.__file__ or "").endswith(".py") else "compiled"
