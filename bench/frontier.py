"""Draw the efficient frontier of the bundled daily bars, with a portfolio as it is and as it should be.

python bench/frontier.py docs/optimizer-frontier.svg
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from ordinis.data.bundled import bundled_daily
from ordinis.engines.portfolioopt.bars import daily_returns
from ordinis.engines.portfolioopt.frontier import Point, efficient_frontier
from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

FIRST, LAST = date(2008, 1, 2), date(2013, 2, 28)
CURRENT = {"AAPL": 0.10, "GOOG": 0.30, "IBM": 0.10, "MSFT": 0.50}
LIMITS = {"max_weight": 0.6, "min_gross": 1.0, "cost": 0.002}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 480, 70, 40, 86, 92
BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#c4561a", "#2b7a4b", "#5c6470"

Spot = tuple[str, float, float, str]  # Label, volatility, return, colour.


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.write_text(drawn(), encoding="utf-8")


def drawn() -> str:
    """The picture, as SVG."""
    daily, _ = bundled_daily(FIRST, LAST)
    bars = daily_returns(daily)
    symbols = list(bars.symbols)
    table = bars.returns
    target = PortfolioOptimizer(risk_aversion=4.0).optimize(table, LIMITS, CURRENT, symbols=symbols)
    best = PortfolioOptimizer(maximum_sharpe=True).optimize(table, {"max_weight": 0.6}, symbols=symbols)
    frontier = efficient_frontier(table, {"max_weight": 0.6}, symbols=symbols)
    spots = [_spot(symbol, {symbol: 1.0}, table, symbols, GREY) for symbol in target.weights]
    spots.append(_spot("current", CURRENT, table, symbols, ORANGE))
    spots.append(("target", target.expected_volatility, target.expected_return, GREEN))
    spots.append(("highest Sharpe ratio", best.expected_volatility, best.expected_return, BLUE))
    note = (
        f"Data: bokeh-sampledata daily closes, {', '.join(target.weights)}, {daily.dates[0]} to {daily.dates[-1]},"
        f" {len(table)} returns; left out: {', '.join(target.excluded) or 'nobody'}."
    )
    return _picture(
        frontier, spots, [note, "Ledoit-Wolf covariance, shrunk means, at most 60 % a symbol, fully invested."]
    )


def _spot(label: str, weights: dict[str, float], table: object, symbols: list[str], color: str) -> Spot:
    """Where given weights stand: the only ones that their own bounds allow."""
    bounds = {symbol: (weights.get(symbol, 0.0),) * 2 for symbol in symbols}
    result = PortfolioOptimizer(risk_aversion=4.0).optimize(table, {"bounds": bounds}, symbols=symbols)
    return label, result.expected_volatility, result.expected_return, color


def _picture(frontier: tuple[Point, ...], spots: list[Spot], notes: list[str]) -> str:
    across = [one.volatility for one in frontier] + [spot[1] for spot in spots]
    up = [one.expected_return for one in frontier] + [spot[2] for spot in spots]
    low_x, high_x = 0.02 * int(min(across) / 0.02), 0.02 * (int(max(across) / 0.02) + 1)
    low_y, high_y = 0.05 * (int(min(up) / 0.05) - (min(up) < 0.0)), 0.05 * (int(max(up) / 0.05) + 1)

    def x(volatility: float) -> float:
        return LEFT + (volatility - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)

    def y(expected: float) -> float:
        return HEIGHT - BOTTOM - (expected - low_y) / (high_y - low_y) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" role="img">',
        "<title>Efficient frontier with the current and the target portfolio</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 28, "Efficient frontier, current and target portfolio", 17, "#1b1f24"),
        _text(LEFT, 46, "python bench/frontier.py docs/optimizer-frontier.svg", 11, GREY),
    ]
    for step in range(round((high_y - low_y) / 0.05) + 1):
        level = low_y + 0.05 * step
        parts.append(f'<path d="M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(_text(LEFT - 8, y(level) + 4, f"{100 * level:.0f} %", 11, GREY, "end"))
    for step in range(round((high_x - low_x) / 0.02) + 1):
        level = low_x + 0.02 * step
        parts.append(_text(x(level), HEIGHT - BOTTOM + 18, f"{100 * level:.0f} %", 11, GREY, "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, "volatility a year", 12, "#1b1f24", "middle"))
    parts.append(_text(LEFT - 52, TOP - 14, "expected return a year", 12, "#1b1f24"))
    line = " ".join(f"{x(one.volatility):.1f},{y(one.expected_return):.1f}" for one in frontier)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2.5"/>')
    for label, volatility, expected, color in spots:
        parts.append(f'<circle cx="{x(volatility):.1f}" cy="{y(expected):.1f}" r="5" fill="{color}"/>')
        parts.append(_text(x(volatility) + 9, y(expected) + (4 if color == GREY else 15), label, 12, color))
    parts += [_text(LEFT - 52, HEIGHT - 30 + 16 * row, note, 10.5, GREY) for row, note in enumerate(notes)]
    return "\n".join([*parts, "</svg>", ""])


def _text(x: float, y: float, text: str, size: float, color: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{color}" text-anchor="{anchor}">{escape(text)}</text>'
    )


if __name__ == "__main__":
    main()
