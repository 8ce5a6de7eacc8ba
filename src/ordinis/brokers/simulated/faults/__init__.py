"""What goes wrong at the simulated broker when somebody asks for it."""

from ordinis.brokers.simulated.faults.director import Faults
from ordinis.brokers.simulated.faults.plan import FaultPlan, read_plan

__all__ = ["FaultPlan", "Faults", "read_plan"]
