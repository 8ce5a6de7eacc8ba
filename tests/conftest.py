"""For all tests: a skip counts as a failure where skips are forbidden; a compiled build is spared what it cannot do."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from ordinis.runtime.build import BUILD

COMPILED_ONLY = Path(__file__).parent / "compiled"
FORBID_SKIPS = "ORDINIS_FORBID_SKIPS"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """tests/compiled is for a compiled build alone."""
    return True if BUILD == "interpreted" and collection_path.is_relative_to(COMPILED_ONLY) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a compiled build a test that replaces parts of classes cannot run: it runs in the other one."""
    if BUILD == "compiled":
        left_out = [item for item in items if item.get_closest_marker("interpreted")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that does not run proves nothing: on the machine that judges, a skip fails with its reason."""
    report = yield
    return _judged(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    return _judged(report)


def _judged(report: Report) -> Report:
    expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not expected_failure and os.environ.get(FORBID_SKIPS) == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped where skips are forbidden: {reason}"
    return report
