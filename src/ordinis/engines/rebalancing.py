"""The whole book looked at: what is due, what it should be, and the trades that bring it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan

import msgspec
import numpy as np

from ordinis.domain.decision import Reason, RebalanceLine, RebalancePlan
from ordinis.domain.market import MINUTE_NS, FloatArray, IntArray
from ordinis.engines.additions import Growth
from ordinis.engines.commands import flattening
from ordinis.engines.comovement import ALONE
from ordinis.engines.exits import leave
from ordinis.engines.held import as_candidate
from ordinis.engines.outlook import Minutes
from ordinis.engines.portfolio.candidate import Candidate
from ordinis.engines.portfolio.rebalance.book_limits import BookLimits
from ordinis.engines.portfolio.rebalance.plan import Seat, adds, trades
from ordinis.engines.portfolio.rebalance.settings import RebalanceSettings
from ordinis.engines.portfolio.rebalance.targets import Targets, targets, volatility_of
from ordinis.engines.portfolio.rebalance.triggers import BREACHES, BookState, Trigger, Triggers
from ordinis.engines.prospects import Prospects
from ordinis.engines.riskguard.limits import OFF
from ordinis.engines.riskguard.screen import ELIGIBLE
from ordinis.engines.state import Draft, State

_PRICE_STALE = Reason.PRICE_STALE
_VOLATILITY_UNKNOWN = Reason.VOLATILITY_UNKNOWN
_ASKED = "asked"


class Rebalancer:
    """Holds what the triggers remember; everything else is the book's."""

    def __init__(self, settings: RebalanceSettings) -> None:
        self.settings = settings
        self._triggers = Triggers(settings)

    def look(self, state: State, draft: Draft) -> None:
        """Once a minute: mostly nothing is due."""
        session = draft.minutes.block.session
        minute = (draft.at_ns - session.open_ns) // MINUTE_NS
        if not self._triggers.looks(minute) or flattening(state) or state.gate.stopped is not None:
            return  # A book that is in doubt is not optimised.
        book = _book(state, draft)
        due = self._triggers.due(minute, book)
        if due:
            self._act(state, draft, due)

    def proposed(self, state: State, draft: Draft) -> RebalancePlan:
        """What a rebalance would do now, whatever the triggers say; each addition by itself. Changes nothing."""
        growth = self._growth(state, draft)
        plan = self._plan(state, draft, self._triggers.breached(_book(state, draft)), growth)
        return plan if growth is None else _with_additions(plan, growth.judged)

    def remember(self, state: State, minutes: Minutes, plan: RebalancePlan) -> None:
        """The book was looked at: what is compared with from now on. A recorded plan does as well as a new one."""
        columns = np.array([state.universe.column[line.symbol] for line in plan.lines], np.int64)
        weights = np.array([line.target for line in plan.lines])
        goal = np.full(len(state.universe), nan)
        goal[columns] = weights
        volatility = _volatility(minutes, columns, weights)  # Whether what was planned beside it is bought is open.
        self._triggers.done(goal, state.book.equity_usd, volatility, _moves(state))

    def _act(self, state: State, draft: Draft, due: list[Trigger]) -> None:
        growth = self._growth(state, draft)
        plan = self._plan(state, draft, due, growth)
        column_of = state.universe.column
        draft.targets = {column_of[symbol]: weight for symbol, weight in plan.entries.items()}
        for line in plan.lines:
            if line.quantity and not adds(line):
                leave(state, draft, column_of[line.symbol], line.symbol, abs(line.quantity))
        draft.plan = plan if growth is None else _with_additions(plan, growth.carry_out)
        self.remember(state, draft.minutes, draft.plan)

    def _growth(self, state: State, draft: Draft) -> Growth | None:
        return Growth(state, draft, _best(state, draft), self.settings) if self.settings.add else None

    def _plan(self, state: State, draft: Draft, due: list[Trigger], growth: Growth | None) -> RebalancePlan:
        seats = _seats(state, draft, growth)
        columns = np.array([seat.column for seat in seats], np.int64)
        limits = _limits(state, draft, columns)
        found = targets(seats, draft.minutes.beliefs.covariance(columns), limits, self.settings)
        lines = trades(
            seats,
            found.weights,
            self.settings,
            equity_usd=state.book.equity_usd,
            minimum_usd=state.tier.sizing.minimum_notional_usd,
            urgent=columns.tolist() if BREACHES & set(due) or self._too_risky(found, limits) else (),
        )
        return RebalancePlan(
            triggers=tuple(one.value for one in due) or (_ASKED,),
            method=self.settings.method,
            rung=found.rung,
            lines=tuple(lines),
            entries={
                seat.symbol: abs(weight) for seat, weight in zip(seats, found.weights, strict=True) if not seat.held
            },
            volatility_before=found.volatility_before,
            volatility_after=found.volatility_after,
            note=found.note,
        )

    def _too_risky(self, found: Targets, limits: BookLimits) -> bool:
        """The book is past its target volatility, by more than the tolerance."""
        most = limits.max_volatility
        return most is not None and found.volatility_before > most * (1.0 + self.settings.breach_tolerance)


