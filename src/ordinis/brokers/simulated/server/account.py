"""The account: its figures, its configurations, its activities, its history."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ordinis.brokers.simulated import wire_account
from ordinis.brokers.simulated.server.answers import answer
from ordinis.brokers.simulated.server.desk import Desk
from ordinis.brokers.simulated.server.gate import Table
from ordinis.brokers.simulated.server.portfolio_history import portfolio_history
from ordinis.brokers.simulated.server.queries import body_of, size_of, time_of
from ordinis.brokers.simulated.wire_values import new_york, ns_of

ACTIVITIES_PAGE_MAX = 100
_RESTRICTED = "ACTION_REQUIRED"
_KINDS = "FILL,FEE,INT,DIV,SPLIT,MA"


class AccountApi:
    """`/v2/account`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._exchange = desk.exchange
        self._simulation = desk.simulation

    def table(self) -> Table:
        return (
            ("GET", "/v2/account", self.account),
            ("GET", "/v2/account/configurations", self.configurations),
            ("PATCH", "/v2/account/configurations", self.configure),
            ("GET", "/v2/account/activities", self.activities),
            ("GET", "/v2/account/activities/{kind}", self.activities),
            ("GET", "/v2/account/portfolio/history", self.portfolio_history),
        )

    async def account(self, request: Request) -> Response:
        books = self._exchange.books
        body = wire_account.account_body(
            self._exchange.account(),
            accrued_fees_usd=books.accrued_fees_usd,
            short_usd=books.short_usd,
            created_at_ns=self._simulation.sessions[0].open_ns,
        )
        body["balance_asof"] = new_york(self._simulation.now_ns).date().isoformat()
        body["shorting_enabled"] = body["shorting_enabled"] and not self._desk.configurations.no_shorting
        body["trade_suspended_by_user"] = self._desk.configurations.suspended
        blocked = self._desk.blocked()
        return answer(body if blocked is None else {**body, blocked: _RESTRICTED if blocked == "status" else True})

    async def configurations(self, request: Request) -> Response:
        return answer(self._desk.configurations.body())

    async def configure(self, request: Request) -> Response:
        self._desk.configurations.change(await body_of(request))
        return await self.configurations(request)

    async def activities(self, request: Request) -> Response:
        """Newest first unless asked otherwise; a page ends with the id that asks for the next."""
        query = request.query_params
        kinds = request.path_params.get("kind") or query.get("activity_types") or _KINDS
        rows = self._activities(frozenset(kinds.upper().split(",")))
        day, after_ns, until_ns = query.get("date"), time_of(query.get("after")), time_of(query.get("until"))
        rows = [
            row
            for row in rows
            if (not day or _date(row) == day)
            and (after_ns is None or _at_ns(row) > after_ns)
            and (until_ns is None or _at_ns(row) < until_ns)
        ]
        if query.get("direction", "desc") != "asc":
            rows.reverse()
        token = query.get("page_token")
        if token:
            places = [place for place, row in enumerate(rows) if row["id"] == token]
            rows = rows[places[0] + 1 :] if places else []
        return answer(rows[: size_of(query.get("page_size"), ACTIVITIES_PAGE_MAX, ACTIVITIES_PAGE_MAX)])

    def _activities(self, kinds: frozenset[str]) -> list[dict[str, Any]]:
        """Oldest first."""
        known = (*self._simulation.fills, *self._simulation.cash_flows)
        return sorted((row for row in known if row["activity_type"] in kinds), key=_at_ns)

    async def portfolio_history(self, request: Request) -> Response:
        return answer(portfolio_history(self._simulation, request.query_params, self._desk.clock.now_ns()))


def _at_ns(row: dict[str, Any]) -> int:
    return ns_of(row.get("transaction_time") or row["created_at"])


def _date(row: dict[str, Any]) -> str:
    """A trade's id begins with its New York time; a fee names its date."""
    stamp = row["id"]
    return str(row["date"]) if "date" in row else f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"
