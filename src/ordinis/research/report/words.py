"""What a report says in sentences: what the fills assume, what the figures are worth, which cap was the method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ordinis.domain.decision import Reason
from ordinis.domain.words import counted
from ordinis.engines.performance.statistics import SHARPE_SESSIONS_MIN
from ordinis.engines.portfolio.sizing import SizingMethod
from ordinis.research.report.source import ReportSource

TRADES_MIN = 30  # With fewer a win rate is an anecdote.
MOST = 0.5

_METHODS = {method.value for method in SizingMethod}
_LINKS = {
    "max_position_pct": "cap: the tier's largest position",
    "risk_state_scale": "scale: what the drawdown leaves of new risk",
    "target_volatility": "the weight before the confidence scales it",
    "full_kelly": "the whole Kelly fraction, before it is halved",
    "default_correlation": "assumed: the correlation was not measured yet",
    "default_volatility": "assumed: the volatility was not measured yet",
}
_FALLBACK = ", falling back"


def caption(source: ReportSource, note: str) -> str:
    """Under a picture: what it is drawn from, and what there is to know. The command follows it."""
    partial = ", PARTIAL run" if source.result.partial else ""
    about = f" {note}" if note else ""
    return f"Data set {source.result.data}, {bars_label(source)}{partial}.{about} Made by"


def bars_label(source: ReportSource) -> str:
    """Real or synthetic, in the data set's own words."""
    kind, label = bars_kind(source), source.result.data_label
    if label.lower().startswith(kind.lower()):
        return kind + label[len(kind) :]
    return f"{kind}: {label}"


def bars_kind(source: ReportSource) -> str:
    return "SYNTHETIC minutes" if source.result.synthetic else "Real minutes"


def caveats(source: ReportSource) -> Iterator[str]:
    """What to keep in mind before any figure."""
    result = source.result
    if result.partial:
        yield "PARTIAL: stopped before the end of the data; every figure is of what was run."
    if result.synthetic:
        yield "SYNTHETIC minutes: they show that the machinery works and say nothing of what would have been earned."
    yield "In-sample: the parameters were not chosen on other data than this. Expect less of sessions not seen yet."
    if result.sessions < SHARPE_SESSIONS_MIN:
        yield f"{counted(result.sessions, 'session')}: under {SHARPE_SESSIONS_MIN} a Sharpe ratio says nothing."
    if result.trades < TRADES_MIN:
        yield f"{counted(result.trades, 'closed trade')}: under {TRADES_MIN} win rate and profit factor are anecdotes."
    if result.violations:
        yield f"{counted(result.violations, 'violation')} of the account's rules, by the exchange's own books."


def real_method(source: ReportSource) -> str:
    """A cap that binds in most entries is the real method, and is named."""
    entries, asked = source.sizes.entries, source.result.sizing_method
    if not entries:
        return "No entry was sent, so nothing was sized."
    name, count = max(source.sizes.set_by.items(), key=lambda item: item[1])
    part = f"{count:,} of {entries:,} entries ({count / entries:.0%})"
    if count <= MOST * entries:
        return f"Nothing set most of the sizes: {name} comes first, with {part}."
    if name not in _METHODS:
        return f"The real method of this run is the cap {name}, not {asked}: it set the size in {part}."
    if name != asked:
        return f"The real method of this run is {name}, not {asked}, which the tier asks for: it sized {part}."
    return f"{name} is the real method of this run: it set the size in {part}."


def link_text(name: str) -> str:
    """A link of the size chain, or the rule that cut an order, in words."""
    if name in Reason.__members__:
        return f"rule: {Reason[name].text}"
    if name.endswith(_FALLBACK):
        _, _, why = name.removesuffix(_FALLBACK).partition(": ")
        return f"fallback: {Reason[why].text if why in Reason.__members__ else why}"
    return "method" if name in _METHODS else _LINKS.get(name, "")


def assumptions(settings: Mapping[str, Any]) -> Iterator[str]:
    """How the simulated exchange fills, a sentence each, from the settings of its section."""
    exchange = settings["exchange"]
    yield (
        "A decision at the end of minute t knows the bars up to t and nothing later. Orders reach the exchange at"
        " once and move no price."
    )
    yield _market_fill(exchange["fill_model"], exchange["half_spread_bps"])
    yield _entry_fill(settings["execution"])
    yield _stop_fill(exchange["fill_model"])
    yield _volume(exchange["fill_model"], float(exchange["participation_fraction_max"]))
    yield _fees(exchange["fees"])
    yield (
        "Dividends and interest on borrowed money are not booked. What is still held at the end is valued at its"
        " last price, without the cost of selling it."
    )


def _market_fill(model: str, half_spread_bps: float | str) -> str:
    after = "A market order decided at minute t fills"
    return {
        "spread": (
            f"{after} at the open of the symbol's next minute with a bar, t+1 or later, made {_worse(half_spread_bps)}."
            " Real spreads vary, and are widest at the open and in a rush."
        ),
        "next_open": (
            f"{after} at the open of the symbol's next minute with a bar, t+1 or later. No spread is paid: optimistic."
        ),
        "next_close": (
            f"{after} at the close of the symbol's next minute with a bar, t+1 or later. No spread is paid: optimistic."
        ),
        "this_close": f"{after} at the close of minute t itself, on which it was decided. Nobody gets that price.",
    }[model]


def _entry_fill(execution: Mapping[str, Any]) -> str:
    if execution["entry_order"] == "market":
        return "Entries are market orders, as exits are."
    return (
        f"Entries are limits up to {float(execution['entry_collar_fraction']):.2%} beyond the price that they were"
        " decided on. One that the next open, spread included, lies within pays that; another waits for the price to"
        f" come back through its limit. What has not filled in {execution['entry_life_minutes']} minutes is taken back."
    )


def _worse(half_spread_bps: float | str) -> str:
    if isinstance(half_spread_bps, str):
        return "worse by half the spread that real quotes of four liquid names showed at such a price"
    return f"{half_spread_bps:g} basis points worse: half of an assumed spread of {2 * half_spread_bps:g}"


def _stop_fill(model: str) -> str:
    spread = ", and half the spread worse" if model == "spread" else ""
    return (
        "A protective stop fills at its price once a bar reaches it, or at that bar's open where the price has jumped"
        f" past it{spread}. A bar does not tell the order of its prices: where it matters the worse course is taken."
    )


def _volume(model: str, part: float) -> str:
    if not part:
        return "Any size fills at once, however small the minute's volume: optimistic for large orders."
    whole = " Market orders are exempt: this model fills them whole." if model == "this_close" else ""
    return (
        f"Of a minute's volume (the bars' own over the feed's share of all trading) at most {part:.0%} is ours;"
        f" the rest of an order waits for the next minute.{whole}"
    )


def _fees(fees: Mapping[str, Any]) -> str:
    if not fees["enabled"]:
        return "No fees are charged."
    return (
        f"Commission is zero. Fees, charged at each session's close: SEC {_rate(fees, 'sec_usd_per_million')} a million"
        f" sold, TAF {_rate(fees, 'taf_usd_per_share')} a share sold (at most {_rate(fees, 'taf_usd_max')} a trade),"
        f" CAT {_rate(fees, 'cat_usd_per_share')} a share. Rates of the day are those of a table as of {fees['as_of']};"
        " every fee in the journal names the rate it was charged at."
    )


def _rate(fees: Mapping[str, Any], name: str) -> str:
    return "the rate of the day" if fees[name] == "by_date" else f"${fees[name]}"
