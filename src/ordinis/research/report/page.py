"""The page: one HTML file with its style, its pictures and the library that draws them inside."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files

from ordinis.research.report import markup, parts, tallies, words
from ordinis.research.report.pictures import pictures
from ordinis.research.report.source import ReportSource

# A browser that reads this fetches nothing, whatever the page says further down.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def page(source: ReportSource, plotly: str) -> str:
    """The whole document. `plotly` is the library's own script."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title(source))}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<main>
{_header(source)}
{_body(source)}
</main>
<script type="application/json" id="figures">{_inside_a_script(source)}</script>
<script>{plotly}</script>
<script>
{_asset("page.js")}</script>
</body>
</html>
"""


def title(source: ReportSource) -> str:
    partial = "PARTIAL " if source.result.partial else ""
    return f"{partial}backtest of {source.result.data}, {words.bars_kind(source)}"


def _header(source: ReportSource) -> str:
    partial = '<span class="mark warning">PARTIAL</span>' if source.result.partial else ""
    kind = "warning" if source.result.synthetic else "plain"
    return (
        f'<header><p class="marks"><span class="mark {kind}">{escape(words.bars_kind(source))}</span>{partial}</p>'
        f"<h1>Backtest of {escape(source.result.data)}</h1>"
        f'<p class="origin">{escape(words.bars_label(source))}. {escape(parts.span(source))}</p>'
        f'<div class="caveats">{markup.bullets(words.caveats(source))}</div></header>'
    )


def _body(source: ReportSource) -> str:
    sections = (
        parts.headline,
        parts.pictures,
        parts.account,
        parts.trades,
        tallies.holding_times,
        parts.still_open,
        parts.refusals,
        parts.sizes,
        parts.costs,
        tallies.slippage,
        parts.assumptions,
        parts.notes,
        parts.origin,
    )
    return "\n".join(part(source) for part in sections)


def _inside_a_script(source: ReportSource) -> str:
    """No text in it can end the script: a `<` is written as JSON's own escape."""
    drawn = {one.place: one.figure for one in pictures(source) if one.figure is not None}
    return json.dumps(drawn, separators=(",", ":")).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return (files("ordinis.research.report") / name).read_text(encoding="utf-8")
