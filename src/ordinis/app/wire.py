"""Addresses of a simulated broker, and the data it serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ordinis.app.material import Material
from ordinis.domain.account import AccountView
from ordinis.domain.errors import ConfigError
from ordinis.ports import StandingBroker

if TYPE_CHECKING:
    from ordinis.brokers.alpaca.control import ControlAddress
    from ordinis.brokers.alpaca.endpoints import Endpoints
    from ordinis.brokers.simulated.server import Addresses, SimulatedData


def served(material: Material) -> SimulatedData:
    """The run's sessions, and what was before them."""
    from ordinis.brokers.simulated.server import SimulatedData

    return SimulatedData(days=list(material.blocks()), history=list(material.minutes()), daily=material.daily())


def addresses_of(file: Path) -> Addresses:
    """What `ordinis broker serve` printed, from a file. Errors: ConfigError."""
    import msgspec

    from ordinis.brokers.simulated.server import Addresses

    try:
        return msgspec.json.decode(file.read_bytes(), type=Addresses)
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(
            f"--broker {file}: cannot be read ({error}); it must hold the line that `ordinis broker serve` prints, "
            f"for example from `ordinis broker serve --data NAME --speed step > {file.name}`"
        ) from error


class WireBooks:
    """A broker in another process: its account can be asked for, what it thinks of violations cannot."""

    violations: Sequence[object] | None = None

    def __init__(self, broker: StandingBroker) -> None:
        self._broker = broker

    def account(self) -> AccountView:
        return self._broker.account()


def endpoints_of(addresses: Addresses) -> Endpoints:
    from ordinis.brokers.alpaca.endpoints import Endpoints

    return Endpoints(
        rest=addresses.rest,
        data=addresses.data,
        data_stream=addresses.data_stream,
        trading_stream=addresses.trading_stream,
        key=addresses.key,
        secret=addresses.secret,
    )


def control_of(addresses: Addresses) -> ControlAddress:
    from ordinis.brokers.alpaca.control import ControlAddress

    return ControlAddress(url=addresses.control, token=addresses.control_token)
