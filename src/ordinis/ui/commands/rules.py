"""`ordinis rules`: where an account stands with its rules, and the day trades of a list of fills."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordinis.domain.errors import ConfigError
from ordinis.ui.commands.journal import latest_journal
from ordinis.ui.options import ConfigOption, SetOption, read_settings

if TYPE_CHECKING:
    from ordinis.app.rules import RulesNow


def rules(
    journal: Annotated[
        Path | None, typer.Option("--journal", metavar="FILE", help="The account's journal; default: the latest run's.")
    ] = None,
    count: Annotated[
        Path | None,
        typer.Option(
            "--count",
            metavar="FILE",
            help="Count the day trades of a list of fills instead: a CSV file of symbol, side, quantity, time, "
            "order id, in any broker's usual words.",
        ),
    ] = None,
    held: Annotated[
        list[str] | None,
        typer.Option("--held", metavar="SYMBOL=SHARES", help="With --count: held before the first fill; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
) -> None:
    """Say which rules the account is under, what they leave, and when something frees up."""
    if count is not None:
        _count(count, held or [], read_settings(config, overrides).compliance.window_sessions, as_json)
        return
    if held:
        raise ConfigError("--held is what was held before a list of fills: name the list (--count FILE), too")
    path = journal or latest_journal(config, overrides)
    from ordinis.app.rules import rules_now

    now = rules_now(path)
    typer.echo(_json(now) if as_json else "\n".join(_words(now)))


def _count(path: Path, held: list[str], window_sessions: int, as_json: bool) -> None:
    from ordinis.app.rules import count_file, tally

    fills, counts, said = count_file(path, _positions(held), window_sessions)
    if as_json:
        typer.echo(_json({"fills": len(fills), "days": counts, "remarks": said}))
        return
    for line in said:
        typer.echo(f"{path}: {line}", err=True)
    typer.echo("date        symbol   at start  direction_change  opening_order  max  in the window")
    for one in counts:
        typer.echo(
            f"{one.day}  {one.symbol:8}{one.start_quantity.normalize():>9f}{one.direction_change:>18}"
            f"{one.opening_order:>15}{one.max:>5}{one.window:>15}"
        )
    typer.echo(tally(counts, fills))


def _positions(held: list[str]) -> dict[str, Decimal]:
    return dict(_position(one) for one in held)


def _position(given: str) -> tuple[str, Decimal]:
    symbol, _, shares = given.partition("=")
    with suppress(InvalidOperation):
        quantity = Decimal(shares)
        if symbol.strip() and quantity.is_finite():
            return symbol.strip().upper(), quantity
    raise ConfigError(f"--held {given}: expected SYMBOL=SHARES, for example --held AAPL=50")


def _json(value: object) -> str:
    import msgspec

    return json.dumps(msgspec.to_builtins(value), indent=2)


def _words(now: RulesNow) -> list[str]:
    confirmed = f"confirmed on {now.confirmed_on}" if now.confirmed_on else "not confirmed"
    lines = [
        f"{now.journal}, {now.day}",
        f"regime       {now.regime}, {confirmed}: {now.source}",
        f"enforced     {', '.join(now.enforced)}",
        f"account      equity {now.equity_usd:,.2f} USD, multiplier {now.multiplier or 'not reported'}",
        *_slots(now),
        *_margin(now),
        *_settlement(now),
    ]
    lines += [f"{one.what}: {'yes' if one.allowed else 'no'}: {one.why}" for one in now.now]
    lines += [f"next         {day}: {what}" for day, what in now.frees_up] or ["next         nothing is waited for"]
    return lines


def _slots(now: RulesNow) -> list[str]:
    trades = now.day_trades
    if trades.limited_by is None:
        return [f"day trades   {trades.used} in the window; nothing limits them"]
    flag = "; flagged as a pattern day trader" if trades.flagged else ""
    lines = [
        f"day trades   {trades.used} used, {trades.reserved} reserved, {trades.remaining} left of {trades.allowed}"
        f" (by {trades.limited_by}{flag})"
    ]
    if trades.unprotected_today:
        lines.append(f"             unprotected today: {', '.join(trades.unprotected_today)}")
    return lines


def _margin(now: RulesNow) -> list[str]:
    margin = now.margin
    if margin is None:
        return []
    lines = [
        f"margin       level {margin.level_usd:,.2f} USD, {margin.required_usd:,.2f} asked for; "
        f"head-room for {margin.head_room_usd:,.2f} now, {margin.overnight_room_usd:,.2f} over night"
    ]
    lines += [
        f"             deficit of {one.day}: {one.amount_usd:,.2f} USD, {one.state}; due {one.call_due}, "
        f"freezes {one.freezes_on}, history {one.expires_on}"
        for one in margin.deficits
    ]
    return lines


def _settlement(now: RulesNow) -> list[str]:
    cash = now.settlement
    if cash is None:
        return []
    lines = [f"settled      {cash.settled_usd:,.2f} USD; {cash.violations} violations"]
    return lines + [f"             {amount:,.2f} USD on {day}" for day, amount in cash.settles]
