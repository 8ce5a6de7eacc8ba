"""Clock, calendar and assets."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated import wire_account
from ordinis.brokers.simulated.refusals import NOT_FOUND, Refusal
from ordinis.brokers.simulated.server.answers import answer
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.gate import Table
from ordinis.brokers.simulated.server.queries import date_of
from ordinis.brokers.simulated.wire_values import asset_id


class ReferenceApi:
    """`/v2/clock`, `/v2/calendar`, `/v2/assets`: of the data's sessions and symbols."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._simulation = desk.simulation

    def table(self) -> Table:
        return (
            ("GET", "/v2/clock", self.clock),
            ("GET", "/v2/calendar", self.calendar),
            ("GET", "/v2/assets", self.assets),
            ("GET", "/v2/assets/{name}", self.asset),
        )

    async def clock(self, request: Request) -> Response:
        simulation = self._simulation
        return answer(wire_account.clock_body(self._desk.clock.now_ns(), simulation.is_open, simulation.sessions))

    async def calendar(self, request: Request) -> Response:
        first = date_of(request.query_params.get("start"), date.min)
        last = date_of(request.query_params.get("end"), date.max)
        return answer(
            [wire_account.calendar_body(one) for one in self._simulation.sessions if first <= one.date <= last]
        )

    async def assets(self, request: Request) -> Response:
        """All of them are US equities; those that a company took off the market are inactive."""
        query = request.query_params
        equities = query.get("asset_class", "us_equity") == "us_equity"
        symbols = self._desk.exchange.universe.symbols if equities else ()
        bodies = (self._body(symbol) for symbol in symbols)
        return answer([one for one in bodies if one["status"] == query.get("status", "active")])

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        for symbol in self._desk.exchange.universe.symbols:
            if name in (symbol, asset_id(symbol)):
                return answer(self._body(symbol))
        raise Refusal(404, NOT_FOUND, f"asset not found for {name}")

    def _body(self, symbol: str) -> dict[str, Any]:
        exchange = self._desk.exchange
        return wire_account.asset_body(
            symbol,
            active=exchange.trades(symbol),
            fractionable=exchange.settings.fractionable,
            easy_to_borrow=exchange.settings.borrowable(symbol),
        )
