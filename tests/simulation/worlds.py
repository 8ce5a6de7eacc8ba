"""Made-up worlds for the decision path: bars that carry a strategy's wishes, an engine, and two ways to drive it.

`Play` runs the one loop over the simulated exchange and remembers every event with its decision. `Hand` feeds
events one at a time, so that a test can say what the broker answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import numpy as np

from ordinis.brokers.simulated.exchange import Exchange
from ordinis.brokers.simulated.in_process import SimulatedBroker, SimulatedMarket
from ordinis.brokers.simulated.settings import ExchangeSettings, FillModel
from ordinis.domain.account import AccountView, Position
from ordinis.domain.decision import Assessment, Decision, Reason
from ordinis.domain.events import Command, CommandKind, CorporateAction, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketBlock, MarketSlice, Session, Universe
from ordinis.domain.orders import Action, CancelIntent, Fill, OrderIntent, OrderStatus
from ordinis.engines.compliance.business_days import BusinessDays
from ordinis.engines.compliance.day_trades import Throttle
from ordinis.engines.compliance.gate import AccountRules
from ordinis.engines.daily_exits import DailyExits
from ordinis.engines.estimates import Volatility
from ordinis.engines.execution.desk import ExecutionSettings
from ordinis.engines.outlook import Outlook
from ordinis.engines.portfolio.policy import Tier
from ordinis.engines.portfolio.sizing import SizingConfig, SizingMethod
from ordinis.engines.riskguard.limits import Limits
from ordinis.engines.signalcore import SignalCore, SignalSettings
from ordinis.engines.signalcore.bars import OwnBars
from ordinis.engines.signalcore.slow_exits import SlowExits
from ordinis.engines.signalcore.strategy import Strategy, StrategyColumns, both_ways
from ordinis.engines.state import Displacement, TradingSettings
from ordinis.engines.trading import TradingEngine
from ordinis.journal.views import unpack_changes
from ordinis.runtime.loop import trade

SYMBOLS = ("AAA", "BBB", "CCC")
UNIVERSE = Universe(SYMBOLS)
OPEN_NS = 1_736_951_400 * 10**9  # 2025-01-15 09:30 in New York.
DAY_NS = 86_400 * 10**9
VOLUME = 1_000_000
ENTER, LEAVE, SHORT = 1, 2, 3  # Last digit of a bar's volume; the digit before it is the score.

Price = float | Sequence[float] | None  # One price, or open, high, low, close; None is no bar.
Wishes = Mapping[str, Sequence[int]]  # Symbol -> the minutes of the session, counted from 1.


MADE_UP = [date(2024, 12, 1) + timedelta(number) for number in range(400)]
EVERY_DAY = BusinessDays(MADE_UP, MADE_UP)  # The calendar of made-up sessions.


class Wishful:
    """A strategy whose wishes a test writes into the volume of the bars."""

    def __init__(self, name: str = "wishful", stop_distance: float | None = None) -> None:
        self.name = name
        self._stop_distance = np.nan if stop_distance is None else stop_distance

    def advance(self, bars: OwnBars) -> StrategyColumns:
        volume = np.rint(np.nan_to_num(bars.volume))  # Through a split a whole number comes back almost whole.
        return StrategyColumns(
            direction=both_ways(volume % 10 == ENTER, volume % 10 == SHORT),
            exit=volume % 10 == LEAVE,
            score=volume // 10 % 10,
            stop_distance=np.full(volume.shape, self._stop_distance),
            ready=bars.warm(1),
        )


def session_of(number: int, minutes: int) -> Session:
    """The n-th made-up session; they follow each other daily, weekends or not."""
    open_ns = OPEN_NS + number * DAY_NS
    return Session(date=date(2025, 1, 15) + timedelta(number), open_ns=open_ns, close_ns=open_ns + minutes * MINUTE_NS)


def day(
    number: int,
    prices: Mapping[str, Sequence[Price]],
    *,
    enter: Wishes | None = None,
    leave: Wishes | None = None,
    short: Wishes | None = None,
    scores: Mapping[str, int] | None = None,
    volume: int = VOLUME,
    universe: Universe = UNIVERSE,
    minutes: int | None = None,
) -> MarketBlock:
    """A session, or its first minutes: a price a minute and a symbol. `minutes` is the session's length."""
    rows = max(len(column) for column in prices.values())
    table = np.full((4, rows, len(universe)), np.nan)
    traded = np.zeros((rows, len(universe)))
    for symbol, column in prices.items():
        at = universe.column[symbol]
        for row, price in enumerate(column):
            if price is not None:
                table[:, row, at] = [price] * 4 if isinstance(price, int | float) else price
                traded[row, at] = volume + 10 * (scores or {}).get(symbol, 0)
    for wish, wanted in ((ENTER, enter or {}), (LEAVE, leave or {}), (SHORT, short or {})):
        for symbol, at_minutes in wanted.items():
            for minute in at_minutes:
                traded[minute - 1, universe.column[symbol]] += wish
    session = session_of(number, rows if minutes is None else minutes)
    return MarketBlock(
        universe=universe,
        session=session,
        closed_at_ns=session.open_ns + MINUTE_NS * np.arange(1, rows + 1, dtype=np.int64),
        open=table[0],
        high=table[1],
        low=table[2],
        close=table[3],
        volume=traded,
        present=~np.isnan(table[3]),
    )


