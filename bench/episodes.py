"""Seeded episodes for the proof of the rules: an account, a broker and weeks of random bars on real trading days.

Everything of an episode follows from its seed and its regime. Sessions have few minutes, spread over the day and dense
at both ends; they are whole sessions to every rule: holidays, half-days, nights and weekends are the calendar's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import numpy as np

from adversary import ENTER, LEAVE, SHORT
from ordinis.config import Settings, load
from ordinis.data.calendar import session_table, sessions
from ordinis.domain.events import ActionKind, CorporateAction
from ordinis.domain.market import MINUTE_NS, FloatArray, IntArray, MarketBlock, Session, Universe

REGIMES = ("pattern_day_trader", "intraday_margin", "cash")
FIRST, LAST = date(2010, 1, 4), date(2025, 6, 30)
SESSIONS_MIN, SESSIONS_MAX = 10, 120
LEAST_USD, MOST_USD = 500, 60_000
_PRICES_USD = (1.8, 2.4, 4.9, 5.8, 12.0, 33.0, 96.0, 240.0)  # On both sides of every line of the house table.
_STEP_MAX = 0.016
_SPLIT_CHANCE = 0.03
_THICKNESS = (40, 1_500, 200_000)  # Thousands of shares a minute, at most: from hardly any to plenty.
_LAST_MINUTES = (31, 30, 29, 16, 15, 14, 6, 5, 4, 3, 2, 1, 0)  # Before the close.


@dataclass(frozen=True)
class Episode:
    """One account's weeks. `days` caps them, to make a failure smaller."""

    seed: int
    regime: str
    days: int = SESSIONS_MAX

    @cached_property
    def universe(self) -> Universe:
        """Four to eight symbols."""
        count = int(self.draw("universe").integers(4, 9))
        return Universe(tuple(f"S{number}" for number in range(count)))

    def draw(self, purpose: str) -> np.random.Generator:
        """A generator of its own for each purpose, so that more of one changes nothing of another."""
        return np.random.default_rng([self.seed, REGIMES.index(self.regime), *purpose.encode()])

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """Consecutive sessions of the exchange, from a random one on."""
        draw = self.draw("days")
        known = sessions(FIRST, LAST)
        count = min(int(draw.integers(SESSIONS_MIN, SESSIONS_MAX + 1)), self.days)
        first = int(draw.integers(0, len(known)))
        return session_table().sessions[first + _before_first() : first + _before_first() + count]

    @cached_property
    def settings(self) -> Settings:
        """Every limit but the account's rules out of the way; the account and the broker at random."""
        draw = self.draw("settings")
        cash = float(np.exp(draw.uniform(np.log(LEAST_USD), np.log(MOST_USD))))
        if draw.random() < 0.25:  # Around the equity floor, where an account comes and goes.
            cash = float(draw.uniform(24_000, 27_000))
        multiplier = 1 if self.regime == "cash" else int(draw.choice([1, 2, 4], p=[0.1, 0.3, 0.6]))
        leverage = {1: 1.0, 2: draw.uniform(0.8, 2.0), 4: draw.uniform(1.5, 4.0)}[multiplier]
        positions = int(draw.integers(2, 7))
        weight = min(1.0, leverage / positions * draw.uniform(0.5, 1.6))
        fractional = bool(draw.random() < 0.5)
        shorts = self.regime != "cash" and bool(draw.random() < 0.5)
        unprotected = bool(draw.random() < (0.4 if self.regime == "cash" else 0.1))
        changes = [
            f"account.cash_usd={cash:.0f}",
            f"account.multiplier={multiplier}",
            f"account.fractional={str(fractional).lower()}",
            f"compliance.regime={self.regime}",
            f"exchange.day_trade_check={draw.choice(['entry', 'exit', 'both'])}",
            f"exchange.day_trade_method={draw.choice(['opening_order', 'direction_change', 'max'])}",
            f"execution.protection={'none' if unprotected else 'broker_stop'}",
            # A stop may not wait for money to settle: with one, such money is not spent.
            f"compliance.settlement.buys_unsettled={str(unprotected).lower()}",
            f"risk.cash_buffer_fraction={draw.choice([0.0, 0.02, 0.1])}",
            f"risk.last_entry_minutes_before_close={draw.choice([0, 1, 5])}",
            f"sizing.fixed_percent={weight:.3f}",
            f"risk.shorting_allowed={str(shorts).lower()}",
            f"compliance.swing.cooldown_minutes={draw.choice([0, 0, 120])}",
            f"compliance.swing.min_confidence={draw.choice([0.0, 0.7])}",
            f"compliance.swing.hold_sessions={draw.choice([1, 2])}",
        ]
        if self.regime == "intraday_margin" and draw.random() < 0.6:  # Otherwise day trades are held to as well.
            changes += ["compliance.confirmed_on=2026-06-04", "compliance.day_trade_throttle=off"]
        for tier in ("small", "standard"):
            changes += [
                f"tiers.{tier}.method=FIXED_PERCENT",
                f"tiers.{tier}.max_position_pct={weight:.3f}",
                f"tiers.{tier}.max_portfolio_leverage={leverage:.3f}",
                f"tiers.{tier}.max_positions={positions}",
                f"tiers.{tier}.stop_loss_pct={draw.choice([0.01, 0.03, 0.1])}",
                f"tiers.{tier}.min_confidence=0",
                f"tiers.{tier}.cooldown_minutes={draw.choice([0, 0, 5])}",
                f"tiers.{tier}.hold_sessions={draw.choice([0, 0, 1, 2])}",
                f"tiers.{tier}.exit_bar=1Min",
            ]
        rebalances = self.seed % 4 == 3
        changes += [f"rebalance.enabled={str(rebalances).lower()}", "rebalance.every_minutes=1", "rebalance.add=true"]
        return load(None, [*_LOOSE, *changes, *self._entry_orders()])

    def _entry_orders(self) -> list[str]:
        """Half of the episodes enter at the market; the other half with limits, many of which are never filled."""
        draw = self.draw("entries")
        kind, collar = draw.choice(["market", "limit"]), draw.choice([0.001, 0.003, 0.02])
        return [f"execution.entry_order={kind}", f"execution.entry_collar_fraction={collar}"]

    @cached_property
    def actions(self) -> tuple[CorporateAction, ...]:
        """Splits, forward and reverse, on a few of the days."""
        draw = self.draw("actions")
        days = [session for session in self.sessions[1:] if draw.random() < _SPLIT_CHANCE]
        return tuple(self._split(session, draw) for session in days)

    def _split(self, session: Session, draw: np.random.Generator) -> CorporateAction:
        symbol = self.universe.symbols[int(draw.integers(len(self.universe)))]
        return CorporateAction(
            at_ns=session.open_ns,
            id=f"split-{symbol}-{session.date}",
            symbol=symbol,
            kind=ActionKind.SPLIT,
            ex_date=session.date,
            ratio=Decimal(str(draw.choice(["2", "3", "1.5", "0.5", "0.1"]))),
        )

    def blocks(self) -> Iterator[MarketBlock]:
        """A session each, with wishes in its volume."""
        draw = self.draw("bars")
        ratios = {one.ex_date: (self.universe.column[one.symbol], float(one.ratio)) for one in self.actions}
        width = len(self.universe)
        last = draw.choice(_PRICES_USD, width) * draw.uniform(0.9, 1.1, width)
        restless = draw.choice([0.002, 0.005, 0.009])
        eager = draw.choice([0.1, 0.3, 0.6])
        thickness = draw.choice(_THICKNESS, width)
        for session in self.sessions:
            minutes = _minutes(session)
            last = np.maximum(last * np.exp(draw.normal(0, restless * 3, width)), 0.5)
            last = np.where(draw.random(width) < 0.01, last * draw.choice([0.85, 0.93, 1.08, 1.2]), last)
            if session.date in ratios:
                column, ratio = ratios[session.date]
                last[column] = max(last[column] / ratio, 0.5)
            block = self._block(session, minutes, last, draw, (restless, eager), thickness)
            last = block.close[-1]
            present = draw.random(block.present.shape) < 0.93
            present[0] = True
            present[_before_gaps(minutes)] = True
            yield _thinned(block, present)

    def _block(
        self,
        session: Session,
        minutes: IntArray,
        last: FloatArray,
        draw: np.random.Generator,
        moods: tuple[float, float],
        thickness: IntArray,
    ) -> MarketBlock:
        shape = (minutes.shape[0], last.shape[0])
        restless, eager = moods
        # Two minutes of them stay within the collar of a market buy, as a broker's own limit would.
        steps = np.cumsum(draw.normal(0, restless, shape).clip(-_STEP_MAX, _STEP_MAX), axis=0)
        close: FloatArray = np.round(np.maximum(last * np.exp(steps), 0.5), 2).astype(np.float64)
        before = np.vstack([last, close[:-1]])
        opening = np.round(before * (1 + draw.normal(0, restless / 4, shape)), 2)
        top, bottom = np.maximum(opening, close), np.minimum(opening, close)
        high = np.round(top * (1 + draw.uniform(0, restless, shape)), 2)
        low = np.round(bottom * (1 - draw.uniform(0, restless, shape)), 2)
        wish = draw.choice([0, ENTER, SHORT, LEAVE], shape, p=[0.9 - eager, eager * 0.7, eager * 0.3, 0.1])
        wish[_before_gaps(minutes)] = 0  # A market order fills in the next minute, not an hour later.
        thousands = np.floor(draw.random(shape) * thickness)
        digits = draw.integers(0, 100, shape) * 10 + wish
        return MarketBlock(
            universe=self.universe,
            session=session,
            closed_at_ns=session.open_ns + MINUTE_NS * minutes,
            open=opening,
            high=np.maximum(high, top),
            low=np.minimum(low, bottom),
            close=close,
            volume=(thousands * 1_000 + digits).astype(np.float64),
            present=np.ones(shape, np.bool_),
        )


