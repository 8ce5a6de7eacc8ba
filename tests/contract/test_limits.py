"""The broker's limits on its clients, its clock, and the other ways to talk to it."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import datetime

import pytest
import requests

from contract.days import block_of
from contract.wire import Wire, broker
from ordinis.brokers.simulated.server import ServerSettings
from ordinis.domain.errors import ConfigError

STRICT = ServerSettings.as_alpaca()


def test_the_minute_s_requests_are_counted_by_the_broker_s_clock() -> None:
    with broker(settings=ServerSettings(requests_a_minute_max=3)) as wire:
        answers = [wire.ask("GET", "/v2/clock") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert [one.headers["X-RateLimit-Remaining"] for one in answers] == ["2", "1", "0", "0"]
        assert answers[3].json() == {"code": 42910000, "message": "rate limit exceeded"}
        resets = int(answers[3].headers["X-RateLimit-Reset"])
        now = datetime.fromisoformat(answers[0].json()["timestamp"]).timestamp()
        assert 0 < resets - now <= 60
        wire.step()
        assert wire.ask("GET", "/v2/clock").status_code == 200


def test_the_default_is_the_broker_s_and_its_headers_say_so() -> None:
    with broker(settings=STRICT) as wire:
        assert wire.ask("GET", "/v2/clock").headers["X-RateLimit-Limit"] == "200"
    with broker() as wire:
        assert "X-RateLimit-Limit" not in wire.ask("GET", "/v2/clock").headers


def test_a_second_data_connection_is_refused_until_the_first_has_gone() -> None:
    with broker(settings=STRICT) as wire:
        first = wire.data(bars=["AAA"])
        with pytest.raises(AssertionError, match="connection limit exceeded"):
            wire.data(bars=["AAA"])
        first.close()
        assert _connects(wire)


def _connects(wire: Wire) -> bool:
    """The broker may notice a moment later that the line is free."""
    for _ in range(100):
        with suppress(AssertionError):
            wire.data(bars=["AAA"])
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("channel", ["bars", "quotes"])
def test_too_many_symbols_change_nothing(channel: str) -> None:
    with broker(settings=ServerSettings(data_symbols_max=2)) as wire:
        ears = wire.data(bars=["AAA", "BBB"])
        for asked in (["CCC"], ["*"]):
            ears.say({"action": "subscribe", channel: asked})
            assert ears.hear()[0] == {"T": "error", "code": 405, "msg": "symbol limit exceeded"}
        ears.say({"action": "unsubscribe", "bars": ["BBB"]})
        assert ears.hear()[0]["bars"] == ["AAA"]
        ears.say({"action": "subscribe", channel: ["CCC"]})
        assert "CCC" in ears.hear()[0][channel]


def test_shares_are_numbers_where_the_settings_say_so() -> None:
    with broker(settings=ServerSettings(quantities="numbers")) as wire:
        wire.step(2)
        ears = wire.trading()
        assert wire.buy("AAA", 1.5).json()["qty"] == 1.5
        wire.step(2)
        fill = ears.rest()[-1]["data"]
        assert (fill["qty"], fill["position_qty"], fill["order"]["filled_qty"]) == (1.5, 1.5, 1.5)
        position = wire.get("/v2/positions")[0]
        assert (position["qty"], position["qty_available"]) == (1.5, 1.5)
        assert isinstance(position["avg_entry_price"], str)
        assert wire.get("/v2/account/activities")[0]["leaves_qty"] == 0


@pytest.mark.parametrize("setting", [{"requests_a_minute_max": -1}, {"quantities": "words"}])
def test_a_setting_that_cannot_be_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        ServerSettings(**setting)  # type: ignore[arg-type]


def test_the_trading_stream_answers_at_the_old_address_too() -> None:
    with broker() as wire:
        ears = wire.trading(slash=True)
        wire.step(2)
        wire.buy()
        assert ears.events() == ["pending_new", "new"]


def test_a_client_steps_as_far_as_it_likes_and_no_further_than_the_data() -> None:
    with broker(days=[block_of(0)]) as wire:
        assert wire.step(3)["phase"] == "minute"
        assert _clock(wire) == "2025-01-02T09:32:00-05:00"
        assert wire.step(1_000)["phase"] == "ended"
        assert _clock(wire) == "2025-01-02T09:38:00-05:00"
        for count in ("0", "many", "100001"):
            assert wire.control("POST", "/step", count=count).status_code == 422


def _clock(wire: Wire) -> str:
    return str(wire.get("/v2/clock")["timestamp"])


def test_nights_and_weekends_are_passed_over_and_half_days_end_early() -> None:
    with broker(days=[block_of(0, 4), block_of(1, 2), block_of(4, 3)]) as wire:
        hours = [(row["date"], row["open"], row["close"]) for row in wire.get("/v2/calendar")]
        assert hours == [
            ("2025-01-02", "09:30", "09:34"),
            ("2025-01-03", "09:30", "09:32"),
            ("2025-01-06", "09:30", "09:33"),
        ]
        seen = []
        while (step := wire.step())["phase"] != "ended":
            clock = wire.get("/v2/clock")
            seen.append((step["phase"], clock["timestamp"][5:16], clock["is_open"], clock["next_open"][5:10]))
        assert seen[5] == ("closed", "01-02T09:34", False, "01-03")
        assert seen[6] == ("opening", "01-03T09:30", True, "01-06")
        assert seen[9] == ("closed", "01-03T09:32", False, "01-06")
        assert seen[10] == ("opening", "01-06T09:30", True, "01-06")


def test_time_that_passes_by_itself_moves_the_clock_within_the_minute_and_is_not_stepped() -> None:
    with broker(speed=60.0) as wire:  # A minute a second.
        before = _clock(wire)
        wire.data(bars=["*"])
        refused = wire.control("POST", "/step")
        assert (refused.status_code, "time passes by itself" in refused.json()["message"]) == (422, True)
        seen = {before}
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and len({one for one in seen if not one.endswith("00-05:00")}) < 2:
            time.sleep(0.05)
            seen.add(_clock(wire))
        between = sorted(one for one in seen if not one.endswith(":00-05:00"))
        assert len(between) >= 2
        assert all("2025-01-02T09:30:" <= one < "2025-01-02T09:38:" for one in between)


def test_at_full_speed_a_day_is_over_at_once() -> None:
    with broker(days=[block_of(0, 390, gaps=False)], speed=math.inf) as wire:
        ears = wire.data(bars=["AAA"])
        heard = 0
        while heard < 390:
            heard += len(ears.hear())
        assert heard == 390
        assert ears.rest() == []


def test_time_begins_without_a_listener_when_it_is_told_to() -> None:
    with broker(days=[block_of(0)], speed=math.inf) as wire:
        before = _clock(wire)
        assert wire.control("POST", "/start").status_code == 200
        deadline = time.monotonic() + 10
        while _clock(wire) != "2025-01-02T09:38:00-05:00":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert before < _clock(wire)
    with broker() as wire:
        assert wire.control("POST", "/start").status_code == 422


@pytest.mark.parametrize(
    ("path", "http_status", "text"), [("/v2/account", 401, "unauthorized."), ("/v2/stocks/bars", 403, "forbidden.")]
)
def test_who_has_no_key_is_told_so_without_a_code(path: str, http_status: int, text: str) -> None:
    with broker() as wire:
        answer = requests.get(wire.addresses.rest + path, headers={"APCA-API-KEY-ID": "key"}, timeout=10)
        assert (answer.status_code, answer.json()) == (http_status, {"message": text})
