"""Alpaca's REST through its own SDK, with what the SDK leaves out: timeouts, and errors that are ours.

alpaca-py repeats POST /orders after a 504 and waits for ever on a silent server; both are turned off
here. Reads are repeated, a bounded number of times; an order never is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.endpoints import Endpoints, is_loopback
from ordinis.brokers.alpaca.times import ns_from_text
from ordinis.domain.errors import BrokerError

if TYPE_CHECKING:
    from alpaca.common.rest import RESTClient
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.trading.client import TradingClient

T = TypeVar("T")

UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RestLimits:
    """How long a request may take and how often a read is repeated."""

    connect_seconds_max: float = 5.0
    answer_seconds_max: float = 10.0
    backoff: Backoff = field(default_factory=lambda: Backoff(attempts_max=3))


class RateGauge:
    """What the broker's own headers say is left of its limit. Without such headers nothing is ever low."""

    def __init__(self, reserved: int = 0) -> None:
        self._reserved = reserved
        self._remaining: int | None = None
        self._reset_ns = 0

    def read(self, headers: Mapping[str, str]) -> None:
        remaining, reset = headers.get("X-RateLimit-Remaining", ""), headers.get("X-RateLimit-Reset", "")
        if remaining.isdecimal() and reset.isdecimal():
            self._remaining, self._reset_ns = int(remaining), int(reset) * 10**9

    def low(self, now_ns: int) -> bool:
        """Only the reserve is left, which is for orders that reduce. `now_ns` by the broker's clock."""
        return self._remaining is not None and self._remaining <= self._reserved and now_ns < self._reset_ns


class Doubtful(BrokerError):
    """No answer, or one that does not say what became of the request."""


class Refusal(BrokerError):
    """The broker said no, in its own words."""

    def __init__(self, http_status: int, code: int, text: str) -> None:
        super().__init__(f"the broker refused: HTTP {http_status}, code {code}: {text}")
        self.http_status = http_status
        self.code = code
        self.text = text


class _ErrorBody(msgspec.Struct):
    """401 and 403 carry no code."""

    message: str = ""
    code: int = 0


def trading_client(endpoints: Endpoints, limits: RestLimits, gauge: RateGauge | None = None) -> TradingClient:
    from alpaca.trading.client import TradingClient

    client = TradingClient(endpoints.key, endpoints.secret, raw_data=True, url_override=endpoints.rest)
    _bound(client, endpoints.rest, limits, gauge or RateGauge())
    return client


def data_client(endpoints: Endpoints, limits: RestLimits) -> StockHistoricalDataClient:
    from alpaca.data.historical import StockHistoricalDataClient

    client = StockHistoricalDataClient(endpoints.key, endpoints.secret, raw_data=True, url_override=endpoints.data)
    _bound(client, endpoints.data, limits, RateGauge())  # Market data has a limit of its own.
    return client


def corporate_client(endpoints: Endpoints, limits: RestLimits) -> CorporateActionsClient:
    from alpaca.data.historical.corporate_actions import CorporateActionsClient

    client = CorporateActionsClient(endpoints.key, endpoints.secret, raw_data=True, url_override=endpoints.data)
    _bound(client, endpoints.data, limits, RateGauge())
    return client


def close_client(client: RESTClient) -> None:
    """Give its kept connections back."""
    client._session.close()


def _bound(client: RESTClient, address: str, limits: RestLimits, gauge: RateGauge) -> None:
    """The SDK offers no setting for either, so its session and its retry count are set from outside."""
    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter

    class TimedAdapter(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            kwargs["timeout"] = (limits.connect_seconds_max, limits.answer_seconds_max)
            response = super().send(request, *args, **kwargs)
            gauge.read(response.headers)
            return response

    client._session.mount("http://", TimedAdapter())
    client._session.mount("https://", TimedAdapter())
    client._session.trust_env = not is_loopback(address)
    client._retry = 0


def once(call: Callable[[], T]) -> T:
    """One request. Errors: Refusal where the broker said no, Doubtful where nobody knows, BrokerError for a key."""
    from alpaca.common.exceptions import APIError
    from requests.exceptions import RequestException

    try:
        return call()
    except APIError as error:
        raise _translated(error.status_code, str(error)) from error
    except RequestException as error:
        # The SDK's error names the address and the cause; the keys travel in headers that it does not print.
        raise Doubtful(f"the broker did not answer: {_cause(error)}; check the address and the network") from error


def _cause(error: Exception) -> str:
    """The kind of failure alone: a message may repeat the whole request."""
    return type(error).__name__


def _translated(http_status: int | None, body: str) -> BrokerError:
    said = _error_body(body)
    if http_status is None or http_status >= _SERVER_ERRORS:
        return Doubtful(f"the broker failed: HTTP {http_status}: {said.message or 'no text'}")
    if said.code == 0 and http_status in {UNAUTHORIZED, FORBIDDEN}:
        return BrokerError(
            f"the broker refused the key: HTTP {http_status}: {said.message or 'no text'}; "
            "check the API key and secret, and that they are for this address (paper and live keys differ)"
        )
    return Refusal(http_status, said.code, said.message)


def _error_body(body: str) -> _ErrorBody:
    """A proxy's HTML page is not JSON: its first words are kept."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody, strict=False)
    except msgspec.MsgspecError:
        return _ErrorBody(message=body[:200])


class _Clock(msgspec.Struct):
    timestamp: str


def broker_now_ns(client: TradingClient, limits: RestLimits, generator: Random) -> int:
    """The broker's clock. Errors: BrokerError."""
    answer = repeated(lambda: client.get("/clock"), limits, generator)
    try:
        return ns_from_text(msgspec.convert(answer, _Clock).timestamp)
    except msgspec.ValidationError as error:
        raise BrokerError(f"the broker's clock cannot be read: {error}; its API may have changed") from error


def repeated(call: Callable[[], T], limits: RestLimits, generator: Random) -> T:
    """A request that may safely be made twice: doubtful answers and 429 are tried again, then raised."""
    attempt = 1
    while True:
        try:
            return once(call)
        except (Doubtful, Refusal) as error:
            again = isinstance(error, Doubtful) or error.http_status == TOO_MANY_REQUESTS
            if not again or attempt >= limits.backoff.attempts_max:
                raise
        time.sleep(limits.backoff.delay_seconds(attempt, generator))
        attempt += 1
