"""`ordinis broker serve`: what it is told."""

from __future__ import annotations

import math

import pytest
import typer

from ordinis.ui.commands.broker import STEP, parse_speed


@pytest.mark.parametrize(
    ("text", "speed"), [("1x", 1.0), ("600x", 600.0), ("60", 60.0), ("0.5x", 0.5), ("max", math.inf), ("step", STEP)]
)
def test_a_speed_is_a_multiple_of_real_time_or_a_word(text: str, speed: float) -> None:
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["", "fast", "x", "0x", "0", "-1x", "nanx", "infx", "1e999"])
def test_another_speed_is_refused_in_words(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a speed; write a multiple of real time such as 60x"):
        parse_speed(text)
