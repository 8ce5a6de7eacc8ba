"""Buy, protect with a stop, sell: told by the old Python SDK, alpaca-trade-api.

Run by its own interpreter, with the broker's ready line in BROKER. Prints what it saw as one JSON object.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

BROKER: dict[str, str] = json.loads(os.environ["BROKER"])
os.environ["APCA_API_DATA_URL"] = BROKER["data"]
SECONDS_MAX = 20.0

from alpaca_trade_api.rest import REST, APIError, TimeFrame  # noqa: E402
from alpaca_trade_api.stream import Stream  # noqa: E402

HEARD: dict[str, list[str]] = {}
BARS: list[Any] = []


def step(count: int = 1) -> None:
    """Let minutes pass at the broker."""
    request = urllib.request.Request(f"{BROKER['control']}/step?count={count}", method="POST")
    request.add_header("Authorization", f"Bearer {BROKER['control_token']}")
    urllib.request.urlopen(request, timeout=SECONDS_MAX).read()


def wait_for(what: str, happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} did not happen; heard {HEARD}")
        time.sleep(0.02)


async def on_update(update: Any) -> None:
    HEARD.setdefault(update.order["client_order_id"], []).append(update.event)


async def on_bar(bar: Any) -> None:
    BARS.append(bar)


def listen() -> None:
    stream = Stream(
        BROKER["key"],
        BROKER["secret"],
        base_url=BROKER["rest"],
        data_stream_url=BROKER["rest"].replace("http", "ws"),
        data_feed="iex",
    )
    stream.subscribe_trade_updates(on_update)
    stream.subscribe_bars(on_bar, "AAA")
    threading.Thread(target=stream.run, daemon=True).start()


def probe(api: Any) -> None:
    """The SDK does not say when it listens: try until the stream speaks."""
    for number in range(200):
        order = api.submit_order("BBB", 1, "buy", "limit", "day", limit_price="1", client_order_id=f"probe-{number}")
        api.cancel_order(order.id)
        time.sleep(0.1)
        if HEARD:
            return
    raise SystemExit("the trade updates are silent")


def refusal_of(call: Callable[[], object]) -> int:
    try:
        call()
    except APIError as error:
        return int(error.code)
    raise SystemExit("nothing was refused")


def main() -> None:
    api = REST(BROKER["key"], BROKER["secret"], BROKER["rest"], api_version="v2")
    step(2)  # The opening and the first minute: before it nothing has a price.
    listen()
    probe(api)
    account = api.get_account()
    api.submit_order("AAA", 10, "buy", "market", "day", client_order_id="buy")
    step()
    wait_for("the purchase", lambda: "fill" in HEARD.get("buy", []))
    wait_for("a bar", lambda: BARS)
    position = api.get_position("AAA")
    stop = api.submit_order("AAA", 10, "sell", "stop", "gtc", stop_price="50", client_order_id="stop")
    working = [order.client_order_id for order in api.list_orders(status="open")]
    refused = refusal_of(lambda: api.submit_order("AAA", 10, "sell", "market", "day"))
    api.cancel_order(stop.id)
    wait_for("the cancellation", lambda: "canceled" in HEARD.get("stop", []))
    api.submit_order("AAA", 10, "sell", "market", "day", client_order_id="sell")
    step()
    wait_for("the sale", lambda: "fill" in HEARD.get("sell", []))
    bars = api.get_bars("AAA", TimeFrame.Minute)
    story = {
        "account": [account.status, float(account.cash)],
        "position": float(position.qty),
        "working": working,
        "refused": refused,
        "heard": {name: HEARD[name] for name in ("buy", "stop", "sell")},
        "left": len(api.list_positions()),
        "bars_are_the_stream_s": bars[-1].c == BARS[-1].close or bars[-2].c == BARS[-1].close,
        "open": api.get_clock().is_open,
    }
    print(json.dumps(story), flush=True)
    os._exit(0)  # The SDK's stream has no quick way to end.


main()
