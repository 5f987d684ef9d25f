"""Reads one log from disk and says everything that is wrong with it, with the place.

Shared by recovery and by `verification`; trusts nothing it reads but the key it is given.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from halocline_governance.errors import JournalCorrupt, Unverified
from halocline_governance.journal import frame
from halocline_governance.journal.merkle import Tree, leaf_hash
from halocline_governance.journal.note import Checkpoint, Trust

SEGMENT = "000000000000.seg"
ZERO = "0" * 64
LOG_NAMES = "log-*"


@dataclass(frozen=True, slots=True)
class Head:
    """A log's last signed head, as a sibling's first record names it."""

    log: str
    size: int
    root: str

    def as_json(self) -> dict[str, Any]:
        return {"log": self.log, "size": self.size, "root": self.root}


@dataclass(slots=True)
class Scan:
    """What a log holds. `problems` are (place, what); `unfinished` names a last write that was
    cut short before anybody relied on it (no signed head covers it)."""

    name: str
    leaves: list[bytes] = field(default_factory=list[bytes])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    problems: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    checkpoint: Checkpoint | None = None
    good_bytes: int = 0
    unfinished: str = ""


def heads(directory: Path) -> list[Head]:
    """The last signed head of every log here, unverified: what a new log names as siblings."""
    found: list[Head] = []
    for path in sorted(directory.glob(f"{LOG_NAMES}/checkpoint")):
        try:
            _, size, root, *_ = path.read_text(encoding="utf-8").splitlines()
            found.append(Head(path.parent.name, int(size), base64.b64decode(root).hex()))
        except ValueError as error:
            raise JournalCorrupt(f"{path.parent.name}/checkpoint", "not a signed head") from error
    return found


def payloads(folder: Path) -> Iterator[tuple[int, bytes] | frame.Flaw]:
    """Each record's offset and bytes, and the flaw that ends them, if any."""
    segment = folder / SEGMENT
    return frame.decode(segment.read_bytes() if segment.exists() else b"")


def scan(folder: Path, trust: Trust) -> Scan:
    """Everything in one log, checked against its own links and its signed checkpoint."""
    result = Scan(folder.name)
    prev = ZERO
    for item in payloads(folder):
        if isinstance(item, frame.Flaw):
            place, what = _place(folder.name, len(result.leaves), item.offset, item.what)
            if item.torn:
                result.unfinished = f"{place}: {what}"
            else:
                result.problems.append((place, what))
            break
        offset, payload = item
        problem, event = _check_record(payload, len(result.leaves), prev)
        if problem:
            result.problems.append(_place(folder.name, len(result.leaves), offset, problem))
            break
        leaf = leaf_hash(payload)
        prev = leaf.hex()
        result.leaves.append(leaf)
        result.events.append(event)
        result.good_bytes = offset + 8 + len(payload)
    _check_head(folder, trust, result)
    return result


def _check_record(payload: bytes, seq: int, prev: str) -> tuple[str, dict[str, Any]]:
    try:
        record = json.loads(payload)
        event: dict[str, Any] = record["event"]
        if record["seq"] != seq:
            return f"record {record['seq']} stands where record {seq} belongs", event
        if record["prev"] != prev:
            return "the record does not link to the one before it", event
    except (ValueError, TypeError, KeyError):
        return "the record is not a journal record", {}
    return "", event


def _check_head(folder: Path, trust: Trust, result: Scan) -> None:
    path = folder / "checkpoint"
    if not path.exists():
        if (folder / SEGMENT).exists():
            result.problems.append((f"{folder.name}/checkpoint", "the signed head is missing"))
        return
    try:
        head = trust.open(path.read_bytes().decode())
    except (Unverified, UnicodeDecodeError) as error:
        result.problems.append((f"{folder.name}/checkpoint", str(error)))
        return
    result.checkpoint = head
    if head.origin != f"halocline/{folder.name}":
        result.problems.append((f"{folder.name}/checkpoint", "the head is of another log"))
    elif head.size > len(result.leaves):
        missing = f"{result.unfinished} " if result.unfinished else ""
        missing += f"records {len(result.leaves)} to {head.size - 1} were signed and are missing"
        result.problems.append((f"{folder.name} record {len(result.leaves)}", missing))
    elif Tree(result.leaves[: head.size]).root != head.root:
        result.problems.append((f"{folder.name}/checkpoint", "the records are not those signed"))


def _place(log: str, seq: int, offset: int, what: str) -> tuple[str, str]:
    return f"{log} record {seq} (byte {offset} of {SEGMENT})", what