_SIZING = {field.name for field in fields(SizingConfig)}


def tier_of(**changes: Any) -> Tier:
    """A tier that asks for nothing; sizing figures and the tier's own by name."""
    sizing: dict[str, Any] = {
        "method": SizingMethod.FIXED_PERCENT,
        "fixed_percent": 0.10,
        "max_position_pct": 1.0,
        "max_positions": 5,
    }
    policy: dict[str, Any] = {
        "name": "only",
        "equity_min_usd": 0.0,
        "min_confidence": 0.0,
        "cooldown_minutes": 0,
        "hold_sessions": 0,
        "exits_on_daily_bars": False,
    }
    for name, value in changes.items():
        (sizing if name in _SIZING else policy)[name] = value
    return Tier(sizing=SizingConfig(**sizing), **policy)


def limits_of(**changes: Any) -> Limits:
    """Limits that stand aside, but for those that are named."""
    loose: dict[str, Any] = {
        "cash_buffer_fraction": 0.0,
        "last_entry_minutes_before_close": 0,
        "daily_loss_fraction_max": 0.99,
        "drawdown_fraction_warn": 0.97,
        "drawdown_fraction_halve": 0.98,
        "drawdown_fraction_stop": 0.99,
        "market_buy_collar_fraction": 0.0,
    }
    return Limits(**{**loose, **changes})


def engine_of(
    *,
    strategies: Sequence[Strategy] | None = None,
    tiers: Sequence[Tier] | None = None,
    limits: Limits | None = None,
    throttle: Throttle | None = None,
    execution: ExecutionSettings | None = None,
    fractionable: bool = False,
    universe: Universe = UNIVERSE,
    signals: SignalSettings | None = None,
    candidates_max: int = 200,
    sectors: Mapping[str, str] | None = None,
    outlook: Mapping[str, Any] | None = None,
    displacement: Displacement | None = None,
    allocation_usd: float | None = None,
    rules: AccountRules | None = None,
    exit_minutes: Mapping[str, int] | None = None,
    always_by_day: Sequence[int] = (),
) -> TradingEngine:
    """The decision path with every rule in place and none that binds unless the test says so."""

    def core(chosen: Sequence[Strategy]) -> SignalCore:
        return SignalCore(universe, chosen, signals or SignalSettings(score_history_min=1))

    chosen = strategies or [Wishful()]
    slow = exit_minutes or {}
    quick = [SlowExits(one, deepcopy(one), slow[one.name]) if one.name in slow else one for one in chosen]
    apart = [core([deepcopy(strategy)]) for strategy in chosen]
    tiers = tiers or [tier_of()]
    by_day = any(tier.exits_on_daily_bars for tier in tiers)
    return TradingEngine(
        universe,
        Outlook(universe, core(quick), Volatility(universe), **(outlook or {})),
        TradingSettings(
            tiers=tiers,
            hysteresis_fraction=0.02,
            limits=limits or limits_of(),
            throttle=throttle or Throttle(enabled=False),
            execution=execution or ExecutionSettings(),
            fractionable=fractionable,
            candidates_max=candidates_max,
            sectors=sectors or {},
            displacement=displacement,
            allocation_usd=allocation_usd,
            rules=rules or AccountRules(days=EVERY_DAY),
            exit_minutes=slow,
        ),
        DailyExits(universe, apart, always_by_day) if always_by_day or by_day else None,
    )


