"""Builds the compliance report for one output from pinned versions.

Everything is read as the principal who asks, through the read gate, for purpose `audit`; without
that permission there is no report. The same pin gives the same bytes: nothing of the building
itself (time, own reads, own decision ids) is in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.erasure import told as erasure
from halocline_governance.erasure.order import What
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.journal import Trust, verify
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.keyed import Row
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.report import away, record, sections
from halocline_governance.report import files as written
from halocline_governance.report.answer import Answer
from halocline_governance.report.pin import Pin, take
from halocline_governance.report.render import page

if TYPE_CHECKING:
    from halocline_governance.guard import Guard
    from halocline_governance.lake import Lake

FORMAT = "halocline-report@1"
OUTPUTS = "serving.outputs"
OFFICER = "compliance"
EVENTS = "audit.events"
AUDIT_LABEL = Label("restricted")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report's facts come from.

    `ledger` holds the registry's promotion rows as plain JSON: governance does not know the
    registry.
    """

    guard: Guard
    gates: Gates
    lake: Lake
    lineage: Lineage
    journal_dir: Path
    trust: Trust
    ledger: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """The two files of one report, which say the same."""

    html: Path
    json: Path


def build(
    sources: Sources,
    principal: Principal,
    request_id: str,
    out_dir: Path,
    pin: Pin | None = None,
) -> ReportPaths:
    """The report that answers for one output, written under `out_dir`.

    Args:
        sources: the journal, the tables, the ledger.
        principal: who asks; a compliance officer, as far as the policy is concerned.
        request_id: the output.
        out_dir: made when missing; both files are the owner's alone.
        pin: an earlier report's pin, to repeat it byte by byte.

    Raises:
        Denied: the principal may not read the audit record, or no outputs.
        Refused: no compliance officer, no output of this id among what they may read, or its files
            cannot be written.
        JournalCorrupt: the journal does not hold the records that were pinned.
    """
    logs = pin.logs if pin else take(sources.journal_dir)
    require_officer(sources.gates, principal)
    at, rows, labels = _outputs(sources, principal, pin)
    output = next((row for row in rows if row["request_id"] == request_id), None)
    if output is None:
        raise Refused(_missing(request_id, erasure.told(sources.journal_dir)))
    pinned = pin or Pin(logs, {**at, **_system(sources.lineage.versions())})
    lineage = sources.lineage.at(_unsystem(pinned.tables))
    events = record.load(sources.journal_dir, pinned.logs)
    answer = Answer(events, lineage, output, labels[output["label_id"]])
    told = answer.build(sources.guard, principal)
    gone = away.gaps(sources.lake, sources.journal_dir)
    content = {
        "format": FORMAT,
        "request_id": request_id,
        "pin": pinned.as_json(),
        "answer": told,
        "period": _period(events, rows, sources.ledger),
        "journal": _journal(sources, pinned),
        "gaps": sorted({*answer.gaps, *_uncounted(events, rows), *gone}),
    }
    return _write(sources.gates, principal, content, out_dir)


def require_auditor(gates: Gates, principal: Principal) -> None:
    """Let somebody at the audit record, or refuse; either way it is recorded.

    Raises:
        Denied: the read gate does not let this principal read `audit.events`.
    """
    gates.require(
        Gate.READ,
        principal,
        Purpose.AUDIT,
        {
            "table": EVENTS,
            "compartment": SYSTEM,
            "columns": list(tables.table(EVENTS).column_names),
            "labels": {AUDIT_LABEL.label_id: AUDIT_LABEL.as_json()},
        },
    )


def require_officer(gates: Gates, principal: Principal) -> None:
    """As `require_auditor`, and a report is built for nobody but an officer: a service that may
    read the record, to check or to export it, has none to answer for.

    Raises:
        Denied: the read gate does not let this principal read `audit.events`.
        Refused: they do not have the role `compliance`.
    """
    require_auditor(gates, principal)
    if OFFICER not in principal.roles:
        raise Refused(f"a report is for a compliance officer: ask with a token of role {OFFICER}")


