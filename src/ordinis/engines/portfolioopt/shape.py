"""Constraints of symbols become a Program of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt.caps import Cap
from ordinis.engines.portfolioopt.constraints import DIGITS, Constraints, conflict
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.limits import Limits, Room
from ordinis.engines.portfolioopt.program import INFINITE, Program

_ROUNDING = 1e-13


class Shape(NamedTuple):
    """What the constraints say of some symbols, whatever is held: the same from hour to hour."""

    low: FloatArray  # [symbols].
    high: FloatArray
    rows: FloatArray  # [limits x symbols].
    row_low: FloatArray
    row_high: FloatArray
    names: tuple[str, ...]
    of_frozen: FloatArray  # [limits x frozen symbols].
    cost: FloatArray | None  # [symbols].
    impact: FloatArray | None
    low_total: float
    high_total: float
    crossed: float  # The most by which a low bound is above its high one; below 0: nowhere.
    shorts: bool  # Whether any weight may be negative.


def shape_of(given: Constraints, symbols: Sequence[str], frozen: Sequence[str], least: float, most: float) -> Shape:
    """Bounds and linear limits of the symbols, and what a unit of each frozen one uses up. Error: ConfigError."""
    everybody = [*symbols, *frozen]
    limits = [(name, np.ones(len(everybody)), low, high) for name, low, high in _invested(given, least, most)]
    limits += _groups(given, everybody, len(symbols))
    if given.beta is not None:
        missing = [symbol for symbol in symbols if symbol not in given.betas]
        if missing:
            raise ConfigError(f"constraints: beta needs a figure of {', '.join(missing[:5])}, too")
        limits.append(("beta", np.array([given.betas.get(symbol, 1.0) for symbol in everybody]), *given.beta))
    low, high = _bounds(given, symbols)
    matrix = np.array([row for _, row, _, _ in limits])
    return Shape(
        low=low,
        high=high,
        rows=np.ascontiguousarray(matrix[:, : len(symbols)]),
        row_low=np.array([one[2] for one in limits]),
        row_high=np.array([one[3] for one in limits]),
        names=tuple(name for name, _, _, _ in limits),
        of_frozen=matrix[:, len(symbols) :],
        cost=_of_each(given.cost, symbols, 0.0) if _any(given.cost) else None,
        impact=_of_each(given.impact, symbols, 0.0) if _any(given.impact) else None,
        low_total=float(low.sum()),
        high_total=float(high.sum()),
        crossed=float((low - high).max()),
        shorts=given.shorts,
    )


def limits_of(
    given: Constraints, shape: Shape, room: Room, form: Form, cost_a_year: float, watch: Callable[[], None] | None
) -> Limits:
    """The limits on what is optimised, less what is frozen. Errors: ConfigError, OptimizationError."""
    low, high, row_low, row_high = shape.low, shape.high, shape.row_low, shape.row_high
    start, fixed, shorts = _current(room), None, shape.shorts
    if given.frozen:
        low, high, fixed = _fixed(given, room, low, high, start)
        shorts = shorts or bool((low < 0.0).any())
    gross = given.budget
    if room.frozen:
        held = np.array(list(room.frozen.values()))
        used = shape.of_frozen @ held
        row_low, row_high, gross = row_low - used, row_high - used, gross - float(np.abs(held).sum())
        shorts = shorts or bool((held < 0.0).any())
    if shorts and _all_of(gross, float(row_low[0]), float(row_high[0])) and bool((high >= 0.0).all()):
        low, shorts = np.maximum(low, 0.0), False  # Whoever has to invest all of gross has none of it left for a short.
    if start is None and (shape.cost is not None or shape.impact is not None):
        start = np.zeros(low.size)
    if given.max_turnover is not None and start is None:
        raise ConfigError("constraints: max_turnover needs current_weights")
    program = Program(
        low=low,
        high=high,
        rows=shape.rows,
        row_low=row_low,
        row_high=row_high,
        names=shape.names,
        start=start,
        cost=None if shape.cost is None else shape.cost * cost_a_year,
        turnover_max=INFINITE if given.max_turnover is None else given.max_turnover,
        gross_max=gross if shorts else INFINITE,
        watch=watch,
    )
    return Limits(
        program=program,
        caps=_caps(given, room, form),
        impact=None if shape.impact is None else shape.impact * cost_a_year,
        positions_max=None if given.max_positions is None else given.max_positions - len(room.frozen),
        position_min=given.min_position,
        fixed=fixed,
    )


def _invested(given: Constraints, least: float, most: float) -> list[tuple[str, float, float]]:
    """Limits on the sum of all weights. A `net` of its own may leave cash, but never takes more than the budget."""
    if given.net is None:
        return [("budget", least, most)]
    net = ("net", *given.net)
    if given.min_gross <= given.net[0] and (given.shorts or given.net[1] <= most):
        return [net]
    return [("budget", given.min_gross or -INFINITE, most), net]


def _all_of(gross: float, least: float, most: float) -> bool:
    """Whether the sum of all weights has to be gross, but for rounding."""
    return abs(least - gross) <= _ROUNDING and abs(most - gross) <= _ROUNDING


def _groups(given: Constraints, everybody: Sequence[str], count: int) -> list[tuple[str, FloatArray, float, float]]:
    """The sum of each sector and cluster; with shorts its size, too."""
    limits = []
    for kind, limit, groups in (
        ("sector", given.max_sector, given.sectors),
        ("cluster", given.max_cluster, given.clusters),
    ):
        if limit is None:
            continue
        belongs = np.array([groups.get(symbol, "") for symbol in everybody])
        for group in sorted(set(groups.values())):
            most = limit.get(group, INFINITE) if isinstance(limit, dict) else limit
            members = (belongs == group).astype(np.float64)
            if most < INFINITE and members[:count].any():
                limits.append((f"{kind} {group}", members, -most if given.shorts else -INFINITE, most))
    return limits


def _bounds(given: Constraints, symbols: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    high = _of_each(given.max_weight, symbols, 1.0)
    low = _of_each(given.min_weight, symbols, 0.0)
    if not given.long_only and given.min_weight == 0.0:
        low = -high
    for column, symbol in enumerate(symbols) if given.bounds else ():
        if symbol in given.bounds:
            low[column], high[column] = given.bounds[symbol]
    return low, high


def _fixed(
    given: Constraints, room: Room, low: FloatArray, high: FloatArray, start: FloatArray | None
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """What may not be traded stays where it is, past its bounds, too."""
    if start is None:
        raise ConfigError("constraints: frozen needs current_weights")
    fixed = np.array([symbol in given.frozen for symbol in room.symbols])
    return np.where(fixed, start, low), np.where(fixed, start, high), fixed


def _current(room: Room) -> FloatArray | None:
    if room.current is None:
        return None
    of = room.current.get
    return np.array([of(symbol, 0.0) for symbol in room.symbols], dtype=np.float64)


def _caps(given: Constraints, room: Room, form: Form) -> tuple[Cap, ...]:
    caps = []
    if given.max_volatility is not None:
        caps.append(Cap("max_volatility", given.max_volatility, form))
    if given.max_tracking_error is not None:
        centre = np.array([given.benchmark.get(symbol, 0.0) for symbol in room.symbols])
        caps.append(Cap("max_tracking_error", given.max_tracking_error, form, centre))
    return tuple(caps)


def check(given: Constraints, shape: Shape, room: Room) -> None:
    """What no weights can satisfy, at first sight. Error: OptimizationError naming it, and by how much."""
    if shape.crossed > 0.0:
        worst = int((shape.low - shape.high).argmax())
        raise conflict("min_weight", float(shape.low[worst]), "max_weight", float(shape.high[worst]))
    if given.frozen:
        return  # They may be past their bounds.
    budget, count = given.budget, len(room.symbols)
    frozen = float(sum(room.frozen.values()))
    if frozen > budget + DIGITS:
        raise conflict("what is held without an estimate", frozen, "gross x (1 - cash_buffer)", budget)
    if frozen + shape.low_total > budget + DIGITS:
        floor = frozen + shape.low_total
        raise conflict(f"min_weight x {count} symbols", floor, "gross x (1 - cash_buffer)", budget)
    least = room.least if given.net is None else max(given.net[0], given.min_gross)
    if least > frozen + shape.high_total + DIGITS:
        capacity = frozen + shape.high_total
        raise conflict("what has to be invested", least, f"max_weight x {count} symbols", capacity)


def _any(figure: float | dict[str, float]) -> bool:
    return any(figure.values()) if isinstance(figure, dict) else figure > 0.0


def _of_each(figure: float | dict[str, float], symbols: Sequence[str], otherwise: float) -> FloatArray:
    if isinstance(figure, dict):
        return np.array([figure.get(symbol, otherwise) for symbol in symbols], dtype=np.float64)
    return np.full(len(symbols), float(figure))
