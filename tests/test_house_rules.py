"""The rules of the house, read from the source itself. A broken one says so: `engines/a.py imports brokers`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "src" / "ordinis"
LINES_MAX = 500
CLOCK = "runtime/clock.py"

# A room -> what it may import, by prefix. Arrows point one way; edges know the domain and the ports, never each other.
ROOMS: dict[str, tuple[str, ...]] = {
    "domain": (),
    "ports": ("domain",),
    "config": ("domain",),
    "engines": ("domain",),
    "brokers.alpaca": ("domain", "ports"),
    "brokers.simulated": ("domain", "ports", "data.calendar"),  # The other side shares messages and the calendar.
    "data": ("domain", "ports"),
    "journal": ("domain", "ports"),
    "runtime": ("domain", "engines", "ports"),
    "research": ("domain", "engines", "ports", "runtime", "journal"),
    "app": ("domain", "engines", "ports", "config", "brokers", "data", "journal", "runtime", "research"),
    "ui": ("app", "config", "domain.errors", "data", "journal", "research.result", "runtime.build"),
}
NEVER: dict[str, tuple[str, ...]] = {"research": ("journal.writer",), "ui": ("journal.writer",)}

WALL_CLOCKS = {
    *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter", "process_time") for unit in ("", "_ns")),
    *("time.localtime", "time.gmtime", "time.ctime", "time.strftime"),
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
}
RANDOM_SOURCES = ("random.", "numpy.random.")  # `secrets` makes keys, which must not be repeatable.
RANDOM_NAMES = {"uuid.uuid1", "uuid.uuid4", "os.urandom"}
GENERATORS = {"random.Random", "numpy.random.default_rng"}
SEEDED = {"Random", "Generator", "BitGenerator", "SeedSequence", "PCG64", "PCG64DXSM", "Philox", "SFC64", "default_rng"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"""["'\s(=](/(?:work|home|root|tmp|Users|mnt)/)""")


def broken_rules(source: str, path: str) -> list[str]:
    """All that a file breaks; `path` is relative to the house, with slashes."""
    tree = ast.parse(source)
    names = _imported_names(tree, _module(path))
    findings = [
        *_arrows(tree, path),
        *_clocks(tree, path, names),
        *_randomness(tree, path, names),
        *_shapes(tree, path),
        *_text(source, path),
    ]
    return sorted(set(findings))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _room(module: str) -> str | None:
    return next((room for room in ROOMS if _under(module, room)), None)


def _under(module: str, prefix: str) -> bool:
    return f"{module}.".startswith(f"{prefix}.")


def _arrows(tree: ast.Module, path: str) -> Iterator[str]:
    here = _module(path)
    room = _room(here)
    if room is None:
        if here not in ("__init__", "__main__", "brokers"):
            yield f"{path} stands in no room"
        return
    for module in _ours(tree, path):
        allowed = any(_under(module, prefix) for prefix in (room, *ROOMS[room]))
        forbidden = any(_under(module, prefix) for prefix in NEVER.get(room, ()))
        if module and (not allowed or forbidden):
            yield f"{path} imports {_short(module)}"


def _short(module: str) -> str:
    """The room, or the module where the room itself is not the fault."""
    room = _room(module)
    return room if room and not any(_under(module, prefix) for names in NEVER.values() for prefix in names) else module


def _ours(tree: ast.Module, path: str) -> Iterator[str]:
    """Our own modules that a file imports, anywhere in it, without the package's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.removeprefix("ordinis.") for one in node.names if _under(one.name, "ordinis"))
        elif isinstance(node, ast.ImportFrom):
            base = _source_of(node, path)
            if base == "ordinis":
                yield from (one.name for one in node.names)
            elif _under(base, "ordinis"):
                yield base.removeprefix("ordinis.")


def _source_of(node: ast.ImportFrom, path: str) -> str:
    if not node.level:
        return node.module or ""
    package = ["ordinis", *Path(path).parent.parts][: None if node.level == 1 else 1 - node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _imported_names(tree: ast.Module, module: str) -> dict[str, str]:
    """What each imported name stands for: {"np": "numpy", "now": "datetime.datetime.now"}."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.split(".")[0]] = one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return names


