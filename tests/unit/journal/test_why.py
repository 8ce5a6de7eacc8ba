from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ordinis.domain.decision import NOTHING, Decision, Reason, VerdictAction
from ordinis.domain.errors import DataError
from ordinis.domain.events import ActionKind, CashFlow, CorporateAction, Phase
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import CancelIntent, OrderStatus, Purpose, Side, leg_id
from ordinis.journal.why import parse_time, render, why


def _tell(path: Any, symbol: str = "AAPL", at: str | None = None) -> str:
    return render(why(path, symbol, None if at is None else parse_time(at)))


def test_the_whole_story_of_an_order_is_told(material: Any, record: Any) -> None:
    assert _tell(record(material.day()), at="2025-01-15T09:32") == "\n".join(
        [
            "AAPL at 2025-01-15 09:32 (New York)",
            "In force: order sent (SENT), since 2025-01-15 09:32.",
            "",
            "Candidate, 2025-01-15 09:32:",
            "  signal: entry by atr_rsi, score 12.4, confidence 0.830",
            "  price: $234.5",
            "  size, by volatility_adjusted, as weights of equity:",
            "    base                31.20%",
            "    max_position_pct    20.00%  <- bound",
            "    12.5 shares, $2,931.25, 20.00% of equity, 0.40% at risk",
            "  verdict: approved, 12.5 shares",
            f"  order {material.order_id}: buy 12.5 market, day, with a stop leg at $229.80",
            "    2025-01-15 09:33  filled, 12.5 at $234.61",
            "  the position:",
            "    2025-01-15 09:33  12.5 at $234.61 by this order",
            "    still open: 12.5 shares",
        ]
    )


def test_the_exit_and_the_result_follow_the_entry(material: Any, record: Any) -> None:
    leg = leg_id(material.order_id)
    stopped = material.update(6, OrderStatus.FILLED, "-12.5", "229.80", order_id=leg)
    text = _tell(record([*material.day()[:-1], (stopped, NOTHING)]), at="2025-01-15T09:32")
    assert "    2025-01-15 09:36  stop leg filled, -12.5 at $229.80\n" in text
    assert f"    2025-01-15 09:36  -12.5 at $229.80 by {leg}\n" in text
    assert text.endswith("    closed: -$60.12 (-2.05%) before fees")


def test_an_exit_tells_the_round_trip_it_closed(material: Any, record: Any) -> None:
    sell = msgspec.structs.replace(
        material.intent("exit-1", at_ns=material.at(6)), side=Side.SELL, purpose=Purpose.EXIT, stop_loss_usd=None
    )
    wish = msgspec.structs.replace(
        material.assessment(client_order_id="exit-1"), purpose=Purpose.EXIT, size=None, score=None, confidence=None
    )
    decided = Decision(actions=(sell,), assessments=(wish,))
    sold = material.update(7, OrderStatus.FILLED, "-12.5", "236.61", order_id="exit-1")
    entries = [*material.day()[:-1], (material.block(rows=6).at(5), decided), (sold, NOTHING)]
    text = _tell(record(entries), at="2025-01-15T09:36")
    assert "\n  signal: exit by atr_rsi\n" in text
    assert "order exit-1: sell 12.5 market, day\n" in text
    assert f"12.5 at $234.61 by {material.order_id}" in text
    assert text.endswith("    closed: +$25.00 (+0.85%) before fees")


def test_without_a_candidate_at_that_minute_the_reason_in_force_is_told_first(material: Any, record: Any) -> None:
    text = _tell(record(material.day()), at="2025-01-15T09:35")
    assert text.splitlines()[1] == "In force: the position is already held (ALREADY_HELD), since 2025-01-15 09:33."
    assert "The latest candidate before, 2025-01-15 09:32:" in text


