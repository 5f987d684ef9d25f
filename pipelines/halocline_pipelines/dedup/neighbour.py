"""Which rows need comparing at all, found on Spark by the bands among the signals.

Only ids, bands and signatures come to the driver: of all new rows while they are few, else of
those that share a band with another; and of earlier rows only those that share one with a new row.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from halocline_governance.guard import Plan
from halocline_governance.principal import Purpose
from halocline_pipelines.dedup import exact, fingerprint
from halocline_pipelines.dedup.cluster import Fingerprints
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import CurationRecipe

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MAX_DRIVER_ROWS = 500_000


def newcomers(
    measured: DataFrame, recipe: CurationRecipe, kept: Collection[int], *, is_many: bool
) -> Fingerprints:
    """Fingerprints of the rows that passed every filter; of many, only those that share a band."""
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    passed = measured.where(F.col("outcome") == "kept")
    if is_many:
        bands = _bands(passed, recipe)
        shared = bands.groupBy("rule", "value").count().where("count > 1").drop("count")
        colliding = bands.join(shared, ["rule", "value"]).select("row_uid").distinct()
        passed = passed.join(colliding, "row_uid", "left_semi")
    return fingerprint.parse(passed.select(*fingerprint.COLUMNS).toArrow(), kept, recipe.minhash)


def residents(
    job: Job, raw: Plan, recipe: CurationRecipe, measured: DataFrame, kept: Collection[int]
) -> Fingerprints | None:
    """Fingerprints of the rows kept earlier that share a band with a new one."""
    if not kept:
        return None
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    compartment = raw.grants[0].compartment
    columns = ["row_uid", "label_id", "rule", "value", "recipe"]
    plan = job.guard.plan(
        job.principal, Purpose.CURATION, f"{compartment}:curation.signals", columns
    )
    old = job.guard.frame(job.spark, plan).where(F.col("recipe") == recipe.signals_id)
    new = _bands(measured.where(F.col("outcome") == "kept"), recipe)
    near = old.join(F.broadcast(new.select("rule", "value").distinct()), ["rule", "value"])
    found = near.select("row_uid").distinct().toArrow()["row_uid"].to_pylist()
    found = [uid for uid in found if uid in kept]
    if not found:
        return None
    texts = job.guard.frame(job.spark, raw).select("row_uid", "label_id", "text")
    same = texts.join(F.broadcast(ids(job, found)), "row_uid", "left_semi")
    rows = same.mapInArrow(fingerprint.Fingerprinting(recipe.minhash), fingerprint.DDL).toArrow()
    return fingerprint.parse(rows, kept, recipe.minhash)


def ids(job: Job, row_uids: Collection[int]) -> DataFrame:
    """A frame of ids, to join with."""
    import pyarrow as pa

    return job.spark.createDataFrame(pa.table({"row_uid": pa.array(row_uids, pa.int64())}))


def _bands(measured: DataFrame, recipe: CurationRecipe) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    from halocline_pipelines.assessment import band_rules

    rules = [*band_rules(recipe), exact.RULE]
    return (
        measured.select("row_uid", F.explode("signals").alias("signal"))
        .select("row_uid", "signal.rule", "signal.value")
        .where(F.col("rule").isin(rules))
    )
