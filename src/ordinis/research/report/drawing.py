"""The pictures as PNG files: the same values that the page draws, drawn by matplotlib."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from ordinis.domain.errors import ConfigError
from ordinis.research.report.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE_INCHES = (10.0, 5.0)
_DOTS_AN_INCH = 120
_CAPTION_COLUMNS = 150
_FAINT = 0.14  # As the page fills.
_CELL = 0.46


def require_matplotlib() -> None:
    """Before a long run: the error that the pictures would otherwise end it with. Errors: ConfigError."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "PNG pictures need matplotlib, which is not installed: pip install 'ordinis[pictures]', or leave --png out"
        ) from error


def draw(picture: Picture, caption: str, path: Path) -> None:
    """Write one picture with its title, legend and caption. Errors: ConfigError without matplotlib, OSError."""
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert picture.figure is not None
    colors = _colors()
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_AN_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(picture.title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    _DRAW[picture.figure["data"][0]["type"]](axes, picture, colors)
    figure.supxlabel("\n".join(wrap(caption, _CAPTION_COLUMNS)), fontsize=7, color=colors["faint"], x=0.01, ha="left")
    figure.savefig(path, metadata={"Software": None})  # The same run gives the same file.


def _lines(axes: Axes, picture: Picture, colors: Mapping[str, str]) -> None:
    traces, layout = _parts(picture)
    names = dict(picture.legend)
    stacked = [trace for trace in traces if "stackgroup" in trace]
    if stacked:
        axes.stackplot(
            stacked[0]["x"],
            [trace["y"] for trace in stacked],
            colors=[colors[trace["line"]["color"]] for trace in stacked],
            labels=[names[trace["line"]["color"]] for trace in stacked],
        )
    for trace in traces[len(stacked) :]:
        color, style = colors[trace["line"]["color"]], ":" if "dash" in trace["line"] else "-"
        y = [float("nan") if value is None else value for value in trace["y"]]
        step = "steps-pre" if trace["line"].get("shape") == "vh" else "default"
        label = names.get(trace["line"]["color"])
        axes.plot(trace["x"], y, color=color, linestyle=style, linewidth=1.2, drawstyle=step, label=label)
        if trace.get("fill"):
            axes.fill_between(trace["x"], y, color=color, alpha=_FAINT)
    axis = layout["xaxis"]
    axes.set_xlim(axis["range"])
    axes.set_xticks(axis["tickvals"], [name.replace("<br>", "\n") for name in axis["ticktext"]])
    _finish(axes, picture, colors)


def _bars(axes: Axes, picture: Picture, colors: Mapping[str, str]) -> None:
    traces, layout = _parts(picture)
    names = dict(picture.legend)
    stacked = layout["barmode"] == "stack"
    width = 0.7 if stacked else 0.7 / len(traces)
    floor = [0.0] * len(traces[0]["x"])
    for number, trace in enumerate(traces):
        heights = [value or 0.0 for value in trace["y"]]
        places = [one + (0.0 if stacked else (number - (len(traces) - 1) / 2) * width) for one in range(len(heights))]
        color = trace["marker"]["color"]
        axes.bar(places, heights, width, bottom=floor, color=colors[color], label=names.get(color))
        if stacked:
            floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set_xticks(range(len(floor)), traces[0]["x"], fontsize=8)
    axes.axhline(0.0, color=colors["rule"], linewidth=0.8)
    _finish(axes, picture, colors)


def _cells(axes: Axes, picture: Picture, colors: Mapping[str, str]) -> None:
    """A heat map: white at zero, the colour of a loss below it."""
    from matplotlib.patches import Rectangle

    (trace,), _ = _parts(picture)
    for row, values in enumerate(trace["z"]):
        for column, value in enumerate(values):
            if value is not None:
                color = colors["equity" if value >= 0 else "loss"]
                cell = Rectangle(
                    (column - _CELL, row - _CELL), 2 * _CELL, 2 * _CELL, color=color, alpha=abs(value) / trace["zmax"]
                )
                axes.add_patch(cell)
                axes.text(column, row, trace["text"][row][column], ha="center", va="center", fontsize=8)
    axes.set_xlim(-0.5, len(trace["x"]) - 0.5)
    axes.set_ylim(len(trace["y"]) - 0.5, -0.5)
    axes.set_xticks(range(len(trace["x"])), trace["x"])
    axes.set_yticks(range(len(trace["y"])), trace["y"])


_DRAW = {"scatter": _lines, "bar": _bars, "heatmap": _cells}


def _finish(axes: Axes, picture: Picture, colors: Mapping[str, str]) -> None:
    _, layout = _parts(picture)
    prefix, suffix = layout["yaxis"].get("tickprefix", ""), layout["yaxis"].get("ticksuffix", "")
    axes.yaxis.set_major_formatter(lambda value, _: f"{prefix}{value:,.10g}{suffix}")
    axes.grid(axis="y", color=colors["rule"], linewidth=0.6)
    axes.set_axisbelow(True)
    if picture.legend:
        axes.legend(loc="upper left", fontsize=7, frameon=False, ncols=5)


def _parts(picture: Picture) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    assert picture.figure is not None
    return picture.figure["data"], picture.figure["layout"]


def _colors() -> dict[str, str]:
    """The page's own, of its light dress, by name."""
    style = (files("ordinis.research.report") / "page.css").read_text(encoding="utf-8")
    light = style[: style.index("}")]
    return dict(re.findall(r"--([\w-]+): (#\w+);", light))
