"""Corporate actions as Alpaca's market-data API writes them: lists by kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ordinis.brokers.simulated.wire_values import plain
from ordinis.domain.events import ActionKind, CorporateAction


def corporate_actions_body(actions: Iterable[CorporateAction]) -> dict[str, list[dict[str, Any]]]:
    """Rates are texts with every digit they have, where Alpaca writes numbers: a client reads both."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for action in actions:
        name, more = _kind_and_rates(action)
        day = action.ex_date.isoformat()
        body = {"id": action.id, "symbol": action.symbol, "process_date": day, "ex_date": day, **more}
        lists.setdefault(name, []).append(body)
    return lists


def _kind_and_rates(action: CorporateAction) -> tuple[str, dict[str, Any]]:
    if action.kind is ActionKind.SPLIT:
        name = "forward_splits" if action.ratio > 1 else "reverse_splits"
        return name, {"new_rate": plain(action.ratio), "old_rate": "1"}
    if action.amount_usd is None:
        return "worthless_removals", {}
    if action.kind is ActionKind.DIVIDEND:
        return "cash_dividends", {"rate": plain(action.amount_usd), "special": False, "foreign": False}
    return "cash_mergers", {"acquiree_symbol": action.symbol, "rate": plain(action.amount_usd)}
