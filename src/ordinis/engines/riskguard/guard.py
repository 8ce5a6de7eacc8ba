"""RiskGuard: no order leaves without its verdict, and the verdict carries the quantity that goes out.

Two looks. `screen` judges every symbol of a minute by what needs no size (see screen.py); `review`
judges one sized entry by what does (see rules.py). Orders that reduce a position pass every limit.
"""

from __future__ import annotations

from decimal import Decimal

from ordinis.domain import money
from ordinis.domain.decision import Reason, Verdict, VerdictAction
from ordinis.engines.portfolio.sizing import SizingConfig
from ordinis.engines.riskguard.book import Book
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.riskguard.rules import ROOMS

_NONE = Decimal(0)
_SENT = Reason.SENT
_APPROVE = VerdictAction.APPROVE


class RiskGuard:
    """Holds the limits and counts the rules it evaluated; the book is the engine's."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rules_evaluated = 0

    def review(self, quantity: Decimal, price_usd: float, book: Book, sizing: SizingConfig) -> Verdict:
        """The largest part of an entry that every rule allows. `quantity` in shares, whole or fractional."""
        asked_usd = float(quantity) * price_usd
        room_usd, bound = asked_usd, _SENT
        for reason, rule in ROOMS:
            left_usd = rule(book, sizing, self.limits)
            if left_usd < room_usd:
                room_usd, bound = left_usd, reason
        self.rules_evaluated += len(ROOMS)
        if bound is _SENT:
            return Verdict(action=_APPROVE, quantity=quantity, reason=bound)
        return self._resize(quantity, max(room_usd, 0.0) / price_usd, price_usd, bound)

    def reduce(self, quantity: Decimal) -> Verdict:
        """A limit must never trap us in a position."""
        return Verdict(action=_APPROVE, quantity=quantity, reason=_SENT)

    def _resize(self, quantity: Decimal, allowed: float, price_usd: float, bound: Reason) -> Verdict:
        whole = quantity == quantity.to_integral_value()
        fitting = money.shares(allowed, money.WHOLE if whole else money.FRACTION)
        if float(fitting) * price_usd < self.limits.minimum_notional_usd:
            return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=bound)
        return Verdict(action=VerdictAction.RESIZE, quantity=fitting, reason=bound)
