"""Hand-made minutes, orders and decisions, and a journal of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ordinis.domain.account import AccountView, Position
from ordinis.domain.decision import (
    NOTHING,
    Assessment,
    Decision,
    Reason,
    SizeResult,
    SizeStep,
    Verdict,
    VerdictAction,
)
from ordinis.domain.events import CashFlow, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS, MarketBlock, Session, Universe
from ordinis.domain.orders import Fill, OrderIntent, OrderStatus, OrderType, Purpose, Side, TimeInForce
from ordinis.journal.writer import Durability, SqliteJournal

SYMBOLS = ("AAPL", "IBM", "MSFT")
OPEN_NS = 1736951400 * 10**9  # 2025-01-15 09:30 in New York.
SESSION = Session(date=date(2025, 1, 15), open_ns=OPEN_NS, close_ns=OPEN_NS + 390 * MINUTE_NS)
ORDER_ID = "book-20250115T0932-AAPL-entry-1"

Entries = Sequence[tuple[Event, Decision]]


class Material:
    """What the tests are made of. Minute n ends n minutes after the open."""

    symbols = SYMBOLS
    session = SESSION
    order_id = ORDER_ID
    meta = {"symbols": json.dumps(SYMBOLS)}  # noqa: RUF012

    @staticmethod
    def at(minute: int) -> int:
        return OPEN_NS + minute * MINUTE_NS

    @staticmethod
    def block(rows: int = 5, symbols: tuple[str, ...] = SYMBOLS, seed: int = 7) -> MarketBlock:
        random = np.random.default_rng(seed)
        shape = (rows, len(symbols))
        present = random.random(shape) < 0.7
        present[0, 0] = True
        price = np.where(present, random.uniform(10, 400, shape).round(2), np.nan)
        return MarketBlock(
            universe=Universe(symbols),
            session=SESSION,
            closed_at_ns=OPEN_NS + np.arange(1, rows + 1) * MINUTE_NS,
            open=price,
            high=price + 1.0,
            low=price - 1.0,
            close=price + 0.25,
            volume=np.where(present, 100.0, 0.0),
            present=present,
        )

    @staticmethod
    def phase(phase: Phase) -> SessionPhase:
        at_ns = SESSION.open_ns if phase is Phase.OPENING else SESSION.close_ns
        return SessionPhase(at_ns=at_ns, phase=phase, session=SESSION)

    @staticmethod
    def intent(client_order_id: str = ORDER_ID, symbol: str = "AAPL", at_ns: int = OPEN_NS) -> OrderIntent:
        return OrderIntent(
            client_order_id=client_order_id,
            symbol=symbol,
            side=Side.BUY,
            quantity=Decimal("12.5"),
            type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
            purpose=Purpose.ENTRY,
            decided_at_ns=at_ns,
            valid_until_ns=at_ns + MINUTE_NS,
            stop_loss_usd=Decimal("229.80"),
        )

    @staticmethod
    def size(symbol: str = "AAPL") -> SizeResult:
        return SizeResult(
            symbol=symbol,
            shares=Decimal("12.5"),
            notional_value=2931.25,
            weight=0.2,
            risk_contribution=0.004,
            sizing_method="volatility_adjusted",
            confidence=0.83,
            chain=(SizeStep("base", 0.312), SizeStep("max_position_pct", 0.2)),
            bound_by="max_position_pct",
        )

    @classmethod
    def assessment(
        cls,
        action: VerdictAction = VerdictAction.APPROVE,
        reason: Reason = Reason.SENT,
        client_order_id: str | None = ORDER_ID,
        symbol: str = "AAPL",
    ) -> Assessment:
        return Assessment(
            symbol=symbol,
            purpose=Purpose.ENTRY,
            strategy="atr_rsi",
            score=12.4,
            confidence=0.83,
            price_usd=234.5,
            size=cls.size(symbol),
            verdict=Verdict(action=action, quantity=Decimal("12.5"), reason=reason),
            client_order_id=client_order_id,
        )

    @staticmethod
    def changes(*pairs: tuple[int, Reason]) -> bytes:
        columns = b"".join(column.to_bytes(2, "little") for column, _ in pairs)
        return columns + bytes(reason for _, reason in pairs)

    @staticmethod
    def update(
        minute: int, status: OrderStatus, quantity: str | None = None, price: str = "234.61", order_id: str = ORDER_ID
    ) -> OrderUpdate:
        at_ns = OPEN_NS + minute * MINUTE_NS
        fill = None
        if quantity is not None:
            fill = Fill(
                execution_id=f"{order_id}-{minute}",
                symbol="AAPL",
                quantity=Decimal(quantity),
                price_usd=Decimal(price),
                filled_at_ns=at_ns,
            )
        return OrderUpdate(
            at_ns=at_ns,
            client_order_id=order_id,
            broker_order_id="b-1",
            symbol="AAPL",
            status=status,
            filled_quantity=abs(Decimal(quantity or 0)),
            fill=fill,
        )

    @classmethod
    def day(cls) -> list[tuple[Event, Decision]]:
        """Open, five minutes of which the second buys, the fill, a fee, the account, the close."""
        block = cls.block()
        bought = Decision(
            actions=(cls.intent(at_ns=cls.at(2)),),
            assessments=(cls.assessment(),),
            changes=cls.changes((0, Reason.SENT), (2, Reason.LOW_CONFIDENCE)),
            notes=("first order",),
        )
        fee = CashFlow(at_ns=cls.at(3), id="fee-1", kind="fee", amount_usd=Decimal("-0.02"))
        account = AccountView(
            at_ns=cls.at(3),
            equity_usd=Decimal("14999.00"),
            cash_usd=Decimal("12066.35"),
            buying_power_usd=Decimal("12066.35"),
            last_equity_usd=Decimal(14999),
            multiplier=1,
            positions=(Position(symbol="AAPL", quantity=Decimal("12.5"), average_price_usd=Decimal("234.61")),),
        )
        return [
            (cls.phase(Phase.OPENING), Decision(changes=cls.changes(*((i, Reason.WARMING_UP) for i in range(3))))),
            (block.at(0), NOTHING),
            (block.at(1), bought),
            (cls.update(3, OrderStatus.FILLED, "12.5"), Decision(changes=cls.changes((0, Reason.ALREADY_HELD)))),
            (fee, NOTHING),
            (account, NOTHING),
            (block.at(2), NOTHING),
            (block.at(3), Decision(changes=cls.changes((2, Reason.COOLDOWN)))),
            (block.at(4), NOTHING),
            (cls.phase(Phase.CLOSED), NOTHING),
        ]


Record = Callable[..., Path]


@pytest.fixture
def material() -> Material:
    return Material()


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Write entries into a new journal and return its path."""

    def write(
        entries: Entries,
        name: str = "run.db",
        *,
        durability: Durability = Durability.BATCH,
        record_slices: bool = False,
        symbols: tuple[str, ...] = SYMBOLS,
    ) -> Path:
        path = tmp_path / name
        meta = {"symbols": msgspec.json.encode(symbols).decode()}
        with SqliteJournal(path, meta=meta, durability=durability, record_slices=record_slices) as journal:
            for event, decision in entries:
                journal.append(event, decision)
        return path

    return write
