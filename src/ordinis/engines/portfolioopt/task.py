"""One method's work."""

from __future__ import annotations

import msgspec

from ordinis.domain.market import FloatArray
from ordinis.engines.portfolioopt.accelerator import Table
from ordinis.engines.portfolioopt.forms import Form
from ordinis.engines.portfolioopt.limits import Limits


class Task(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What is believed and what is asked for. Figures are of a year."""

    mean: FloatArray  # [symbols].
    form: Form
    limits: Limits
    risk_aversion: float
    target_return: float | None = None
    target_volatility: float | None = None
    maximum_sharpe: bool = False
    risk_free: float = 0.0
    budgets: FloatArray | None = None  # [symbols], of the whole risk.
    returns: FloatArray | None = None  # [rows x symbols], for the methods that look at each of them.
    table: Table | None = None  # The same on a device.
    periods: float = 252.0
    confidence: float = 0.95
    tail_aversion: float | None = None
