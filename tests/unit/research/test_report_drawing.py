"""PNG files of the page's pictures, and what is said where they cannot be made."""

from __future__ import annotations

import builtins
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ordinis.domain.errors import ConfigError
from ordinis.research.report import require_matplotlib, write_report
from ordinis.research.report.drawing import draw
from ordinis.research.report.pictures import pictures

if TYPE_CHECKING:
    from unit.research.conftest import MakeSource, SmallRun

Without = Callable[[str], None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """As if a package were not installed."""
    whole = builtins.__import__

    def hide(package: str) -> None:
        def without_it(name: str, *rest: Any, **more: Any) -> Any:
            if name.partition(".")[0] == package:
                raise ImportError(name)
            return whole(name, *rest, **more)

        monkeypatch.setattr(builtins, "__import__", without_it)

    return hide


def test_without_matplotlib_the_extra_is_named_and_nothing_is_written(
    small_run: SmallRun, tmp_path: Path, without: Without
) -> None:
    without("matplotlib")
    with pytest.raises(ConfigError, match=r"ordinis\[pictures\]"):
        require_matplotlib()
    with pytest.raises(ConfigError, match=r"ordinis\[pictures\]"):
        write_report(small_run.source, tmp_path / "report", png=True)
    assert not (tmp_path / "report").exists()
    assert write_report(small_run.source, tmp_path / "report").pictures == ()


def size_of(path: Path) -> tuple[int, int]:
    """Width and height, from the head of a PNG file."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_every_picture_of_the_page_is_a_file_and_the_same_run_gives_the_same_files(
    small_run: SmallRun, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="PNG pictures need the extra 'pictures'")
    first = write_report(small_run.source, tmp_path / "a", png=True)
    again = write_report(small_run.source, tmp_path / "b", png=True)
    drawn = [one.place for one in pictures(small_run.source) if one.figure is not None]
    assert [path.stem for path in first.pictures] == drawn
    assert {"equity", "months", "sectors", "holding", "slippage"} <= set(drawn)
    for one, other in zip(first.pictures, again.pictures, strict=True):
        assert size_of(one) == (1_200, 600)
        assert one.read_bytes() == other.read_bytes()


def test_a_picture_shows_its_figures_and_its_caption(make_source: MakeSource, tmp_path: Path) -> None:
    """Another course, another command: another picture."""
    pytest.importorskip("matplotlib", reason="PNG pictures need the extra 'pictures'")
    source = make_source()
    (equity, *_) = pictures(source)
    curve = replace(source.curve, equity_usd=source.curve.equity_usd * 0.99)
    (lower, *_) = pictures(replace(source, curve=curve))
    contents = set()
    for number, (picture, caption) in enumerate(
        [(equity, "made by this"), (equity, "made by that"), (lower, "made by this")]
    ):
        path = tmp_path / f"{number}.png"
        draw(picture, caption, path)
        contents.add(path.read_bytes())
    assert len(contents) == 3
