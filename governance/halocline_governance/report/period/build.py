"""Builds the report of a period: HTML, PDF and JSON that say the same.

Everything is read as the officer who asks, through the read gate, for purpose `audit`. Statements
are about the journal under signed heads and about tables at one version each; built again from an
earlier report, the three files are the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from halocline_governance.erasure import told as erasure
from halocline_governance.errors import JournalCorrupt, Refused, Unverified
from halocline_governance.journal import records, verify
from halocline_governance.journal.proof import consistency
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind, timestamp
from halocline_governance.report import away
from halocline_governance.report import files as written
from halocline_governance.report.build import require_officer
from halocline_governance.report.period import residue
from halocline_governance.report.period.carried import Place, carry, cited
from halocline_governance.report.period.document import Document, digest, sha256
from halocline_governance.report.period.html import page
from halocline_governance.report.period.pdf import paper
from halocline_governance.report.period.question import Question, Sources
from halocline_governance.report.period.tables import Tables
from halocline_governance.report.period.told import Basis, Drawn, entries, tell
from halocline_governance.report.period.verify import verify as verify_report
from halocline_governance.report.record import Entry

_DIGITS = 12
"""Of the JSON file's SHA-256, in the names of the files: another report has another name."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The three files of one report."""

    html: Path
    pdf: Path
    json: Path


@dataclass(frozen=True, slots=True)
class _Made:
    """A whole report, not yet written."""

    document: Document
    html: str
    pdf: bytes


def build(
    sources: Sources,
    officer: Principal,
    question: Question | None,
    out_dir: Path,
    earlier: Document | None = None,
) -> Paths:
    """The report, written under `out_dir`; its hashes are in the journal before the files exist.

    Args:
        sources: the journal, the tables.
        officer: who asks; a compliance officer, as far as the policy is concerned.
        question: what about, as far as its period is over; that of the earlier report when left
            out.
        out_dir: made when missing; the files are the owner's alone.
        earlier: a report to build again, byte by byte.

    Raises:
        Denied: the officer may not read the audit record, or there are outputs and they may read
            none.
        Refused: no compliance officer, another question than the earlier report's, its tables
            cannot be read again, a file of the same name is there that has other bytes, or they
            cannot be written.
        Unverified: built again, it is not what was built then: names the parts that differ.
        JournalCorrupt: the journal does not begin with the records under the heads.
    """
    now = timestamp()
    require_officer(sources.gates, officer)
    if earlier is not None and question not in (None, earlier.question):
        raise Refused("an earlier report is built again for its own period and duty")
    if earlier is not None:
        made = _again(sources, officer, earlier)
    elif question is not None:
        made = _new(sources, officer, question.until(now))
    else:
        raise Refused("a report is about a period and a duty")
    text = made.document.dumps().encode("utf-8", "surrogatepass")
    found = verify_report(Document.parse(text), sources.trust, made.html.encode(), made.pdf)
    if not found.ok:  # nobody is handed what does not verify
        raise Unverified(f"the report does not verify as it was built: {found.faults[0]}")
    return _write(sources, officer, made, out_dir)


