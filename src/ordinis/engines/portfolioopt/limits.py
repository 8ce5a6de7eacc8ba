"""Constraints of symbols become a Program of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt.caps import Cap
from ordinis.engines.portfolioopt.constraints import DIGITS, Constraints, conflict
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.program import INFINITE, Program


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Limits:
    """What a method has to keep."""

    program: Program
    caps: tuple[Cap, ...] = ()
    impact: FloatArray | None = None
    positions_max: int | None = None
    position_min: float = 0.0
    fixed: BoolArray | None = None  # Not to be traded.


@dataclass(slots=True, kw_only=True)
class Room:
    """Who is optimised, and what is held beside them."""

    symbols: Sequence[str]
    least: float  # To be invested.
    most: float
    frozen: Mapping[str, float] = field(default_factory=dict)  # Held without an estimate.
    current: Mapping[str, float] | None = None


def limits_of(given: Constraints, room: Room, form: Form, cost_a_year: float) -> Limits:
    """The limits on what is optimised, less what is frozen. Errors: ConfigError, OptimizationError."""
    symbols = room.symbols
    low, high = _bounds(given, symbols)
    start = _current(room)
    fixed = _fixed(given, room, low, high, start)
    gross = given.budget - sum(abs(weight) for weight in room.frozen.values())
    rows = _Rows(room)
    net = given.net or (room.least, room.most)
    rows.add("net" if given.net else "budget", np.ones(low.size), net[0], net[1], 1.0)
    _groups(rows, given)
    if given.beta is not None:
        rows.by_symbol("beta", given.betas, *given.beta)
    trades = start if start is not None else (np.zeros(low.size) if _trades_cost(given) else None)
    if given.max_turnover is not None and trades is None:
        raise ConfigError("constraints: max_turnover needs current_weights")
    program = Program(
        low=low,
        high=high,
        rows=np.array(rows.rows),
        row_low=np.array(rows.low),
        row_high=np.array(rows.high),
        names=tuple(rows.names),
        start=trades,
        cost=_of_each(given.cost, symbols, 0.0) * cost_a_year if _any(given.cost) else None,
        turnover_max=INFINITE if given.max_turnover is None else given.max_turnover,
        gross_max=gross if given.shorts else INFINITE,
    )
    return Limits(
        program=program,
        caps=_caps(given, room, form),
        impact=_of_each(given.impact, symbols, 0.0) * cost_a_year if _any(given.impact) else None,
        positions_max=None if given.max_positions is None else given.max_positions - len(room.frozen),
        position_min=given.min_position,
        fixed=fixed,
    )


class _Rows:
    """Linear limits, one by one; what is frozen uses them up, too."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.rows: list[FloatArray] = []
        self.low: list[float] = []
        self.high: list[float] = []
        self.names: list[str] = []

    def add(self, name: str, row: FloatArray, low: float, high: float, of_frozen: float = 0.0) -> None:
        used = of_frozen * sum(self._room.frozen.values())
        self.rows.append(row)
        self.low.append(low - used)
        self.high.append(high - used)
        self.names.append(name)

    def by_symbol(self, name: str, figures: Mapping[str, float], low: float, high: float) -> None:
        missing = [symbol for symbol in self._room.symbols if symbol not in figures]
        if missing:
            raise ConfigError(f"constraints: {name} needs a figure of {', '.join(missing[:5])}, too")
        used = sum(weight * figures.get(symbol, 1.0) for symbol, weight in self._room.frozen.items())
        row = np.array([figures[symbol] for symbol in self._room.symbols])
        self.add(name, row, low - used, high - used)


def _groups(rows: _Rows, given: Constraints) -> None:
    """The sum of each sector and cluster; with shorts its size, too."""
    for kind, limit, groups in (
        ("sector", given.max_sector, given.sectors),
        ("cluster", given.max_cluster, given.clusters),
    ):
        if limit is None:
            continue
        for group in sorted(set(groups.values())):
            most = limit.get(group, INFINITE) if isinstance(limit, dict) else limit
            if most == INFINITE:
                continue
            members = np.array([1.0 if groups.get(one) == group else 0.0 for one in rows._room.symbols])
            used = sum(weight for one, weight in rows._room.frozen.items() if groups.get(one) == group)
            if members.any():
                rows.add(f"{kind} {group}", members, -most - used if given.shorts else -INFINITE, most - used)


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
) -> BoolArray | None:
    """What may not be traded stays where it is, past its bounds, too."""
    if not given.frozen:
        return None
    if start is None:
        raise ConfigError("constraints: frozen needs current_weights")
    fixed = np.array([symbol in given.frozen for symbol in room.symbols])
    low[fixed] = high[fixed] = start[fixed]
    return fixed


def _current(room: Room) -> FloatArray | None:
    if room.current is None:
        return None
    return np.array([float(room.current.get(symbol, 0.0)) for symbol in room.symbols])


def _caps(given: Constraints, room: Room, form: Form) -> tuple[Cap, ...]:
    caps = []
    if given.max_volatility is not None:
        caps.append(Cap("max_volatility", given.max_volatility, form))
    if given.max_tracking_error is not None:
        centre = np.array([given.benchmark.get(symbol, 0.0) for symbol in room.symbols])
        caps.append(Cap("max_tracking_error", given.max_tracking_error, form, centre))
    return tuple(caps)


def check(given: Constraints, room: Room, program: Program) -> None:
    """In O(symbols): what no weights can satisfy. Error: OptimizationError naming it, and by how much."""
    low, high = program.low, program.high
    if not (low <= high).all():
        worst = int((low - high).argmax())
        raise conflict("min_weight", float(low[worst]), "max_weight", float(high[worst]))
    frozen = sum(room.frozen.values())
    count = low.size
    if frozen > given.budget + DIGITS:
        raise conflict("what is held without an estimate", frozen, "gross x (1 - cash_buffer)", given.budget)
    floor = frozen + float(low.sum())
    if floor > given.budget + DIGITS:
        raise conflict(f"min_weight x {count} symbols", floor, "gross x (1 - cash_buffer)", given.budget)
    capacity = frozen + float(high.sum())
    least = room.least if given.net is None else given.net[0]
    if least > capacity + DIGITS:
        raise conflict("what has to be invested", least, f"max_weight x {count} symbols", capacity)


def _trades_cost(given: Constraints) -> bool:
    return _any(given.cost) or _any(given.impact)


def _any(figure: float | dict[str, float]) -> bool:
    return any(figure.values()) if isinstance(figure, dict) else figure > 0.0


def _of_each(figure: float | dict[str, float], symbols: Sequence[str], otherwise: float) -> FloatArray:
    if isinstance(figure, dict):
        return np.array([figure.get(symbol, otherwise) for symbol in symbols], dtype=np.float64)
    return np.full(len(symbols), float(figure))
