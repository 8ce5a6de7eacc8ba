"""The best weights for a data set's symbols: returns of its bars, through the optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ordinis.app import material as materials
from ordinis.app.accelerators import accelerator
from ordinis.config.settings import Settings
from ordinis.data.adjusting import adjusted_daily, adjusted_minutes
from ordinis.domain.errors import DataError
from ordinis.runtime import clock

if TYPE_CHECKING:
    from ordinis.app.material import Material
    from ordinis.engines.portfolioopt.bars import BarReturns
    from ordinis.engines.portfolioopt.result import OptimizationResult

SESSIONS = 20  # Of minutes, where no first day is asked for: a month of trading.


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimized:
    """Weights, and what they rest on."""

    data_label: str
    rows: int
    periods_a_year: float
    result: OptimizationResult


def optimize_data(
    settings: Settings,
    *,
    data: str,
    bar_minutes: int | None = None,
    first: date | None = None,
    last: date | None = None,
    method: str = "mean_variance",
    estimator: str = "ledoit_wolf",
    limits: Mapping[str, Any] | None = None,
) -> Optimized:
    """Weights from bars of so many minutes, nights between them included, or from daily ones.

    Without a first day all daily bars count, and of minutes the last SESSIONS. Errors: OrdinisError.
    """
    from ordinis.engines.portfolioopt.optimizer import PortfolioOptimizer

    material = materials.gather(settings, data, first, last)
    bars = _daily(material, first) if bar_minutes is None else _minutes(material, first, bar_minutes)
    if not len(bars.returns):
        raise DataError(f"{material.dataset.label}: two bars make the first return; ask for more sessions")
    device, _ = accelerator(settings)
    optimizer = PortfolioOptimizer(
        method,
        estimator=estimator,
        periods_a_year=bars.periods_a_year,
        accelerator=device,
        clock_ms=lambda: 1e3 * clock.seconds(),
    )
    return Optimized(
        data_label=material.dataset.label,
        rows=len(bars.returns),
        periods_a_year=bars.periods_a_year,
        result=optimizer.optimize(bars.returns, limits, symbols=bars.symbols),
    )


def _daily(material: Material, first: date | None) -> BarReturns:
    """In the terms of the last day: a split on the way is no loss."""
    from ordinis.engines.portfolioopt.bars import daily_returns

    day = material.days[-1]
    known = material.dataset.daily(material.universe.symbols).before(day + timedelta(days=1))
    chosen = known if first is None else known.last(sum(one >= first for one in known.dates))
    return daily_returns(adjusted_daily(chosen, material.actions(), day))


def _minutes(material: Material, first: date | None, bar_minutes: int) -> BarReturns:
    """Likewise of minutes, a session after the other."""
    from ordinis.engines.portfolioopt.bars import session_returns

    days = material.days if first is not None else material.days[-SESSIONS:]
    blocks = material.dataset.blocks(days[0], days[-1], material.universe.symbols)
    return session_returns(list(adjusted_minutes(blocks, material.actions(), days[-1])), bar_minutes)
