from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from ordinis.brokers.alpaca.bars import daily_block, one_minute, session_block
from ordinis.brokers.alpaca.wire import WireBar, WireStreamMessage
from ordinis.domain.market import MINUTE_NS, Session, Universe

UNIVERSE = Universe(("AAA", "BBB"))
OPEN = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
OPEN_NS = int(OPEN.timestamp()) * 10**9
SESSION = Session(date=date(2025, 1, 2), open_ns=OPEN_NS, close_ns=OPEN_NS + 3 * MINUTE_NS)


def _bar(minute: int, price: float) -> WireBar:
    return WireBar(t=OPEN.replace(minute=30 + minute), o=price, h=price + 2, l=price - 2, c=price + 1, v=7.5)


def test_a_minute_has_every_symbol_and_invents_none() -> None:
    bars = [
        WireStreamMessage(T="b", S="BBB", o=1.0, h=3.0, l=0.5, c=2.0, v=10),
        WireStreamMessage(T="b", S="CCC", o=9.0, h=9.0, l=9.0, c=9.0, v=1),
    ]
    block = one_minute(UNIVERSE, SESSION, OPEN_NS + MINUTE_NS, bars)
    assert block.closed_at_ns.tolist() == [OPEN_NS + MINUTE_NS]
    assert block.present.tolist() == [[False, True]]
    assert np.isnan(block.close[0, 0])
    assert block.volume.tolist() == [[0.0, 10.0]]
    assert (block.open[0, 1], block.high[0, 1], block.low[0, 1], block.close[0, 1]) == (1.0, 3.0, 0.5, 2.0)
    assert all(one.flags.c_contiguous for one in (block.open, block.volume, block.present))


def test_a_session_has_every_minute_and_no_bar_from_outside() -> None:
    block = session_block(UNIVERSE, SESSION, {"AAA": [_bar(-1, 5.0), _bar(1, 10.0), _bar(3, 20.0)]})
    assert block.closed_at_ns.tolist() == [OPEN_NS + n * MINUTE_NS for n in (1, 2, 3)]
    assert block.present.tolist() == [[False, False], [True, False], [False, False]]
    assert (block.close[1, 0], block.volume[1, 0]) == (11.0, 7.5)


def test_days_are_those_on_which_anything_traded() -> None:
    midnight = datetime(2025, 1, 2, 5, tzinfo=UTC)
    bars = {
        "AAA": [WireBar(t=midnight, o=1, h=2, l=1, c=2, v=3)],
        "BBB": [WireBar(t=midnight.replace(day=6), o=4, h=5, l=4, c=5, v=6)],
    }
    block = daily_block(UNIVERSE, bars)
    assert block.dates == (date(2025, 1, 2), date(2025, 1, 6))
    assert np.nan_to_num(block.close, nan=-1).tolist() == [[2.0, -1.0], [-1.0, 5.0]]
    assert block.volume.tolist() == [[3.0, 0.0], [0.0, 6.0]]
