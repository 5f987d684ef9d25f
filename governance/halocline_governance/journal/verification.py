"""Verifies a whole journal directory from its files and one trusted key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import frame
from halocline_governance.journal.merkle import Tree
from halocline_governance.journal.note import Trust
from halocline_governance.journal.scan import LOG_NAMES, Scan, payloads, scan
from halocline_governance.records import Kind


@dataclass(frozen=True, slots=True)
class LogState:
    """One log as found. Records after the last signed head are linked but not yet `sealed`."""

    name: str
    num_records: int
    num_sealed: int
    root: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`ok` only when nothing at all is wrong. `problems` are (place, what); `unfinished` names
    last writes cut short by a kill, which nothing relied on."""

    ok: bool
    logs: tuple[LogState, ...]
    problems: tuple[tuple[str, str], ...]
    unfinished: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "logs": [
                {"name": s.name, "records": s.num_records, "sealed": s.num_sealed, "root": s.root}
                for s in self.logs
            ],
            "problems": [{"place": place, "what": what} for place, what in self.problems],
            "unfinished": list(self.unfinished),
        }


def verify(directory: Path, trust: Trust) -> Verification:
    """Check every record, link, head and sibling under `directory`."""
    scans = {path.name: scan(path, trust) for path in sorted(directory.glob(LOG_NAMES))}
    problems = [problem for found in scans.values() for problem in found.problems]
    for found in scans.values():
        problems += _check_siblings(found, scans)
    if not scans:
        problems.append((directory.name, "there is no journal here"))
    states = tuple(
        LogState(
            name,
            len(found.leaves),
            found.checkpoint.size if found.checkpoint else 0,
            Tree(found.leaves).root.hex(),
        )
        for name, found in scans.items()
    )
    unfinished = tuple(found.unfinished for found in scans.values() if found.unfinished)
    return Verification(not problems, states, tuple(problems), unfinished)


def read(directory: Path) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every event as (log, seq, event), log by log; links and signatures are `verify`'s business.

    Raises:
        JournalCorrupt: a record that cannot be read. An unfinished last write ends its log.
    """
    for folder in sorted(directory.glob(LOG_NAMES)):
        for item in payloads(folder):
            if isinstance(item, frame.Flaw):
                if item.torn:
                    break
                raise JournalCorrupt(f"{folder.name} byte {item.offset}", item.what)
            record = json.loads(item[1])
            yield folder.name, record["seq"], record["event"]


def _check_siblings(found: Scan, scans: dict[str, Scan]) -> Iterator[tuple[str, str]]:
    for seq, event in enumerate(found.events):
        if event.get("kind") != Kind.OPENED:
            continue
        for head in event["object"]["siblings"]:
            place = f"{found.name} record {seq}"
            other = scans.get(head["log"])
            if other is None:
                yield place, f"it names {head['log']}, which is missing"
            elif len(other.leaves) < head["size"]:
                yield place, f"it saw {head['size']} records in {head['log']}, which has fewer"
            elif Tree(other.leaves[: head["size"]]).root.hex() != head["root"]:
                yield place, f"it saw other records in {head['log']} than stand there now"