def _used(tree: ast.Module, names: dict[str, str]) -> Iterator[tuple[str, ast.AST]]:
    """Every dotted name in the file, spelled out in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            dotted = ast.unparse(node) if _is_plain(node) else ""
            head, _, rest = dotted.partition(".")
            if head in names:
                yield f"{names[head]}.{rest}".rstrip("."), node


def _is_plain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _clocks(tree: ast.Module, path: str, names: dict[str, str]) -> Iterator[str]:
    if path == CLOCK or path.startswith("ui/"):
        return
    for name, _ in _used(tree, names):
        if name in WALL_CLOCKS:
            yield f"{path} reads a wall clock: {name}; time comes in with events, or from {CLOCK}"


def _randomness(tree: ast.Module, path: str, names: dict[str, str]) -> Iterator[str]:
    for name, node in _used(tree, names):
        shared = name.startswith(RANDOM_SOURCES) and name.rpartition(".")[2] not in SEEDED
        if shared or name in RANDOM_NAMES:
            yield f"{path} uses global randomness: {name}; a generator is passed in"
        if isinstance(node, ast.Name | ast.Attribute) and name in GENERATORS and _unseeded(tree, node):
            yield f"{path} makes a generator without a seed"


def _unseeded(tree: ast.Module, function: ast.AST) -> bool:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.func is function)
    return any(not call.args and not call.keywords for call in calls)


def _shapes(tree: ast.Module, path: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"{path} has a bare except in line {node.lineno}"
        is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if is_print and not path.startswith("ui/"):
            yield f"{path} prints; only ui speaks to people"


def _text(source: str, path: str) -> Iterator[str]:
    lines = source.count("\n")
    if lines > LINES_MAX:
        yield f"{path} has {lines} lines, more than {LINES_MAX}"
    for number, line in enumerate(source.splitlines(), start=1):
        if UNFINISHED.search(line):
            yield f"{path} is unfinished in line {number}"
        if MACHINE_PATH.search(line):
            yield f"{path} names a path of one machine in line {number}"


def _files() -> list[str]:
    return sorted(path.relative_to(HOUSE).as_posix() for path in HOUSE.rglob("*.py"))


@pytest.mark.parametrize("path", _files())
def test_every_file_keeps_the_house_rules(path: str) -> None:
    assert broken_rules((HOUSE / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("path", "source", "finding"),
    [
        ("engines/a.py", "from ordinis.brokers.alpaca import rest", "engines/a.py imports brokers.alpaca"),
        ("engines/a.py", "def f():\n    import ordinis.data.store", "engines/a.py imports data"),
        ("engines/portfolio/a.py", "from ...journal import reading", "engines/portfolio/a.py imports journal"),
        ("engines/a.py", "from ordinis import ports", "engines/a.py imports ports"),
        ("domain/a.py", "from ordinis.engines import ledger", "domain/a.py imports engines"),
        ("ports.py", "import ordinis.engines.ledger", "ports.py imports engines"),
        ("data/a.py", "from ordinis.journal.reading import digest", "data/a.py imports journal"),
        (
            "brokers/alpaca/a.py",
            "from ordinis.brokers.simulated import x",
            "brokers/alpaca/a.py imports brokers.simulated",
        ),
        (
            "brokers/simulated/a.py",
            "from ordinis.brokers.alpaca import x",
            "brokers/simulated/a.py imports brokers.alpaca",
        ),
        ("brokers/simulated/a.py", "from ordinis.data.store import BarStore", "brokers/simulated/a.py imports data"),
        ("runtime/a.py", "from ordinis.journal.writer import X", "runtime/a.py imports journal.writer"),
        ("research/a.py", "from ordinis.journal.writer import X", "research/a.py imports journal.writer"),
        ("ui/a.py", "from ordinis.engines.ledger import X", "ui/a.py imports engines"),
        ("ui/a.py", "from ordinis.domain.market import X", "ui/a.py imports domain"),
        ("app.py", "import ordinis.ui.cli", "app.py imports ui"),
        ("attic/a.py", "", "attic/a.py stands in no room"),
        ("engines/a.py", "try:\n    x\nexcept:\n    pass", "engines/a.py has a bare except in line 3"),
        ("data/a.py", "print('x')", "data/a.py prints; only ui speaks to people"),
        ("data/a.py", "x = 1\n" * 501, "data/a.py has 501 lines, more than 500"),
        ("data/a.py", "x = 1  # TO" + "DO later", "data/a.py is unfinished in line 1"),
        ("data/a.py", 'x = "/ho' + 'me/me/bars"', "data/a.py names a path of one machine in line 1"),
    ],
)
def test_a_broken_rule_is_named(path: str, source: str, finding: str) -> None:
    assert broken_rules(source, path) == [finding]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time\ntime.time()", "time.time"),
        ("from time import perf_counter as tick\ntick()", "time.perf_counter"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("import datetime as dt\nwhen = dt.date.today", "datetime.date.today"),
        ("import random\nrandom.random()", "random.random"),
        ("from random import choice\nchoice([1])", "random.choice"),
        ("import numpy as np\nnp.random.seed(1)", "numpy.random.seed"),
        ("from numpy.random import rand\nrand()", "numpy.random.rand"),
        ("import uuid\nuuid.uuid4()", "uuid.uuid4"),
    ],
)
def test_clocks_and_global_randomness_are_found_under_any_name(source: str, name: str) -> None:
    assert [name in finding for finding in broken_rules(source, "engines/a.py")] == [True]


@pytest.mark.parametrize(
    "unseeded", ["import numpy as np\nnp.random.default_rng()", "from random import Random\nRandom()"]
)
def test_a_generator_needs_a_seed(unseeded: str) -> None:
    assert broken_rules(unseeded, "data/a.py") == ["data/a.py makes a generator without a seed"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engines/a.py", "from ordinis.domain.money import shares\nfrom ordinis.engines.ledger import Ledger"),
        ("engines/a.py", "import time\ntime.sleep"),
        ("engines/a.py", "import random\ndef jitter(draw: random.Random): ..."),
        ("engines/a.py", "time = 1\nself.time.time()"),
        ("data/a.py", "import numpy as np\nnp.random.default_rng(7)\nx: np.random.Generator"),
        ("runtime/clock.py", "import time\ntime.monotonic()"),
        ("ui/a.py", "import time\ntime.monotonic()\nprint('x')\nfrom ordinis import app"),
        ("brokers/simulated/a.py", "from ordinis.data.calendar import sessions"),
        ("app.py", "from ordinis.journal.writer import SqliteJournal"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert broken_rules(source, path) == []
