"""The answer to `why` in plain lines. Times are New York's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ordinis.domain.decision import Assessment, Reason, SizeResult, Verdict, VerdictAction
from ordinis.domain.events import CorporateAction, Event, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MINUTE_NS
from ordinis.domain.orders import OrderIntent
from ordinis.domain.words import counted
from ordinis.journal.story import CandidateStory, OrderStory, WhyStory
from ordinis.journal.times import new_york_text
from ordinis.journal.trips import Booking, Trip, TripFill


def render(story: WhyStory) -> str:
    """Lines for a terminal, without a final newline."""
    return "\n".join(_story(story))


def news(event: Event) -> str | None:
    """What has just happened, for whoever looks on; None where there is nothing to see."""
    if isinstance(event, SessionPhase):
        if event.phase is Phase.OPENING:
            return f"the session opens, {counted(event.session.minutes, 'minute')} long"
        return "the session is closed"
    if isinstance(event, OrderUpdate) and event.fill is not None:
        shares, price = event.fill.quantity, _usd(event.fill.price_usd)
        verb = "bought" if shares > 0 else "sold"
        return f"{verb} {_number(abs(shares))} {event.symbol} at {price} ({event.client_order_id})"
    return None


def _story(story: WhyStory) -> Iterator[str]:
    yield f"{story.symbol} at {new_york_text(story.at_ns)} (New York)"
    yield _in_force(story)
    for action in story.actions:
        yield f"On {action.ex_date}: {action.text}."
    if not story.candidates:
        yield "No candidate of this symbol has reached sizing up to then."
    for candidate in story.candidates:
        yield ""
        yield from _candidate(candidate, story.at_ns)


def _in_force(story: WhyStory) -> str:
    if story.in_force is None:
        return "Nothing is recorded of this symbol up to then."
    reason = story.in_force.reason
    return f"In force: {reason.text} ({reason.name}), since {new_york_text(story.in_force.at_ns)}."


def _candidate(candidate: CandidateStory, asked_at_ns: int) -> Iterator[str]:
    assessed = candidate.assessed
    that_minute = assessed.at_ns // MINUTE_NS == asked_at_ns // MINUTE_NS
    yield f"{'Candidate' if that_minute else 'The latest candidate before'}, {new_york_text(assessed.at_ns)}:"
    yield from _signal(assessed.assessment)
    if assessed.assessment.size is not None:
        yield from _size(assessed.assessment.size)
    yield f"  verdict: {_verdict(assessed.assessment.verdict)}"
    if candidate.order is None:
        yield "  no order was sent"
    else:
        yield from _order(candidate.order)


def _signal(assessment: Assessment) -> Iterator[str]:
    signal = f"  signal: {assessment.purpose.value} by {assessment.strategy}"
    if assessment.score is not None:  # An exit has none, and needs no confidence.
        confidence = "no history yet" if assessment.confidence is None else f"{assessment.confidence:.3f}"
        signal += f", score {assessment.score:.6g}, confidence {confidence}"
    yield signal
    yield f"  price: ${assessment.price_usd:,.6g}"


def _size(size: SizeResult) -> Iterator[str]:
    yield f"  size, by {size.sizing_method}, as weights of equity:"
    width = max((len(step.name) for step in size.chain), default=0)
    for step in size.chain:
        bound = "  <- bound" if step.name == size.bound_by else ""
        yield f"    {step.name:<{width}}  {step.weight:8.2%}{bound}"
    if size.reason is not Reason.SENT:
        yield f"    no shares: {size.reason.text} ({size.reason.name})"
        return
    yield (
        f"    {_number(size.shares)} shares, ${size.notional_value:,.2f}, {size.weight:.2%} of equity,"
        f" {size.risk_contribution:.2%} at risk"
    )


def _verdict(verdict: Verdict) -> str:
    if verdict.action is VerdictAction.REFUSE:
        return f"refused: {verdict.reason.text} ({verdict.reason.name})"
    if verdict.action is VerdictAction.RESIZE:
        return f"cut to {_number(verdict.quantity)} shares: {verdict.reason.text} ({verdict.reason.name})"
    return f"approved, {_number(verdict.quantity)} shares"


def _order(story: OrderStory) -> Iterator[str]:
    yield f"  order {story.intent.client_order_id}: {_intent(story.intent)}"
    lines = [(update.at_ns, _update(update, story.intent)) for update in story.updates]
    lines += [(at_ns, "we asked for it back") for at_ns in story.canceled_at_ns]
    for at_ns, text in sorted(lines, key=lambda line: line[0]):
        yield f"    {new_york_text(at_ns)}  {text}"
    if not story.updates:
        yield "    the broker has said nothing of it"
    if story.trip is not None:
        yield from _trip(story.trip, story.intent.client_order_id)


def _intent(intent: OrderIntent) -> str:
    price = "".join(
        f" {name} {_usd(value)}"
        for name, value in (("limit", intent.limit_price_usd), ("stop", intent.stop_price_usd))
        if value is not None
    )
    leg = "" if intent.stop_loss_usd is None else f", with a stop leg at {_usd(intent.stop_loss_usd)}"
    what = f"{intent.side.value} {_number(intent.quantity)} {intent.type.value}"
    return f"{what}{price}, {intent.time_in_force.value}{leg}"


def _update(update: OrderUpdate, intent: OrderIntent) -> str:
    who = "" if update.client_order_id == intent.client_order_id else "stop leg "
    text = f"{who}{update.status.value.replace('_', ' ')}"
    if update.fill is not None:
        text += f", {_number(update.fill.quantity)} at {_usd(update.fill.price_usd)}"
    if update.error_code is not None or update.error_text:
        text += f", the broker says {update.error_code}: {update.error_text}"
    return text


def _trip(trip: Trip, client_order_id: str) -> Iterator[str]:
    yield "  the position:"
    lines = [(one.fill.filled_at_ns, _filled(one, client_order_id)) for one in trip.fills]
    lines += [(one.at_ns, _booked(one)) for one in trip.bookings]
    for at_ns, text in sorted(lines, key=lambda line: line[0]):
        yield f"    {new_york_text(at_ns)}  {text}"
    result, fraction = trip.result_usd, trip.result_fraction
    if result is None or fraction is None:
        yield f"    still open: {_number(trip.open_quantity)} shares"
    else:
        yield f"    closed: {'-' if result < 0 else '+'}${abs(result):,.2f} ({fraction:+.2%}) before fees"


def _filled(one: TripFill, client_order_id: str) -> str:
    whose = "this order" if one.client_order_id == client_order_id else one.client_order_id
    return f"{_number(one.fill.quantity)} at {_usd(one.fill.price_usd)} by {whose}"


def _booked(one: Booking) -> str:
    if isinstance(one, CorporateAction):
        return one.text
    return f"{one.kind.replace('_', ' ')} of {_usd(one.amount_usd)}: {one.note}"


def _number(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _usd(value: Decimal) -> str:
    """At least to the cent, finer where the price is."""
    places = max(2, -int(value.normalize().as_tuple().exponent))
    return f"${value:,.{places}f}"
