"""The kinds of faults, and what each can be told. A kind's tag is what a plan writes as `kind`.

Every fault says when it may begin and how often it happens. What it happens to is chosen by the
fields of its group: a request, a message of a stream, an order, a bar, a body.
Globs are those of a shell: `*`, `?`, `[abc]`. Errors: ValueError for a figure that makes no sense.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

Stream = Literal["trading", "data"]
ANY = "*"


class _Fault(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    count: int = 1  # How often it happens; 0: every time.
    skip: int = 0  # Occasions that pass unharmed first.
    probability: float = 1.0  # Of each occasion, by the plan's seed.
    from_session: int = 1  # The n-th session; it begins at the close of the one before it.
    from_minute: int = 0  # Minutes of that session that must be over.

    def __post_init__(self) -> None:
        _check(self.count >= 0, "count must be at least 0", self.count)
        _check(self.skip >= 0, "skip must be at least 0", self.skip)
        _check(0 < self.probability <= 1, "probability must be in (0, 1]", self.probability)
        _check(self.from_session >= 1, "from_session must be at least 1", self.from_session)
        _check(self.from_minute >= 0, "from_minute must be at least 0", self.from_minute)
        self._check()

    def _check(self) -> None:
        """The figures of its own."""


def _check(holds: bool, expected: str, given: object) -> None:
    if not holds:
        raise ValueError(f"{expected}, was {given}")


# Requests.


class _OfRequest(_Fault, frozen=True, kw_only=True):
    method: str = ANY
    path: str = ANY  # A glob of the address without its query: "/v2/orders".


class Delay(_OfRequest, frozen=True, kw_only=True, tag="delay"):
    """The answer comes late: the request is carried out after the wait."""

    seconds: float  # On the wall: it is a client's patience that is tried.

    def _check(self) -> None:
        _check(self.seconds > 0, "seconds must be above 0", self.seconds)


class HttpError(_OfRequest, frozen=True, kw_only=True, tag="http_error"):
    """Nothing is carried out."""

    status: int  # 429 and 500, for example.

    def _check(self) -> None:
        _check(400 <= self.status <= 599, "status must be from 400 to 599", self.status)


class LostAnswer(_OfRequest, frozen=True, kw_only=True, tag="lost_answer"):
    """The request is carried out, and answered by an error as if it had not been."""

    status: int = 504
    seconds: float = 0.0  # Before the answer, on the wall.

    def _check(self) -> None:
        _check(400 <= self.status <= 599, "status must be from 400 to 599", self.status)
        _check(self.seconds >= 0, "seconds must be at least 0", self.seconds)


# Streams.


class _OfMessage(_Fault, frozen=True, kw_only=True):
    stream: Stream
    event: str = ANY  # A trade update's event, such as "fill"; a market message's T, such as "b".
    symbol: str = ANY


class DropSocket(_OfMessage, frozen=True, kw_only=True, tag="drop_socket"):
    """Everybody on the stream is hung up on instead of being told the message."""


class MuteSocket(_OfMessage, frozen=True, kw_only=True, tag="mute_socket"):
    """From the message on nothing is said to those who are connected, and nothing else shows it."""

    minutes: int = 0  # 0: until they connect anew.

    def _check(self) -> None:
        _check(self.minutes >= 0, "minutes must be at least 0", self.minutes)


class RefuseSocket(_Fault, frozen=True, kw_only=True, tag="refuse_socket"):
    """Who connects is hung up on."""

    stream: Stream


class DuplicateEvent(_OfMessage, frozen=True, kw_only=True, tag="duplicate_event"):
    """The message is said twice."""


class ReorderEvents(_OfMessage, frozen=True, kw_only=True, tag="reorder_events"):
    """The message is said after the one that follows it."""


class MissingEvent(_OfMessage, frozen=True, kw_only=True, tag="missing_event"):
    """The message is never said."""


# Orders.


class _OfOrder(_Fault, frozen=True, kw_only=True):
    symbol: str = ANY
    side: str = ANY  # "buy" or "sell".


class RefuseOrder(_OfOrder, frozen=True, kw_only=True, tag="refuse_order"):
    """POST /orders is refused."""

    status: int = 403
    code: int = 40310000
    text: str = "insufficient buying power"

    def _check(self) -> None:
        _check(400 <= self.status <= 499, "status must be from 400 to 499", self.status)


class RejectOrder(_OfOrder, frozen=True, kw_only=True, tag="reject_order"):
    """The order is accepted, then rejected: only the stream says so."""


class PartialFill(_OfOrder, frozen=True, kw_only=True, tag="partial_fill"):
    """Only a part of what could fill does; the rest goes on working."""

    fraction: Decimal = Decimal("0.5")

    def _check(self) -> None:
        _check(0 < self.fraction < 1, "fraction must be in (0, 1)", self.fraction)


# The account.


class StalePositions(_OfOrder, frozen=True, kw_only=True, tag="stale_positions"):
    """The positions show a symbol as it was before a fill that its order shows already."""

    seconds: float = 10.0  # Of the broker's time.

    def _check(self) -> None:
        _check(self.seconds > 0, "seconds must be above 0", self.seconds)


class AccountBlocked(_Fault, frozen=True, kw_only=True, tag="account_blocked"):
    """The account says so, and no order is taken."""

    field: Literal["account_blocked", "trading_blocked", "status"] = "trading_blocked"  # status: ACTION_REQUIRED.
    minutes: int = 0  # 0: until the faults are cleared.

    def _check(self) -> None:
        _check(self.minutes >= 0, "minutes must be at least 0", self.minutes)


# Bars.


class _OfBar(_Fault, frozen=True, kw_only=True):
    symbol: str = ANY


class LateBar(_OfBar, frozen=True, kw_only=True, tag="late_bar"):
    """The stream gives the bar after later ones."""

    minutes: int = 1

    def _check(self) -> None:
        _check(self.minutes >= 1, "minutes must be at least 1", self.minutes)


class CorrectedBar(_OfBar, frozen=True, kw_only=True, tag="corrected_bar"):
    """The stream gives the bar with wrong prices, and an updated bar with the right ones a minute later."""

    factor: float = 1.01  # The wrong close, in terms of the right one.

    def _check(self) -> None:
        _check(self.factor > 0 and self.factor != 1, "factor must be above 0 and not 1", self.factor)


class SplitBeforeOpen(_Fault, frozen=True, kw_only=True, tag="split_before_open"):
    """The symbol splits in the night before a session: shares, prices and bars are in new terms from its open on.

    What is known at the close before it happens; there is no night before the first session.
    """

    symbol: str  # No glob.
    ratio: Decimal = Decimal(2)  # New shares for an old one; below 1 a reverse split.
    from_session: int = 2

    def _check(self) -> None:
        _check(self.ratio > 0 and self.ratio != 1, "ratio must be above 0 and not 1", self.ratio)
        _check(self.from_session >= 2, "from_session must be at least 2 for a split", self.from_session)


# Bodies.


class _OfBody(_Fault, frozen=True, kw_only=True):
    count: int = 0
    where: str = ANY  # A glob of a REST address ("/v2/account"), "trading_stream" or "data_stream".


class MissingField(_OfBody, frozen=True, kw_only=True, tag="missing_field"):
    """The field is gone, wherever in the body it stood. From a later session on: removed overnight."""

    field: str


class UnknownField(_OfBody, frozen=True, kw_only=True, tag="unknown_field"):
    """A field that nobody has heard of stands in every object."""

    field: str = "field_of_tomorrow"
    value: Any = "new"


class UnknownStatus(_OfBody, frozen=True, kw_only=True, tag="unknown_status"):
    """Orders are in a status that nobody has heard of."""

    status: str = "pending_of_tomorrow"


class EmptyList(_OfBody, frozen=True, kw_only=True, tag="empty_list"):
    """A list is answered empty: no positions, no orders, a calendar without a session."""

    where: str

    def _check(self) -> None:
        _check(self.where.startswith("/"), "where must be an address such as /v2/calendar", self.where)


Fault = (
    Delay
    | HttpError
    | LostAnswer
    | DropSocket
    | MuteSocket
    | RefuseSocket
    | DuplicateEvent
    | ReorderEvents
    | MissingEvent
    | RefuseOrder
    | RejectOrder
    | PartialFill
    | StalePositions
    | AccountBlocked
    | LateBar
    | CorrectedBar
    | SplitBeforeOpen
    | MissingField
    | UnknownField
    | UnknownStatus
    | EmptyList
)
