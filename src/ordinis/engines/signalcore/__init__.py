"""Indicators, strategies, and their blend into one signal a cell."""

from ordinis.engines.signalcore.core import SignalCore
from ordinis.engines.signalcore.settings import SignalSettings

__all__ = ["SignalCore", "SignalSettings"]
