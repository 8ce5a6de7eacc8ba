"""The sections of the page, one function each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ordinis.domain.decision import Reason
from ordinis.domain.words import counted
from ordinis.engines.performance.statistics import win_rate
from ordinis.research.report import markup, words
from ordinis.research.report.markup import UNKNOWN, Column
from ordinis.research.report.numbers import held, number, percent, price, quantity, usd
from ordinis.research.report.pictures import Picture
from ordinis.research.report.pictures import pictures as catalogue
from ordinis.research.report.source import ReportSource, Trade
from ordinis.research.report.times import minute_text

TRADES_SHOWN_MAX = 1_000  # The page stays light; trades.csv holds them all.
NOTES_SHOWN_MAX = 500

_NOT_REFUSED = {Reason.NO_SIGNAL, Reason.SENT, Reason.RESIZED}


def headline(source: ReportSource) -> str:
    result, benchmark = source.result, source.benchmark
    money = [
        ("Start equity", usd(result.start_equity)),
        ("Final equity", usd(result.final_equity)),
        ("Return", percent(result.return_)),
        ("Benchmark's return", percent(benchmark.total_return)),
        ("Max drawdown", percent(result.max_drawdown)),
        ("Sharpe (daily, annualised)", number(result.sharpe)),
        ("Fees", usd(result.fees)),
        ("Rule violations", f"{result.violations:,}"),
    ]
    trading = [
        ("Closed trades", f"{result.trades:,}"),
        ("Positions opened", f"{result.entries:,}"),
        ("Mean size of an entry, of equity", percent(result.average_position)),
        ("Win rate", percent(result.win_rate)),
        ("Profit factor", number(result.profit_factor)),
        ("Orders refused by the exchange", f"{result.refused_by_exchange:,}"),
        ("Latched stops resumed", f"{result.resumes:,}"),
        ("Account tier at the end", result.tier),
        ("Sizing method it asks for", result.sizing_method),
    ]
    return markup.section(
        "Result",
        f'<div class="columns">{markup.figures(money)}{markup.figures(trading)}</div>',
        markup.paragraph(f"Benchmark: {benchmark.name}."),
    )


def pictures(source: ReportSource) -> str:
    if not source.curve.at_ns.size:
        return markup.section("Pictures", markup.paragraph("Not a minute was run, so there is nothing to draw."))
    return markup.section(
        "Course",
        *(_picture(source, one) for one in catalogue(source)),
        "<noscript><p>The pictures need JavaScript; equity.csv has every minute of them.</p></noscript>",
    )


def _picture(source: ReportSource, one: Picture) -> str:
    if one.figure is None:
        return markup.missing(one.title, one.note)
    return markup.picture(one.place, one.title, one.legend, words.caption(source, one.note), source.command)


def account(source: ReportSource) -> str:
    """From the first dollar to the last. What does not add up would be shown, not hidden."""
    result = source.result
    fees_usd = float(source.costs.all_fees_usd)
    rows = [
        ("Start equity", usd(result.start_equity)),
        (f"{counted(result.trades, 'closed trade')}, before fees", usd(source.realised_usd)),
        (f"{counted(len(source.open_positions), 'open position')}, at the last prices", usd(source.open_result_usd)),
        ("Fees charged", usd(-fees_usd)),
    ]
    told = result.start_equity + float(source.realised_usd) + source.open_result_usd - fees_usd
    rest = round(result.final_equity - told, 2)
    rows += [("Fees of the session that was not finished, and rounding", usd(rest))] if rest else []
    return markup.section("From start to end", markup.figures([*rows, ("Final equity", usd(result.final_equity))]))


def trade_groups(source: ReportSource) -> str:
    groups: dict[tuple[str, str], list[Trade]] = {}
    for trade in source.trades:
        groups.setdefault((trade.trip.strategy, trade.exit.value), []).append(trade)
    columns = [
        Column("Strategy"),
        Column("Closed by"),
        *(Column(title, number=True) for title in ("Trades", "Win rate", "Result", "Mean result, in risk")),
    ]
    return markup.table(columns, (_group(*key, trades) for key, trades in sorted(groups.items())))


def _group(strategy: str, closed_by: str, trades: list[Trade]) -> list[str]:
    in_risk = [trade.in_risk for trade in trades if trade.in_risk is not None]
    return [
        strategy,
        closed_by,
        f"{len(trades):,}",
        percent(win_rate([trade.trip for trade in trades])),
        usd(sum(trade.trip.pnl_usd for trade in trades)),
        number(sum(in_risk) / len(in_risk) if in_risk else None),
    ]


def trades(source: ReportSource) -> str:
    if not source.trades:
        return markup.section("Trades", markup.paragraph("No trade was closed."))
    shown = source.trades[-TRADES_SHOWN_MAX:]
    columns = [
        *(Column(title) for title in ("Symbol", "Strategy", "Opened", "Closed")),
        *(Column(title, number=True) for title in ("Held", "Shares", "Entry", "Exit", "Result", "In risk")),
        Column("Closed by"),
    ]
    every = "" if len(shown) == len(source.trades) else f" The last {len(shown):,} of {len(source.trades):,} are shown."
    return markup.section(
        "Trades",
        trade_groups(source),
        markup.paragraph(
            "Results in USD before fees; in risk means over what the stop would have cost. Times are New York's,"
            " prices are averages, shares sold short are negative, time held counts while the exchange was open."
            f"{every} trades.csv has all of them."
        ),
        markup.table(columns, (_trade(trade) for trade in shown), kind="tall line"),
    )


def _trade(trade: Trade) -> list[str]:
    trip = trade.trip
    return [
        trip.symbol,
        trip.strategy,
        minute_text(trip.opened_at_ns),
        minute_text(trip.closed_at_ns),
        held(trade.held_minutes, trade.held_nights),
        quantity(trade.shares),
        price(trip.entry_price_usd),
        price(trip.exit_price_usd),
        usd(trip.pnl_usd),
        number(trade.in_risk),
        trade.exit.value,
    ]


def still_open(source: ReportSource) -> str:
    if not source.open_positions:
        return ""
    columns = [Column("Symbol"), Column("Strategy"), Column("Opened"), Column("Shares", True), Column("Paid", True)]
    return markup.section(
        "Still open at the end",
        markup.table(
            columns,
            (
                [one.symbol, one.strategy, minute_text(one.opened_at_ns), quantity(one.quantity), usd(one.paid_usd)]
                for one in source.open_positions
            ),
            kind="line",
        ),
    )


def refusals(source: ReportSource) -> str:
    times = {Reason[name]: count for name, count in source.result.decisions_by_reason.items()}
    refused = [(reason.text, reason.name, f"{times[reason]:,}") for reason in sorted(times.keys() - _NOT_REFUSED)]
    sent = times.get(Reason.SENT, 0) + times.get(Reason.RESIZED, 0)
    columns = [Column("Why"), Column("Reason"), Column("Times", number=True)]
    parts = [
        markup.paragraph(
            "What stood against an order, in order of precedence, counted each time it became a symbol's reason and not"
            f" every minute that it lasted. In the same count an order was sent, entry or exit, {sent:,} times, and no"
            f" strategy asked for an entry {times.get(Reason.NO_SIGNAL, 0):,} times."
        ),
        markup.table(columns, refused) if refused else markup.paragraph("Nothing was refused."),
    ]
    if source.broker_refusals:
        said = [(text, f"{count:,}") for text, count in source.broker_refusals.items()]
        parts.append(markup.table([Column("The exchange refused"), Column("Times", number=True)], said))
    return markup.section("Why there was no order", *parts)


def sizes(source: ReportSource) -> str:
    found = source.sizes
    method = markup.paragraph(words.real_method(source))
    if not found.entries:
        return markup.section("What set the sizes", method)
    names = list(dict.fromkeys([*found.set_by, *found.took_part]))
    columns = [
        Column("Link"),
        *(Column(title, number=True) for title in ("Set the size", "Of all", "Took part")),
        Column("What it is"),
    ]
    return markup.section(
        "What set the sizes",
        method,
        markup.table(columns, (_link(source, name) for name in names)),
        markup.paragraph(
            "Entries sized by: "
            + ", ".join(f"{name} {count:,}" for name, count in source.result.sizing_methods.items())
            + ". Each entry counts once under the link that set its size, and under every link its chain went through."
        ),
    )


def _link(source: ReportSource, name: str) -> list[str]:
    found = source.sizes
    count = found.set_by.get(name, 0)
    part = percent(count / found.entries) if count else UNKNOWN
    return [name, f"{count:,}", part, f"{found.took_part.get(name, 0):,}", words.link_text(name)]


def costs(source: ReportSource) -> str:
    found, result = source.costs, source.result
    total = found.spread_usd + float(found.all_fees_usd)
    rows = [
        ("Bought and sold", usd(found.traded_usd)),
        ("Spread paid, inside the prices", usd(found.spread_usd)),
        *((f"{name} fee", usd(amount)) for name, amount in found.fees_usd.items()),
        ("All costs", usd(total)),
        ("Of the start equity", percent(total / result.start_equity)),
        ("Return of the same trades without them", percent(result.return_ + total / result.start_equity)),
    ]
    return markup.section("Costs", markup.figures(rows))


def assumptions(source: ReportSource) -> str:
    title = f"What the fills assume: {source.result.fill_model}"
    return markup.section(title, markup.bullets(words.assumptions(source.settings)))


def notes(source: ReportSource) -> str:
    if not source.notes:
        return markup.section("Notes of the run", markup.paragraph("None."))
    shown = [(minute_text(at_ns), text) for at_ns, text in source.notes[:NOTES_SHOWN_MAX]]
    hidden = len(source.notes) - len(shown)
    more = markup.paragraph(f"{counted(hidden, 'later note')} not shown: the journal has all.") if hidden else ""
    return markup.section(
        "Notes of the run", markup.table([Column("New York"), Column("Note")], shown, kind="tall long"), more
    )


def origin(source: ReportSource) -> str:
    """What it takes to get the same figures again."""
    result = source.result
    facts = [
        ("Data set", result.data),
        ("Bars", words.bars_label(source)),
        ("SHA-256 of the bars", source.data_sha256),
        ("Symbols", ", ".join(source.symbols)),
        ("Sessions", span(source)),
        ("Speed", f"{result.bars:,} bars in {result.seconds:.2f} s, {result.bars_per_second:,.0f} bars/s"),
        ("Rules evaluated", f"{result.rules_evaluated:,}"),
        ("Journal", result.journal),
        ("Journal's digest", result.journal_digest),
    ]
    return markup.section(
        "To run it again",
        markup.code(source.command),
        markup.table([Column("What"), Column("Which")], facts, kind="long"),
        markup.folded("Settings", "\n".join(settings_lines(source.settings))),
    )


def span(source: ReportSource) -> str:
    result = source.result
    days = f", {result.first_session} to {result.last_session}" if result.first_session else ""
    partial = ", PARTIAL" if result.partial else ""
    return f"{counted(result.sessions, 'session')}{days}{partial}, fills: {result.fill_model}"


def settings_lines(settings: Mapping[str, Any]) -> Iterator[str]:
    """`section.key = value` a line. The broker's addresses are left out: a backtest talks to none."""
    for name, values in settings.items():
        if name != "broker":
            yield from _lines(name, values)


def _lines(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _lines(f"{name}.{key}", one)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
        for one in value:
            yield from _lines(f"{name}.{one['name']}", {key: rest for key, rest in one.items() if key != "name"})
    else:
        yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