def _with_additions(plan: RebalancePlan, settled: Callable[[RebalanceLine], RebalanceLine]) -> RebalancePlan:
    """What of each addition goes out; cuts stay as they are."""
    return msgspec.structs.replace(plan, lines=tuple(settled(line) if adds(line) else line for line in plan.lines))


def _moves(state: State) -> int:
    """Positions opened and closed since the start."""
    return state.entries_filled + len(state.trips)


def _weights(state: State, draft: Draft) -> FloatArray:
    weights: FloatArray = state.ledger.quantity * draft.minutes.marks[draft.row] / state.book.equity_usd
    return weights


def _book(state: State, draft: Draft) -> BookState:
    weights = _weights(state, draft)
    held = weights.nonzero()[0]
    return BookState(
        weights=weights,
        equity_usd=state.book.equity_usd,
        volatility=_volatility(draft.minutes, held, weights[held]),
        opened_and_closed=_moves(state),
        passed=_passed(state, draft, weights, held),
    )


def _volatility(minutes: Minutes, columns: IntArray, weights: FloatArray) -> float:
    """Of these, a year, as forecast; NaN unknown."""
    return volatility_of(weights, minutes.beliefs.covariance(columns)) if columns.size else 0.0


def _passed(state: State, draft: Draft, weights: FloatArray, held: IntArray) -> dict[Trigger, float]:
    """How far each limit of the whole book is used; 1 is at the limit."""
    limits, moves, size = state.guard.limits, draft.minutes.moves, np.abs(weights)
    used = {Trigger.BUFFER: float(size.sum()) / state.tier.sizing.gross_max}
    groups = [state.book.sectors[column] for column in held.tolist()]
    used[Trigger.SECTOR] = _fullest(size, held, groups) / limits.sector_fraction_max
    if moves.warm:
        clusters = [moves.clusters[column] for column in held.tolist()]
        used[Trigger.CLUSTER] = _fullest(size, held, clusters) / limits.cluster_fraction_max
        beta = float(weights @ moves.held_beta)
        edge = limits.beta_max if beta > 0.0 else limits.beta_min
        used[Trigger.BETA] = beta / edge if edge else (OFF if beta else 0.0)
    return used


def _fullest(size: FloatArray, held: IntArray, groups: Sequence[IntArray | None]) -> float:
    """The weight of the heaviest group that something held is in; a symbol without one is its own."""
    sums = [
        float(size[column] if members is None or members is ALONE else size[members].sum())
        for column, members in zip(held.tolist(), groups, strict=True)
    ]
    return max(sums, default=0.0)


