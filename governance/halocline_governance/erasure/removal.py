"""Rows out of a Delta table and out of its files: after it, no version has them.

Each file that holds a row is written anew without it, all in one commit that carries the order's
id; then every file that the newest version does not need is removed. So older versions that had
such a file cannot be read any more, and whoever asks is told so. The caller holds the lease.

Files are written by pyarrow and not by delta-rs's own delete, whose files say that their texts are
`string_view`, on which pyarrow then cannot filter.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.erasure.finding import Selection
from halocline_governance.lake import Location, commit

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

_ORDER, _ROWS = "halocline.order", "halocline.rows"
_WRITER = "erase"
_LOG = "_delta_log"
_STATS = ("row_uid", "label_id")


def remove(place: Location, selections: Iterable[Selection], order_id: str) -> None:
    """Delete these rows of the table that lies there, in one commit.

    Raises:
        LeaseHeld: another process wrote it meanwhile.
        StorageUnavailable: the bucket did not answer, or refused.
    """
    from deltalake import CommitProperties, Transaction
    from deltalake.transaction import AddAction, RemoveAction

    table = commit.seen(place)
    chosen = {one.column: one.ids for one in selections if one.ids}
    if table is None or not chosen:
        return
    actions: list[AddAction | RemoveAction] = []
    num_rows, now = 0, int(time.time() * 1000)
    with place.reached():
        for path in _paths(table):
            written = _without(place, table, path, chosen)
            if written is None:
                continue
            gone, name, size, stats = written
            num_rows += gone
            actions.append(RemoveAction(path, data_change=True, deletion_timestamp=now))
            if name:
                actions.append(AddAction(name, size, {}, now, True, json.dumps(stats)))
    if actions:
        carried = CommitProperties(
            custom_metadata={_ORDER: order_id, _ROWS: str(num_rows)},
            app_transactions=[Transaction(_WRITER, table.version() + 1)],
        )
        with commit.fenced(place):
            table.create_write_transaction(
                actions, "append", table.schema(), commit_properties=carried
            )


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
    return sum(int(one[_ROWS]) for one in done)


def _paths(table: DeltaTable) -> list[str]:
    """The files of the newest version, as its log names them."""
    import pyarrow as pa

    return pa.table(table.get_add_actions())["path"].to_pylist()


def _without(
    place: Location, table: DeltaTable, path: str, chosen: Mapping[str, frozenset[int]]
) -> tuple[int, str, int, Mapping[str, Any]] | None:
    """Write a file anew without these rows: how many that was, and the new file's name, size and
    statistics; no name when no row is left, None when it holds none of them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, schema = _files(place), _plain(table)
    sets = {name: pa.array(sorted(ids), pa.int64()) for name, ids in chosen.items()}
    with files.open_input_file(path) as source:
        read: Any = pq.ParquetFile(source)
        keys = read.read(columns=list(chosen))
        gone = sum(_hits(batch, sets).true_count for batch in keys.to_batches())
        if not gone:
            return None
        if gone == keys.num_rows:
            return gone, "", 0, {}
        name = f"part-00000-{uuid.uuid4()}-c000.snappy.parquet"
        kept: list[pa.RecordBatch] = []
        with (
            files.open_output_stream(name) as sink,
            pq.ParquetWriter(sink, schema, compression="snappy") as writer,
        ):
            for batch in _kept(read, sets):
                plain = batch.cast(schema)
                writer.write_table(plain)
                kept.append(plain.select([one for one in _STATS if one in schema.names]))
    return gone, name, files.get_file_info(name).size, _stats(pa.concat_tables(kept))


def _kept(read: Any, sets: Mapping[str, Any]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for group in range(read.num_row_groups):
        for batch in read.read_row_group(group).to_batches():
            yield pa.table(batch.filter(pc.invert(_hits(batch, sets))))


def _hits(batch: Any, sets: Mapping[str, Any]) -> Any:
    """Which rows of a batch are chosen, by any of the columns. A null is not."""
    import pyarrow.compute as pc

    masks = [pc.is_in(batch[name], value_set=ids) for name, ids in sets.items()]
    hit = masks[0]
    for mask in masks[1:]:
        hit = pc.or_(hit, mask)
    return hit


def _stats(kept: pa.Table) -> dict[str, Any]:
    """Delta's statistics of a file, of ids alone."""
    import pyarrow.compute as pc

    told: dict[str, Any] = {"numRecords": kept.num_rows}
    ends = {name: pc.min_max(kept[name]).as_py() for name in kept.column_names}
    told["minValues"] = {name: end["min"] for name, end in ends.items()}
    told["maxValues"] = {name: end["max"] for name, end in ends.items()}
    told["nullCount"] = {name: kept[name].null_count for name in ends}
    return told


def _plain(table: DeltaTable) -> pa.Schema:
    """The table's Arrow schema; of a text, `string`."""
    import pyarrow as pa

    return pa.schema(table.to_pyarrow_dataset().schema)


def _files(place: Location) -> Any:
    """The table's folder, wherever it lies."""
    import pyarrow.fs as fs
    from deltalake.fs.fs_handler import DeltaStorageHandler

    untyped: Any = fs
    return untyped.PyFileSystem(DeltaStorageHandler(place.uri, dict(place.storage_options)))


def _sweep_folder(folder: Path, table: DeltaTable) -> None:
    """What a vacuum does not list: files half written by a process that was killed, checksums."""
    needed = {Path(name).name for name in table.file_uris()}
    for file in folder.rglob("*"):
        if _LOG in file.relative_to(folder).parts or file.is_dir() or file.name in needed:
            continue
        data = file.name.removeprefix(".").removesuffix(".crc")
        if data not in needed or not file.name.endswith(".crc"):
            file.unlink()
