"""Trading over Alpaca's wire against a simulated broker: one started for the run, or one that runs by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ordinis.app import material as materials
from ordinis.app.build import build_engine, build_exchange
from ordinis.app.material import Material, journal_path, open_data
from ordinis.app.wire import addresses_of, control_of, endpoints_of, served
from ordinis.config.settings import Settings
from ordinis.domain.account import AccountView
from ordinis.domain.errors import ConfigError
from ordinis.domain.events import Phase, SessionPhase
from ordinis.domain.market import MarketSlice
from ordinis.engines.reconcile import own_books
from ordinis.journal.entries import open_journal
from ordinis.journal.recorded import Step, recorded
from ordinis.journal.writer import Durability, SqliteJournal
from ordinis.ports import StandingBroker
from ordinis.research.backtest import backtest
from ordinis.research.result import BacktestResult, Books
from ordinis.runtime import clock
from ordinis.runtime.interrupt import stop_on_interrupt
from ordinis.runtime.reconciling import Reconciler
from ordinis.runtime.recovery import Relived, catch_up, relive

if TYPE_CHECKING:
    from ordinis.brokers.alpaca.simulation import SimulationLink

Say = Callable[[str], None]
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
    with _broker(settings, material, broker) as (addresses, books):
        if earlier is not None and broker is None:
            say(f"the simulated broker lives {path} again")
            with _link(settings, material, addresses, 0.0) as link:
                live_again(link, recorded(path))
        with _link(settings, material, addresses, speed) as link:
            run = _Run(settings, material, link, path, earlier, say)
            return run.traded(books or _WireBooks(link.broker))


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


class _WireBooks:
    """A broker in another process: its account can be asked for, what it thinks of violations cannot."""

    violations: Sequence[object] | None = None

    def __init__(self, broker: StandingBroker) -> None:
        self._broker = broker

    def account(self) -> AccountView:
        return self._broker.account()


class _Run:
    """One run over a link, from where an earlier one stood."""

    def __init__(
        self,
        settings: Settings,
        material: Material,
        link: SimulationLink,
        path: Path,
        earlier: Earlier | None,
        say: Say,
    ) -> None:
        self._settings = settings
        self._material = material
        self._link = link
        self._path = path
        self._earlier = earlier
        self._say = say
        self._engine = build_engine(settings, material.universe, material.dataset.feed)
        state = self._engine.state
        self._reconciler = Reconciler(
            lambda: own_books(state, settings.account.book), link.broker, settings.broker.foreign_positions
        )

    def traded(self, books: Books) -> BacktestResult:
        lived = self._start()
        run = self._material.run(self._path)
        with stop_on_interrupt() as stopped, self._journal() as record:
            if lived is not None:
                catch_up(self._engine, lived, self._link.broker, record, self._reconciler)
            market = self._link.market_since(None if lived is None else lived.reached)
            look = self._reconciler.look
            return backtest(self._engine, market, self._link.broker, record, books, run, stopped, look)

    def _start(self) -> Relived | None:
        """A warm engine, at the journal's end where there is one."""
        earlier, run = self._earlier, self._settings.run
        before = self._material.days[0] if earlier is None else earlier.first_day
        history = self._link.history(
            before=before, sessions=run.warm_up_sessions, daily_sessions=run.warm_up_daily_sessions
        )
        self._engine.warm_up(history.minutes(), history.daily())
        if earlier is None:
            return None
        began = clock.seconds()
        lived = relive(self._engine, recorded(self._path))
        self._say(f"{self._path}: {lived.events:,} events recalled in {clock.seconds() - began:.2f} s")
        return lived

    @contextmanager
    def _journal(self) -> Iterator[SqliteJournal]:
        opened = self._material.open_journal if self._earlier is None else self._material.continue_journal
        record = opened(self._path, Durability.FULL, record_slices=True)
        try:
            yield record
        finally:
            record.close()


def live_again(link: SimulationLink, steps: Iterator[Step]) -> None:
    """Bring a fresh simulated broker to where a journal ends: the same minutes, the same orders between them."""
    market = iter(link.market)
    for event, decision in steps:
        if isinstance(event, MarketSlice | SessionPhase):
            next(market)
        link.broker.carry_out(decision.actions)
        link.broker.updates()


@contextmanager
def _broker(settings: Settings, material: Material, file: Path | None) -> Iterator[tuple[Any, Books | None]]:
    """Its addresses, and its own books where they are at hand."""
    if file is not None:
        yield addresses_of(file), None
        return
    from ordinis.brokers.simulated.server import serve

    exchange = build_exchange(settings, material.universe, material.dataset.feed)
    with serve(exchange, served(material)) as running:
        yield running.addresses, exchange


@contextmanager
def _link(settings: Settings, material: Material, addresses: Any, speed: float) -> Iterator[SimulationLink]:
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
