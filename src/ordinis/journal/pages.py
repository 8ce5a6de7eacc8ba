"""Events by the page: how a batch is kept. One row holds up to 256 events, which costs half of a row each.

A live run writes a row an event, so that each is on the disk before it is acted on. A page is msgpack:
`[at_ns, kind, payload, decision]` an event, and the same bytes within as a row of its own would hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

from ordinis.domain.decision import Decision
from ordinis.journal.coding import Kind, encode

PageEvent = tuple[int, int, object, Decision | None]  # Time, kind, payload (packed already if a slice), answer.
Row = tuple[int, int, int, bytes, bytes | None]  # seq, at_ns, kind, payload, decision.

_EVENTS_A_PAGE_MAX = 256
_INSERT = "INSERT INTO pages VALUES (?, ?, ?)"
_NIL = b"\xc0"
_SLICE = int(Kind.SLICE)
_PAGE = msgspec.msgpack.Decoder(list[tuple[int, int, msgspec.Raw, msgspec.Raw]])
_BYTES = msgspec.msgpack.Decoder(bytes)


def insert_pages(connection: sqlite3.Connection, first_seq: int, events: Sequence[PageEvent]) -> None:
    """Write these events, the first of which has `first_seq`."""
    starts = range(0, len(events), _EVENTS_A_PAGE_MAX)
    pages = ((start, events[start : start + _EVENTS_A_PAGE_MAX]) for start in starts)
    connection.executemany(_INSERT, ((first_seq + start, len(page), encode(page)) for start, page in pages))


def rows_of(first_seq: int, packed: bytes) -> Iterator[Row]:
    """A page as the rows it stands for. `msgspec.MsgspecError` where it cannot be understood."""
    for seq, (at_ns, kind, payload, decision) in enumerate(_PAGE.decode(packed), first_seq):
        answer = bytes(decision)
        body = _BYTES.decode(payload) if kind == _SLICE else bytes(payload)
        yield seq, at_ns, kind, body, None if answer == _NIL else answer
