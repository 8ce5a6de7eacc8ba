"""Everything that one server is made of."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.faults import FaultPlan, Faults
from ordinis.brokers.simulated.server.account import AccountApi
from ordinis.brokers.simulated.server.answers import failure
from ordinis.brokers.simulated.server.clock import VirtualClock
from ordinis.brokers.simulated.server.conductor import Conductor
from ordinis.brokers.simulated.server.control import ControlApi
from ordinis.brokers.simulated.server.data_stream import FEEDS, DataStream
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.gate import Gate
from ordinis.brokers.simulated.server.keys import Keys
from ordinis.brokers.simulated.server.market_data import DataApi
from ordinis.brokers.simulated.server.orders import OrdersApi
from ordinis.brokers.simulated.server.positions import PositionsApi
from ordinis.brokers.simulated.server.rates import RateLimiter
from ordinis.brokers.simulated.server.reference import ReferenceApi
from ordinis.brokers.simulated.server.settings import ServerSettings
from ordinis.brokers.simulated.server.simulation import SimulatedData, Simulation
from ordinis.brokers.simulated.server.trading_stream import TradingStream

_BAD_REQUEST = 400
_NOT_FOUND = 404
_METHOD_NOT_ALLOWED = 405


class Parts:
    """Two applications: the broker's, and the control's with a token of its own."""

    def __init__(
        self, exchange: Exchange, data: SimulatedData, keys: Keys, settings: ServerSettings, plan: FaultPlan | None
    ) -> None:
        self.keys = keys
        self.token = secrets.token_urlsafe(24)
        self._faults = Faults(plan)
        self._simulation = Simulation(exchange, data)
        clock = VirtualClock(self._simulation)
        numbers = settings.quantities == "numbers"
        self._trading_stream = TradingStream(keys, self._faults, clock.now_ns, numbers=numbers)
        self._data_stream = DataStream(keys, self._faults, clock.now_ns, settings, len(exchange.universe))
        self._desk = Desk(self._simulation, self._trading_stream, clock, self._faults)
        limiter = RateLimiter(settings.requests_a_minute_max, clock.now_ns)
        self._gate = Gate(keys, limiter, self._faults, numbers=numbers)
        self.conductor = Conductor(self._desk, self._data_stream, self._faults)

    def public_app(self) -> Starlette:
        orders = OrdersApi(self._desk)
        trading = (
            *orders.table(),
            *PositionsApi(self._desk, orders).table(),
            *AccountApi(self._desk).table(),
            *ReferenceApi(self._desk).table(),
        )
        routes: list[BaseRoute] = [
            *self._gate.routes(trading, failure(401, "unauthorized.")),
            *self._gate.routes(DataApi(self._simulation).table(), failure(403, "forbidden.")),
            WebSocketRoute("/stream", self._trading_stream.serve),
            WebSocketRoute("/stream/", self._trading_stream.serve),
            WebSocketRoute("/v2/{feed}", self._feed),
        ]
        return _app(routes)

    def control_app(self) -> Starlette:
        return _app(list(ControlApi(self.conductor, self._faults, self.token).routes()))

    async def _feed(self, socket: WebSocket) -> None:
        if socket.path_params["feed"] in FEEDS:
            await self._data_stream.serve(socket)
        else:
            await socket.close()


def _app(routes: list[BaseRoute]) -> Starlette:
    async def unknown(request: Any, error: Any) -> Any:
        return failure(error.status_code, f"{request.method} {request.url.path} is not part of this simulated broker")

    async def nobody(request: Any, error: Any) -> Any:
        return failure(_BAD_REQUEST, "the client hung up")  # Not heard any more; nothing was done.

    app = Starlette(
        routes=routes,
        exception_handlers={_NOT_FOUND: unknown, _METHOD_NOT_ALLOWED: unknown, ClientDisconnect: nobody},
    )
    app.router.redirect_slashes = False
    return app
