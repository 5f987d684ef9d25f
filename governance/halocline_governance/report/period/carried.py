"""The records a report carries, each with a proof that it stands under a signed head.

A report's statements are about the records under its *heads*. What its building itself recorded
(fingerprints, the hash of its content) comes after those; it stands under a head of one log, the
*seal*, which is shown to continue that log's head.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from halocline_governance.errors import Unverified
from halocline_governance.journal import Trust, records
from halocline_governance.journal.index import Index
from halocline_governance.journal.merkle import (
    consistency,
    inclusion,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from halocline_governance.journal.note import Checkpoint
from halocline_governance.report.record import Entry

Place = tuple[str, int]
Notes = Mapping[str, str]


def carry(journal_dir: Path, places: Iterable[Place], trust: Trust, notes: Notes) -> list[Any]:
    """The records at these places with audit paths to the heads in `notes`, by log and number."""
    wanted: dict[str, list[int]] = {}
    for log, seq in sorted(set(places)):
        wanted.setdefault(log, []).append(seq)
    carried: list[dict[str, Any]] = []
    for log, numbers in wanted.items():
        size = trust.open(notes[log]).size
        with Index(journal_dir / log) as index:
            for seq in numbers:
                _, payload = next(records(journal_dir, log, seq, seq + 1))
                path = [node.hex() for node in inclusion(index.node, seq, size)]
                text = payload.decode()
                carried.append({"log": log, "seq": seq, "record": text, "path": path})
    return carried


def continuation(journal_dir: Path, log: str, old: Checkpoint, new: Checkpoint) -> list[str]:
    """The proof that a log's newer head continues its older one."""
    with Index(journal_dir / log) as index:
        return [node.hex() for node in consistency(index.node, old.size, new.size)]


def cited(value: object) -> set[Place]:
    """Every place that a report's content names."""
    found: set[Place] = set()
    ahead = [value]
    while ahead:
        at = ahead.pop()
        if isinstance(at, dict):
            fields = cast("dict[str, object]", at)
            if {"log", "seq", "check"} <= fields.keys():
                found.add((str(fields["log"]), int(str(fields["seq"]))))
            ahead.extend(fields.values())
        elif isinstance(at, list):
            ahead.extend(cast("list[object]", at))
    return found


@dataclass(slots=True)
class Carried:
    """The records of a report, checked one by one; `faults` says what does not hold."""

    trust: Trust
    entries: dict[Place, Entry] = field(default_factory=dict[Place, Entry])
    faults: list[str] = field(default_factory=list[str])

    def open(self, what: str, note: object, log: str) -> Checkpoint | None:
        """A head signed by the trusted key, of this log."""
        try:
            head = self.trust.open(str(note))
        except Unverified as error:
            self.faults.append(f"{what}: {error}")
            return None
        if head.origin != f"halocline/{log}":
            self.faults.append(f"{what}: it is of another log")
            return None
        return head

    def take(self, carried: Iterable[Mapping[str, Any]], heads: Mapping[str, Checkpoint]) -> None:
        """Records and their proofs against these heads."""
        for one in carried:
            place = (str(one["log"]), int(one["seq"]))
            try:
                self.entries[place] = self._entry(one, place, heads.get(place[0]))
            except (Unverified, ValueError, KeyError, TypeError) as error:
                self.faults.append(f"record {place[0]}/{place[1]}: {error}")

    def follows(self, old: Checkpoint, new: Checkpoint, path: Iterable[str]) -> None:
        """The newer head continues the older."""
        try:
            nodes = [_node(text) for text in path]
            fine = verify_consistency(old.size, new.size, old.root, new.root, nodes)
        except ValueError:
            fine = False
        if not fine:
            self.faults.append("the seal does not continue the head of its log")

    def _entry(self, one: Mapping[str, Any], place: Place, head: Checkpoint | None) -> Entry:
        if place in self.entries:
            raise Unverified("it is carried twice")
        if head is None:
            raise Unverified("no head is carried for its log")
        payload = str(one["record"]).encode()
        path = [_node(text) for text in one["path"]]
        if not verify_inclusion(leaf_hash(payload), place[1], head.size, path, head.root):
            raise Unverified("it is not under the signed head")
        told = json.loads(payload)
        if told["seq"] != place[1]:
            raise Unverified("it says that it stands elsewhere")
        return Entry(*place, told["event"])


def _node(text: str) -> bytes:
    node = bytes.fromhex(text)
    if len(node) != 32 or node.hex() != text:
        raise ValueError("a path has hashes in lower-case hex")
    return node
