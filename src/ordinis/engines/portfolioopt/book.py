"""One optimisation: what it was given, in the order of the symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from ordinis.domain.errors import ConfigError
from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.accelerator import Table
from ordinis.engines.portfolioopt.constraints import Constraints
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.limits import Limits, Room
from ordinis.engines.portfolioopt.rounding import Lots
from ordinis.engines.portfolioopt.task import Task


class Book(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One optimisation: what is believed, asked for and held."""

    method: str
    symbols: list[str]
    mean: FloatArray
    form: Form
    returns: FloatArray | None
    constraints: Constraints
    least: float  # To be invested.
    current: Mapping[str, float] | None
    excluded: dict[str, str]
    goal: dict[str, Any]
    risk_aversion: float
    tail_aversion: float | None
    budgets: Mapping[str, float] | None
    periods: float
    cost_a_year: float
    lots: Lots | None
    table: Table | None  # The returns on a device.
    elapsed_ms: Callable[[], float | None]

    @property
    def frozen(self) -> dict[str, float]:
        """Held and without an estimate."""
        current = self.current
        if not self.excluded or not current:
            return {}
        return {name: current[name] for name in self.excluded if current.get(name)}

    def room(self) -> Room:
        return Room(
            symbols=self.symbols,
            least=self.least,
            most=self.constraints.budget,
            frozen=self.frozen,
            current=self.current,
        )

    def task(self, limits: Limits) -> Task:
        return Task(
            mean=self.mean,
            form=self.form,
            limits=limits,
            risk_aversion=self.risk_aversion,
            tail_aversion=self.tail_aversion,
            budgets=self._budgets(),
            returns=self.returns,
            table=self.table,
            periods=self.periods,
            **self.goal,
        )

    def _budgets(self) -> FloatArray | None:
        if self.budgets is None:
            return None
        budgets = np.array([float(self.budgets.get(symbol, 0.0)) for symbol in self.symbols])
        if not ((budgets > 0.0).all() and np.isfinite(budgets).all()):
            raise ConfigError("risk_budgets: every symbol that is optimised needs a part above 0")
        return budgets
