"""The rows of one compartment's tables and the versions they lived in, as an index.

A file of a Delta table never changes, so a row's life is the lives of the files that held it: a
commit begins and ends files, and the rows of a file are read once. `follow` brings one table up to
date, a transaction a version. Which rows there were at versions that are gone is a gap.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Any

from halocline_governance import tables
from halocline_governance.errors import StorageUnavailable
from halocline_governance.lake import Location
from halocline_governance.lineage import packed
from halocline_governance.lineage.commits import File, History, Step
from halocline_governance.lineage.store import Store

SCHEMA = """
CREATE TABLE tracked (tbl TEXT PRIMARY KEY, version INT, stamp TEXT, table_id TEXT, has_rows INT);
CREATE TABLE gap (tbl TEXT, from_v INT, to_v INT);
CREATE TABLE step (tbl TEXT, version INT, us INT, PRIMARY KEY (tbl, version)) WITHOUT ROWID;
CREATE TABLE file (id INTEGER PRIMARY KEY, tbl TEXT, path TEXT, constants TEXT, from_v INT,
    to_v INT, unread TEXT);
CREATE INDEX file_unread ON file (tbl) WHERE unread<>'';
CREATE INDEX file_life ON file (tbl, to_v, from_v);
CREATE TABLE part (id INTEGER PRIMARY KEY, file INT, label TEXT, source TEXT, licence TEXT,
    model TEXT, weights TEXT, endpoint TEXT, outcome TEXT, num INT, first_us INT, last_us INT,
    erased INT DEFAULT 0);
CREATE INDEX part_file ON part (file, label, source, licence, num, erased);
CREATE INDEX part_source ON part (source);
CREATE INDEX part_licence ON part (licence);
CREATE INDEX part_model ON part (model, endpoint);
CREATE TABLE body (part INTEGER PRIMARY KEY, uids BLOB, times BLOB, names BLOB);
CREATE TABLE row (uid INT, part INT, pos INT, PRIMARY KEY (uid, part, pos)) WITHOUT ROWID;
CREATE TABLE subject (key TEXT, part INT, uid INT, num INT, PRIMARY KEY (key, part, uid))
    WITHOUT ROWID;
CREATE TABLE kept (tbl TEXT, version INT, labels TEXT, num INT, counts TEXT, first BLOB,
    PRIMARY KEY (tbl, version, labels));
CREATE TABLE hash (file INT, whole INT, label TEXT, num INT, state BLOB,
    PRIMARY KEY (file, whole, label)) WITHOUT ROWID
