"""Strategies of the user's own: found in files and entry points, written from a template, put on trial."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np

from ordinis.config.settings import Settings
from ordinis.data.bundled import bundled_data
from ordinis.data.store import BarStore
from ordinis.domain.errors import ConfigError, StrategyError
from ordinis.domain.market import MarketBlock
from ordinis.engines.signalcore import registry
from ordinis.engines.signalcore.registry import BUILT_IN, Maker, maker_of
from ordinis.engines.signalcore.trial import Trial, try_out

GROUP = "ordinis.strategies"  # Of entry points: name = "module:Class".
FIRST, LAST = date(2012, 9, 4), date(2012, 9, 11)  # Six sessions of the bundled data: the trial's.
GAP_EVERY = 7  # Every seventh minute or so is taken out of a symbol: live feeds have such gaps.


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A strategy that can be named in settings."""

    name: str
    origin: str
    parameters: dict[str, object]  # At their defaults.


def own_strategies(settings: Settings) -> dict[str, Maker]:
    """By name: of the files that the settings list, and of installed packages. Errors: StrategyError."""
    found: dict[str, Maker] = {}
    for file in settings.strategies.files:
        for maker in _of_file(Path(file)):
            _add(found, maker)
    for point in entry_points(group=GROUP):
        origin = f"entry point {point.name} ({point.value})"
        try:
            kind = point.load()
        except Exception as error:
            raise StrategyError(f"{origin} cannot be loaded: {type(error).__name__}: {error}") from error
        _add(found, maker_of(kind, origin))
    return found


def needed(settings: Settings) -> dict[str, Maker]:
    """As above; where everything enabled is built in, the files have to be there and are not read."""
    if not set(settings.strategies.enabled) <= registry.built_in():
        return own_strategies(settings)
    for file in settings.strategies.files:
        _require_file(Path(file))
    return {}


def known_strategies(settings: Settings) -> list[Known]:
    """All there are, the built-in ones first."""
    own = own_strategies(settings)
    return [
        Known(name=name, origin=own[name].origin if name in own else BUILT_IN, parameters=asdict(parameters))
        for name, parameters in registry.available(own).items()
    ]


def check_strategy(name: str | Path, settings: Settings | None = None) -> Trial:
    """Put a strategy on trial on bundled data, with the settings' parameters for it. A path names a file.

    Errors: ConfigError for an unknown name or parameter; StrategyError for a file that cannot be used.
    """
    settings = settings or Settings()
    if str(name).endswith(".py"):
        own = {maker.name: maker for maker in _of_file(Path(name))}
        name = next(iter(own))
    else:
        own = own_strategies(settings)
    chosen, parameters = str(name), settings.strategies.parameters.get(str(name), {})
    registry.create(chosen, {**parameters}, own)  # What is wrong with the settings is said before the trial.
    return try_out(lambda: registry.create(chosen, parameters, own), trial_sessions())


def trial_sessions() -> list[MarketBlock]:
    """Six sessions of the bundled data, with gaps."""
    with TemporaryDirectory() as folder:
        dataset = bundled_data(BarStore(Path(folder)), FIRST, LAST)
        return [_with_gaps(block) for block in dataset.blocks(FIRST, LAST, dataset.symbols)]


def new_strategy(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a strategy to begin with, and its test. Errors: ConfigError."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigError(f"a strategy's name is of small letters, digits and _, was {name!r}")
    if name in registry.built_in():
        raise ConfigError(f"the name {name!r} is taken by a strategy that is built in; choose another")
    class_name = "".join(word.capitalize() for word in name.split("_"))
    written = (folder / f"{name}.py", folder / f"test_{name}.py")
    template = Path(__file__).with_name("strategy_template")
    _make_folder(folder)
    for path, source in zip(written, ("strategy.txt", "test.txt"), strict=True):
        text = (template / source).read_text(encoding="utf-8")
        try:
            with path.open("x", encoding="utf-8") as out:
                out.write(text.replace("{{name}}", name).replace("{{Name}}", class_name))
        except FileExistsError as error:
            raise ConfigError(f"{path} is there already; choose another name or another folder") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error}") from error
    return written


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--dir {folder} cannot be made: {error}; name another folder") from error


def _of_file(path: Path) -> Sequence[Maker]:
    """The strategies that a file defines, in its order."""
    module = _loaded(path)
    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and hasattr(kind, "advance")
    ]
    if not kinds:
        raise StrategyError(f"{path} defines no strategy; expected a class with a name and a method advance")
    return [maker_of(kind, str(path)) for kind in kinds]


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"there is no strategy file {path}; strategies.files names it, or the command line")


def _loaded(path: Path) -> ModuleType:
    """The file as a module of its own name, so that two files named alike do not meet."""
    _require_file(path)
    name = f"ordinis_strategy_{path.stem}_{sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Dataclasses look their module up.
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StrategyError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _add(found: dict[str, Maker], maker: Maker) -> None:
    if maker.name in found:
        taken = found[maker.name].origin
        raise StrategyError(f"{maker.origin}: the name {maker.name!r} is taken by {taken}; choose another")
    found[maker.name] = maker


def _with_gaps(block: MarketBlock) -> MarketBlock:
    row, column = np.indices(block.present.shape)
    present = block.present & ((row * 3 + row // 11 + column * 2) % GAP_EVERY != 0)
    return replace(
        block,
        open=np.where(present, block.open, np.nan),
        high=np.where(present, block.high, np.nan),
        low=np.where(present, block.low, np.nan),
        close=np.where(present, block.close, np.nan),
        volume=np.where(present, block.volume, 0.0),
        present=present,
    )
