"""HTML from plain text. Everything that comes in is escaped; only this file writes tags around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. Numbers stand right-aligned, results below zero in the colour of a loss."""

    title: str
    number: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    """Rows of text under a head. Wide tables scroll in a box of their own."""
    head = "".join(_cell("th", column.title, column, ' scope="col"') for column in columns)
    body = "\n".join(
        "<tr>" + "".join(_cell("td", text, column) for text, column in zip(row, columns, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll {kind}"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def figures(rows: Iterable[tuple[str, str]]) -> str:
    """A name and its figure a line."""
    lines = "\n".join(
        f'<tr><th scope="row">{escape(name)}</th>{_cell("td", text, Column(name, number=True))}</tr>'
        for name, text in rows
    )
    return f'<table class="figures"><tbody>{lines}</tbody></table>'


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def bullets(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def folded(title: str, text: str) -> str:
    """Long plain text, shown when asked for."""
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def picture(place: str, title: str, legend: Sequence[tuple[str, str]], caption: str, command: str) -> str:
    """A place for a drawing, its legend as (colour, words) above it, a caption and what made it under it."""
    keys = "".join(f'<span class="key {color}">{escape(words)}</span>' for color, words in legend)
    above = f'<p class="legend">{keys}</p>' if keys else ""
    return (
        f"<figure><h3>{escape(title)}</h3>{above}"
        f'<div class="plot" id="plot-{place}"></div>'
        f"<figcaption>{escape(caption)} <code>{escape(command)}</code></figcaption></figure>"
    )


def missing(title: str, why: str) -> str:
    """In the place of a picture that cannot be drawn."""
    return f"<h3>{escape(title)}</h3>{paragraph(f'Not drawn. {why}')}"


def _cell(tag: str, text: str, column: Column, more: str = "") -> str:
    kinds = ["number"] if column.number else []
    kinds += ["negative"] if column.number and text.startswith(MINUS) else []
    return f"<{tag}{more}{_kind(kinds)}>{escape(text)}</{tag}>"


def _kind(kinds: Sequence[str]) -> str:
    return f' class="{" ".join(kinds)}"' if kinds else ""
