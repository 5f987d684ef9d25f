"""Tables that are not where they were: a folder that was moved, a mount that is away.

What is not there is listed by nobody, so whoever looks into every table must know which there were.
The journal tells: a version was read, curated from, named, measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from halocline_governance.audit.segment import forwards, of_kinds
from halocline_governance.journal.evidence import logs
from halocline_governance.lake import Lake
from halocline_governance.records import Kind

_KINDS = (Kind.READ, Kind.CURATE, Kind.DATASET, Kind.FINGERPRINT, Kind.MONITOR)


def missing(lake: Lake, journal_dir: Path) -> list[tuple[str, str]]:
    """Compartment and table of each that the journal shows to have been there and that is not.

    One of which the journal only says that it would be written is not among them: whoever said so
    may have been killed before.

    Raises:
        JournalCorrupt: its records cannot be read.
        StorageUnavailable: a bucket failed or refused.
    """
    known = set[tuple[str, str]]()
    for folder in logs(journal_dir):
        for segment in forwards(folder):
            for _, event in of_kinds(segment, _KINDS):
                known.update(_named(event["kind"], event["object"]))
    return sorted(at for at in known if not lake.exists(*at))


def _named(kind: str, what: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of which a record names a version."""
    if kind == Kind.READ:
        plan: Mapping[str, Any] = what.get("plan", {})
        for grant in plan.get("grants", ()):
            yield grant["compartment"], plan["table"]
    elif kind == Kind.CURATE:
        if what.get("raw_version") is not None:
            yield what["compartment"], "raw.documents"
    elif kind == Kind.MONITOR:
        if what.get("outputs_version") is not None:
            yield what["compartment"], "serving.outputs"
    elif what.get("version") is not None and {"compartment", "table"} <= what.keys():
        yield what["compartment"], what["table"]
