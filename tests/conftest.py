"""For all tests: a skip counts as a failure where skips are forbidden."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

FORBID_SKIPS = "ORDINIS_FORBID_SKIPS"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that does not run proves nothing: on the machine that judges, a skip fails with its reason."""
    report = yield
    if report.skipped and os.environ.get(FORBID_SKIPS) == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where skips are forbidden: {reason}"
    return report
