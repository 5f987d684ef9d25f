"""Makes a report's content from the journal under its heads and the tables at their versions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.journal import Trust
from halocline_governance.lineage import checks_told
from halocline_governance.lineage.checks import check
from halocline_governance.report.period import ancestry, erased, outputs
from halocline_governance.report.period.content import Material, content
from halocline_governance.report.period.drawn import Figure
from halocline_governance.report.period.held import joined
from halocline_governance.report.period.question import Question, Sources
from halocline_governance.report.period.rows import row
from halocline_governance.report.period.tables import Tables
from halocline_governance.report.period.tally import SHOWN, Tally
from halocline_governance.report.pin import LogPin, pinned_records
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period

Notes = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report is made from besides the records and the rows: the same basis, the same report.

    Args:
        question: what it is about.
        asked_by: who, as the read gate knew them.
        notes: the signed head of each log.
        observed: what was so when it was first built: whether the journal verified, what could
            not be read.
    """

    question: Question
    asked_by: Mapping[str, Any]
    notes: Notes
    observed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tables that were read, the record of each one's fingerprint, and the records of what was
    found in texts."""

    tables: Tables
    figures: Sequence[Figure]
    bound: Mapping[str, Entry]
    residue: Sequence[Entry]


def tell(sources: Sources, basis: Basis, drawn: Drawn) -> dict[str, Any]:
    """The report's content.

    Raises:
        JournalCorrupt: the journal does not begin with the records under the heads.
    """
    period, drawings = basis.question.period, drawn.tables.drawings
    read = drawn.tables.outputs()
    tally = Tally(period, joined(read.values()))
    tally.want(ancestry.decisions(drawings))
    heard = checks_told.told(_seen(sources, basis, tally))
    labels = sources.lineage.labels()
    orders = erased.done(tally.erasures)
    gaps = [
        *basis.observed["gaps"],
        *tally.gaps(),
        *ancestry.strange(drawings, tally.by_id),
        *outputs.gaps(tally.held, tally.answers, orders),
        *erased.gaps(orders),
    ]
    return content(
        Material(
            question=basis.question,
            asked_by=basis.asked_by,
            installation=installation(sources.trust, basis.notes),
            heads=heads(sources.trust, basis.notes),
            observed=basis.observed,
            lists=tally.lists()
            | ancestry.lists(drawings, labels, drawn.bound, tally.by_id, period)
            | {"differing": outputs.differing(tally.held, read, drawn.bound, period)}
            | {"residue": _residue(drawn.residue, period)},
            sums=tally.sums(),
            figures=[
                *(one.as_json(drawn.bound[one.name].proof()) for one in drawn.figures),
                *({**one.object, "sums": {}, "proofs": [one.proof()]} for one in drawn.residue),
            ],
            flags=_flags(drawn, heard),
            gaps=gaps,
        )
    )


def _seen(sources: Sources, basis: Basis, tally: Tally) -> Iterator[Mapping[str, Any]]:
    """The events under the heads, each once the tally has seen it: they are read once for both."""
    for entry in entries(sources.journal_dir, sources.trust, basis.notes):
        tally.see(entry)
        yield entry.event


def _flags(drawn: Drawn, heard: checks_told.Told) -> dict[str, Any]:
    """What lineage's checks find, in lineage at those versions and the journal under the heads."""
    found = check(drawn.tables.lineage_then(), heard).flags
    rows = [
        {
            "about": flag.about,
            "check": flag.kind,
            "what": flag.what,
            "shown_by": [f"halocline audit show {id_}" for id_ in flag.records[:SHOWN]],
        }
        for flag in found[:SHOWN]
    ]
    return {"total": len(found), "rows": rows}


def _residue(records: Sequence[Entry], period: Period) -> dict[str, Any]:
    rows = [row("residue", [one], period) for one in records]
    return {"rows": rows[:SHOWN], "total": len(rows)}


def heads(trust: Trust, notes: Notes) -> list[dict[str, Any]]:
    """Each log's head in words, with the signed note it is from."""
    told: list[dict[str, Any]] = []
    for log in sorted(notes):
        head = trust.open(notes[log])
        told.append({"log": log, "size": head.size, "root": head.root.hex(), "note": notes[log]})
    return told


def installation(trust: Trust, notes: Notes) -> dict[str, Any]:
    """What an installation is known by: the keys that signed its heads, each with the SHA-256 of
    its line in `keys/journal.pub`, and the origins of its logs."""
    keys = {key.line(): key.ident for note in notes.values() for key in trust.signers(note)[:1]}
    return {
        "keys": [
            {"key": keys[line], "sha256": hashlib.sha256(line.encode()).hexdigest()}
            for line in sorted(keys)
        ],
        "logs": sorted(trust.open(note).origin for note in notes.values()),
    }


def entries(journal_dir: Path, trust: Trust, notes: Notes) -> Iterator[Entry]:
    """Every entry under these heads, log by log.

    Raises:
        JournalCorrupt: a log does not begin with those records.
    """
    opened = {log: trust.open(note) for log, note in notes.items()}
    pins = {log: LogPin(head.size, head.root.hex(), head.size) for log, head in opened.items()}
    for log, payload in pinned_records(journal_dir, pins):
        told = json.loads(payload)
        yield Entry(log, told["seq"], told["event"])