@pytest.mark.parametrize(
    ("at", "reason", "since"),
    [
        ("2025-01-15T09:31", Reason.WARMING_UP, "09:30"),
        ("2025-01-15T09:32", Reason.LOW_CONFIDENCE, "09:32"),
        ("2025-01-15T09:33", Reason.LOW_CONFIDENCE, "09:32"),
        ("2025-01-15T09:34", Reason.COOLDOWN, "09:34"),
        ("2025-01-15T12:00", Reason.COOLDOWN, "09:34"),
        (None, Reason.COOLDOWN, "09:34"),
    ],
)
def test_the_last_change_before_a_time_is_in_force(
    material: Any, record: Any, at: str | None, reason: Reason, since: str
) -> None:
    assert _tell(record(material.day()), "MSFT", at).splitlines()[1:] == [
        f"In force: {reason.text} ({reason.name}), since 2025-01-15 {since}.",
        "No candidate of this symbol has reached sizing up to then.",
    ]


def test_an_entry_that_bought_nothing_in_its_time_says_so(material: Any, record: Any) -> None:
    entered, taken_back = material.day()[:3], material.update(5, OrderStatus.CANCELED, None)
    unfilled = Decision(changes=material.changes((0, Reason.UNFILLED)))
    text = _tell(record([*entered, (taken_back, unfilled)]))
    assert text.splitlines()[1] == (
        "In force: the entry bought nothing in its time and was taken back, or expired (UNFILLED),"
        " since 2025-01-15 09:35."
    )
    assert f"  order {material.order_id}: buy 12.5 market" in text
    assert text.endswith("    2025-01-15 09:35  canceled")


def test_a_symbol_of_which_nothing_is_known_says_so(material: Any, record: Any) -> None:
    text = _tell(record([(material.phase(Phase.OPENING), NOTHING)]), "IBM")
    assert "Nothing is recorded of this symbol up to then." in text


@pytest.mark.parametrize(
    ("action", "reason", "told"),
    [
        (VerdictAction.APPROVE, Reason.SENT, "verdict: approved, 12.5 shares"),
        (
            VerdictAction.RESIZE,
            Reason.CASH_BUFFER,
            "verdict: cut to 12.5 shares: the cash buffer or the leverage limit would be broken (CASH_BUFFER)",
        ),
        (
            VerdictAction.REFUSE,
            Reason.POSITIONS_FULL,
            "verdict: refused: all position slots are taken (POSITIONS_FULL)",
        ),
    ],
)
def test_the_verdict_names_the_rule(
    material: Any, record: Any, action: VerdictAction, reason: Reason, told: str
) -> None:
    decision = Decision(assessments=(material.assessment(action, reason, client_order_id=None),))
    text = _tell(record([(material.block().at(0), decision)]))
    assert f"  {told}\n  no order was sent" in text


def test_a_size_of_nothing_says_why(material: Any, record: Any) -> None:
    size = msgspec.structs.replace(material.size(), shares=Decimal(0), reason=Reason.BELOW_MINIMUM)
    one = msgspec.structs.replace(material.assessment(client_order_id=None), size=size)
    text = _tell(record([(material.block().at(0), Decision(assessments=(one,)))]))
    assert "no shares: the size rounds to less than the minimum order (BELOW_MINIMUM)" in text


def test_a_refusal_of_the_broker_is_quoted(material: Any, record: Any) -> None:
    refused = msgspec.structs.replace(
        material.update(3, OrderStatus.REJECTED), error_code=40310000, error_text="insufficient buying power"
    )
    text = _tell(record([*material.day()[:3], (refused, NOTHING)]), at="2025-01-15T09:32")
    assert "2025-01-15 09:33  rejected, the broker says 40310000: insufficient buying power" in text


def test_an_order_that_was_taken_back_says_when(material: Any, record: Any) -> None:
    cancel = CancelIntent(client_order_id=material.order_id, symbol="AAPL", decided_at_ns=material.at(3))
    entries = [
        *material.day()[:3],
        (material.block().at(2), Decision(actions=(cancel,))),
        (material.update(4, OrderStatus.CANCELED), NOTHING),
    ]
    text = _tell(record(entries), at="2025-01-15T09:32")
    assert text.endswith("    2025-01-15 09:33  we asked for it back\n    2025-01-15 09:34  canceled")


def test_an_order_without_an_answer_says_so(material: Any, record: Any) -> None:
    assert _tell(record(material.day()[:3])).endswith("the broker has said nothing of it")


