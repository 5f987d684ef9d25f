"""The pinned journal as a report reads it: entries with their place, found by what they name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from halocline_governance.records import Kind
from halocline_governance.report.pin import LogPin, pinned_records


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal record and where it stands."""

    log: str
    seq: int
    event: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.event["kind"])

    @property
    def object(self) -> Mapping[str, Any]:
        return self.event["object"]

    def proof(self) -> dict[str, Any]:
        """Where this stands, and the command that shows it."""
        answer = self.object.get("answer", {})
        ident = answer.get("id") or self.event["event_id"]
        return {"log": self.log, "seq": self.seq, "check": f"halocline audit show {ident}"}

    def head(self) -> dict[str, Any]:
        """What every statement made from an entry begins with."""
        event = self.event
        return {"ts": event["ts"], "subject": event["subject"], "purpose": event["purpose"]}


@dataclass(frozen=True, slots=True)
class Record:
    """All entries up to the pin, by time, then place; decisions by their id as well."""

    entries: tuple[Entry, ...]
    by_decision: Mapping[str, Entry]

    def decisions(self, gate: str | None = None) -> Iterator[Entry]:
        """The decisions of one gate, or of all."""
        for entry in self.of(Kind.DECISION):
            if gate is None or entry.object.get("gate") == gate:
                yield entry

    def decision(self, decision_id: str) -> Entry | None:
        """The decision with this id."""
        return self.by_decision.get(decision_id)

    def of(self, kind: Kind) -> Iterator[Entry]:
        """The entries of one kind."""
        return (entry for entry in self.entries if entry.kind == kind)

    def naming(self, **named: object) -> list[Entry]:
        """The entries other than decisions whose object holds all of these, at any depth."""
        return [
            entry
            for entry in self.entries
            if entry.kind != Kind.DECISION
            and all(_holds(entry.object, key, value) for key, value in named.items())
        ]


def load(journal_dir: Path, logs: Mapping[str, LogPin]) -> Record:
    """Every pinned record.

    Raises:
        JournalCorrupt: the journal no longer begins with what was pinned.
    """
    entries: list[Entry] = []
    for log, payload in pinned_records(journal_dir, logs):
        record = json.loads(payload)
        entries.append(Entry(log, record["seq"], record["event"]))
    entries.sort(key=lambda entry: (str(entry.event["ts"]), entry.log, entry.seq))
    decided = (entry for entry in entries if entry.kind == Kind.DECISION)
    ids = ((entry.object["answer"].get("id"), entry) for entry in decided)
    return Record(tuple(entries), {str(id_): entry for id_, entry in ids if id_})


def _holds(value: object, key: str, wanted: object) -> bool:
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        if key in fields and fields[key] == wanted:
            return True
        return any(_holds(inner, key, wanted) for inner in fields.values())
    if isinstance(value, list):
        return any(_holds(inner, key, wanted) for inner in cast("list[object]", value))
    return False