def exchange_of(universe: Universe = UNIVERSE, *, actions: Iterable[CorporateAction] = (), **changes: Any) -> Exchange:
    """An exchange that fills at the next open, whatever the size and without fees, unless told otherwise."""
    plain: dict[str, Any] = {
        "cash_usd": Decimal(100_000),
        "fill_model": FillModel.NEXT_OPEN,
        "participation_max": 0.0,
        "market_buy_collar": 0.0,
        "sec_usd_per_million": Decimal(0),
        "taf_usd_per_share": Decimal(0),
        "cat_usd_per_share": Decimal(0),
    }
    return Exchange(universe, ExchangeSettings(**{**plain, **changes}), actions=actions)


Watch = Callable[[Event, Decision], None]


class Tale:
    """Every event with its decision, as a journal is told them."""

    def __init__(self, universe: Universe = UNIVERSE, watch: Watch | None = None) -> None:
        self.steps: list[tuple[Event, Decision]] = []
        self.reasons: dict[str, list[Reason]] = {symbol: [] for symbol in universe.symbols}
        self._universe = universe
        self._watch = watch

    def append(self, event: Event, decision: Decision) -> None:
        self.steps.append((event, decision))
        columns, reasons = unpack_changes(decision.changes)
        for column, reason in zip(columns.tolist(), reasons.tolist(), strict=True):
            self.reasons[self._universe.symbols[column]].append(Reason(reason))
        if self._watch is not None:
            self._watch(event, decision)

    def close(self) -> None:
        """A tale is not written anywhere."""

    @property
    def actions(self) -> list[Action]:
        return [action for _, decision in self.steps for action in decision.actions]

    @property
    def orders(self) -> list[OrderIntent]:
        return [action for action in self.actions if isinstance(action, OrderIntent)]

    @property
    def assessments(self) -> list[Assessment]:
        return [one for _, decision in self.steps for one in decision.assessments]

    @property
    def notes(self) -> list[str]:
        return [note for _, decision in self.steps for note in decision.notes]

    @property
    def fills(self) -> list[Fill]:
        return [event.fill for event, _ in self.steps if isinstance(event, OrderUpdate) and event.fill is not None]

    @property
    def short(self) -> list[str]:
        """Actions as `minute purpose symbol quantity`, a cancel as `minute cancel symbol`."""
        return [_short(action) for action in self.actions]


def _short(action: Action) -> str:
    minute = (action.decided_at_ns - OPEN_NS) % DAY_NS // MINUTE_NS
    if isinstance(action, CancelIntent):
        return f"{minute} cancel {action.symbol}"
    assert isinstance(action, OrderIntent), "the engine replaces nothing yet"
    return f"{minute} {action.purpose.value} {action.symbol} {action.quantity.normalize():f}"


