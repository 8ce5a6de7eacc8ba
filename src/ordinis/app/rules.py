"""`ordinis rules`: what the account's rules say now, why, and when the next thing frees up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from ordinis.app.rule_sets import exchange_days
from ordinis.app.rules_fold import Standing, stand
from ordinis.data.fill_files import FileFill, read_fills
from ordinis.domain.words import counted
from ordinis.engines.compliance.counting import DayCount, day_counts
from ordinis.engines.compliance.deficits import Deficit

_PATTERN = 4  # Day trades in a window that make a pattern day trader: Rule 4210(f)(8)(B).


class DayTradesNow(msgspec.Struct, frozen=True, kw_only=True):
    """The slots. `limited_by` is law, policy, or None where nothing limits them."""

    limited_by: str | None
    used: int
    reserved: int
    allowed: int
    remaining: int | None
    flagged: bool
    broker_checks: str
    by_day: tuple[tuple[date, int], ...]
    unprotected_today: tuple[str, ...]


class MarginNow(msgspec.Struct, frozen=True, kw_only=True):
    """The intraday margin level and what can be added before it reaches its buffer, USD."""

    level_usd: float
    required_usd: float
    head_room_usd: float
    overnight_room_usd: float
    deficits: tuple[Deficit, ...]
    frozen_until: date | None


class SettlementNow(msgspec.Struct, frozen=True, kw_only=True):
    """Settled cash, and what settles when."""

    settled_usd: Decimal
    settles: tuple[tuple[date, Decimal], ...]
    violations: int
    restricted_until: date | None


class Sayable(msgspec.Struct, frozen=True, kw_only=True):
    """What can be done now, or not, and why."""

    what: str
    allowed: bool
    why: str


class RulesNow(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `ordinis rules`."""

    journal: str
    at_ns: int
    day: date
    regime: str
    source: str
    confirmed_on: date | None
    enforced: tuple[str, ...]
    equity_usd: float
    multiplier: int | None
    day_trades_used: int
    day_trades_remaining: int | None  # None where the regime has none: then the head-room says what there is.
    head_room_usd: float | None
    day_trades: DayTradesNow
    margin: MarginNow | None
    settlement: SettlementNow | None
    now: tuple[Sayable, ...]
    frees_up: tuple[tuple[date, str], ...]


def rules_now(journal: Path) -> RulesNow:
    """Read a journal and say where its account stands. Errors: JournalError."""
    standing = stand(journal)
    gate, regime = standing.gate, standing.gate.regime
    margin = None if gate.cash is not None else _margin(standing)
    settlement = _settlement(standing)
    head_room = margin.head_room_usd if margin else float(settlement.settled_usd) if settlement else None
    return RulesNow(
        journal=str(journal),
        at_ns=standing.at_ns,
        day=gate.today,
        regime=regime.regime,
        source=regime.source,
        confirmed_on=regime.confirmed_on,
        enforced=_enforced(standing),
        equity_usd=standing.equity_usd(),
        multiplier=None if gate.view is None else gate.view.multiplier,
        day_trades_used=gate.slots.used,
        day_trades_remaining=gate.slots.remaining if regime.counts_day_trades else None,
        head_room_usd=None if regime.counts_day_trades and gate.slots.by_law else head_room,
        day_trades=_day_trades(standing),
        margin=margin,
        settlement=settlement,
        now=(_entries(standing), *_exits(standing)),
        frees_up=tuple(sorted(_frees_up(standing))),
    )


def count_file(
    path: Path, held: dict[str, Decimal], window_sessions: int
) -> tuple[list[FileFill], list[DayCount], list[str]]:
    """The day trades of a list of fills; what is odd about the file, too. Errors: DataError."""
    fills, said = read_fills(path)
    trades = [(fill.at_ns, fill.symbol, (fill.side, fill.quantity, fill.order_id)) for fill in fills]
    counts = day_counts(trades, exchange_days(), held, window_sessions)
    over = sorted({one.day for one in counts if one.window >= _PATTERN})
    said += [f"the window that ends on {day} has {_PATTERN} or more: a pattern day trader" for day in over]
    return fills, counts, said


def tally(counts: list[DayCount], fills: list[FileFill]) -> str:
    """All of a list's, in words."""
    return f"{counted(sum(one.max for one in counts), 'day trade')} in {counted(len(fills), 'fill')}"


def _enforced(standing: Standing) -> tuple[str, ...]:
    regime = standing.gate.regime
    rules = {
        "day trades": regime.counts_day_trades,
        "intraday margin": regime.limits_intraday_margin,
        "settlement": regime.settles_in_cash,
    }
    return tuple(name for name, holds in rules.items() if holds)


