"""Clients that are gone in the middle of something: the broker says nothing of it, and goes on for the others."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit

import pytest

from contract.wire import HEADERS, Wire, broker

OPENED = 2  # Steps: the opening, and a minute.


def hung_up_on(address: str, path: str, headers: dict[str, str]) -> None:
    """The head of a request and half of its body, and then nothing."""
    parts = urlsplit(address)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10.0) as line:
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: here\r\n{head}Content-Length: 500\r\n\r\n".encode())
        line.sendall(b'{"symbol": "AAA", ')


@pytest.mark.parametrize("port", ["public", "control"])
def test_a_client_that_hangs_up_in_the_middle_of_a_post_leaves_no_traceback(
    port: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    with broker() as wire:
        wire.step(OPENED)
        if port == "public":
            hung_up_on(wire.addresses.rest, "/v2/orders", HEADERS)
        else:
            token = {"Authorization": f"Bearer {wire.addresses.control_token}"}
            hung_up_on(wire.addresses.control, "/faults", token)
        check_it_goes_on(wire)
    assert [record.getMessage() for record in caplog.records] == []
    assert "Traceback" not in capfd.readouterr().err


def check_it_goes_on(wire: Wire) -> None:
    """No order of the one who is gone, and the next one's is taken."""
    assert wire.get("/v2/orders", status="all") == []
    assert wire.buy().status_code == 200
    assert wire.control("GET", "/faults").json() == []