def content_again(
    sources: Sources, officer: Principal, earlier: Document, *, measure: bool = True
) -> dict[str, Any]:
    """What the report would say, made anew from the journal and the tables that it is about.

    Args:
        sources: the journal, the tables.
        officer: who asked for it.
        earlier: the report.
        measure: look for personal data again; else what was found is taken as it was recorded.

    Raises:
        Denied, Refused: a table cannot be read again.
        JournalCorrupt: the journal does not begin with the records under the heads.
    """
    tables = Tables(
        sources.guard,
        sources.lake,
        sources.lineage,
        officer,
        earlier.question.period.__contains__,
        earlier.versions,
        lambda: _erased_since(sources.journal_dir, earlier),
    )
    figures = tables.read()
    bound = {name: _entry(sources.journal_dir, place) for name, place in earlier.places.items()}
    left = {key: _entry(sources.journal_dir, place) for key, place in earlier.residue.items()}
    if measure:
        targets = residue.targets(tables, figures, earlier.question.period)
        found = residue.Meter(tables, sources.say).measure(
            one for one in targets if one.key in left
        )
        told = {one.target.key: one.told() for one in found}
        left = {key: _saying(left[key], told[key]) for key in left}
    scope, observed = earlier.content["scope"], earlier.content["journal"]["observed"]
    basis = Basis(earlier.question, scope["asked_by"], earlier.notes, observed)
    return tell(sources, basis, Drawn(tables, figures, bound, list(left.values())))


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The parts of a report that differ, by name."""
    parts = sorted(name for name in then if name != "sections" and then[name] != now.get(name))
    pairs = zip(then["sections"], now["sections"], strict=False)
    return [*parts, *(f"section {a['id']}" for a, b in pairs if a != b)]


def _new(sources: Sources, officer: Principal, question: Question) -> _Made:
    tables = Tables(
        sources.guard, sources.lake, sources.lineage, officer, question.period.__contains__
    )
    figures = tables.read()
    targets = residue.targets(tables, figures, question.period)
    measured = residue.Meter(tables, sources.say).measure(targets)
    # Only now: what a table holds was recorded before, so the heads cover all that is drawn.
    sources.journal.seal()
    notes = _notes(sources.journal_dir)
    verification = verify(sources.journal_dir, sources.trust).as_json()
    damaged = [] if verification["ok"] else _leave_out(sources, notes)
    observed = {
        "verified": verification["ok"],
        "problems": verification["problems"],
        "gaps": sorted([*tables.gaps, *damaged, *away.gaps(sources.lake, sources.journal_dir)]),
    }
    bound = {figure.name: _bind(sources, officer, figure.told()) for figure in figures}
    left = [_bind(sources, officer, one.told()) for one in measured]
    basis = Basis(question, officer.as_json(), notes, observed)
    told = tell(sources, basis, Drawn(tables, figures, bound, left))
    html, pdf = page(told), paper(told)
    what = {
        "period": {"from": question.period.start, "to": question.period.end},
        "duty": question.duty.value,
        "content_sha256": digest(told),
        "html_sha256": sha256(html.encode()),
        "pdf_sha256": sha256(pdf),
    }
    attest = _append(sources, officer, Kind.REPORT, what)
    note = sources.journal.seal()
    attest_place = {"log": attest.log, "seq": attest.seq}
    return _Made(_prove(sources, told, notes, attest_place, note), html, pdf)


def _again(sources: Sources, officer: Principal, earlier: Document) -> _Made:
    if others := earlier.detectors - {residue.detector()}:
        raise Refused(
            f"personal data was measured with {', '.join(sorted(others))}: the report cannot be"
            f" built again with this detector, {residue.detector()}"
        )
    told = content_again(sources, officer, earlier)
    if told != earlier.content:
        differ = ", ".join(differences(earlier.content, told))
        raise Unverified(f"built again, the report is not what it was; other than then: {differ}")
    document = _prove(sources, told, earlier.notes, earlier.attest, earlier.seal["note"])
    return _Made(document, page(told), paper(told))


def _prove(
    sources: Sources,
    told: dict[str, Any],
    notes: Mapping[str, str],
    attest: Mapping[str, Any],
    note: str,
) -> Document:
    log, journal_dir = attest["log"], sources.journal_dir
    size = sources.trust.open(notes[log]).size
    places = cited(told)
    late = {place for place in places if place[0] == log and place[1] >= size}
    path = consistency(journal_dir, log, notes[log], note).as_json()["path"]
    bound = late | {(log, int(attest["seq"]))}
    return Document(
        content=told,
        attest=dict(attest),
        seal={"log": log, "note": note, "path": path},
        records=carry(journal_dir, places - late, notes),
        bound=carry(journal_dir, bound, {log: note}),
    )


def _bind(sources: Sources, officer: Principal, told: dict[str, Any]) -> Entry:
    """The record of a figure's fingerprint, before the figure is told."""
    return _append(sources, officer, Kind.FINGERPRINT, told)


def _saying(entry: Entry, told: dict[str, Any]) -> Entry:
    """A record as it would be if this had been recorded."""
    return replace(entry, event={**entry.event, "object": told})


def _append(sources: Sources, officer: Principal, kind: Kind, what: dict[str, Any]) -> Entry:
    event = AuditEvent(kind, officer.subject, Purpose.AUDIT.value, what)
    receipt = sources.journal.append(event)
    return Entry(receipt.log, receipt.seq, event.as_json())


def _entry(journal_dir: Path, place: Place) -> Entry:
    log, seq = place
    found = next(iter(records(journal_dir, log, seq, seq + 1)), None)
    if found is None:
        raise Unverified(f"record {log}/{seq} is not in the journal")
    return Entry(log, seq, json.loads(found[1])["event"])


def _erased_since(journal_dir: Path, earlier: Document) -> list[erasure.Told]:
    """The orders to erase that were done after a report was handed over."""
    attest = earlier.attest
    built = str(_entry(journal_dir, (attest["log"], int(attest["seq"]))).event["ts"])
    return [order for order in erasure.told(journal_dir) if order.ts > built]


def _notes(journal_dir: Path) -> dict[str, str]:
    """Each log's newest signed head."""
    found = sorted(journal_dir.glob("log-*/checkpoint"))
    return {path.parent.name: path.read_text(encoding="utf-8") for path in found}


def _leave_out(sources: Sources, notes: dict[str, str]) -> list[str]:
    """Take the logs away whose records are not those under their heads: nothing that they say can
    be shown to be so. One gap for each."""
    gaps: list[str] = []
    for log, note in sorted(notes.items()):
        try:
            for _ in entries(sources.journal_dir, sources.trust, {log: note}):
                pass
        except (JournalCorrupt, Unverified, ValueError, KeyError) as error:
            if log == sources.journal.name:
                raise
            del notes[log]
            gaps.append(f"{log}: nothing of it is in this report: {error}")
    return gaps


def _write(sources: Sources, officer: Principal, made: _Made, out_dir: Path) -> Paths:
    question = made.document.question
    text = made.document.dumps().encode("utf-8", "surrogatepass")
    name = f"{question.name}-{sha256(text)[:_DIGITS]}"
    paths = Paths(*(out_dir / f"{name}.{kind}" for kind in ("html", "pdf", "json")))
    files = {paths.html: made.html.encode(), paths.pdf: made.pdf, paths.json: text}
    written.free(files)
    what = {
        "period": {"from": question.period.start, "to": question.period.end},
        "duty": question.duty.value,
        "json_sha256": sha256(text),
        "html_sha256": sha256(made.html.encode()),
        "pdf_sha256": sha256(made.pdf),
    }
    _append(sources, officer, Kind.REPORT, what)
    written.write(files)
    return paths
