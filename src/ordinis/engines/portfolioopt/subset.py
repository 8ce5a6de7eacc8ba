"""The same task for some of its symbols, where the others hold nothing."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from ordinis.domain.errors import OptimizationError
from ordinis.domain.market import BoolArray, FloatArray
from ordinis.engines.portfolioopt.caps import Cap
from ordinis.engines.portfolioopt.forms import Dense
from ordinis.engines.portfolioopt.program import INFINITE, Program
from ordinis.engines.portfolioopt.task import Task


def only(task: Task, chosen: BoolArray) -> Task:
    """Of these symbols; for methods that ask for no rows of returns. Error: OptimizationError."""
    columns = chosen.nonzero()[0]
    program, form = task.limits.program, Dense(task.form.block(columns))

    def of(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else values[columns]

    inner = replace(
        program,
        low=program.low[columns],
        high=program.high[columns],
        rows=program.rows[:, columns],
        start=of(program.start),
        cost=of(program.cost),
        turnover_max=program.turnover_max - _sold(program, chosen),
    )
    kept = tuple(_cap_of(cap, chosen, form) for cap in task.limits.caps)
    fixed = None if task.limits.fixed is None else task.limits.fixed[columns]
    limits = replace(task.limits, program=inner, caps=kept, impact=of(task.limits.impact), fixed=fixed)
    return replace(task, mean=task.mean[columns], form=form, limits=limits, budgets=of(task.budgets))


def _sold(program: Program, chosen: BoolArray) -> float:
    if program.turnover_max == INFINITE or program.start is None:
        return 0.0
    return float(np.abs(program.start[~chosen]).sum())


def _cap_of(cap: Cap, chosen: BoolArray, form: Dense) -> Cap:
    """What the others are away from the centre is risk, too: the chosen ones offset some of it, and cannot the rest."""
    if cap.centre is None:
        return cap._replace(form=form)
    centre: FloatArray = np.linalg.lstsq(form.matrix, cap.pull[chosen], rcond=None)[0].astype(np.float64)
    rest = cap.form.square(cap.centre) - form.square(centre)
    room = cap.most * cap.most - max(0.0, rest)
    if room < 0.0:
        raise OptimizationError(
            f"no weights satisfy the constraints: {cap.name} is {cap.most:.6g}, and the least that"
            f" {int(chosen.sum())} positions leave is {rest**0.5:.6g}"
        )
    return cap._replace(form=form, centre=centre, most=room**0.5)
