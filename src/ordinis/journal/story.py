"""What became of one candidate: the parts of the answer to `why`."""

from __future__ import annotations

import msgspec

from ordinis.domain.events import CorporateAction, OrderUpdate
from ordinis.domain.orders import OrderIntent
from ordinis.journal.trips import Trip
from ordinis.journal.views import Assessed, ReasonChange


class OrderStory(msgspec.Struct, frozen=True, kw_only=True):
    """An order, what the broker said of it and of its stop leg, and the round trip it was part of."""

    intent: OrderIntent
    updates: tuple[OrderUpdate, ...]
    canceled_at_ns: tuple[int, ...]  # When we asked for it back.
    trip: Trip | None  # None: nothing was filled.


class CandidateStory(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that reached sizing, and its order if one was sent."""

    assessed: Assessed
    order: OrderStory | None


class WhyStory(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one symbol and one minute.

    `candidates` are those of that minute; where it had none, those of the latest minute before it that
    had. `in_force` is the last change of the symbol's reason up to that minute.
    """

    symbol: str
    at_ns: int
    in_force: ReasonChange | None
    candidates: tuple[CandidateStory, ...]
    actions: tuple[CorporateAction, ...] = ()  # What the company did to its shares up to then.