def play(
    engine: TradingEngine,
    exchange: Exchange,
    blocks: Iterable[MarketBlock],
    *,
    watch: Watch | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Tale:
    """Run the loop to the market's end."""
    tale = Tale(engine.state.universe, watch)
    trade(engine, SimulatedMarket(exchange, blocks), SimulatedBroker(exchange), tale, stopped)
    return tale


class Hand:
    """Feeds an engine by hand, a minute at a time: what the broker says is up to the test."""

    def __init__(self, *, minutes: int = 390, cash_usd: float = 100_000, universe: Universe = UNIVERSE, **more: Any):
        self.engine = engine_of(universe=universe, **more)
        self.tale = Tale(universe)
        self.at_minute = 0
        self._universe = universe
        self._minutes = minutes
        self._cash_usd = Decimal(str(cash_usd))
        self._number = 0
        self._executions = count(1)

    @property
    def at_ns(self) -> int:
        return session_of(self._number, self._minutes).open_ns + self.at_minute * MINUTE_NS

    def bell(self) -> Decision:
        """The session opens; the broker has not told its figures yet."""
        self.at_minute = 0
        session = session_of(self._number, self._minutes)
        return self._told(SessionPhase(at_ns=session.open_ns, phase=Phase.OPENING, session=session))

    def figures(
        self,
        equity_usd: float | None = None,
        last_equity_usd: float | None = None,
        positions: Sequence[Position] | None = None,
        multiplier: int = 2,
    ) -> Decision:
        """The broker tells its figures; where the test gives none, our own."""
        ledger = self.engine.state.ledger
        cash = ledger.cash_usd or self._cash_usd
        equity = Decimal(str(equity_usd)) if equity_usd is not None else cash
        held = [
            Position(symbol=symbol, quantity=one.quantity, average_price_usd=one.average_price_usd)
            for symbol, one in sorted(ledger.holdings.items())
        ]
        return self._told(
            AccountView(
                at_ns=self.at_ns,
                equity_usd=equity,
                cash_usd=equity if equity_usd is not None and not held else cash,
                buying_power_usd=equity * multiplier,
                last_equity_usd=equity if last_equity_usd is None else Decimal(str(last_equity_usd)),
                multiplier=multiplier,
                positions=tuple(held if positions is None else positions),
            )
        )

    def opens(self, equity_usd: float | None = None, last_equity_usd: float | None = None, **more: Any) -> Decision:
        """Both, one after the other."""
        self.bell()
        return self.figures(equity_usd, last_equity_usd, **more)

    def minute(self, *, enter: str = "", leave: str = "", short: str = "", skip: int = 1, **prices: Price) -> Decision:
        """The next minute, or the `skip`-th from here; symbols are named in words: enter="AAA BBB"."""
        self.at_minute += skip
        row = day(
            self._number,
            {symbol: [price] for symbol, price in prices.items()} or {symbol: [100.0] for symbol in SYMBOLS},
            enter={symbol: [1] for symbol in enter.split()},
            leave={symbol: [1] for symbol in leave.split()},
            short={symbol: [1] for symbol in short.split()},
            universe=self._universe,
            minutes=self._minutes,
        )
        row.closed_at_ns[0] = self.at_ns
        return self._told(MarketSlice(row, 0))

    def orders(self, kind: CommandKind, note: str = "") -> Decision:
        """A person says something."""
        return self._told(Command(at_ns=self.at_ns, kind=kind, note=note))

    def closes(self) -> Decision:
        session = session_of(self._number, self._minutes)
        self._number += 1
        return self._told(SessionPhase(at_ns=session.close_ns, phase=Phase.CLOSED, session=session))

    def says(
        self,
        client_order_id: str,
        status: OrderStatus,
        *,
        filled: Decimal | str | int = 0,
        fill: Fill | None = None,
        code: int | None = None,
    ) -> Decision:
        """The broker says something of an order."""
        return self._told(
            OrderUpdate(
                at_ns=self.at_ns,
                client_order_id=client_order_id,
                broker_order_id=f"broker-{client_order_id}",
                symbol=client_order_id.split("-")[2],
                status=status,
                filled_quantity=Decimal(filled),
                fill=fill,
                error_code=code,
                error_text=None if code is None else "no",
            )
        )

    def fills(
        self,
        client_order_id: str,
        quantity: Decimal | str | int,
        price: float | str = 100,
        *,
        so_far: Decimal | str | int | None = None,
        status: OrderStatus = OrderStatus.FILLED,
    ) -> Decision:
        """The broker fills some of an order; `quantity` signed, `so_far` unsigned and all of it by default."""
        signed = Decimal(quantity)
        fill = Fill(
            execution_id=f"execution-{next(self._executions)}",
            symbol=client_order_id.split("-")[2],
            quantity=signed,
            price_usd=Decimal(str(price)),
            filled_at_ns=self.at_ns,
        )
        return self.says(client_order_id, status, filled=abs(signed) if so_far is None else so_far, fill=fill)

    def enters(self, symbol: str = "AAA", price: float = 100.0, **others: Price) -> OrderIntent:
        """Ask for an entry in the next minute and have it filled; the entry's order."""
        prices: dict[str, Any] = {symbol: price, **others}
        decision = self.minute(enter=symbol, **prices)
        (order,) = [one for one in decision.actions if isinstance(one, OrderIntent)]
        self.says(order.client_order_id, OrderStatus.ACCEPTED)
        self.fills(order.client_order_id, order.quantity, price)
        return order

    def reason(self, symbol: str = "AAA") -> Reason:
        """What stands against an entry of the symbol, as of the last event."""
        return (self.tale.reasons[symbol] or [Reason.NO_SIGNAL])[-1]

    def _told(self, event: Event) -> Decision:
        decision = self.engine.handle(event)
        self.tale.append(event, decision)
        return decision


def settled(symbol: str, quantity: int | str, price: float = 100.0) -> Position:
    return Position(symbol=symbol, quantity=Decimal(quantity), average_price_usd=Decimal(str(price)))
