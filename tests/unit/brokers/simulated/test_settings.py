from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ordinis.brokers.simulated.settings import ExchangeSettings
from ordinis.domain.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cash_usd", Decimal(0)),
        ("multiplier", 3),
        ("half_spread_bps", -1.0),
        ("participation_max", 1.1),
        ("feed_share", 0.0),
        ("market_buy_collar", 1.0),
        ("regime", "none"),
        ("day_trade_check", "never"),
        ("day_trade_method", "guess"),
        ("deficit_freeze_days", 0),
        ("deficit_floor_fraction", 1),
        ("day_trades_max", -1),
        ("day_trade_sessions", 0),
        ("gtc_days_max", 0),
    ],
)
def test_a_setting_out_of_range_is_named(name: str, value: Any) -> None:
    fields: dict[str, Any] = {"cash_usd": Decimal(1), name: value}
    with pytest.raises(ConfigError, match=rf"exchange\.{name} must .*, was {value}"):
        ExchangeSettings(**fields)
