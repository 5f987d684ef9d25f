"""What the journal tells of runs, models and deployments: the other side of every check.

Of decisions, only the train gate's are kept, of reads only those for training. Knows no lineage
table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halocline_governance.audit.question import Question
from halocline_governance.audit.search import newest
from halocline_governance.errors import MalformedLabel
from halocline_governance.label import Label, parse
from halocline_governance.principal import Purpose
from halocline_governance.records import Kind

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One event, as far as a check holds something against it."""

    event_id: str
    ts: str
    subject: str
    what: Object


def _records() -> dict[str, list[Record]]:
    return defaultdict(list)


@dataclass(slots=True)
class Told:
    """Records by what they are about, oldest first.

    `reads` and `named` (what the guard handed out, and which rows that were) are by decision id,
    `decisions` (of the train gate) by their own; `begun`, `mixed` and `ended` by run;
    `registered` by `model/version`; `promoted` by decision id. `ledger` has the newest record of
    each row of the promotion ledger, by its number.
    """

    reads: dict[str, list[Record]] = field(default_factory=_records)
    named: dict[str, list[Record]] = field(default_factory=_records)
    decisions: dict[str, list[Record]] = field(default_factory=_records)
    begun: dict[str, list[Record]] = field(default_factory=_records)
    mixed: dict[str, list[Record]] = field(default_factory=_records)
    ended: dict[str, list[Record]] = field(default_factory=_records)
    registered: dict[str, list[Record]] = field(default_factory=_records)
    promoted: dict[str, list[Record]] = field(default_factory=_records)
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    ledger: dict[int, Record] = field(default_factory=dict[int, Record])

    def hear(self, event: Object) -> None:
        """Take one event in; those of other kinds change nothing."""
        hear = _HEARD.get(event["kind"])
        if hear is not None:
            record = Record(event["event_id"], event["ts"], event["subject"], event["object"])
            hear(self, record, event["purpose"])

    def settle(self) -> None:
        """Put records in order of time: events of several logs come log by log."""
        for about in (
            self.reads, self.named, self.decisions, self.begun, self.mixed, self.ended,
            self.registered, self.promoted,
        ):  # fmt: skip
            for records in about.values():
                records.sort(key=lambda record: (record.ts, record.event_id))

    def _decision(self, record: Record, _: str) -> None:
        if record.what.get("gate") != "train":
            return
        self.decisions[str(record.what["answer"].get("id"))].append(record)
        for source in record.what["input"]["resource"].get("inputs", ()):
            for label_id, label in source.get("labels", {}).items():
                # An id is its label's hash: one that is not is nobody's label.
                if (known := _label(label)) is not None and known.label_id == label_id:
                    self.labels[label_id] = known

    def _read(self, record: Record, purpose: str) -> None:
        plan = record.what.get("plan")
        if plan is None or purpose != Purpose.TRAINING.value:
            return
        for grant in plan["grants"]:
            handed = {**grant, "table": plan["table"], "columns": plan["columns"]}
            about = Record(record.event_id, record.ts, record.subject, handed)
            self.reads[grant["decision_id"]].append(about)

    def _dataset(self, record: Record, _: str) -> None:
        if "decision_id" in record.what:
            self.named[record.what["decision_id"]].append(record)

    def _train(self, record: Record, _: str) -> None:
        for name, records in (
            ("inputs", self.begun),
            ("mixture_sha256", self.mixed),
            ("consumed", self.ended),
        ):
            if name in record.what:
                records[record.what["run_id"]].append(record)

    def _register(self, record: Record, _: str) -> None:
        row = self._row(record)
        if row is None:
            return
        body = row["body"]
        about = Record(record.event_id, record.ts, record.subject, body)
        self.registered[f"{body['model']}/{body['version']}"].append(about)

    def _approve(self, record: Record, _: str) -> None:
        self._row(record)

    def _promote(self, record: Record, _: str) -> None:
        row = self._row(record)
        if row is not None and row["step"] == "promoted":
            what = {**row["body"], "ts": row["ts"], "seq": row["seq"]}
            about = Record(record.event_id, record.ts, record.subject, what)
            self.promoted[row["body"]["decision"]["id"]].append(about)

    def _row(self, record: Record) -> Object | None:
        """The row of the promotion ledger that a record has, if it has one."""
        row: Object | None = record.what.get("row")
        if row is not None:
            there = self.ledger.get(row["seq"], record)
            newest = max(there, record, key=lambda one: (one.ts, one.event_id))
            self.ledger[row["seq"]] = newest
        return row


_HEARD = {
    Kind.DECISION.value: Told._decision,  # pyright: ignore[reportPrivateUsage]
    Kind.READ.value: Told._read,  # pyright: ignore[reportPrivateUsage]
    Kind.DATASET.value: Told._dataset,  # pyright: ignore[reportPrivateUsage]
    Kind.TRAIN.value: Told._train,  # pyright: ignore[reportPrivateUsage]
    Kind.REGISTER.value: Told._register,  # pyright: ignore[reportPrivateUsage]
    Kind.APPROVE.value: Told._approve,  # pyright: ignore[reportPrivateUsage]
    Kind.PROMOTE.value: Told._promote,  # pyright: ignore[reportPrivateUsage]
}


def told(events: Iterable[Object]) -> Told:
    """What these events tell."""
    heard = Told()
    for event in events:
        heard.hear(event)
    heard.settle()
    return heard


def heard(directory: Path) -> Told:
    """What a journal tells; records of other kinds are passed over unparsed.

    Raises:
        JournalCorrupt: its records cannot be read.
    """
    return told(found.event for asked in _ASKED for found in newest(directory, asked))


_ASKED = (
    Question(kind=Kind.DECISION.value, gate="train"),
    Question(kind=Kind.READ.value, purpose=Purpose.TRAINING.value),
    *(
        Question(kind=one.value)
        for one in (Kind.DATASET, Kind.TRAIN, Kind.REGISTER, Kind.APPROVE, Kind.PROMOTE)
    ),
)


def _label(value: object) -> Label | None:
    try:
        return parse(value)
    except MalformedLabel:
        return None
