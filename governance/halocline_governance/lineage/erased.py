"""What the index forgets of rows that were erased: their ids, subject keys and hashes.

How many rows a version held of each label, source and licence is no row's own and stays, and so
does what is known of other rows.
"""

from __future__ import annotations

import sqlite3
from array import array

from halocline_governance.lineage import packed
from halocline_governance.lineage.lives import OPEN


def forget(db: sqlite3.Connection, table: str) -> None:
    """Take the rows of one table out that no file has which is there now, and all sums over rows of
    files that ended: no sum shows which row it lacks."""
    gone = "IN (SELECT id FROM file WHERE tbl=? AND to_v<?)"
    db.execute(f"DELETE FROM hash WHERE file {gone}", (table, OPEN))
    db.execute("DELETE FROM kept WHERE tbl=?", (table,))
    parts = db.execute(f"SELECT id FROM part WHERE file {gone} ORDER BY id", (table, OPEN))
    lost: set[tuple[int, int]] = set()
    for (part,) in parts.fetchall():
        lost |= {(part, uid) for uid in _forget_in(db, table, part)}
    if not lost:
        return
    db.executemany("DELETE FROM row WHERE part=? AND uid=?", sorted(lost))
    keys = db.execute("SELECT part, uid, key FROM subject").fetchall()
    mine = [row for row in keys if row[:2] in lost]
    db.executemany("DELETE FROM subject WHERE part=? AND uid=? AND key=?", mine)


def _forget_in(db: sqlite3.Connection, table: str, part: int) -> set[int]:
    """Write one part's ids without those that are gone, which are returned. Where in a part an
    output stands is only asked of files that are there, so the others may move up."""
    body = db.execute("SELECT uids, times, names FROM body WHERE part=?", (part,)).fetchone()
    uids, times = packed.unpacked(body[0]), packed.unpacked(body[1])
    lost = {uid for uid in uids if not _is_there(db, table, uid)}
    if not lost:
        return lost
    stay = [number for number, uid in enumerate(uids) if uid not in lost]
    told = list(packed.names(body[2])) if body[2] else []
    db.execute(
        "UPDATE body SET uids=?, times=?, names=? WHERE part=?",
        (
            array("q", (uids[number] for number in stay)).tobytes(),
            array("q", (times[number] for number in stay)).tobytes() if times else None,
            packed.named(told[number] for number in stay) if told else None,
            part,
        ),
    )
    num = len(uids) - len(stay)
    db.execute("UPDATE part SET erased=erased+? WHERE id=?", (num, part))
    return lost


def _is_there(db: sqlite3.Connection, table: str, uid: int) -> bool:
    found = db.execute(
        "SELECT 1 FROM row CROSS JOIN part ON part.id=row.part JOIN file ON file.id=part.file"
        " WHERE uid=? AND tbl=? AND to_v=? LIMIT 1",
        (uid, table, OPEN),
    )
    return found.fetchone() is not None
