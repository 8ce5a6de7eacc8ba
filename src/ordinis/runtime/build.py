"""Which build this is. Both decide the same; a compiled one is sooner done (see hatch_build.py)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal


def _build() -> Literal["compiled", "interpreted"]:
    """By the kind of file that the loop is in, which is looked for and not loaded: it takes all of NumPy along."""
    loop = find_spec("ordinis.runtime.loop")
    return "interpreted" if loop is None or str(loop.origin).endswith(".py") else "compiled"


BUILD: Literal["compiled", "interpreted"] = _build()
