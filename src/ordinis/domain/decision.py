"""Candidate -> verdict -> decision: all that is said about one event, and why."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, IntEnum

import msgspec

from ordinis.domain.orders import Action, OrderIntent, Purpose


class Reason(IntEnum):
    """Why a candidate did not become an order, in order of precedence: the first that applies is reported.

    The numbers are written into journals: append a new reason inside its group's free numbers, never renumber.
    """

    NO_SIGNAL = 0
    SENT = 1
    RESIZED = 2  # Sent, smaller than it was sized: the verdict names what bound.

    # The moment: nothing may be opened now, whatever it is.
    HALTED = 10
    ACCOUNT_UNKNOWN = 11
    BOOK_DIFFERS = 12
    WARMING_UP = 13
    OUTSIDE_SESSION = 14
    FEED_STALE = 15
    DAILY_LOSS = 16
    DRAWDOWN = 17
    WEEKLY_LOSS = 18
    MONTHLY_LOSS = 19
    CONSECUTIVE_LOSSES = 20
    ORDERS_A_SESSION = 21
    MARKET_VOLATILITY_UNKNOWN = 22
    RULES_UNSURE = 23
    ACCOUNT_BLOCKED = 24

    # The symbol: not this one, now.
    ALREADY_HELD = 30
    DUPLICATE_ORDER = 31
    OPPOSITE_ORDER = 32
    PRICE_STALE = 33
    COOLDOWN = 34
    LOW_CONFIDENCE = 35
    DAY_TRADE_SLOTS = 36
    HOLD = 37  # An exit that has to wait out the minimum hold.
    REFUSED_TOO_OFTEN = 38
    SHORTING = 39
    PRICE_COLLAR = 40
    SPREAD = 41
    HELD_BY_OTHERS = 42
    UNSETTLED = 43  # An exit that has to wait for the money that paid for it.
    MARGIN_EQUITY = 44
    REMOVED = 45
    SETTLED_CASH = 46
    INTRADAY_MARGIN = 47
    MARGIN_RESTRICTED = 48
    DAY_TRADING_POWER = 49

    # The size: nothing left to buy with.
    VOLATILITY_UNKNOWN = 50
    NO_EDGE = 51
    POSITIONS_FULL = 52
    POSITION_WEIGHT = 53
    CASH_BUFFER = 54
    BUYING_POWER = 55
    BELOW_MINIMUM = 56
    OUTRANKED = 58
    NO_EVIDENCE = 57
    STOP_UNKNOWN = 59
    NO_OPTIMUM = 60
    NO_OPTIMAL_WEIGHT = 61
    BOOK_VOLATILITY = 62
    TRADE_RISK = 63
    GROSS_EXPOSURE = 64
    NET_EXPOSURE = 65
    ORDER_VOLUME = 66
    SECTOR = 67
    CLUSTER = 68
    BETA = 69

    # The way out.
    LAPSED = 70
    REFUSED_BY_BROKER = 71
    WITHIN_BAND = 72
    UNFILLED = 73

    @property
    def text(self) -> str:
        return _TEXT[self]


_TEXT = {
    Reason.NO_SIGNAL: "no strategy asks for an entry",
    Reason.SENT: "order sent",
    Reason.RESIZED: "order sent, smaller than sized",
    Reason.HALTED: "trading is halted",
    Reason.ACCOUNT_UNKNOWN: "the broker's account figures are not known yet",
    Reason.BOOK_DIFFERS: "our book and the broker's positions differ",
    Reason.WARMING_UP: "not enough history yet",
    Reason.OUTSIDE_SESSION: "too near the close, or the session is not open",
    Reason.FEED_STALE: "no symbol has had a bar for too long",
    Reason.DAILY_LOSS: "the day's loss limit is reached",
    Reason.DRAWDOWN: "the drawdown limit is reached",
    Reason.WEEKLY_LOSS: "the week's loss limit is reached",
    Reason.MONTHLY_LOSS: "the month's loss limit is reached",
    Reason.CONSECUTIVE_LOSSES: "too many losing trades in a row",
    Reason.ORDERS_A_SESSION: "as many orders were sent this session as may be",
    Reason.MARKET_VOLATILITY_UNKNOWN: "the market's volatility is not known",
    Reason.RULES_UNSURE: "what the broker says of the account is missing, or contradicts what we know",
    Reason.ACCOUNT_BLOCKED: "the broker has blocked the account",
    Reason.ALREADY_HELD: "the position is already held",
    Reason.DUPLICATE_ORDER: "an order of the same side is working",
    Reason.OPPOSITE_ORDER: "an order of the other side is working",
    Reason.PRICE_STALE: "the symbol's last price is too old",
    Reason.COOLDOWN: "too soon after the symbol's last trade",
    Reason.LOW_CONFIDENCE: "confidence is below the tier's minimum, or has no history yet",
    Reason.DAY_TRADE_SLOTS: "no day-trade slot is free",
    Reason.HOLD: "the minimum hold is not over",
    Reason.REFUSED_TOO_OFTEN: "the broker has refused too many orders of this symbol this session",
    Reason.SHORTING: "short sales are not allowed",
    Reason.PRICE_COLLAR: "the price is too far from the last session's close",
    Reason.SPREAD: "the spread between bid and ask is too wide",
    Reason.HELD_BY_OTHERS: "a position that is left alone is of the other side: the order would close it",
    Reason.UNSETTLED: "it was bought with money that has not settled: selling it now would be a violation",
    Reason.MARGIN_EQUITY: "equity is below the minimum for a debit or a short",
    Reason.REMOVED: "the symbol is traded no more",
    Reason.SETTLED_CASH: "not enough settled cash",
    Reason.INTRADAY_MARGIN: "the intraday margin level would fall below its buffer",
    Reason.MARGIN_RESTRICTED: "a margin call is open or the account is frozen: nothing that makes or adds to a debit",
    Reason.DAY_TRADING_POWER: "more than the day-trading buying power of the prior close",
    Reason.VOLATILITY_UNKNOWN: "the volatility is not known yet",
    Reason.NO_EDGE: "the measured edge is not positive",
    Reason.POSITIONS_FULL: "all position slots are taken",
    Reason.POSITION_WEIGHT: "the position would weigh too much",
    Reason.CASH_BUFFER: "the cash buffer or the leverage limit would be broken",
    Reason.BUYING_POWER: "not enough buying power",
    Reason.NO_EVIDENCE: "too few results to measure an edge",
    Reason.BELOW_MINIMUM: "the size rounds to less than the minimum order",
    Reason.OUTRANKED: "more candidates than are looked at in a minute, and better ones among them",
    Reason.STOP_UNKNOWN: "Kelly's fraction of the risk needs a stop, and there is none",
    Reason.NO_OPTIMUM: "the optimiser has no answer: covariances are not known, or no weights were proven best",
    Reason.NO_OPTIMAL_WEIGHT: "the best book of what is held and asked for has no place for it",
    Reason.BOOK_VOLATILITY: "the whole book is at its target volatility",
    Reason.TRADE_RISK: "too much would be lost at the stop, or with the whole position where there is none",
    Reason.GROSS_EXPOSURE: "gross exposure would be too large",
    Reason.NET_EXPOSURE: "net exposure would be too large",
    Reason.ORDER_VOLUME: "the order would be too large for the symbol's recent volume",
    Reason.SECTOR: "the sector would weigh too much",
    Reason.CLUSTER: "the symbols that move with this one would weigh too much, or it is not known which they are",
    Reason.BETA: "the book's beta would leave its band, or the symbol's is not known",
    Reason.LAPSED: "the order was not sent in time",
    Reason.REFUSED_BY_BROKER: "the broker refused the order",
    Reason.WITHIN_BAND: "too near its target to be worth a trade",
    Reason.UNFILLED: "the entry bought nothing in its time and was taken back, or expired",
}


class SizeStep(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One link of the chain: what it is called and the weight of equity after it."""

    name: str
    weight: float


