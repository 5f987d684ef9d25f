"""Sources through the ingest gate into `raw.documents`.

A refused source is not read. What is accepted is written once, whatever is killed when: rows are
named by their content, and a row that is there is not written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import NoCompartment, Refused
from halocline_governance.gates import Gate
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_pipelines import tables
from halocline_pipelines.ingest import licence
from halocline_pipelines.ingest.report import IngestReport, Refusal
from halocline_pipelines.ingest.source import Source
from halocline_pipelines.ingest.stage import Stage
from halocline_pipelines.job import Job

RAW, LEDGER = "raw.documents", "curation.decisions"


def ingest(job: Job, sources: Iterable[Source]) -> IngestReport:
    """Ask the gate for each source, then write what was accepted, one write a compartment.

    Raises:
        Denied: a crossing that a source needed has ended since; no more is written.
        LeaseHeld: another process writes one of the compartments.
        Refused: documents that already lie there under another label; nothing is written.
    """
    refused: list[Refusal] = []
    with ExitStack() as stack:
        stages: dict[str, Stage] = {}
        timed: dict[str, list[Source]] = {}
        for source in sources:
            job.progress(f"asking for {source.name}")
            decision = _ask(job, source)
            if not decision.allow or source.label is None:
                refused.append(Refusal(source.name, decision.id, decision.reasons))
                continue
            compartment = str(decision.obligations["compartment"])
            if compartment not in stages:
                stages[compartment] = _open(job, compartment, stack)
            label_id = job.lake.intern(source.label, compartment)
            chosen = " AND ".join(decision.obligations["licence"])
            stages[compartment].add(source, chosen, label_id, decision.id)
            if "until" in decision.obligations:
                timed.setdefault(compartment, []).append(source)
        for stage in stages.values():
            stage.close()
        versions = {name: tables.version(job.lake.location(name, RAW)) for name in stages}
        present = {name: _present(job, stage) for name, stage in stages.items()}
        for name, stage in stages.items():
            for source in timed.get(name, ()):
                # Reading took its time, and what allowed it may be over.
                job.gates.require(Gate.INGEST, job.principal, Purpose.CURATION, _question(source))
            _write_documents(job, stage, present[name], versions[name])
            _write_quarantine(job, stage)
    return IngestReport(
        accepted={name: len(stage.labels) - len(present[name]) for name, stage in stages.items()},
        present={name: len(uids) for name, uids in present.items()},
        refused=tuple(refused),
        quarantined=tuple(row for stage in stages.values() for row in stage.quarantined),
    )


def _ask(job: Job, source: Source) -> Decision:
    return job.gates.ask(Gate.INGEST, job.principal, Purpose.CURATION, _question(source))


def _question(source: Source) -> Mapping[str, Any]:
    return {
        "source": source.name,
        "licence": licence.parse(source.licence).as_json(),
        "label": None if source.label is None else source.label.as_json(),
        "compartment": _compartment(source),
    }


def _compartment(source: Source) -> str | None:
    """Where it is to lie. Whether the crossing is open over it all, the gate says."""
    if source.crossing is not None:
        return f"x.{source.crossing}"
    try:
        return None if source.label is None else source.label.compartment
    except NoCompartment:
        return None


def _open(job: Job, compartment: str, stack: ExitStack) -> Stage:
    for table in (RAW, LEDGER):
        stack.enter_context(job.lake.lease(compartment, table))
    stage = Stage(job.lake, compartment, job.run_id, job.pseudonym_key(compartment))
    stack.callback(stage.clear)
    return stage


def _present(job: Job, stage: Stage) -> set[int]:
    """Which of the staged rows are there already, under the same label."""
    place = job.lake.location(stage.compartment, RAW)
    there = tables.labels(place, stage.labels.keys())
    if moved := sum(stage.labels[uid] != label_id for uid, label_id in there.items()):
        raise Refused(
            f"{moved} documents already lie in {stage.compartment} under another label;"
            " a label is not changed by ingesting again: give the source another name"
        )
    return set(there)


def _write_documents(job: Job, stage: Stage, present: set[int], version: int) -> None:
    new = stage.labels.keys() - present
    if not new:
        return
    job.progress(f"writing {len(new)} documents to {stage.compartment}")
    place = job.lake.location(stage.compartment, RAW)
    app_id = tables.app_id(job.secret, place, version, new)
    _record(job, stage, app_id, {"num_rows": len(new), "sources": stage.sources})
    frame = job.spark.read.parquet(str(stage.file))
    if present:
        old = tables.load(job.spark, place).select("row_uid")
        frame = frame.join(old, "row_uid", "left_anti")
    tables.append(frame, place, RAW, app_id)


def _write_quarantine(job: Job, stage: Stage) -> None:
    """Ledger rows of the documents that could not be read."""
    if not stage.quarantined:
        return
    place = job.lake.location(stage.compartment, LEDGER)
    version = tables.version(place)
    rows = stage.decisions(job.gates.revision)
    known = tables.labels(place, set(rows["row_uid"].to_pylist()))
    rows = rows.filter([uid not in known for uid in rows["row_uid"].to_pylist()])
    if not rows.num_rows:
        return
    app_id = tables.app_id(job.secret, place, version, rows["row_uid"].to_pylist())
    _record(job, stage, app_id, {"num_quarantined": rows.num_rows})
    tables.append(job.spark.createDataFrame(rows), place, LEDGER, app_id)


def _record(job: Job, stage: Stage, app_id: str, what: Mapping[str, Any]) -> None:
    """Told before it happens: law 3."""
    told = {"run_id": job.run_id, "compartment": stage.compartment, "write": app_id, **what}
    job.gates.journal.append(
        AuditEvent(Kind.INGEST, job.principal.subject, Purpose.CURATION.value, told)
    )
