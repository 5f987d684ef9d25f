"""Curation of one compartment: signals, decisions, and the scrubbed text of what is kept.

Each document is read and assessed once, and nothing of another compartment is looked at. Signals
are written first and the ledger last, so that a killed run can be repeated from any point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.guard import Plan
from halocline_governance.guard.watch import Watch
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_pipelines import tables
from halocline_pipelines.assessment import Assessor
from halocline_pipelines.dedup import fingerprint, neighbour
from halocline_pipelines.dedup.cluster import Duplicate, duplicates
from halocline_pipelines.dedup.neighbour import MAX_DRIVER_ROWS
from halocline_pipelines.job import Job
from halocline_pipelines.measurement import measure
from halocline_pipelines.recipes.curation import CurationRecipe
from halocline_pipelines.standing import CURATED, LEDGER, SIGNALS, Standing, standing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RAW = "raw.documents"


@dataclass(frozen=True, slots=True)
class CurateReport:
    """What one run decided; a run that found nothing new to decide has all counts at zero.

    Args:
        compartment: where.
        recipe: the recipe's id.
        raw_version: version of `raw.documents` that was read.
        kept: documents written to `curated.documents`.
        dropped: by the rule that dropped them.
        quarantined: by the rule that could not pass them.
        num_pii: values that were replaced in what was kept.
        num_earlier: documents that an earlier run had decided.
    """

    compartment: str
    recipe: str
    raw_version: int
    kept: int
    dropped: Mapping[str, int]
    quarantined: Mapping[str, int]
    num_pii: int
    num_earlier: int


def curate(
    job: Job, compartment: str, recipe: CurationRecipe, max_driver_rows: int = MAX_DRIVER_ROWS
) -> CurateReport:
    """Decide every document of a compartment that this recipe has not decided yet.

    Args:
        job: runs as a principal that may read the compartment for curation.
        compartment: the only place that is read and written.
        recipe: what is measured, and what is refused.
        max_driver_rows: from how many new rows on only those that share a band are compared here.

    Raises:
        Denied: the read gate does not let this principal read the documents, or no longer does
            when a table is about to be written.
        LeaseHeld: another process curates this compartment.
    """
    with ExitStack() as stack:
        leases = job.lake.lease
        places = {
            table: stack.enter_context(leases(compartment, table))
            for table in (SIGNALS, CURATED, LEDGER)
        }
        raw = job.guard.plan(job.principal, Purpose.CURATION, f"{compartment}:{RAW}")
        for table, place in places.items():
            tables.create(place, table)
        earlier = standing(job.lake, compartment, recipe)
        open_ids = _ids(job, raw) - earlier.done
        if not open_ids:
            return _report(raw, recipe, [], [], len(earlier.decided))
        job.progress(f"assessing {len(open_ids)} documents of {compartment}")
        documents = job.guard.frame(job.spark, raw)
        if earlier.done:
            documents = _without(job, documents, earlier.done)
        key = job.pseudonym_key(compartment, recipe.key_version)
        measured = measure(documents, Assessor(recipe, key, vault=job.vault)).cache()
        stack.callback(measured.unpersist)
        columns = measured.select("row_uid", "outcome", "rule", "num_pii")
        rows: list[dict[str, Any]] = columns.toArrow().to_pylist()
        is_many = len(rows) > max_driver_rows
        new = neighbour.newcomers(measured, recipe, earlier.staying, is_many=is_many)
        old = neighbour.residents(job, raw, recipe, measured, earlier.staying - open_ids)
        parts = [new] if old is None else [new, old]
        gone = duplicates(fingerprint.joined(parts), job.lake.labels(compartment), recipe.minhash)
        report = _report(raw, recipe, rows, gone, len(earlier.decided))
        writing = _Writing(job, report, recipe, earlier, job.guard.watch(raw))
        _write(writing, _decided(job, measured, gone), rows)
    return report


@dataclass(frozen=True, slots=True)
class _Writing:
    job: Job
    report: CurateReport
    recipe: CurationRecipe
    earlier: Standing
    watch: Watch


def _ids(job: Job, raw: Plan) -> set[int]:
    """Row ids of exactly the version that was planned."""
    grant = raw.grants[0]
    plan = job.guard.plan(
        raw.principal, raw.purpose, f"{grant.compartment}:{RAW}", ["row_uid"], grant.version
    )
    return {uid for batch in job.guard.batches(plan) for uid in batch["row_uid"].to_pylist()}


def _without(job: Job, frame: DataFrame, row_uids: frozenset[int]) -> DataFrame:
    return frame.join(neighbour.ids(job, sorted(row_uids)), "row_uid", "left_anti")


def _decided(job: Job, measured: DataFrame, gone: list[Duplicate]) -> DataFrame:
    """The assessments, with duplicates dropped."""
    import pyarrow as pa
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    if not gone:
        return measured.withColumn("kept_uid", F.lit(None).cast("long"))
    table = pa.table(
        {
            "row_uid": pa.array([one.row_uid for one in gone], pa.int64()),
            "kept_uid": pa.array([one.kept_uid for one in gone], pa.int64()),
            "duplicate_rule": pa.array([one.rule for one in gone]),
        }
    )
    joined = measured.join(F.broadcast(job.spark.createDataFrame(table)), "row_uid", "left")
    is_gone = F.col("kept_uid").isNotNull()
    return joined.withColumns(
        {
            "outcome": F.when(is_gone, "dropped").otherwise(F.col("outcome")),
            "reason": F.when(is_gone, "duplicate of a kept document").otherwise(F.col("reason")),
            "rule": F.when(is_gone, F.col("duplicate_rule")).otherwise(F.col("rule")),
        }
    )


def _report(
    raw: Plan,
    recipe: CurationRecipe,
    rows: list[dict[str, Any]],
    gone: list[Duplicate],
    num_earlier: int,
) -> CurateReport:
    dropped = {one.row_uid for one in gone}
    kept = [row for row in rows if row["outcome"] == "kept" and row["row_uid"] not in dropped]
    rules = Counter(row["rule"] for row in rows if row["outcome"] == "dropped")
    stopped = Counter(row["rule"] for row in rows if row["outcome"] == "quarantined")
    return CurateReport(
        compartment=raw.grants[0].compartment,
        recipe=recipe.id,
        raw_version=raw.grants[0].version,
        kept=len(kept),
        dropped=dict(sorted((rules + Counter(one.rule for one in gone)).items())),
        quarantined=dict(sorted(stopped.items())),
        num_pii=sum(row["num_pii"] for row in kept),
        num_earlier=num_earlier,
    )


def _write(writing: _Writing, decided: DataFrame, rows: list[dict[str, Any]]) -> None:
    """Tell the journal, then write what is not there yet, the ledger last."""
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    recipe, earlier = writing.recipe, writing.earlier
    _record(writing)
    uids = frozenset(row["row_uid"] for row in rows)
    stamped = decided.withColumns(
        {
            "run_id": F.lit(writing.job.run_id),
            "policy_revision": F.lit(writing.job.gates.revision),
            "recipe": F.lit(recipe.id),
        }
    )
    signal = F.explode("signals").alias("signal")
    signals = (
        decided.select("row_uid", "label_id", signal)
        .select("row_uid", "label_id", "signal.*")
        .withColumns({"recipe": F.lit(recipe.signals_id), "run_id": F.lit(writing.job.run_id)})
    )
    _put(writing, SIGNALS, signals, uids, earlier.measured)
    _put(writing, CURATED, stamped.where(F.col("outcome") == "kept"), uids, earlier.curated)
    _put(writing, LEDGER, stamped, uids, earlier.decided)


def _put(
    writing: _Writing,
    table: str,
    frame: DataFrame,
    row_uids: frozenset[int],
    present: frozenset[int],
) -> None:
    """Write the rows of one table that are not there."""
    new = row_uids - present
    if not new:
        return
    job, compartment = writing.job, writing.report.compartment
    job.progress(f"writing {table} of {compartment}")
    if row_uids & present:
        frame = _without(job, frame, row_uids & present)
    # Measuring took its time. What nobody may read now is not written anew either.
    writing.watch.check()
    place = job.lake.location(compartment, table)
    write = tables.replace if table == CURATED and writing.earlier.is_foreign else tables.append
    version = writing.earlier.versions[table]
    write(frame, place, table, tables.app_id(job.secret, place, version, new))


def _record(writing: _Writing) -> None:
    job, report = writing.job, writing.report
    job.gates.journal.append(
        AuditEvent(
            Kind.CURATE,
            job.principal.subject,
            Purpose.CURATION.value,
            {
                "run_id": job.run_id,
                "compartment": report.compartment,
                "recipe": report.recipe,
                "raw_version": report.raw_version,
                "kept": report.kept,
                "dropped": dict(report.dropped),
                "quarantined": dict(report.quarantined),
                "num_pii": report.num_pii,
            },
        )
    )