class SizeResult(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """A size and how it came about. Weights are fractions of the portfolio's value."""

    symbol: str
    shares: Decimal
    notional_value: float  # USD.
    weight: float
    risk_contribution: float  # Fraction of equity lost at the stop; 0.0 where there is no stop.
    sizing_method: str  # The method that gave the base weight: the fallback's name where it was used.
    confidence: float | None
    chain: tuple[SizeStep, ...]
    bound_by: str  # The link that set the weight.
    reason: Reason = Reason.SENT  # Other than SENT: why there are no shares.

    @property
    def metadata(self) -> dict[str, object]:
        """The chain as plain values."""
        return {"chain": [(step.name, step.weight) for step in self.chain], "bound_by": self.bound_by}


class VerdictAction(Enum):
    APPROVE = "approve"
    RESIZE = "resize"
    REFUSE = "refuse"


class Verdict(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What the guard says of an order, with the quantity that goes out."""

    action: VerdictAction
    quantity: Decimal  # Shares; zero when refused.
    reason: Reason  # SENT when approved; otherwise the rule that bound.


class Assessment(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """A candidate that reached sizing: the whole story of one order, or of why there is none."""

    symbol: str
    purpose: Purpose
    strategy: str
    score: float | None
    confidence: float | None
    price_usd: float
    size: SizeResult | None
    verdict: Verdict
    client_order_id: str | None


class RebalanceLine(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What a rebalance makes of one holding. Weights are fractions of equity, signed as the position."""

    symbol: str
    current: float
    most: float  # What PositionSizer would give it now, unsigned.
    target: float
    quantity: Decimal  # Shares to trade, signed; zero: none.
    notional_usd: float
    cost_usd: float  # Expected: half a spread on what is traded.
    reason: Reason  # SENT, or why there is no trade.


class RebalancePlan(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """A look at the whole book: why, what it should be, and what is cut for it, the most first."""

    triggers: tuple[str, ...]  # The most urgent first.
    method: str
    rung: str  # Of the optimiser's ladder; other than its first: the note says why.
    lines: tuple[RebalanceLine, ...]
    entries: dict[str, float]  # Names asked for by a signal -> the most they may weigh if they are entered now.
    volatility_before: float  # Of the book, a year, as forecast; NaN unknown.
    volatility_after: float
    note: str = ""

    @property
    def turnover(self) -> float:
        """What is traded, a fraction of equity."""
        return sum(abs(line.target - line.current) for line in self.lines if line.quantity)

    @property
    def cost_usd(self) -> float:
        return sum(line.cost_usd for line in self.lines)


class Decision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """The answer to one event. Empty for most.

    `changes` packs the candidates whose reason changed, three bytes each: first all their columns (uint16,
    little-endian), then all their reasons (uint8). It is turned into words only when somebody reads it.
    """

    actions: tuple[Action, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    changes: bytes = b""
    notes: tuple[str, ...] = ()  # A person should see these.
    plan: RebalancePlan | None = None
    held_back: tuple[OrderIntent, ...] = ()  # Decided, to be sent when what is taken back for them is out of the way.

    @property
    def empty(self) -> bool:
        return not (self.actions or self.assessments or self.changes or self.notes or self.plan)


NOTHING = Decision()
