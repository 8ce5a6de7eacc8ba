"""All that readers of a journal import, in one place."""

from __future__ import annotations

from ordinis.journal.coding import Kind, RecordedEvent
from ordinis.journal.entries import JournalEntry, JournalReader, counts, digest, open_journal
from ordinis.journal.slices import SliceMark

__all__ = [
    "JournalEntry",
    "JournalReader",
    "Kind",
    "RecordedEvent",
    "SliceMark",
    "counts",
    "digest",
    "open_journal",
]
