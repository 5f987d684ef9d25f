"""Delta tables as the pipelines write them: made with the governed schema, appended exactly once.

Tables are made by delta-rs (milliseconds, no Spark job) and filled by Spark. Statistics are kept of
ids only, so that no text lies in a Delta log. The caller holds the lease.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance import tables

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_PROFILE = {
    "delta.enableDeletionVectors": "false",
    "delta.dataSkippingStatsColumns": "row_uid,label_id",
}


def create(path: Path, table: str) -> None:
    """Make the empty table at `path` unless it is there."""
    from deltalake import DeltaTable

    if not DeltaTable.is_deltatable(str(path)):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        DeltaTable.create(
            path, schema=tables.table(table).arrow(), mode="ignore", configuration=dict(_PROFILE)
        )


def labels(path: Path, row_uids: Collection[int]) -> dict[int, str]:
    """Which of these rows the table holds, and under which label.

    Ids only, and past the guard: a writer must see every row to write none twice.
    """
    from deltalake import DeltaTable

    if not row_uids or not DeltaTable.is_deltatable(str(path)):
        return {}
    found: dict[int, str] = {}
    dataset = DeltaTable(path).to_pyarrow_dataset()
    for batch in dataset.to_batches(columns=["row_uid", "label_id"]):
        uids, ids = batch["row_uid"].to_pylist(), batch["label_id"].to_pylist()
        found |= {uid: id_ for uid, id_ in zip(uids, ids, strict=True) if uid in row_uids}
    return found


def rows(path: Path, columns: list[str], equal: Mapping[str, str]) -> pa.Table:
    """Ids and the like of the rows whose columns equal these; past the guard, as `labels`."""
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    wanted = pc.scalar(True)
    for name, value in equal.items():
        wanted = wanted & (pc.field(name) == value)
    return DeltaTable(path).to_pyarrow_dataset().to_table(columns=columns, filter=wanted)


def count(path: Path) -> int:
    """How many rows the table holds now."""
    from deltalake import DeltaTable

    return DeltaTable(path).to_pyarrow_dataset().count_rows()


def append(frame: DataFrame, path: Path, table: str, app_id: str) -> None:
    """Append rows; a second time with the same `app_id` does nothing."""
    _write(frame, path, table, app_id, "append")


def replace(frame: DataFrame, path: Path, table: str, app_id: str) -> None:
    """Put these rows in place of all there are, in one commit; earlier versions stay readable."""
    _write(frame, path, table, app_id, "overwrite")


def version(path: Path) -> int:
    """The newest version, -1 where there is no table. Taken before looking what the table holds."""
    from deltalake import DeltaTable

    return DeltaTable(path).version() if DeltaTable.is_deltatable(str(path)) else -1


def app_id(path: Path, version: int, row_uids: Iterable[int]) -> str:
    """Names one write by its table, the version it builds on, and its rows.

    So what a killed run's JVM may still commit, and its repetition, are one write; and the same
    rows written again on purpose, later, are another.
    """
    digest = hashlib.sha256(f"{path}\x1f{version}\x1f".encode())
    for row_uid in sorted(row_uids):
        digest.update(row_uid.to_bytes(8, "big", signed=True))
    return f"halocline-{digest.hexdigest()[:40]}"


def _write(frame: DataFrame, path: Path, table: str, app_id: str, mode: str) -> None:
    create(path, table)
    (
        frame.select(*tables.table(table).column_names)
        .write.format("delta")
        .mode(mode)
        .option("txnAppId", app_id)
        .option("txnVersion", 1)
        .save(str(path))
    )
