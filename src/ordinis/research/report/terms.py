"""What the fills say was held, in the terms of the last day: through splits, and to the end of a symbol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np

from ordinis.domain.events import ActionKind, CashFlow, CorporateAction, OrderUpdate
from ordinis.domain.market import IntArray
from ordinis.domain.orders import Fill

NumberedFill = tuple[int, Fill]  # The number of the first minute that had it in the book.
PositionEvent = OrderUpdate | CashFlow | CorporateAction


def in_last_terms(
    fills: Sequence[NumberedFill], events: Sequence[PositionEvent], marks_ns: IntArray
) -> list[NumberedFill]:
    """The fills with the shares that later splits made of theirs, and one more for what a removal took away.

    `events` are the journal's, in order; `marks_ns` the end of each minute.
    """
    shares = _of_the_last_day(events)
    found = [
        (number, msgspec.structs.replace(fill, quantity=fill.quantity * shares[fill.execution_id]))
        for number, fill in fills
    ]
    for event in events:
        if isinstance(event, CorporateAction) and event.kind is ActionKind.REMOVAL:
            held = sum((fill.quantity for _, fill in found if fill.symbol == event.symbol), Decimal(0))
            number = int(np.searchsorted(marks_ns, event.at_ns, side="right"))
            found.append((number, _taken(event, held)))
    return sorted(found, key=lambda one: one[0])


def _of_the_last_day(events: Sequence[PositionEvent]) -> dict[str, Decimal]:
    """By execution id: how many shares of the last day one of that fill's is."""
    later: defaultdict[str, Decimal] = defaultdict(lambda: Decimal(1))
    found: dict[str, Decimal] = {}
    for event in reversed(events):
        if isinstance(event, CorporateAction):
            later[event.symbol] *= event.ratio
        elif isinstance(event, OrderUpdate) and event.fill is not None:
            found[event.fill.execution_id] = later[event.symbol]
    return found


def _taken(action: CorporateAction, held: Decimal) -> Fill:
    price_usd = action.amount_usd or Decimal(0)
    return Fill(
        execution_id=action.id, symbol=action.symbol, quantity=-held, price_usd=price_usd, filled_at_ns=action.at_ns
    )
