"""RiskGuard: no order leaves without its verdict, and the verdict carries the quantity that goes out.

Two looks. `screen` judges every symbol of a minute by what needs no size (see screen.py); `review`
judges one sized entry by what does (see rules.py). Orders that reduce a position pass every limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ordinis.domain import money
from ordinis.domain.decision import Reason, Verdict, VerdictAction
from ordinis.engines.comovement import Comovement
from ordinis.engines.portfolio.sizing import SizingConfig
from ordinis.engines.riskguard.asked import Asked
from ordinis.engines.riskguard.book import Book
from ordinis.engines.riskguard.limits import OFF, Limits
from ordinis.engines.riskguard.rules import RULES

_NONE: Final = Decimal(0)
_SENT: Final = Reason.SENT
_APPROVE: Final = VerdictAction.APPROVE


class RiskGuard:
    """Holds the limits and counts the rules it evaluated; the book is the engine's."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rules_evaluated = 0
        rules = [rule for rule in RULES if rule.is_on(limits)]
        self._rooms = [rule.room for rule in rules]
        self._reasons = [rule.reason for rule in rules]

    def review(
        self,
        quantity: Decimal,
        asked: Asked,
        book: Book,
        sizing: SizingConfig,
        account: Sequence[tuple[Reason, float]] = (),
    ) -> Verdict:
        """The largest part of an entry that every rule allows. `quantity` in shares, whole or fractional.

        `account` is what the account's own rules leave room for, USD.
        """
        limits, price_usd = self.limits, asked.price_usd
        left_usd = [room(asked, book, sizing, limits) for room in self._rooms]
        self.rules_evaluated += len(left_usd)
        left_usd += [room for _, room in account]
        least_usd = min(left_usd)
        if least_usd >= float(quantity) * price_usd:
            return Verdict(action=_APPROVE, quantity=quantity, reason=_SENT)
        at, own = left_usd.index(least_usd), len(self._reasons)
        bound = self._reasons[at] if at < own else account[at - own][0]
        return self._resize(quantity, max(least_usd, 0.0) / price_usd, price_usd, bound)

    def reduce(self, quantity: Decimal) -> Verdict:
        """A limit must never trap us in a position."""
        return Verdict(action=_APPROVE, quantity=quantity, reason=_SENT)

    def calm(self, moves: Comovement) -> float:
        """What the market's volatility leaves of a new position's size; NaN where it should be known and is not."""
        full = self.limits.market_volatility_full
        if full == OFF or not moves.warm or moves.market_volatility <= full:
            return 1.0
        return full / moves.market_volatility

    def awaits(self, moves: Comovement) -> list[str]:
        """What a person should know at the start: rules that cannot judge yet."""
        limits = self.limits
        rules = {
            "clusters": limits.cluster_fraction_max,
            "beta": limits.beta_max,
            "market volatility": limits.market_volatility_full,
        }
        waiting = [name for name, limit in rules.items() if limit != OFF]
        if moves.warm or not waiting:
            return []
        return [f"too few daily returns to judge {', '.join(waiting)} by: these rules let entries pass until there are"]

    def _resize(self, quantity: Decimal, allowed: float, price_usd: float, bound: Reason) -> Verdict:
        whole = quantity == quantity.to_integral_value()
        fitting = money.shares(allowed, money.WHOLE if whole else money.FRACTION)
        if float(fitting) * price_usd < self.limits.minimum_notional_usd:
            return Verdict(action=VerdictAction.REFUSE, quantity=_NONE, reason=bound)
        return Verdict(action=VerdictAction.RESIZE, quantity=fitting, reason=bound)
