"""The records a report carries, each with a proof that it stands under a signed head.

A report's statements are about the records under its *heads*. What its building itself recorded
(fingerprints, the hash of its content) comes after those; it stands under a head of one log, the
*seal*, which is shown to continue that log's head.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from halocline_governance.errors import Refused, Unverified
from halocline_governance.journal import Trust
from halocline_governance.journal.proof import (
    CONSISTENCY,
    INCLUSION,
    Consistency,
    Proof,
    Prover,
    check,
)
from halocline_governance.report.record import Entry

Place = tuple[str, int]
Notes = Mapping[str, str]
_MEMBERS = ("log", "seq", "record", "path")


def carry(journal_dir: Path, places: Iterable[Place], notes: Notes) -> list[Any]:
    """The records at these places with proofs against the heads in `notes`, by log and number.

    Raises:
        JournalCorrupt: they are not what was signed.
    """
    wanted: dict[str, list[int]] = {}
    for log, seq in sorted(set(places)):
        wanted.setdefault(log, []).append(seq)
    carried: list[dict[str, Any]] = []
    for log, numbers in wanted.items():
        with Prover(journal_dir, log, notes[log]) as prover:
            for seq in numbers:
                told = prover.prove(seq).as_json()
                carried.append({name: told[name] for name in _MEMBERS})
    return carried


def place(value: Mapping[str, Any]) -> Place:
    """The place that a report names there.

    Raises:
        Refused: it is written otherwise than a report writes it.
    """
    log, seq = value["log"], value["seq"]
    if type(log) is not str or type(seq) is not int:
        raise Refused("a place in the journal is a log's name and a whole number")
    return log, seq


def cited(value: object) -> set[Place]:
    """Every place that a report's content names."""
    found: set[Place] = set()
    ahead = [value]
    while ahead:
        at = ahead.pop()
        if isinstance(at, dict):
            fields = cast("dict[str, object]", at)
            if {"log", "seq", "check"} <= fields.keys():
                found.add(place(fields))
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

    def open(self, what: str, note: str, log: str) -> bool:
        """Whether this is a head of the log, signed by the trusted key."""
        try:
            if self.trust.open(note).log == log:
                return True
            self.faults.append(f"{what}: it is of another log")
        except Unverified as error:
            self.faults.append(f"{what}: {error}")
        return False

    def take(self, carried: Iterable[Mapping[str, Any]], notes: Notes) -> None:
        """Records and their proofs against these heads."""
        for one in carried:
            at = place(one)
            try:
                self.entries[at] = self._entry(one, at, notes)
            except (Refused, Unverified) as error:
                self.faults.append(f"record {at[0]}/{at[1]}: {error}")

    def follows(self, seal: Mapping[str, Any], old: str) -> None:
        """The seal continues the head of its log."""
        told = {"log": seal["log"], "old": old, "new": seal["note"], "path": seal["path"]}
        try:
            Consistency.parse({"format": CONSISTENCY, **told}).check(self.trust)
        except (Refused, Unverified) as error:
            self.faults.append(f"the seal: {error}")

    def _entry(self, one: Mapping[str, Any], at: Place, notes: Notes) -> Entry:
        if at in self.entries:
            raise Unverified("it is carried twice")
        if at[0] not in notes:
            raise Unverified("no head of its log is trusted")
        if set(one) != set(_MEMBERS):
            raise Unverified(f"it has other members than {', '.join(_MEMBERS)}")
        told = {"format": INCLUSION, "checkpoint": notes[at[0]], **one}
        return Entry(*at, check(Proof.parse(told), self.trust))
