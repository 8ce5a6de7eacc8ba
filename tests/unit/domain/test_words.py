"""Numbers in a sentence."""

from __future__ import annotations

import pytest

from ordinis.domain.words import counted


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 day trades"), (1, "1 day trade"), (2, "2 day trades"), (1234, "1,234 day trades")]
)
def test_one_is_no_plural(count: int, said: str) -> None:
    assert counted(count, "day trade") == said
