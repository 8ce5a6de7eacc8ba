"""Account, positions, fees, assets, clock and calendar as Alpaca writes them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ordinis.brokers.simulated.wire_values import asset_id, new_york, new_york_text, optional_plain, plain, utc_text
from ordinis.domain.account import AccountView, Position
from ordinis.domain.events import CashFlow
from ordinis.domain.market import Session

ACCOUNT_NUMBER = "SIM000000001"
ACCOUNT_ID = asset_id(ACCOUNT_NUMBER)
_ACTIVITY = {
    "fee": "FEE",
    "interest": "INT",
    "dividend": "DIV",
    "deposit": "CSD",
    "withdrawal": "CSW",
    "cash_in_lieu": "SPLIT",
    "removal": "MA",
}


def account_body(
    view: AccountView,
    *,
    accrued_fees_usd: Decimal,
    short_usd: Decimal,
    created_at_ns: int,
) -> dict[str, Any]:
    """The keys a live account has since the day-trading fields left (July 2026)."""
    position_usd = view.equity_usd - view.cash_usd
    return {
        "id": ACCOUNT_ID,
        "account_number": ACCOUNT_NUMBER,
        "admin_configurations": {},
        "user_configurations": None,
        "status": view.status,
        "crypto_status": "INACTIVE",
        "crypto_tier": 0,
        "currency": "USD",
        "buying_power": optional_plain(view.buying_power_usd),
        "effective_buying_power": optional_plain(view.buying_power_usd),
        "regt_buying_power": optional_plain(view.regt_buying_power_usd),
        "non_marginable_buying_power": optional_plain(view.non_marginable_buying_power_usd),
        "options_buying_power": "0",
        "options_approved_level": 0,
        "options_trading_level": 0,
        "cash": plain(view.cash_usd),
        "accrued_fees": plain(accrued_fees_usd),
        "pending_reg_taf_fees": "0",
        "portfolio_value": plain(view.equity_usd),
        "equity": plain(view.equity_usd),
        "last_equity": optional_plain(view.last_equity_usd),
        "long_market_value": plain(position_usd + short_usd),
        "short_market_value": plain(-short_usd) if short_usd else "0",
        "position_market_value": plain(position_usd),
        "initial_margin": optional_plain(view.initial_margin_usd),
        "maintenance_margin": optional_plain(view.maintenance_margin_usd),
        "last_maintenance_margin": optional_plain(view.last_maintenance_margin_usd),
        "sma": "0",
        "intraday_adjustments": "0",
        "multiplier": None if view.multiplier is None else str(view.multiplier),
        "shorting_enabled": view.shorting_enabled,
        "account_blocked": view.account_blocked,
        "trading_blocked": view.trading_blocked,
        "transfers_blocked": False,
        "trade_suspended_by_user": view.trade_suspended_by_user,
        "balance_asof": new_york(view.at_ns).date().isoformat(),
        "created_at": utc_text(created_at_ns),
        **_day_trading(view),
    }


def _day_trading(view: AccountView) -> dict[str, Any]:
    """The keys of a broker that still counts day trades, and of one that names the account's type."""
    known = {
        "account_type": view.account_type,
        "daytrade_count": view.daytrade_count,
        "pattern_day_trader": view.pattern_day_trader,
        "daytrading_buying_power": optional_plain(view.daytrading_buying_power_usd),
        "user_configurations": None if view.pdt_check is None else {"pdt_check": view.pdt_check},
    }
    return {key: value for key, value in known.items() if value is not None}


def position_body(position: Position, price_usd: Decimal, held_for_orders: Decimal) -> dict[str, Any]:
    """Shares and values of a short position are negative; `held_for_orders` is not."""
    available = position.quantity - held_for_orders.copy_sign(position.quantity)
    cost_usd = position.quantity * position.average_price_usd
    value_usd = position.quantity * price_usd
    gain_usd = value_usd - cost_usd
    return {
        "asset_id": asset_id(position.symbol),
        "symbol": position.symbol,
        "exchange": "NASDAQ",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": plain(position.quantity),
        "qty_available": plain(available),
        "avg_entry_price": plain(position.average_price_usd),
        "side": "long" if position.quantity > 0 else "short",
        "market_value": plain(value_usd),
        "cost_basis": plain(cost_usd),
        "unrealized_pl": plain(gain_usd),
        "unrealized_plpc": plain(gain_usd / abs(cost_usd)) if cost_usd else "0",
        "unrealized_intraday_pl": None,
        "unrealized_intraday_plpc": None,
        "current_price": plain(price_usd),
        "lastday_price": None,
        "change_today": None,
    }


def cash_activity(flow: CashFlow) -> dict[str, Any]:
    """Money that moved without a trade. Its id is the exchange's own."""
    symbol = {"symbol": flow.symbol} if flow.symbol else {}
    return symbol | {
        "id": flow.id,
        "activity_type": _ACTIVITY[flow.kind],
        "date": new_york(flow.at_ns).date().isoformat(),
        "created_at": utc_text(flow.at_ns),
        "net_amount": plain(flow.amount_usd),
        "description": flow.note,
        "status": "executed",
    }


def asset_body(symbol: str, *, active: bool = True, fractionable: bool = True, easy_to_borrow: bool) -> dict[str, Any]:
    return {
        "id": asset_id(symbol),
        "class": "us_equity",
        "exchange": "NASDAQ",
        "symbol": symbol,
        "name": symbol,
        "status": "active" if active else "inactive",
        "tradable": active,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30",
        "margin_requirement_short": "100",
        "shortable": easy_to_borrow,
        "easy_to_borrow": easy_to_borrow,
        "fractionable": fractionable,
        "attributes": [],
    }


def clock_body(now_ns: int, is_open: bool, sessions: Iterable[Session]) -> dict[str, Any]:
    """Virtual time. Past the last session known the next open and close are that session's own."""
    known = list(sessions)
    opens = next((one for one in known if one.open_ns > now_ns), known[-1])
    closes = next((one for one in known if one.close_ns > now_ns), known[-1])
    return {
        "timestamp": new_york_text(now_ns),
        "is_open": is_open,
        "next_open": new_york_text(opens.open_ns),
        "next_close": new_york_text(closes.close_ns),
    }


def calendar_body(session: Session) -> dict[str, Any]:
    return {
        "date": session.date.isoformat(),
        "open": f"{new_york(session.open_ns):%H:%M}",
        "close": f"{new_york(session.close_ns):%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": None,
    }