def _day_trades(standing: Standing) -> DayTradesNow:
    slots = standing.gate.slots
    return DayTradesNow(
        limited_by="law" if slots.by_law else "policy" if slots.on else None,
        used=slots.used,
        reserved=slots.reserved,
        allowed=slots.allowed,
        remaining=slots.remaining,
        flagged=slots.flagged,
        broker_checks=slots.check,
        by_day=tuple(slots.ledger.by_day(standing.gate.today)),
        unprotected_today=tuple(sorted(slots.unprotected)),
    )


def _margin(standing: Standing) -> MarginNow:
    gate, equity = standing.gate, standing.equity_usd()
    level, rules = standing.level_usd(), standing.gate.rules.margin
    room = (level - rules.buffer_fraction * equity) / rules.house.long_fraction
    gross = float(abs(standing.ledger.quantity) @ standing.prices_usd)
    overnight = rules.overnight_leverage * (1.0 - rules.overnight_buffer_fraction) * max(equity, 0.0)
    return MarginNow(
        level_usd=level,
        required_usd=equity - level,
        head_room_usd=max(0.0, min(room, _power_usd(standing, gross, equity - level))),
        overnight_room_usd=max(0.0, overnight - gross),
        deficits=tuple(gate.deficits.deficits),
        frozen_until=gate.deficits.frozen_until,
    )


def _power_usd(standing: Standing, gross_usd: float, required_usd: float) -> float:
    """What the broker lends for, by its multiplier; without one what there is in cash."""
    multiplier = None if standing.gate.view is None else standing.gate.view.multiplier
    equity = standing.equity_usd()
    if multiplier == 4:
        return 4.0 * (equity - required_usd)
    return 2.0 * equity - gross_usd if multiplier == 2 else standing.ledger.cash_float


def _settlement(standing: Standing) -> SettlementNow | None:
    cash = standing.gate.cash
    if cash is None:
        return None
    return SettlementNow(
        settled_usd=cash.settled_usd,
        settles=tuple(_by_day(cash.pending)),
        violations=len(cash.violations),
        restricted_until=cash.restricted_until,
    )


def _by_day(pending: list[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    by_day: dict[date, Decimal] = {}
    for day, amount in pending:
        by_day[day] = by_day.get(day, Decimal(0)) + amount
    return sorted(by_day.items())


def _entries(standing: Standing) -> Sayable:
    gate, slots = standing.gate, standing.gate.slots
    reason = gate.stopped
    if not standing.in_session:
        return Sayable(what="entries", allowed=False, why=f"the session is over; {_slots_taken(standing)}")
    if reason is not None:
        told = "; ".join([*gate.books.lines, *gate.doubts, *gate.blocks])
        return Sayable(what="entries", allowed=False, why=f"{reason.text}: {told}")
    allowed = not slots.full or slots.without_slots
    return Sayable(what="entries", allowed=allowed, why=f"{_slots_taken(standing)}{_how(standing)}")


def _how(standing: Standing) -> str:
    """What kind of entry the slots leave."""
    slots = standing.gate.slots
    if slots.full and slots.without_slots:
        return f"; in the last {slots.throttle.last_minutes} minutes only, with the stop after the close"
    return "; swing entries only" if slots.swings and not slots.full else ""


def _slots_taken(standing: Standing) -> str:
    slots = standing.gate.slots
    if not slots.on:
        return "day trades are not limited"
    return f"{counted(slots.used, 'day trade')} used and {slots.reserved} reserved, of {slots.allowed}"


def _exits(standing: Standing) -> list[Sayable]:
    """Protective orders always go out; this is about the others."""
    said = []
    for symbol in sorted(standing.ledger.holdings):
        reason = standing.gate.exit_objection(symbol)
        why = "nothing stands against it" if reason is None else reason.text
        said.append(Sayable(what=f"closing {symbol}", allowed=reason is None, why=why))
    return said


def _frees_up(standing: Standing) -> list[tuple[date, str]]:
    gate = standing.gate
    days, window = gate.rules.days, gate.slots.throttle.window_sessions
    events = []
    for day, count in gate.slots.ledger.by_day(gate.today) if gate.slots.on else ():
        leaves = "leaves" if count == 1 else "leave"
        events.append((days.leaves_window(day, window), f"{counted(count, 'day trade')} of {day} {leaves} the window"))
    if gate.slots.on and gate.slots.reserved:
        free = f"{counted(gate.slots.reserved, 'reserved slot')} free again"
        events.append((days.next_trading_day(gate.today), free))
    if gate.deficits.frozen_until is not None and gate.deficits.frozen(gate.today):
        events.append((gate.deficits.frozen_until, "the freeze ends with this day"))
    if gate.cash is not None:
        events += [(day, f"{amount:,.2f} USD settle") for day, amount in _by_day(gate.cash.pending)]
        if gate.cash.restricted_until is not None and gate.cash.restricted(gate.today):
            events.append((gate.cash.restricted_until, "the restriction to settled cash ends with this day"))
    return events
