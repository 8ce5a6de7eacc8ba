"""Proof that no order breaks the account's rules: random episodes, judged by the exchange's own books.

    python bench/prove_rules.py [--sessions N] [--regime NAME ...] [--seed N] [--days N] [--workers N] [--json OUT]

Each episode is an account of $500 to $60,000 under one regime, with a broker that checks day trades at entry, at exit
or at both, random bars on real trading days, and a strategy that wants far too much. Nothing may be refused by the
exchange for a rule, nothing may stand in its books as a violation, no exit may be blocked. Then the same seeds are
played with the gate off: what it prevents. `--seed` plays one episode and tells every fault; `--days` makes it shorter.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

from episodes import REGIMES, SESSIONS_MAX, Episode
from trials import ALL, Tally, play

SESSIONS = 10_000
SLOTS_USED_MIN = 0.20  # Of the throttled sessions: a gate that lets nothing pass proves nothing.
_SHOWN_MAX = 20
_BATCH = 8  # Episodes a worker plays before it is looked at whether there have been enough.
Job = tuple[int, str]  # Seed and regime.


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was found, 1 otherwise."""
    given = _parser().parse_args(arguments)
    if given.seed is not None:
        return _one(given)
    started = time.perf_counter()
    found = {regime: prove(regime, given.sessions // len(given.regime), given.workers) for regime in given.regime}
    _report(found, time.perf_counter() - started)
    if given.json:
        Path(given.json).parent.mkdir(parents=True, exist_ok=True)
        Path(given.json).write_text(json.dumps(_plain(found), indent=1) + "\n", encoding="utf-8")
    return 1 if any(proof.failures for proof in found.values()) else 0


class Proof:
    """What one regime's episodes came to, with the gate and without it."""

    def __init__(self, regime: str) -> None:
        self.regime = regime
        self.seeds = 0
        self.gated = Tally()
        self.ungated = Tally()
        self.failures: list[str] = []  # The first fault of each seed that has one, and how to see it again.

    def add(self, job: Job, gated: Tally, ungated: Tally) -> None:
        """One seed's two plays."""
        seed, regime = job
        self.seeds += 1
        self.gated.add(gated)
        self.ungated.add(ungated)
        if gated.faults:
            command = f"python bench/prove_rules.py --seed {seed} --regime {regime}"
            self.failures.append(f"{command}: {gated.faults[0]}")

    @property
    def slots_used(self) -> float:
        """The share of throttled sessions in which every slot was used or reserved."""
        counts = self.gated.counts
        return counts["sessions with all slots used"] / max(counts["throttled sessions"], 1)

    @property
    def idle(self) -> bool:
        """The rules were kept by doing nothing."""
        return self.regime == "pattern_day_trader" and self.slots_used < SLOTS_USED_MIN


def prove(regime: str, sessions: int, workers: int = 1, first_seed: int = 0) -> Proof:
    """Episodes of one regime until there are that many sessions."""
    proof = Proof(regime)
    for job, gated, ungated in _played(regime, workers, first_seed):
        proof.add(job, gated, ungated)
        if proof.gated.counts["sessions"] >= sessions:
            break
    if proof.idle:
        share = f"{proof.slots_used:.0%} of the throttled sessions"
        proof.failures.append(f"{regime}: all slots were used up in {share}, {SLOTS_USED_MIN:.0%} were expected")
    return proof


def _played(regime: str, workers: int, first_seed: int) -> Iterator[tuple[Job, Tally, Tally]]:
    jobs = ((seed, regime) for seed in count(first_seed))
    if workers == 1:
        yield from map(_both, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        while True:
            yield from pool.map(_both, [next(jobs) for _ in range(_BATCH * workers)])


def _both(job: Job) -> tuple[Job, Tally, Tally]:
    episode = Episode(*job)
    return job, play(episode), play(episode, ALL)


def _one(given: argparse.Namespace) -> int:
    """Everything that is wrong with one seed."""
    regime = given.regime[0]
    tally = play(Episode(given.seed, regime, given.days), ALL if given.gate_off else frozenset(given.without))
    _say(f"seed {given.seed}, {regime}: {dict(tally.counts)}")
    for fault in tally.faults:
        _say(f"  {fault}")
    return 1 if tally.faults else 0


def _report(found: dict[str, Proof], seconds: float) -> None:
    for regime, proof in found.items():
        counts = proof.gated.counts
        _say(f"{regime}: {proof.seeds} seeds from 0, {counts['sessions']} sessions")
        world = ("episodes over 90 days", "half-days", "splits", "deposits")
        _say("  " + ", ".join(f"{counts[name]} {name}" for name in world))
        for name, tally in (("with the gate", proof.gated), ("without it", proof.ungated)):
            _say(f"  {name}")
            for line in _lines(tally):
                _say(f"    {line}")
        if regime == "pattern_day_trader":
            _say(f"  all slots used up in {proof.slots_used:.0%} of the throttled sessions")
        for failure in proof.failures[:_SHOWN_MAX]:
            _say(f"  FAILED {failure}")
        if len(proof.failures) > _SHOWN_MAX:
            _say(f"  FAILED in {len(proof.failures) - _SHOWN_MAX} more seeds")
    total = sum(proof.gated.counts["sessions"] for proof in found.values())
    _say(f"{total} sessions in {seconds:.0f} s")


def _lines(tally: Tally) -> list[str]:
    counts = tally.counts
    traded = ("orders", "entries", "short entries", "additions", "partial fills", "positions closed")
    lines = [", ".join(f"{counts[name]} {name}" for name in traded)]
    ended = ("exits chosen on the first day", "exits forced on the first day", "exits blocked", "refusals at random")
    lines.append(", ".join(f"{counts[name]} {name}" for name in ended))
    refused = [f"{number} {kind}" for kind, number in tally.refusals.most_common()]
    lines.append(f"refusals by rule: {sum(tally.refusals.values())}" + "".join(f"; {one}" for one in refused))
    broken = [f"{number} {kind}" for kind, number in tally.violations.most_common()]
    lines.append(f"violations: {sum(tally.violations.values())}" + "".join(f"; {one}" for one in broken))
    return lines


def _plain(found: dict[str, Proof]) -> dict[str, object]:
    return {
        regime: {
            "seeds": proof.seeds,
            "slots_used": proof.slots_used,
            "gated": _figures(proof.gated),
            "ungated": _figures(proof.ungated),
            "failures": proof.failures,
        }
        for regime, proof in found.items()
    }


def _figures(tally: Tally) -> dict[str, object]:
    return {
        "counts": dict(tally.counts),
        "refusals": dict(tally.refusals),
        "violations": dict(tally.violations),
        "faults": len(tally.faults),
    }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="sessions in all, over the regimes")
    parser.add_argument("--regime", nargs="+", choices=REGIMES, default=list(REGIMES), help="one, or several")
    parser.add_argument("--seed", type=int, help="play this episode alone and tell all that is wrong with it")
    parser.add_argument("--days", type=int, default=SESSIONS_MAX, help="with --seed: no more sessions than this")
    parser.add_argument("--gate-off", action="store_true", help="with --seed: without the gate")
    parser.add_argument(
        "--without", nargs="+", choices=sorted(ALL), default=[], help="with --seed: without these rules"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--json", help="write all figures there, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
