# ruff: noqa: E402
"""How fast the optimiser is, and how exact, beside whichever other optimisers are installed.

    python bench/optimizer.py [--json OUT] [--problems NAME ...] [--sizes N ...] [--peers NAME ...] [--cpu]

All are given the same arrays in one run, on one thread, end to end: returns to weights through the public interface,
`estimator="sample"`. `gap` is the objective's distance to the best that anyone found without passing a limit,
relative; `violation` the most by which a limit is passed, in weight; `times` how often ours fits into the peer's time.
A call of over 4 s is a peer's last. `rebalance` is an hour's work: mean-variance with costs, sector caps and a buffer,
the weights of the hour before and one more row each time; `rebalance_limited` may turn over a tenth of the book in an
hour instead of paying costs, and begins without holdings. `cvar_10k` is 392 assets and 10,000 scenarios. What cannot be
stated or is not installed has no row.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # BLAS reads them once, on import; one thread is the repeatable choice.

import argparse
import importlib.util
import json
import math
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from optimizer_others import PEERS, Peer
from optimizer_problems import (
    CONFIDENCE,
    NAMES,
    Problem,
    objective_and_violation,
    our_call,
    our_constraints,
    our_optimizer,
    problem_of,
    risk_term,
    simulated,
)
from ordinis.domain.market import FloatArray

OURS = "ordinis"
EXTRAS = ("rebalance", "rebalance_limited", "cvar_10k")
SHARED = Path(__file__).resolve().parents[2] / "shared" / "bench" / "optimizer_peers.py"
_clock = time.perf_counter
FEASIBLE, LONG_CALL_S = 1e-10, 4.0  # A better objective is easily had by passing a limit.


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One optimiser on one problem."""

    problem: str
    n: int
    who: str
    median_ms: float
    p99_ms: float
    gap: float
    violation: float
    calls: int
    times: float = 1.0
    error: str = ""


def main() -> None:
    global _clock  # noqa: PLW0603 - one for the whole run.
    arguments = _arguments()
    _clock = time.process_time if arguments.cpu else time.perf_counter
    warnings.simplefilter("ignore")  # The table judges what peers warn of.
    peers = [peer for peer in PEERS if peer.installed and peer.name in arguments.peers]
    rows: list[Row] = []
    print(f"{'problem':17}{'n':>6}  {'who':16}{'median ms':>11}{'p99 ms':>11}{'times':>9}{'gap':>10}{'violation':>11}")
    for name in arguments.problems:
        for size in arguments.sizes if name in NAMES else (0,):
            found = _extra(name) if name in EXTRAS else _compared(_problem(name, size), peers, arguments.seconds)
            print(*map(_line, found), sep="\n", flush=True)
            rows += found
    if arguments.json:
        path = Path(arguments.json)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="OUT")
    parser.add_argument("--problems", nargs="+", choices=(*NAMES, *EXTRAS), default=[*NAMES, *EXTRAS])
    parser.add_argument("--sizes", nargs="+", type=int, default=[5, 16, 50, 100, 500])
    parser.add_argument("--peers", nargs="*", default=[peer.name for peer in PEERS])
    parser.add_argument("--cpu", action="store_true", help="processor time: where other work runs beside")
    parser.add_argument("--seconds", type=float, default=1.0, help="for one optimiser on one problem")
    return parser.parse_args()


def _problem(name: str, size: int) -> Problem:
    """The problem of the shared generator where that is present, or the same of our own."""
    own = problem_of(name, size)
    if not SHARED.is_file():
        return own
    sys.path.append(str(SHARED.parent))
    module = importlib.import_module(SHARED.stem)
    sys.path.remove(str(SHARED.parent))
    family = "turnover" if name.startswith("turnover") else name
    theirs = next(one for one in module.problems(family, size) if one.name == name)
    return replace(own, returns=theirs.returns, weights_before=theirs.weights_before)