def test_only_the_latest_minute_s_candidates_are_told(material: Any, record: Any) -> None:
    refused = Decision(assessments=(material.assessment(VerdictAction.REFUSE, Reason.HALTED, client_order_id=None),))
    path = record([*material.day()[:-1], (material.block(rows=6).at(5), refused)])
    (candidate,) = why(path, "AAPL").candidates
    assert candidate.assessed.at_ns == material.at(6)
    (before,) = why(path, "AAPL", material.at(5)).candidates
    assert before.assessed.at_ns == material.at(2)


def test_an_answer_to_an_update_within_the_minute_belongs_to_it(material: Any, record: Any) -> None:
    late = msgspec.structs.replace(material.update(2, OrderStatus.ACCEPTED), at_ns=material.at(2) + 30 * 10**9)
    refused = Decision(assessments=(material.assessment(VerdictAction.REFUSE, Reason.HALTED, client_order_id=None),))
    path = record([(material.block().at(1), NOTHING), (late, refused), (material.phase(Phase.CLOSED), NOTHING)])
    assert "Candidate, 2025-01-15 09:32:30:" in _tell(path, at="2025-01-15T09:32")


def test_an_earlier_round_trip_is_not_taken_for_this_one(material: Any, record: Any) -> None:
    earlier = [
        (material.update(1, OrderStatus.FILLED, "5", "200", order_id="before"), NOTHING),
        (material.update(1, OrderStatus.FILLED, "-5", "210", order_id="before.stop"), NOTHING),
    ]
    (candidate,) = why(record([*earlier, *material.day()[2:]]), "AAPL").candidates
    assert candidate.order is not None
    assert candidate.order.trip is not None
    assert [one.client_order_id for one in candidate.order.trip.fills] == [material.order_id]


def test_a_short_position_wins_when_the_price_falls(material: Any, record: Any) -> None:
    entries = [
        *material.day()[:3],
        (material.update(3, OrderStatus.FILLED, "-10", "100"), NOTHING),
        (material.update(4, OrderStatus.FILLED, "10", "90", order_id="cover"), NOTHING),
    ]
    assert _tell(record(entries), at="2025-01-15T09:32").endswith("closed: +$100.00 (+10.00%) before fees")


def test_what_a_company_did_is_told_with_the_position_and_without_one(material: Any, record: Any) -> None:
    split = CorporateAction(
        at_ns=material.at(4),
        id="split",
        symbol="AAPL",
        kind=ActionKind.SPLIT,
        ex_date=date(2025, 1, 16),
        ratio=Decimal(4),
    )
    paid = CashFlow(
        at_ns=material.at(4),
        id="p",
        kind="dividend",
        amount_usd=Decimal("1.50"),
        note="0.15 USD a share",
        symbol="AAPL",
    )
    entries = [
        *material.day()[:3],
        (material.update(3, OrderStatus.FILLED, "10", "100"), NOTHING),
        (paid, NOTHING),
        (split, NOTHING),
        (material.update(5, OrderStatus.FILLED, "-40", "26", order_id="exit"), NOTHING),
    ]
    path = record(entries)
    text = _tell(path, at="2025-01-15T09:34")
    assert "On 2025-01-16: split, 4 new shares for an old one." in text
    assert "09:34  dividend of $1.50: 0.15 USD a share" in text
    assert "09:34  split, 4 new shares for an old one" in text
    assert text.endswith("closed: +$41.50 (+4.15%) before fees")
    assert "On 2025-01-16" not in _tell(path, at="2025-01-15T09:33")


def test_an_unknown_symbol_is_answered_with_those_there_are(material: Any, record: Any) -> None:
    with pytest.raises(DataError, match=r"has no symbol TSLA. It has: AAPL, IBM, MSFT"):
        why(record(material.day()), "TSLA")


@pytest.mark.parametrize("minute", [-1, 391])
def test_a_time_outside_the_journal_is_answered_with_its_range(material: Any, record: Any, minute: int) -> None:
    with pytest.raises(DataError, match=r"holds 2025-01-15 09:30 to 2025-01-15 16:00 \(New York\), not 2025-01-15"):
        why(record(material.day()), "AAPL", material.at(0) + minute * MINUTE_NS)


def test_an_empty_journal_has_no_answer(record: Any) -> None:
    with pytest.raises(DataError, match="holds no events yet"):
        why(record([]), "AAPL")
