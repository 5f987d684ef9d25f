"""Rows out of a Delta table and out of its files: after it, no version has them.

A delete writes the files anew that held a row, in one commit that carries the order's id; then
every file that the newest version does not need is removed. So older versions that shared such a
file cannot be read any more, and whoever asks for one is told so. The caller holds the lease.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.erasure.finding import Selection
from halocline_governance.lake import Location, commit

if TYPE_CHECKING:
    from deltalake import DeltaTable

_ORDER = "halocline.order"
_WRITER = "erase"
_LOG = "_delta_log"


def remove(place: Location, selections: Iterable[Selection], order_id: str) -> None:
    """Delete these rows of the table that lies there, in a commit for each selection.

    Raises:
        LeaseHeld: another process wrote it meanwhile.
        StorageUnavailable: the bucket did not answer, or refused.
    """
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction

    for one in selections:
        table = commit.seen(place)
        if table is None:
            return
        carried = CommitProperties(
            custom_metadata={_ORDER: order_id},
            app_transactions=[Transaction(_WRITER, table.version() + 1)],
        )
        ids = pa.table({"id": pa.array(sorted(one.ids), pa.int64())})
        with commit.fenced(place):
            table.merge(
                ids,
                f"there.{one.column} = gone.id",
                source_alias="gone",
                target_alias="there",
                commit_properties=carried,
            ).when_matched_delete().execute()


def sweep(place: Location) -> None:
    """Remove every file that the newest version does not need.

    Raises:
        StorageUnavailable: the bucket did not answer, or refused.
    """
    table = commit.seen(place)
    if table is None:
        return
    with place.reached():
        table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
        if "://" not in place.uri:
            _sweep_folder(Path(place.uri), table)


def num_removed(place: Location, order_id: str) -> int:
    """How many rows commits of this order have removed from the table."""
    table = commit.seen(place)
    if table is None:
        return 0
    with place.reached():
        done: list[dict[str, Any]] = [h for h in table.history() if h.get(_ORDER) == order_id]
    return sum(int(one["operationMetrics"]["num_target_rows_deleted"]) for one in done)


def _sweep_folder(folder: Path, table: DeltaTable) -> None:
    """What a vacuum does not list: files half written by a process that was killed, checksums."""
    needed = {Path(name).name for name in table.file_uris()}
    for file in folder.rglob("*"):
        if _LOG in file.relative_to(folder).parts or file.is_dir() or file.name in needed:
            continue
        data = file.name.removeprefix(".").removesuffix(".crc")
        if data not in needed or not file.name.endswith(".crc"):
            file.unlink()
