from __future__ import annotations

from random import Random
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from requests import HTTPError, Response
from requests.exceptions import ConnectTimeout

from ordinis.brokers.alpaca.backoff import Backoff
from ordinis.brokers.alpaca.endpoints import Endpoints, is_loopback
from ordinis.brokers.alpaca.rest import Doubtful, Refusal, RestLimits, once, repeated, trading_client
from ordinis.domain.errors import BrokerError

SECRET = "a-secret"
LIMITS = RestLimits(backoff=Backoff(first_seconds=0.001, attempts_max=3))


def _endpoints(rest: str) -> Endpoints:
    return Endpoints(rest=rest, data=rest, data_stream="ws://x", trading_stream="ws://x", key="a-key", secret=SECRET)


def _fails(http_status: int, body: str) -> Any:
    response = Response()
    response.status_code = http_status

    def call() -> None:
        raise APIError(body, HTTPError(response=response))  # type: ignore[no-untyped-call]

    return call


@pytest.mark.parametrize(
    ("http_status", "body", "kind", "text"),
    [
        (422, '{"code":40010001,"message":"client_order_id must be unique"}', Refusal, "must be unique"),
        (403, '{"code":40310000,"message":"insufficient buying power","x":1}', Refusal, "insufficient buying power"),
        (401, '{"message":"unauthorized."}', BrokerError, "check the API key and secret"),
        (403, '{"message":"forbidden."}', BrokerError, "check the API key and secret"),
        (404, "<html>not here</html>", Refusal, "not here"),
        (504, '{"message":"gateway timeout"}', Doubtful, "HTTP 504"),
        (500, "", Doubtful, "no text"),
    ],
)
def test_foreign_errors_become_ours(http_status: int, body: str, kind: type[BrokerError], text: str) -> None:
    with pytest.raises(BrokerError, match=text) as raised:
        once(_fails(http_status, body))
    assert type(raised.value) is kind


def test_silence_is_doubtful_and_shows_no_request() -> None:
    def call() -> None:
        raise ConnectTimeout(f"something with {SECRET}")

    with pytest.raises(Doubtful) as raised:
        once(call)
    assert "ConnectTimeout" in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("http_status", "attempts"),
    [(504, 3), (429, 3), (422, 1)],
)
def test_reads_are_repeated_only_where_that_can_help(http_status: int, attempts: int) -> None:
    made = []

    def call() -> None:
        made.append(1)
        _fails(http_status, '{"code":1,"message":"no"}')()

    with pytest.raises(BrokerError):
        repeated(call, LIMITS, Random(1))
    assert len(made) == attempts


def test_the_sdk_gets_timeouts_and_no_retries() -> None:
    """The contract tests see the timeout at work; here: nothing is left to the SDK's defaults."""
    client: Any = trading_client(_endpoints("https://paper-api.example"), RestLimits())
    assert type(client._session.get_adapter("https://x")).__name__ == "TimedAdapter"
    assert (client._retry, client._session.trust_env) == (0, True)
    loopback: Any = trading_client(_endpoints("http://127.0.0.1:1"), RestLimits())
    assert loopback._session.trust_env is False  # No proxy between us and our own machine.


@pytest.mark.parametrize(
    ("address", "expected"),
    [("http://127.0.0.1:80", True), ("ws://localhost/stream", True), ("https://api.alpaca.markets", False)],
)
def test_our_own_machine_is_known(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_keys_do_not_show() -> None:
    assert SECRET not in repr(_endpoints("http://x"))
    assert "a-key" not in repr(_endpoints("http://x"))


def test_waits_double_up_to_the_cap_with_jitter() -> None:
    backoff = Backoff(first_seconds=1.0, seconds_max=8.0)
    delays = [backoff.delay_seconds(attempt, Random(attempt)) for attempt in range(1, 7)]
    for delay, capped in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert capped / 2 <= delay <= capped