def _limits(state: State, draft: Draft, columns: IntArray) -> BookLimits:
    """What the account's tier and the risk limits say of a whole book of these."""
    limits, sizing, moves = state.guard.limits, state.tier.sizing, draft.minutes.moves
    names = {int(column): state.universe.symbols[column] for column in columns}
    sectors = {name: _label(state.book.sectors[column], column) for column, name in names.items()}
    clusters = {name: _label(moves.clusters[column], column) for column, name in names.items()} if moves.warm else {}
    betas = {name: moves.held_beta.item(column) for column, name in names.items()} if moves.warm else {}
    banded = bool(betas) and limits.beta_max != OFF
    return BookLimits(
        gross=sizing.max_portfolio_leverage,
        cash_buffer=sizing.cash_buffer_fraction,
        max_volatility=sizing.target_volatility if sizing.book_volatility_cap else None,
        sectors=sectors,
        max_sector=_known_limit(limits.sector_fraction_max),
        clusters=clusters,
        max_cluster=_known_limit(limits.cluster_fraction_max) if clusters else None,
        betas=betas,
        beta=(limits.beta_min, limits.beta_max) if banded else None,
    )


def _label(members: IntArray | None, column: int) -> str:
    """A group by its first column; who has none is alone."""
    return f"{column} alone" if members is None or members is ALONE else f"group of {int(members[0])}"


def _known_limit(limit: float) -> float | None:
    return None if limit == OFF else limit


def _best(state: State, draft: Draft) -> list[int]:
    """The best candidates that slots are free for."""
    free = max(0, state.tier.sizing.max_positions - state.book.positions)
    asked = (draft.reasons == ELIGIBLE).nonzero()[0]
    return draft.minutes.by_merit(draft.row, asked)[:free] if asked.size and free else []


def _seats(state: State, draft: Draft, growth: Growth | None) -> list[Seat]:
    """What is held, and the best candidates that slots are free for."""
    held: list[int] = state.ledger.quantity.nonzero()[0].tolist()
    best = _best(state, draft)
    state.sizer.set_portfolio_value(state.book.equity_usd)
    prospects = Prospects(state, draft, best) if state.sizer.optimal is not None else None
    weights = _weights(state, draft)
    return [_seat(state, draft, column, float(weights[column]), prospects, growth) for column in (*held, *best)]


def _seat(
    state: State, draft: Draft, column: int, now: float, prospects: Prospects | None, growth: Growth | None
) -> Seat:
    symbol = state.universe.symbols[column]
    held = state.ledger.held(symbol)
    frozen = _frozen(state, draft, column, symbol) if held else None
    candidate = as_candidate(state, draft, column, prospects)
    signal: int = draft.minutes.signals.direction.item(draft.row, column)
    side = (1 if now > 0.0 else -1) if held else signal
    return Seat(
        column=column,
        symbol=symbol,
        held=held,
        price_usd=draft.minutes.marks.item(draft.row, column),
        now=now,
        side=side,
        most=_most(state, candidate, now),
        frozen=frozen,
        confidence=candidate.strength,
        grows_to=growth.top(column) if growth is not None and held and frozen is None else None,
    )


def _frozen(state: State, draft: Draft, column: int, symbol: str) -> Reason | None:
    """Why a holding may not be cut now. Selling on the day of the purchase would be a day trade."""
    orders = state.desk.of(symbol)
    if orders.entry is not None:
        return Reason.DUPLICATE_ORDER
    if not state.desk.may_exit(symbol, draft.at_ns):
        return Reason.OPPOSITE_ORDER
    if symbol in state.gate.opened and state.gate.slots.on:
        return Reason.DAY_TRADE_SLOTS
    if state.columns.sessions_held(column) < state.hold_sessions(column):
        return Reason.HOLD
    return state.gate.exit_objection(symbol) or _not_known(draft, column)


def _not_known(draft: Draft, column: int) -> Reason | None:
    """What has to be known of a holding before it is cut, and is not."""
    if draft.minutes.screened.stale.item(draft.row, column):
        return _PRICE_STALE
    return None if draft.minutes.volatility.item(column) > 0.0 else _VOLATILITY_UNKNOWN


def _most(state: State, candidate: Candidate, now: float) -> float:
    """What PositionSizer would give it now, before it is rounded to shares; where it gives nothing, what there is."""
    size = state.sizer.size(candidate)
    return abs(now) if now and not size.shares else size.chain[-1].weight if size.shares else 0.0
