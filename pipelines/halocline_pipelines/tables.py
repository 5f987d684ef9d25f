"""Delta tables as the pipelines write them: made with the governed schema, appended exactly once.

Tables are made by delta-rs (milliseconds, no Spark job) and filled by Spark. Statistics are kept of
ids only, so that no text lies in a Delta log. The caller holds the lease.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from halocline_governance import tables
from halocline_governance.lake import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_PROFILE = {
    "delta.enableDeletionVectors": "false",
    "delta.dataSkippingStatsColumns": "row_uid,label_id",
}


def create(place: Location, table: str) -> None:
    """Make the empty table there unless it is there."""
    from deltalake import DeltaTable

    with place.reached():
        if not place.is_delta():
            DeltaTable.create(
                place.uri,
                schema=tables.table(table).arrow(),
                mode="ignore",
                configuration=dict(_PROFILE),
                storage_options=dict(place.storage_options),
            )


def labels(place: Location, row_uids: Collection[int]) -> dict[int, str]:
    """Which of these rows the table holds, and under which label.

    Ids only, and past the guard: a writer must see every row to write none twice.
    """
    if not row_uids:
        return {}
    found: dict[int, str] = {}
    with place.reached():
        if not place.is_delta():
            return {}
        dataset = place.delta().to_pyarrow_dataset()
        for batch in dataset.to_batches(columns=["row_uid", "label_id"]):
            uids, ids = batch["row_uid"].to_pylist(), batch["label_id"].to_pylist()
            found |= {uid: id_ for uid, id_ in zip(uids, ids, strict=True) if uid in row_uids}
    return found


def rows(place: Location, columns: list[str], equal: Mapping[str, str]) -> pa.Table:
    """Ids and the like of the rows whose columns equal these; past the guard, as `labels`."""
    import pyarrow.compute as pc

    wanted = pc.scalar(True)
    for name, value in equal.items():
        wanted = wanted & (pc.field(name) == value)
    with place.reached():
        return place.delta().to_pyarrow_dataset().to_table(columns=columns, filter=wanted)


def count(place: Location) -> int:
    """How many rows the table holds now."""
    with place.reached():
        return place.delta().to_pyarrow_dataset().count_rows()


def load(spark: SparkSession, place: Location) -> DataFrame:
    """The table as Spark reads it; past the guard, as `labels`."""
    return spark.read.format("delta").options(**place.spark_options).load(place.spark_uri)


def append(frame: DataFrame, place: Location, table: str, app_id: str) -> None:
    """Append rows; a second time with the same `app_id` does nothing."""
    _write(frame, place, table, app_id, "append")


def replace(frame: DataFrame, place: Location, table: str, app_id: str) -> None:
    """Put these rows in place of all there are, in one commit; earlier versions stay readable."""
    _write(frame, place, table, app_id, "overwrite")


def version(place: Location) -> int:
    """The newest version, -1 where there is no table. Taken before looking what the table holds."""
    with place.reached():
        return place.delta().version() if place.is_delta() else -1


def app_id(secret: bytes, place: Location, version: int, row_uids: Iterable[int]) -> str:
    """Names one write by its table, the version it builds on, and its rows.

    So what a killed run's JVM may still commit, and its repetition, are one write; and the same
    rows written again on purpose, later, are another. Ids of rows are hashes of their texts, and
    this name stands in the journal: it is made with a key, so that no guess can be held against it.
    """
    digest = hmac.new(secret, f"write\x1f{place.uri}\x1f{version}\x1f".encode(), hashlib.sha256)
    for row_uid in sorted(row_uids):
        digest.update(row_uid.to_bytes(8, "big", signed=True))
    return f"halocline-{digest.hexdigest()[:40]}"


def _write(frame: DataFrame, place: Location, table: str, app_id: str, mode: str) -> None:
    create(place, table)
    (
        frame.select(*tables.table(table).column_names)
        .write.format("delta")
        .mode(mode)
        .option("txnAppId", app_id)
        .option("txnVersion", 1)
        .options(**place.spark_options)
        .save(place.spark_uri)
    )
