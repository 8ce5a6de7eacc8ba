"""What the quality gate says: findings, each with its severity, its rows, the reason and the remedy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from ordinis.domain.errors import DataError

if TYPE_CHECKING:
    from ordinis.data.table import BarTable
    from ordinis.domain.market import Array, BoolArray

ROWS_SHOWN_MAX = 5
SYMBOLS_SHOWN_MAX = 4
BAD_SHARE_MAX = 0.01  # More bad rows of a symbol than this are not slips of the vendor: the file is refused.


class Severity(IntEnum):
    """Ordered: the worst finding decides."""

    NOTE = 0  # Normal; said so that the figures are no surprise.
    WARN = 1  # Imported, after what the explanation says was done.
    REFUSE = 2  # Nothing is imported.


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    """One row, so that it can be found in the file: counted from 1, the heading left out."""

    file: str
    row: int
    symbol: str
    at: str  # ISO, UTC; a date for daily bars.
    values: str

    def __str__(self) -> str:
        return f"{self.file} row {self.row}: {self.symbol} {self.at} {self.values}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One kind of fault. `count` is in rows, or in what the explanation names."""

    severity: Severity
    kind: str
    symbol: str  # The symbols concerned, the worst first: "AAPL", "AAPL, IBM and 3 more".
    count: int
    rows: tuple[BadRow, ...] = ()  # The first few.
    explanation: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.severity.name.lower()} {self.kind} ({self.count}) {self.symbol}: {self.explanation}"
        return f"{text}; {self.remedy}" if self.remedy else text


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """All findings of one import, worst first. `kept` has a mask a table: the rows that are good to store."""

    rows: int
    findings: tuple[Finding, ...]
    kept: tuple[BoolArray, ...]

    @property
    def refused(self) -> bool:
        return any(finding.severity is Severity.REFUSE for finding in self.findings)

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def accepting(self, kinds: Collection[str]) -> QualityReport:
        """The same, where refusals of these kinds became warnings: somebody has looked and knows better."""
        softened = tuple(_soften(finding) if finding.kind in kinds else finding for finding in self.findings)
        return replace(self, findings=worst_first(softened))

    def require_good(self, what: str) -> None:
        """Raises DataError with every refusal, its first rows and its remedy."""
        refusals = [finding for finding in self.findings if finding.severity is Severity.REFUSE]
        if refusals:
            lines = [line for finding in refusals for line in (str(finding), *(f"  {row}" for row in finding.rows))]
            raise DataError(f"{what} is refused:\n" + "\n".join(lines))


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: -finding.severity))


def row_finding(
    table: BarTable, bad: BoolArray, kind: str, *, severity: Severity | None = None, explanation: str, remedy: str = ""
) -> list[Finding]:
    """A finding over the rows of a mask; none where there are none. Without a severity the share decides."""
    index = np.flatnonzero(bad)
    if not len(index):
        return []
    return [
        Finding(
            severity=share_severity(table, bad) if severity is None else severity,
            kind=kind,
            symbol=name_symbols(table, bad),
            count=len(index),
            rows=bad_rows(table, index),
            explanation=explanation,
            remedy=remedy,
        )
    ]


def share_severity(table: BarTable, bad: BoolArray) -> Severity:
    """A few bad rows are dropped and named; over BAD_SHARE_MAX of any symbol's rows refuse the file."""
    per_symbol = np.bincount(table.symbol[bad], minlength=len(table.symbols))
    rows = np.bincount(table.symbol, minlength=len(table.symbols))
    return Severity.REFUSE if (per_symbol > BAD_SHARE_MAX * rows).any() else Severity.WARN


def name_symbols(table: BarTable, bad: BoolArray) -> str:
    counts = np.bincount(table.symbol[bad], minlength=len(table.symbols))
    worst = [table.symbols[i] for i in np.argsort(-counts, kind="stable") if counts[i]]
    more = len(worst) - SYMBOLS_SHOWN_MAX
    return ", ".join(worst[:SYMBOLS_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def bad_rows(table: BarTable, index: Array) -> tuple[BadRow, ...]:
    return tuple(_bad_row(table, int(at)) for at in index[:ROWS_SHOWN_MAX])


def _bad_row(table: BarTable, at: int) -> BadRow:
    stamp = str(table.start_ns[at].astype("datetime64[ns]").astype("datetime64[s]"))
    values = " ".join(f"{name[0]}={getattr(table, name)[at]:g}" for name in ("open", "high", "low", "close", "volume"))
    return BadRow(
        file=table.files[table.file[at]],
        row=int(table.row[at]),
        symbol=table.symbols[table.symbol[at]],
        at=stamp[:10] if table.daily else stamp + "Z",
        values=values,
    )


def _soften(finding: Finding) -> Finding:
    if finding.severity is not Severity.REFUSE:
        return finding
    return replace(finding, severity=Severity.WARN, remedy="accepted as it is")
