from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from ordinis.domain.events import CashFlow, Command, CommandKind, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import Session
from ordinis.domain.orders import CancelIntent, Fill, OrderIntent, OrderStatus, OrderType, Purpose, Side, TimeInForce
from ordinis.journal.coding import KIND_OF, decode_decision, decode_event, encode

text = st.text(max_size=12)
times = st.integers(0, 2**63 - 1)
weights = st.floats(allow_nan=False)
money = st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


fills = st.builds(Fill, execution_id=text, symbol=text, quantity=money, price_usd=money, filled_at_ns=times)
positions = st.builds(Position, symbol=text, quantity=money, average_price_usd=money)
sessions = st.builds(Session, date=st.dates(), open_ns=times, close_ns=times)
verdicts = st.builds(Verdict, action=st.sampled_from(VerdictAction), quantity=money, reason=st.sampled_from(Reason))
sizes = st.builds(
    SizeResult,
    symbol=text,
    shares=money,
    notional_value=weights,
    weight=weights,
    risk_contribution=weights,
    sizing_method=text,
    confidence=maybe(weights),
    chain=st.lists(st.builds(SizeStep, text, weights), max_size=3).map(tuple),
    bound_by=text,
    reason=st.sampled_from(Reason),
)
events = st.one_of(
    st.builds(Command, at_ns=times, kind=st.sampled_from(CommandKind), note=text),
    st.builds(
        OrderUpdate,
        at_ns=times,
        client_order_id=text,
        broker_order_id=text,
        symbol=text,
        status=st.sampled_from(OrderStatus),
        filled_quantity=money,
        fill=maybe(fills),
        error_code=maybe(st.integers(0, 10**9)),
        error_text=maybe(text),
    ),
    st.builds(CashFlow, at_ns=times, id=text, kind=text, amount_usd=money, note=text),
    st.builds(
        AccountView,
        at_ns=times,
        equity_usd=money,
        cash_usd=money,
        buying_power_usd=money,
        last_equity_usd=money,
        multiplier=st.sampled_from([1, 2, 4]),
        positions=st.lists(positions, max_size=3).map(tuple),
    ),
    st.builds(SessionPhase, at_ns=times, phase=st.sampled_from(Phase), session=sessions),
)
actions = st.one_of(
    st.builds(
        OrderIntent,
        client_order_id=text,
        symbol=text,
        side=st.sampled_from(Side),
        quantity=money,
        type=st.sampled_from(OrderType),
        time_in_force=st.sampled_from(TimeInForce),
        purpose=st.sampled_from(Purpose),
        decided_at_ns=times,
        valid_until_ns=times,
        limit_price_usd=maybe(money),
        stop_price_usd=maybe(money),
        stop_loss_usd=maybe(money),
    ),
    st.builds(CancelIntent, client_order_id=text, symbol=text, decided_at_ns=times),
)
decisions = st.builds(
    Decision,
    actions=st.lists(actions, max_size=3).map(tuple),
    assessments=st.lists(
        st.builds(
            Assessment,
            symbol=text,
            purpose=st.sampled_from(Purpose),
            strategy=text,
            score=maybe(weights),
            confidence=maybe(weights),
            price_usd=weights,
            size=maybe(sizes),
            verdict=verdicts,
            client_order_id=maybe(text),
        ),
        max_size=2,
    ).map(tuple),
    changes=st.binary(max_size=9),
    notes=st.lists(text, max_size=2).map(tuple),
)


@given(event=events)
def test_every_event_comes_back_as_it_was(event: Any) -> None:
    assert decode_event(KIND_OF[type(event)], event.at_ns, encode(event)) == event


@given(decision=decisions)
def test_every_decision_comes_back_as_it_was(decision: Decision) -> None:
    assert decode_decision(encode(decision)) == decision


def test_no_recorded_decision_is_the_empty_one() -> None:
    assert decode_decision(None) is NOTHING


def test_a_decimal_keeps_its_digits() -> None:
    flow = CashFlow(at_ns=1, id="a", kind="fee", amount_usd=Decimal("-0.10"))
    back = msgspec.msgpack.decode(encode(flow), type=CashFlow)
    assert str(back.amount_usd) == "-0.10"


@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(0.25), np.int64(3), np.bool_(True)])
def test_a_number_from_a_column_is_written_as_the_plain_number(number: Any) -> None:
    assert encode([number]) == encode([number.item()])


def test_what_cannot_be_written_is_named() -> None:
    with pytest.raises(TypeError, match="a journal cannot hold a object"):
        encode([object()])


def test_an_unknown_field_of_a_newer_writer_is_passed_over() -> None:
    flow = CashFlow(at_ns=1, id="a", kind="fee", amount_usd=Decimal(-1))
    newer = msgspec.to_builtins(flow) | {"colour": "red"}
    assert decode_event(KIND_OF[CashFlow], 1, encode(newer)) == flow


def test_a_session_keeps_its_date() -> None:
    phase = SessionPhase(at_ns=1, phase=Phase.CLOSED, session=Session(date=date(2024, 2, 29), open_ns=1, close_ns=2))
    assert decode_event(KIND_OF[SessionPhase], 1, encode(phase)) == phase
