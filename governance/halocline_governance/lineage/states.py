"""Fingerprints of any table at any version, from states kept for each file and label.

A file never changes, so what an append or a delete costs is the files it wrote: the fingerprint of
a version is the sum over the files it holds and the labels asked for. Governed rows with a content
hash are taken as dataset versions take them, other rows by all that they hold.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.lake import Location
from halocline_governance.lineage import fingerprint
from halocline_governance.lineage.commits import File, History
from halocline_governance.lineage.fingerprint import Fingerprint
from halocline_governance.lineage.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_PAIR = ("row_uid", "content_sha256")


def of_version(
    store: Store,
    place: Location,
    table: str,
    version: int,
    label_ids: Collection[str] | None = None,
    whole: bool = False,
) -> tuple[int, str]:
    """Rows and fingerprint of one version of a table whose files `store` has followed.

    Args:
        label_ids: of the rows to take; None takes every row.
        whole: take rows by all that they hold, even where they have a content hash.

    Raises:
        StorageUnavailable: the version, or a file of it, cannot be read any more.
        Refused: labels are asked for, and the table's rows have none.
    """
    columns = set(tables.table(table).column_names)
    if label_ids is not None and "label_id" not in columns:
        raise Refused(f"the rows of {table} have no labels to choose by")
    by_content = not whole and columns.issuperset(_PAIR)
    with store.read() as db:
        files = _files(db, table, version)
    total = Fingerprint()
    with place.reached():
        history = History(place)
        for number, file in files:
            for label, state in _states(store, history, number, file, by_content).items():
                if label_ids is None or label in label_ids:
                    total = total.merge(state)
    return total.num_rows, total.hex()


def _files(db: sqlite3.Connection, table: str, version: int) -> list[tuple[int, File]]:
    gone = f"{table} version {version} cannot be read any more"
    newest = db.execute("SELECT version FROM tracked WHERE tbl=?", (table,)).fetchone()
    where = "WHERE tbl=? AND from_v<=? AND to_v>?"
    lost = db.execute(f"SELECT 1 FROM gap {where}", (table, version, version)).fetchone()
    if newest is None or not 0 <= version <= newest[0] or lost:
        raise StorageUnavailable(gone)
    found = db.execute(
        f"SELECT id, path, constants, unread FROM file {where} ORDER BY id",
        (table, version, version),
    ).fetchall()
    if any(unread for *_, unread in found):
        raise StorageUnavailable(gone)
    return [(number, File(path, json.loads(fixed))) for number, path, fixed, _ in found]


def _states(
    store: Store, history: History, number: int, file: File, by_content: bool
) -> dict[str, Fingerprint]:
    with store.read() as db:
        known = db.execute(
            "SELECT label, num, state FROM hash WHERE file=? AND whole=?", (number, not by_content)
        ).fetchall()
    if known:
        return {label: fingerprint.resume(num, state) for label, num, state in known}
    try:
        rows = history.rows(file, (*_PAIR, "label_id") if by_content else None)
    except FileNotFoundError:
        raise StorageUnavailable("a file of this version was vacuumed; it cannot be read") from None
    made = _made(rows, by_content)
    # An empty file has a state too, so that it is not read again.
    kept = made or {"": Fingerprint()}
    marks = [(number, not by_content, label, s.num_rows, s.state()) for label, s in kept.items()]
    with store.change() as db:
        db.executemany("INSERT OR IGNORE INTO hash VALUES (?,?,?,?,?)", marks)
    return made


def _made(rows: pa.Table, by_content: bool) -> dict[str, Fingerprint]:
    made: dict[str, Fingerprint] = {}
    for label, part in _by_label(rows):
        state = made.setdefault(label, Fingerprint())
        if by_content:
            uids, hashes = (part[name].to_pylist() for name in _PAIR)
            state.add_all(zip(uids, hashes, strict=True))
        else:
            for batch in part.to_batches(max_chunksize=2048):
                state.add_whole(batch.to_pylist())
    return made


def _by_label(rows: pa.Table) -> list[tuple[str, pa.Table]]:
    import pyarrow.compute as pc

    if "label_id" not in rows.column_names:
        return [("", rows)]
    field: Any = pc.fill_null(rows["label_id"], "")
    labels: list[str] = pc.unique(field).to_pylist()
    return [(label, rows.filter(pc.equal(field, label))) for label in labels]