_LOOSE = (
    f"strategies.files={Path(__file__).with_name('adversary.py')}",
    "strategies.enabled=adversary",
    "strategies.score_history_min=1",
    "sizing.book_volatility_cap=false",
    "sizing.marginal_risk_ratio_max=0",
    "policy.displacement=false",
    "policy.hysteresis_fraction=0",
    "risk.price_age_minutes_max=400",
    "risk.feed_age_minutes_max=400",
    "risk.daily_loss_fraction_max=1",
    "risk.weekly_loss_fraction_max=0",
    "risk.monthly_loss_fraction_max=0",
    "risk.consecutive_losses_max=0",
    "risk.orders_a_session_max=0",
    "risk.symbol_refusals_max=0",
    "risk.price_collar_fraction_max=0",
    "risk.trade_risk_fraction_max=0",
    "risk.gross_exposure_max=0",
    "risk.net_exposure_max=0",
    "risk.order_volume_fraction_max=0",
    "risk.sector_fraction_max=0",
    "risk.cluster_fraction_max=0",
    "risk.beta_rule=off",
    "risk.market_volatility_full=0",
    "risk.drawdown_fraction_warn=1",
    "risk.drawdown_fraction_halve=1",
    "risk.drawdown_fraction_stop=1",
)


def _before_first() -> int:
    return session_table().dates.index(sessions(FIRST, FIRST)[0].date)


def _minutes(session: Session) -> IntArray:
    """Minutes of the session that have a bar, by their end: the first, three in a row now and then, and the last."""
    starts = np.linspace(40, session.minutes - 60, 3).astype(np.int64)
    ends = [session.minutes - left for left in _LAST_MINUTES]
    return np.unique(np.concatenate([[1, 2, 3, 4], *(starts + minute for minute in range(3)), ends]))


def _before_gaps(minutes: IntArray) -> IntArray:
    """The rows after which there is no bar for a while."""
    rows: IntArray = np.flatnonzero(np.diff(minutes, append=minutes[-1] + 1) > 1)
    return rows


def _thinned(block: MarketBlock, present: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> MarketBlock:
    """The same bars with some missing."""
    return MarketBlock(
        universe=block.universe,
        session=block.session,
        closed_at_ns=block.closed_at_ns,
        open=np.where(present, block.open, np.nan),
        high=np.where(present, block.high, np.nan),
        low=np.where(present, block.low, np.nan),
        close=np.where(present, block.close, np.nan),
        volume=np.where(present, block.volume, 0.0),
        present=present,
    )
