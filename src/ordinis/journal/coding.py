"""Domain objects to bytes and back: msgpack.

The many and small ones are arrays, in the order of their fields: append a new field, with a default, and old
journals stay readable.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec
import numpy as np

from ordinis.domain.account import AccountView
from ordinis.domain.decision import NOTHING, Decision
from ordinis.domain.events import CashFlow, Command, CorporateAction, OrderUpdate, Reconciliation, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.journal.slices import SliceMark, decode_mark

RecordedEvent = (
    SliceMark | OrderUpdate | CashFlow | AccountView | SessionPhase | Command | CorporateAction | Reconciliation
)


class Kind(IntEnum):
    """What a row holds. The numbers are written into journals: append, never renumber."""

    SLICE = 0
    UPDATE = 1
    CASH = 2
    ACCOUNT = 3
    PHASE = 4
    COMMAND = 5
    CORPORATE = 6
    RECONCILIATION = 8


KIND_OF: dict[type, int] = {
    MarketSlice: int(Kind.SLICE),
    OrderUpdate: int(Kind.UPDATE),
    CashFlow: int(Kind.CASH),
    AccountView: int(Kind.ACCOUNT),
    SessionPhase: int(Kind.PHASE),
    Command: int(Kind.COMMAND),
    CorporateAction: int(Kind.CORPORATE),
    Reconciliation: int(Kind.RECONCILIATION),
}


def _plain_number(value: Any) -> Any:
    """A number that came out of a column is written as the number it is."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a journal cannot hold a {type(value).__name__}: {value!r}")


encode = msgspec.msgpack.Encoder(enc_hook=_plain_number).encode

_DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {
    KIND_OF[kind]: msgspec.msgpack.Decoder(kind)
    for kind in (OrderUpdate, CashFlow, AccountView, SessionPhase, Command, CorporateAction, Reconciliation)
}
_DECISION = msgspec.msgpack.Decoder(Decision)


def decode_event(kind: int, at_ns: int, payload: bytes) -> RecordedEvent:
    if kind == Kind.SLICE:
        return decode_mark(at_ns, payload)
    event: RecordedEvent = _DECODERS[kind].decode(payload)
    return event


def decode_decision(packed: bytes | None) -> Decision:
    return NOTHING if packed is None else _DECISION.decode(packed)
