"""Numbers in a sentence."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 trade`, `2 trades`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
