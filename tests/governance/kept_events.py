"""A journal in memory, for tests that need none on disk."""

from __future__ import annotations

from collections.abc import Callable

from halocline_governance.errors import JournalUnavailable
from halocline_governance.records import AuditEvent


class Kept:
    """Keeps what it is given, unless it `fails` for it."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.fails: Callable[[AuditEvent], bool] = lambda _: False

    def append(self, event: AuditEvent) -> None:
        if self.fails(event):
            raise JournalUnavailable("the disk is full")
        self.events.append(event)
