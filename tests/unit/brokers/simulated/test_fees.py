from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ordinis.brokers.simulated.fee_rates import _CAT, _SEC, _TAF, FeeRates, rates_of
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
        ("fee-sec-2025-01-15", "fee", Decimal("-0.21"), "SEC fee of 2025-01-15: 20.60 USD a million"),
        ("fee-taf-2025-01-15", "fee", Decimal("-0.02"), "TAF fee of 2025-01-15: 0.000195 USD a share"),
        ("fee-cat-2025-01-15", "fee", Decimal("-0.01"), "CAT fee of 2025-01-15: 0.000003 USD a share"),
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


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2011, 1, 3), ("22.40", "0.000119", "5.95", "0")),  # Before the table: its first rates.
        (date(2013, 5, 24), ("22.40", "0.000119", "5.95", "0")),
        (date(2013, 5, 25), ("17.40", "0.000119", "5.95", "0")),
        (date(2013, 10, 7), ("17.40", "0.000119", "5.95", "0")),
        (date(2021, 12, 31), ("5.10", "0.000119", "5.95", "0")),
        (date(2022, 1, 3), ("5.10", "0.000130", "6.49", "0")),
        (date(2024, 9, 3), ("27.80", "0.000166", "8.30", "0.000035")),
        (date(2025, 6, 2), ("0", "0.000166", "8.30", "0.000035")),
        (date(2026, 11, 20), ("20.60", "0.000195", "9.79", "0.000003")),
    ],
)
def test_a_day_has_the_rates_that_were_in_force(day: date, expected: tuple[str, ...]) -> None:
    assert rates_of(day) == tuple(Decimal(figure) for figure in expected)


def test_what_is_set_goes_before_the_rate_of_the_day() -> None:
    settings = ExchangeSettings(cash_usd=Decimal(1), taf_usd_max=Decimal(1), cat_usd_per_share=Decimal(0))
    assert settings.fee_rates(date(2013, 10, 7)) == FeeRates(
        Decimal("17.40"), Decimal("0.000119"), Decimal(1), Decimal(0)
    )


def test_every_session_is_charged_by_its_own_date(desk: MakeDesk) -> None:
    """$1,000,000 sold in 10,000 shares: on 2025-01-15 SEC 27.80, TAF 1.66, CAT 0.35 beside 0.35 for the purchase."""
    here = desk(cash_usd=Decimal(2_000_000), participation_max=0.0, **dict.fromkeys(RATES))
    here.hold(10_000)
    here.sell(10_000)
    here.minute(AAA=100)
    assert [flow.amount_usd for flow in here.flows(here.close())] == [
        Decimal("-27.80"),
        Decimal("-1.66"),
        Decimal("-0.70"),
    ]


def test_the_page_of_the_exchange_shows_the_table() -> None:
    page = (Path(__file__).parents[4] / "docs" / "exchange.md").read_text(encoding="utf-8")
    cells = [" | ".join((day, *(f"${figure}" for figure in figures))) for day, *figures in (*_SEC, *_TAF, *_CAT)]
    assert [cell for cell in cells if f"| {cell} |" not in page] == []