"""
OPEN = 1 << 62  # the end of what has not ended


def follow(store: Store, place: Location, table: str, has_rows: bool) -> int:
    """Bring one table up to date; two processes at once take turns, version by version.

    Args:
        has_rows: index the rows too, and not just which files there were.

    Returns:
        The version it is at.

    Raises:
        StorageUnavailable: the table's log cannot be read.
    """
    from pyarrow.lib import ArrowException

    with place.reached():
        history = History(place)
        while True:
            with store.change() as db:
                version, has_rows = _resumed(db, history, table, has_rows)
                try:
                    step = history.after(version)
                except ArrowException:
                    raise StorageUnavailable(f"{table}: its log cannot be read") from None
                if step is None:
                    return version
                _apply(db, history, table, version, step, has_rows)


def forget(store: Store, table: str) -> None:
    """Take a table out, when it is no more."""
    with store.change() as db:
        _drop(db, table)


def _resumed(
    db: sqlite3.Connection, history: History, table: str, has_rows: bool
) -> tuple[int, bool]:
    """The version to go on from, -1 when the table was made anew or its rows are wanted now, and
    whether its rows are kept."""
    known = db.execute(
        "SELECT version, stamp, has_rows FROM tracked WHERE tbl=?", (table,)
    ).fetchone()
    if known is None:
        return -1, has_rows
    now = history.stamp(known[0])
    replaced = history.newest() < known[0] if not now else now != known[1]
    if replaced or known[2] < has_rows:
        _drop(db, table)
        return -1, has_rows or bool(known[2])
    return int(known[0]), bool(known[2])


def _drop(db: sqlite3.Connection, table: str) -> None:
    parts = "(SELECT part.id FROM part JOIN file ON file.id=file WHERE tbl=?)"
    for name in ("row", "subject", "body"):
        db.execute(f"DELETE FROM {name} WHERE part IN {parts}", (table,))
    for name in ("part", "hash"):
        db.execute(f"DELETE FROM {name} WHERE file IN (SELECT id FROM file WHERE tbl=?)", (table,))
    for name in ("file", "step", "gap", "kept", "tracked"):
        db.execute(f"DELETE FROM {name} WHERE tbl=?", (table,))


def _apply(
    db: sqlite3.Connection, history: History, table: str, before: int, step: Step, has_rows: bool
) -> None:
    version = step.version
    if version > before + 1:
        db.execute("INSERT INTO gap VALUES (?,?,?)", (table, before + 1, version))
    live = dict(
        db.execute("SELECT path, id FROM file WHERE tbl=? AND to_v=?", (table, OPEN)).fetchall()
    )
    there = {file.path for file in step.added}
    ended = set(step.removed) if step.removed is not None else live.keys() - there
    for path in ended & live.keys():
        # Between a gap's ends nobody looks, so where in it a file ended does not matter.
        db.execute("UPDATE file SET to_v=? WHERE id=?", (version, live.pop(path)))
    for file in step.added:
        if file.path not in live:
            live[file.path] = _begin(db, history, table, version, file, has_rows)
    db.execute("INSERT INTO step VALUES (?,?,?)", (table, version, _time(db, table, step)))
    db.execute(
        "INSERT OR REPLACE INTO tracked VALUES (?,?,?,?,?)",
        (table, version, history.stamp(version), step.table_id, has_rows),
    )


def _time(db: sqlite3.Connection, table: str, step: Step) -> int:
    """As Delta tells versions apart by time: a clock that went back does not go back here."""
    last = db.execute("SELECT max(us) FROM step WHERE tbl=?", (table,)).fetchone()[0]
    return max(last or 0, step.epoch_us or 0)


def _begin(
    db: sqlite3.Connection, history: History, table: str, version: int, file: File, has_rows: bool
) -> int:
    from pyarrow.lib import ArrowInvalid

    unread, parts = file.unread, list[packed.Part]()
    if has_rows and not unread:
        try:
            parts = packed.parts(history.rows(file, packed.wanted(tables.table(table))))
        except FileNotFoundError:
            unread = "it was vacuumed"
        except (ArrowInvalid, KeyError):
            unread = "it is not as its table's schema says"
    constants = packed.as_text(file.constants)
    new = db.execute(
        "INSERT INTO file (tbl, path, constants, from_v, to_v, unread) VALUES (?,?,?,?,?,?)",
        (table, file.path, constants, version, OPEN, unread),
    )
    assert new.lastrowid is not None
    places: list[tuple[int, int, int]] = []
    for part in parts:
        places += _put(db, new.lastrowid, part)
    places.sort()  # pages of the tree are filled one after the other
    db.executemany("INSERT INTO row VALUES (?,?,?)", places)
    return new.lastrowid


def _put(db: sqlite3.Connection, file: int, part: packed.Part) -> Sequence[tuple[int, int, int]]:
    facts: list[Any] = [part.facts.get(name) for name in packed.FACTS]
    marks = ",".join("?" * (len(facts) + 4))
    put = db.execute(
        f"INSERT INTO part (file, {','.join(packed.FACTS)}, num, first_us, last_us)"
        f" VALUES ({marks})",
        [file, *facts, len(part.uids), part.first_us, part.last_us],
    )
    number = put.lastrowid
    assert number is not None
    db.execute(
        "INSERT INTO body VALUES (?,?,?,?)",
        (number, part.uids.tobytes(), part.times.tobytes() or None, part.names or None),
    )
    keys = ((key, number, uid, num) for (key, uid), num in Counter(part.subjects).items())
    db.executemany("INSERT INTO subject VALUES (?,?,?,?)", keys)
    return [(uid, number, position) for position, uid in enumerate(part.uids)]
