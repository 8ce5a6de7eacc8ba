"""Whose rules an account is under: data of the account, and the stricter of both where nobody confirmed them."""

from __future__ import annotations

from datetime import date

import pytest

from ordinis.engines.compliance.regimes import AskedRegime, Regime, resolve

BEFORE, AFTER, PHASED_IN = date(2026, 6, 3), date(2026, 6, 4), date(2027, 10, 20)
TOLD = date(2026, 9, 1)


@pytest.mark.parametrize(
    ("asked", "broker", "on", "confirmed_on", "regime", "day_trades", "margin"),
    [
        ("auto", "alpaca", BEFORE, None, "pattern_day_trader", True, False),
        ("auto", "alpaca", AFTER, None, "intraday_margin", False, True),
        ("auto", "other", BEFORE, None, "pattern_day_trader", True, False),
        ("auto", "other", AFTER, None, "intraday_margin", True, True),  # It may still phase in.
        ("auto", "other", AFTER, TOLD, "intraday_margin", False, True),
        ("auto", "other", PHASED_IN, None, "intraday_margin", False, True),
        ("pattern_day_trader", "alpaca", AFTER, TOLD, "pattern_day_trader", True, False),
        ("pattern_day_trader", "alpaca", AFTER, None, "pattern_day_trader", True, True),
        ("intraday_margin", "alpaca", AFTER, None, "intraday_margin", True, True),
        ("cash", "alpaca", AFTER, None, "cash", False, False),
    ],
)
def test_a_regime_follows_from_broker_and_date_and_unconfirmed_is_held_to_both(
    asked: AskedRegime,
    broker: str,
    on: date,
    confirmed_on: date | None,
    regime: str,
    day_trades: bool,
    margin: bool,
) -> None:
    found = resolve(asked, broker=broker, on=on, confirmed_on=confirmed_on)
    assert (found.regime, found.counts_day_trades, found.limits_intraday_margin) == (regime, day_trades, margin)
    assert found.settles_in_cash is (regime == "cash")


def test_a_regime_says_where_it_comes_from_and_when_it_was_confirmed() -> None:
    text = resolve("auto", broker="alpaca", on=AFTER).text
    assert text == (
        "regime intraday_margin: Alpaca's documents: SR-FINRA-2025-017 is enforced since 2026-06-04; "
        "confirmed on 2026-11-22"
    )
    assert (
        "not confirmed, so day trades and intraday margin are both held to"
        in Regime(regime="pattern_day_trader", source="compliance.regime").text
    )
    assert Regime(regime="cash", source="compliance.regime").text == "regime cash: compliance.regime; as set"
