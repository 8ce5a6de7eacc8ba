from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.fees import FeeMeter
from ordinis.brokers.simulated.settings import ExchangeSettings

if TYPE_CHECKING:
    from unit.brokers.simulated.conftest import Desk

MakeDesk = Callable[..., "Desk"]
RATES = {
    "sec_usd_per_million": Decimal("20.60"),
    "taf_usd_per_share": Decimal("0.000195"),
    "cat_usd_per_share": Decimal("0.000003"),
}


@pytest.mark.parametrize(
    ("trades", "expected"),
    [
        ([], {}),
        ([(True, 100, 10_000)], {"CAT": "0.01"}),
        ([(False, 100, 10_000)], {"SEC": "0.21", "TAF": "0.02", "CAT": "0.01"}),
        ([(False, 100, 10_000)] * 10, {"SEC": "2.06", "TAF": "0.20", "CAT": "0.01"}),  # Summed, then rounded up.
        ([(False, 100_000, 1_000_000)], {"SEC": "20.60", "TAF": "9.79", "CAT": "0.30"}),  # At most $9.79 a trade.
        ([(False, 100_000, 1_000_000)] * 2, {"SEC": "41.20", "TAF": "19.58", "CAT": "0.60"}),
    ],
)
def test_fees_are_summed_daily_and_rounded_up(
    desk: MakeDesk, trades: list[tuple[bool, int, int]], expected: dict[str, str]
) -> None:
    meter = FeeMeter(ExchangeSettings(cash_usd=Decimal(1), **RATES))  # type: ignore[arg-type]
    for buys, quantity, value in trades:
        meter.add(buys, Decimal(quantity), Decimal(value))
    due = {name: Decimal(amount) for name, amount in expected.items()}
    assert dict(meter.accrued()) == due
    flows = meter.settle(desk().session_number(0))
    assert [flow.amount_usd for flow in flows] == [-amount for amount in due.values()]
    assert meter.accrued() == []


def test_fees_leave_the_account_at_the_close_as_cash_flows(desk: MakeDesk) -> None:
    here = desk(**RATES)
    here.hold(100)
    here.sell(100)
    here.minute(AAA=100)
    assert here.exchange.account().cash_usd == 100_000
    flows = here.flows(here.close())
    assert [(flow.id, flow.kind, flow.amount_usd, flow.note) for flow in flows] == [
        ("fee-sec-2025-01-15", "fee", Decimal("-0.21"), "SEC fee of 2025-01-15"),
        ("fee-taf-2025-01-15", "fee", Decimal("-0.02"), "TAF fee of 2025-01-15"),
        ("fee-cat-2025-01-15", "fee", Decimal("-0.01"), "CAT fee of 2025-01-15"),
    ]
    assert all(flow.at_ns == here.exchange.now_ns for flow in flows)
    account = here.exchange.account()
    assert account.cash_usd == account.last_equity_usd == Decimal("99999.76")


def test_zero_rates_charge_nothing(desk: MakeDesk) -> None:
    here = desk()
    here.hold(100)
    here.sell(100)
    here.minute(AAA=100)
    assert here.flows(here.close()) == []