def _outputs(
    sources: Sources, principal: Principal, pin: Pin | None
) -> tuple[dict[str, int], list[Row], dict[str, Label]]:
    """The readable outputs at the pinned versions, sorted, and the labels they have."""
    if pin is None:
        plans = [sources.guard.plan(principal, Purpose.AUDIT, OUTPUTS)]
    else:
        plans = [
            sources.guard.plan(principal, Purpose.AUDIT, name, version=version)
            for name, version in sorted(pin.tables.items())
            if name.endswith(f":{OUTPUTS}")
        ]
    rows = [row for plan in plans for row in sources.guard.table(plan).to_pylist()]
    rows.sort(key=lambda row: (row["ts"], row["request_id"]))
    grants = [grant for plan in plans for grant in plan.grants]
    versions = {f"{grant.compartment}:{OUTPUTS}": grant.version for grant in grants}
    return versions, rows, {i: label for grant in grants for i, label in grant.labels.items()}


def _period(
    events: record.Record, rows: Sequence[Row], ledger: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        "ingest": sections.ingest(events),
        "reads": sections.reads(events),
        "walls": sections.walls(events),
        "promotions": sections.promotions(events, ledger),
        "outputs": sections.outputs(rows),
        "policy": sections.policy(events),
        "entries": sections.kinds(events),
    }


def _journal(sources: Sources, pin: Pin) -> dict[str, Any]:
    result = verify(sources.journal_dir, sources.trust)
    return {
        "verified": result.ok,
        "problems": [{"place": place, "what": what} for place, what in result.problems],
        "logs": [{"name": name, **pin.logs[name].as_json()} for name in sorted(pin.logs)],
        "trusted_key": sources.trust.line(),
        "check": "halocline audit verify",
    }


def _missing(request_id: str, orders: Sequence[erasure.Told]) -> str:
    """Why there is no row of an output."""
    for order in orders:
        if order.what == What.OUTPUT and request_id in order.names:
            return f"output {request_id} was erased by order {order.id}, done {order.ts}"
    return f"no output {request_id} among those you may read for audit"


def _uncounted(events: record.Record, rows: Sequence[Row]) -> list[str]:
    """Outputs the journal knows of and this report does not, and the other way round."""
    known = {
        str(entry.object.get("request_id"))
        for kind in (Kind.GENERATE, Kind.ABORT)
        for entry in events.of(kind)
        if "request_id" in entry.object
    }
    held = {str(row["request_id"]) for row in rows}
    gaps: list[str] = []
    if missing := len(known - held):
        gaps.append(
            f"{missing} outputs in the journal are not among the rows shown: not readable by you,"
            " not yet in the table, or erased"
        )
    if extra := len(held - known):
        gaps.append(f"{extra} rows of {OUTPUTS} have no generation entry in the journal")
    return gaps


def _write(
    gates: Gates, principal: Principal, content: Mapping[str, Any], out_dir: Path
) -> ReportPaths:
    told = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    shown = page(json.loads(told))
    text = told.encode("utf-8", "backslashreplace")
    name = f"report-{_hash(content['request_id'].encode())[:16]}-{_hash(text)[:12]}"
    paths = ReportPaths(out_dir / f"{name}.html", out_dir / f"{name}.json")
    files = {paths.html: shown.encode("utf-8", "backslashreplace"), paths.json: text}
    written.free(files)
    gates.journal.append(
        AuditEvent(
            Kind.REPORT,
            principal.subject,
            Purpose.AUDIT.value,
            {
                "request_id": content["request_id"],
                "json_sha256": _hash(text),
                "html_sha256": _hash(files[paths.html]),
            },
        )
    )
    written.write(files)
    return paths


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _system(versions: Mapping[str, int]) -> dict[str, int]:
    return {f"{SYSTEM}:{name}": version for name, version in versions.items()}


def _unsystem(pinned: Mapping[str, int]) -> dict[str, int]:
    prefix = f"{SYSTEM}:"
    return {
        name.removeprefix(prefix): version
        for name, version in pinned.items()
        if name.startswith(prefix)
    }
