"""The simulated broker behind Alpaca's own REST and streams, on this machine only."""

from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.serving import Addresses, Served, serve
from ordinis.brokers.simulated.server.settings import ServerSettings
from ordinis.brokers.simulated.server.simulation import SimulatedData

__all__ = ["Addresses", "Keys", "Served", "ServerSettings", "SimulatedData", "serve"]
