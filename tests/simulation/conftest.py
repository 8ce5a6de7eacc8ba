"""These tests share helpers: `simulation.worlds`; the peers' job is the benchmark's own."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "bench")]
