"""Who appears in the tests of the directory, and where its changes are recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

from halocline_governance.errors import (
    JournalUnavailable,
)
from halocline_governance.label import parse_compact
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent
from halocline_governance.state import Store
from halocline_governance.state.directory import Entry

TOP = parse_compact("restricted sides=buy,sell tenants=acme ndas=n1 issuers=initech")
OFFICER = Principal("cleo", ("compliance",), TOP)
ANA = Principal("ana", ("analyst", "banker"), parse_compact("confidential sides=buy,sell"), "t1")
NARROW = Entry("ana", ("analyst", "operator"), parse_compact("internal sides=buy tenants=acme"))


@dataclass
class Recording:
    """Where a change is recorded; `at` says what the epoch was when it was."""

    store: Store
    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    epochs: list[int] = field(default_factory=list[int])
    is_broken: bool = False

    def append(self, event: AuditEvent) -> None:
        if self.is_broken:
            raise JournalUnavailable("disk full")
        self.events.append(event)
        self.epochs.append(self.store.epoch())