def _compared(problem: Problem, peers: list[Peer], seconds: float) -> list[Row]:
    """Ours and the peers on one problem."""
    able: list[tuple[str, Callable[[Problem], Any]]] = [
        (OURS, our_call(problem)),
        *((peer.name, peer.weights) for peer in peers if problem.name in peer.problems),
    ]
    measured = [(name, *_timed(call, problem, seconds)) for name, call in able]
    judged = [_judged(problem, weights) for _, weights, _, _ in measured]
    feasible = [objective for objective, violation in judged if violation <= FEASIBLE]
    best = min(feasible, default=math.nan)
    size = max(abs(best), risk_term(problem, measured[0][1]))
    ours_ms = float(np.median(measured[0][2]))
    rows = []
    for (name, _, times_ms, error), (objective, violation) in zip(measured, judged, strict=True):
        median = float(np.median(times_ms)) if times_ms else math.nan
        rows.append(
            Row(
                problem=problem.name,
                n=problem.assets,
                who=name,
                median_ms=median,
                p99_ms=float(np.percentile(times_ms, 99)) if times_ms else math.nan,
                gap=(objective - best) / size,
                violation=violation,
                calls=len(times_ms),
                times=median / ours_ms,
                error=error,
            )
        )
    return rows


def _timed(call: Callable[[Problem], Any], problem: Problem, seconds: float) -> tuple[Any, list[float], str]:
    """The weights, milliseconds of each call after one to warm up, and what went wrong."""
    try:
        weights, spent_s = call(problem), 0.0
        times_ms: list[float] = []
        while len(times_ms) < 3 or (spent_s < seconds and len(times_ms) < 1000):
            began = _clock()
            weights = call(problem)
            took_s = _clock() - began
            times_ms.append(1e3 * took_s)
            spent_s += took_s
            if took_s > LONG_CALL_S:
                break
    except Exception as error:  # What a peer raises is its result.
        return np.full(problem.assets, math.nan), [], f"{type(error).__name__}: {str(error).strip()[:60]}"
    return np.asarray(weights, dtype=float).ravel(), times_ms, ""


def _judged(problem: Problem, weights: FloatArray) -> tuple[float, float]:
    return objective_and_violation(problem, weights)


def _extra(name: str) -> list[Row]:
    return [_many_scenarios()] if name == "cvar_10k" else [_rebalance(name, size) for size in (16, 100, 500)]


def _rebalance(name: str, size: int, hours: int = 300) -> Row:
    """Hour after hour: the newest 500 rows, the weights of the hour before."""
    problem, limited = problem_of("sector", size), name == "rebalance_limited"
    problem = replace(problem, turnover_max=0.1) if limited else replace(problem, trade_cost=5e-4)
    frame = replace(problem, returns=simulated(size, 500 + hours)).frame
    optimizer = our_optimizer(problem)
    constraints = our_constraints(problem) | {"cash_buffer": 0.05, "min_gross": 0.0}
    current, times_ms, gap, violation = None, [], 0.0, 0.0
    for hour in range(hours):
        window = frame.iloc[hour : hour + 500]
        began = _clock()
        result = optimizer.optimize(window, constraints, current or dict.fromkeys(problem.symbols, 0.0))
        times_ms.append(1e3 * (_clock() - began))
        current, gap = result.weights, max(gap, result.gap)
        violation = max(violation, result.violation)
    return _own_row(name, size, times_ms[1:], gap, violation)


def _many_scenarios() -> Row:
    problem = Problem(name="cvar_10k", returns=simulated(392, 10_000), weight_max=0.2, confidence=CONFIDENCE)
    optimizer, constraints, frame = our_optimizer(problem), our_constraints(problem), problem.frame
    times_ms = []
    for _ in range(6):
        began = _clock()
        result = optimizer.optimize(frame, constraints)
        times_ms.append(1e3 * (_clock() - began))
    return _own_row("cvar_10k", 392, times_ms[1:], result.gap, result.violation)


def _own_row(name: str, size: int, times_ms: list[float], gap: float, violation: float) -> Row:
    """Of problems that only ours is given: its gap is the certificate's."""
    return Row(
        problem=name,
        n=size,
        who=OURS,
        median_ms=float(np.median(times_ms)),
        p99_ms=float(np.percentile(times_ms, 99)),
        gap=gap,
        violation=violation,
        calls=len(times_ms),
    )


def _line(row: Row) -> str:
    head = f"{row.problem:17}{row.n:6d}  {row.who:16}"
    if row.error:
        return f"{head} {row.error}"
    times = f"{row.times:9.0f}" if row.who != OURS else " " * 9
    return f"{head}{row.median_ms:11.3f}{row.p99_ms:11.3f}{times}{row.gap:10.1e}{row.violation:11.1e}"


if __name__ == "__main__":
    main()
