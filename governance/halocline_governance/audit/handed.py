"""An export as somebody gets it, and its check with the key alone.

events.jsonl        the records as they stand in the journal, one a line, log by log, in order
proofs.jsonl        the proof of each, in the same order
checkpoints/<log>   the signed heads that the proofs lead to
journal.pub         the keys, to be compared with what the firm says they are
README.md           what this is, how many of each kind there are, how to check it
export.json         the proof of the journal's own record of the export, which names all other files
                    by their SHA-256: so nothing is added to it, taken out or changed unseen
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.audit.given import MAX_PROOF_BYTES, MAX_TEXT_BYTES
from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import Trust
from halocline_governance.journal.evidence import opened
from halocline_governance.journal.frame import MAX_PAYLOAD_BYTES
from halocline_governance.journal.note import Checkpoint
from halocline_governance.journal.proof import Proof, check
from halocline_governance.records import Kind

if TYPE_CHECKING:
    from io import RawIOBase

EVENTS, PROOFS, HEADS, KEYS, README, RECORD = (
    "events.jsonl", "proofs.jsonl", "checkpoints", "journal.pub", "README.md", "export.json",
)  # fmt: skip
_FORM = {"from": str, "to": str, "kinds": list, "events": int, "counts": dict, "files": dict}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was handed out.

    Attributes:
        start, end: of the period, as the journal writes times; the end is not in it.
        kinds: of events; none means all.
        counts: of the events, by kind.
        files: SHA-256 of each file but `export.json`, by its name in the folder.
    """

    start: str
    end: str
    kinds: tuple[str, ...]
    counts: Mapping[str, int]
    files: Mapping[str, str]

    @property
    def num_events(self) -> int:
        return sum(self.counts.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.start,
            "to": self.end,
            "kinds": list(self.kinds),
            "events": self.num_events,
            "counts": dict(self.counts),
            "files": dict(self.files),
        }

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> Exported:
        """From the journal's record.

        Raises:
            Unverified: it is a record of something else.
        """
        what = event.get("object")
        told = cast("Mapping[str, Any]", what).get("export") if isinstance(what, dict) else None
        if event.get("kind") != Kind.REPORT or not isinstance(told, dict):
            raise Unverified(f"{RECORD} proves a record of something else than an export")
        named = cast("dict[str, Any]", told)
        if {name: type(value) for name, value in named.items()} != _FORM:
            raise Unverified(f"{RECORD} proves a record of an export in another form")
        start, end, kinds = named["from"], named["to"], tuple(named["kinds"])
        found = cls(start, end, kinds, named["counts"], named["files"])
        if found.as_json() != named or not {EVENTS, PROOFS, KEYS, README} <= found.files.keys():
            raise Unverified(f"{RECORD} proves a record that does not agree with itself")
        return found


@dataclass(frozen=True, slots=True)
class Handed:
    """An export that holds: what the journal says of it, and who handed it out when."""

    told: Exported
    by: str
    at: str
    place: str


@dataclass(frozen=True)
class Known(Trust):
    """Opens each head once: its signature takes longer to check than many a proof's path."""

    heads: dict[str, Checkpoint] = field(default_factory=dict[str, Checkpoint], compare=False)

    def open(self, note: str) -> Checkpoint:
        found = self.heads.get(note)
        if found is None:
            found = self.heads[note] = super().open(note)
        return found


def checked(folder: Path, trust: Trust) -> Handed:
    """Check an export with the key alone.

    Raises:
        Refused: it is no export.
        Unverified: its record is not in the journal; a file is missing, changed or not named there;
            a proof does not hold, or the events are not those that are proven and asked for.
    """
    found = _record(folder, trust)
    told = found.told
    there, named = set(_files(folder)), {RECORD, *told.files}
    for name in sorted(named - there):
        raise Unverified(f"{name} is missing: the journal's record of this export names it")
    for name in sorted(there - named):
        raise Unverified(f"{name} is not named by the journal's record of this export")
    notes: dict[str, str] = {}
    for name in sorted(named - {RECORD, EVENTS, PROOFS}):
        data = _small(folder, name)
        _compare(name, hashlib.sha256(data).hexdigest(), told)
        if name.startswith(f"{HEADS}/"):
            notes[name.removeprefix(f"{HEADS}/")] = data.decode("utf-8", "replace")
    counts = _walk(folder, Known(trust.keys), told, notes)
    if counts != told.counts:
        raise Unverified("there are not as many events as the journal's record of the export says")
    return found


