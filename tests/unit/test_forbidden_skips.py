"""Where skips are forbidden a skipped test, or a skipped file, fails the run and says why it was skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPS = {
    "a test": 'import pytest\n@pytest.mark.skip(reason="no browser")\ndef test_page(): ...\n',
    "a call": 'import pytest\ndef test_page(): pytest.skip("no browser")\n',
    "a file": 'import pytest\npytest.skip("no browser", allow_module_level=True)\n',
}


def _run(folder: Path, forbid: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "ORDINIS_FORBID_SKIPS": forbid}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, timeout=60, check=False)


@pytest.mark.parametrize("source", SKIPS.values(), ids=SKIPS)
def test_a_skip_fails_where_skips_are_forbidden(tmp_path: Path, source: str) -> None:
    (tmp_path / "test_page.py").write_text(source, encoding="utf-8")
    told = _run(tmp_path, "1")
    assert told.returncode != 0
    assert "skips are forbidden" in told.stdout
    assert "no browser" in told.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "test_page.py").write_text(SKIPS["a call"], encoding="utf-8")
    told = _run(tmp_path, "0")
    assert (told.returncode, "1 skipped" in told.stdout) == (0, True)
