"""Trading over Alpaca's wire against a simulated broker: one started for the run, or one that runs by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from ordinis.app import material as materials
from ordinis.app.build import build_exchange
from ordinis.app.going_on import GoingOn, OpenJournal
from ordinis.app.material import Material, journal_path, open_data
from ordinis.app.watch import Say
from ordinis.app.wire import WireBooks, addresses_of, control_of, endpoints_of, served
from ordinis.config.settings import Settings
from ordinis.domain.errors import ConfigError
from ordinis.domain.events import BrokerEvent, CashFlow, CorporateAction, OrderUpdate, Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.domain.words import counted
from ordinis.journal.entries import open_journal
from ordinis.journal.recorded import Step, recorded
from ordinis.journal.writer import Durability
from ordinis.research.result import BacktestResult, Books
from ordinis.runtime import clock

if TYPE_CHECKING:
    from ordinis.brokers.alpaca.simulation import SimulationLink
    from ordinis.brokers.simulated.server import Addresses

_SAME_BROKER = ("account", "compliance", "data", "exchange")  # Sections that a simulated day rests on.


def run_simulation(
    settings: Settings,
    *,
    data: str,
    day: date | None = None,
    speed: float = 0.0,
    journal: Path | None = None,
    resume: bool = False,
    broker: Path | None = None,
    say: Say = lambda line: None,
) -> BacktestResult:
    """Trade over Alpaca's REST and streams, in virtual time.

    Without `broker` one session, the data's last or `day`, against a simulated broker started for it. `broker` is a
    file with the line that `ordinis broker serve` printed: then to the end of what it serves. `speed` is in times of
    real time; 0 is as fast as it goes. With `resume` an unfinished journal is continued where it stands; a broker
    started for the run first lives the recorded part again. Errors: OrdinisError.
    """
    day = day or open_data(settings, data).sessions[-1].date
    material = materials.gather(settings, data, day, day)
    path = journal_path(settings, journal, "simulation")
    earlier = Earlier.read(path, material, own_broker=broker is None) if resume else None
    symbols = counted(len(material.universe), "symbol")
    where = f"{day}, {symbols}, at a simulated broker started for this run"
    say(f"{where if broker is None else f'{symbols}, at the simulated broker of {broker}'}; journal {path}")
    with _broker(settings, material, broker) as (addresses, books):
        if earlier is not None and broker is None:
            say("the simulated broker is brought to where that journal ends")
            with _link(settings, material, addresses, 0.0) as link:
                live_again(link, recorded(path))
        with _link(settings, material, addresses, speed) as link:
            first_day = None if earlier is None else earlier.first_day
            feed = material.dataset.feed
            going = GoingOn(settings, material.universe, feed, link, path, first_day, say)
            run, opening = material.run(path), _opening(material, path, afresh=earlier is None)
            return going.trade(material.days[0], opening, run, books or WireBooks(link.broker))


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An unfinished journal."""

    first_day: date

    @classmethod
    def read(cls, path: Path, material: Material, *, own_broker: bool) -> Earlier | None:
        """None where there is nothing to continue. Errors: ConfigError where it cannot be continued with these."""
        if not path.exists():
            return None
        with open_journal(path) as journal:
            phases = [one.event for one in journal.entries() if isinstance(one.event, SessionPhase)]
            if not phases or (own_broker and phases[-1].phase is Phase.CLOSED):
                return None
            if journal.symbols != material.universe.symbols:
                raise ConfigError(f"{path} was written for other symbols: name another journal, or start afresh")
            if own_broker:
                _same_day(journal.meta, material, phases[0].session.date, path)
            return cls(first_day=phases[0].session.date)


def _same_day(meta: Mapping[str, str], material: Material, day: date, path: Path) -> None:
    """The broker's side is made anew from data and settings: they must be the ones it had."""
    then, now = json.loads(meta["settings"]), json.loads(json.dumps(material.settings.plain()))
    changed = [section for section in _SAME_BROKER if then.get(section) != now[section]]
    if meta["data_sha256"] != material.dataset.content_sha256:
        changed.append("the data itself")
    if day != material.days[0]:
        changed.append(f"the day ({day} then)")
    if changed:
        raise ConfigError(f"{path} is of another simulation: {', '.join(changed)} differ; start it afresh (--fresh)")


def _opening(material: Material, path: Path, *, afresh: bool) -> OpenJournal:
    opened = material.open_journal if afresh else material.continue_journal
    return lambda: opened(path, Durability.FULL, record_slices=True)


def live_again(link: SimulationLink, steps: Iterator[Step]) -> None:
    """Bring a fresh simulated broker to where a journal ends: the same minutes, the same orders between them.

    What a minute does to orders is told before the minute: so time passes as soon as something is recorded that the
    broker has not said yet.
    """
    broker, market = link.broker, iter(link.market)
    said: list[BrokerEvent] = []
    ahead = False  # Time has passed to an item that comes later in the journal.
    for event, decision in steps:
        if isinstance(event, OrderUpdate | CashFlow | CorporateAction):
            said += broker.updates()
            if not ahead and _key(event) not in map(_key, said):
                ahead = next(market, None) is not None
                said += broker.updates()
            said = [one for one in said if _key(one) != _key(event)]
        elif isinstance(event, MarketSlice | SessionPhase):
            if not ahead:
                next(market, None)
            ahead = False
        broker.carry_out(decision.actions)


def _key(event: BrokerEvent) -> tuple[object, ...]:
    """What an event is about, whatever it was told as."""
    if isinstance(event, OrderUpdate):
        return event.client_order_id, event.status, event.filled_quantity
    return (event.id,)


@contextmanager
def _broker(settings: Settings, material: Material, file: Path | None) -> Iterator[tuple[Addresses, Books | None]]:
    """Its addresses, and its own books where they are at hand."""
    if file is not None:
        yield addresses_of(file), None
        return
    from ordinis.brokers.simulated.server import serve

    exchange = build_exchange(settings, material.universe, material.dataset.feed, material.actions())
    with serve(exchange, served(material)) as running:
        yield running.addresses, exchange


@contextmanager
def _link(settings: Settings, material: Material, addresses: Addresses, speed: float) -> Iterator[SimulationLink]:
    from ordinis.brokers.alpaca.simulation import SimulationLink

    generator = Random(settings.run.seed)  # Of the waits between attempts.
    with SimulationLink(
        endpoints_of(addresses), control_of(addresses), material.universe, generator=generator, pace=_pace(speed)
    ) as link:
        yield link


def _pace(speed: float) -> Callable[[], None]:
    """Waits out a minute at this many times real time."""
    if speed <= 0:
        return lambda: None
    return lambda: clock.sleep(60.0 / speed)