def _record(folder: Path, trust: Trust) -> Handed:
    if not (folder / EVENTS).exists() and not (folder / RECORD).exists():
        raise Refused(f"{folder} is no export: it has no {EVENTS} and no {RECORD}")
    try:
        with _opened(folder, RECORD) as file:
            proof = Proof.parse(file.read(MAX_PROOF_BYTES))
        event = check(proof, trust)
        told = Exported.parse(event)
    except (Refused, Unverified) as error:
        said = str(error)
        raise Unverified(said if said.startswith(RECORD) else f"{RECORD}: {said}") from None
    return Handed(told, str(event["subject"]), str(event["ts"]), f"{proof.log}/{proof.seq}")


def _walk(folder: Path, trust: Trust, told: Exported, notes: Mapping[str, str]) -> dict[str, int]:
    """How many events there are of each kind, each of them proven."""
    counts, before = Counter[str](), ("", -1)
    digests = {name: hashlib.sha256() for name in (EVENTS, PROOFS)}
    with _opened(folder, EVENTS) as events, _opened(folder, PROOFS) as proofs:
        for number, line in enumerate(iter(lambda: events.readline(MAX_PAYLOAD_BYTES + 2), b""), 1):
            proven = proofs.readline(MAX_PROOF_BYTES)
            try:
                proof = Proof.parse(proven)
                if notes.get(proof.log) != proof.checkpoint:
                    raise Unverified(f"it does not lead to the head in {HEADS}/")
                event = check(proof, trust)
            except (Refused, Unverified) as error:
                raise Unverified(f"{PROOFS} line {number}: {error}") from None
            if proof.record.encode() + b"\n" != line:
                raise Unverified(f"{EVENTS} line {number} is not the record that is proven")
            if (proof.log, proof.seq) <= before:
                raise Unverified(f"{EVENTS} line {number} stands there twice, or out of order")
            if not _is_asked_for(event, told):
                raise Unverified(f"{EVENTS} line {number} is not of the period or of the kinds")
            before = (proof.log, proof.seq)
            counts[str(event["kind"])] += 1
            digests[EVENTS].update(line)
            digests[PROOFS].update(proven)
        if proofs.readline(1):
            raise Unverified(f"{EVENTS} lacks records that {PROOFS} has")
    for name, digest in digests.items():
        _compare(name, digest.hexdigest(), told)
    return dict(counts)


def _is_asked_for(event: Mapping[str, Any], told: Exported) -> bool:
    of_kind = not told.kinds or event.get("kind") in told.kinds
    return of_kind and told.start <= str(event.get("ts")) < told.end


def _compare(name: str, digest: str, told: Exported) -> None:
    if told.files[name] != digest:
        raise Unverified(f"{name} is not the file that the journal's record of this export names")


def _files(folder: Path) -> Iterator[str]:
    """All there is in the folder, by name; of its folders only that of the heads is looked into."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == HEADS and entry.is_dir(follow_symlinks=False):
                yield from (f"{HEADS}/{name}" for name in os.listdir(entry.path))
            else:
                yield entry.name


def _small(folder: Path, name: str) -> bytes:
    with _opened(folder, name) as file:
        return file.read(MAX_TEXT_BYTES)


def _opened(folder: Path, name: str) -> BufferedReader:
    """A file of the export; a link is none of it.

    Raises:
        Unverified: it is missing, or not a plain file.
    """
    try:
        return BufferedReader(cast("RawIOBase", opened(folder / name)))
    except FileNotFoundError:
        raise Unverified(
            f"{name} is missing: nothing else shows that the export is whole"
        ) from None
    except JournalCorrupt as error:
        raise Unverified(f"{name}: {str(error).split(': ', 1)[-1]}") from None
