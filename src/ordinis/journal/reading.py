"""All that readers of a journal import, in one place."""

from __future__ import annotations

from ordinis.journal.coding import Kind, RecordedEvent
from ordinis.journal.entries import JournalEntry, JournalReader, counts, digest, open_journal
from ordinis.journal.export import export
from ordinis.journal.slices import SliceMark
from ordinis.journal.views import (
    Assessed,
    ReasonChange,
    account_views,
    assessments,
    cash_flows,
    decisions_by_reason,
    fills,
    fills_by_minute,
    notes,
    orders,
    position_events,
    reason_changes,
    updates,
)

__all__ = [
    "Assessed",
    "JournalEntry",
    "JournalReader",
    "Kind",
    "ReasonChange",
    "RecordedEvent",
    "SliceMark",
    "account_views",
    "assessments",
    "cash_flows",
    "counts",
    "decisions_by_reason",
    "digest",
    "export",
    "fills",
    "fills_by_minute",
    "notes",
    "open_journal",
    "orders",
    "position_events",
    "reason_changes",
    "updates",
]
