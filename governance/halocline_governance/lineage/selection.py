"""Rows chosen by one fact, in one compartment: where they lived, and which dataset versions held
them, counted from the index and never guessed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from halocline_governance.lineage import packed
from halocline_governance.lineage.lives import OPEN as OPEN
from halocline_governance.lineage.seen import WHOLE, Seen
from halocline_governance.lineage.thing import Thing

# Rows keep their id on the way from the first table to the second.
SAME_ROWS = {"raw.documents": ("raw.documents", "curated.documents")}


@dataclass(frozen=True, slots=True)
class Life:
    """`num` rows of one file, alike in their facts: at every version from..to - 1."""

    table: str
    from_v: int
    to_v: int
    label: str
    source: str | None
    licence: str | None
    num: int
    part: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A dataset version, and how many of the chosen rows it holds."""

    dsv_id: str
    num: int


@dataclass(frozen=True, slots=True)
class Version:
    """A dataset version's place, and the labels that were granted."""

    dsv_id: str
    compartment: str
    table: str
    version: int
    labels: frozenset[str]


_LIFE = (
    "SELECT tbl, from_v, to_v, label, source, licence, {num}, part.id"
    " FROM {first} JOIN file ON file.id=part.file WHERE {where} ORDER BY tbl, from_v, part.id"
)


def lives(db: sqlite3.Connection, thing: Thing, seen: Seen = WHOLE) -> list[Life]:
    """Where the rows of a row, a source, a licence or a subject lived, as far as their labels may
    be seen."""
    if thing.kind == "row":
        _, table, uid = thing.row
        names = kin(table)
        marks = ",".join("?" * len(names))
        sql = _LIFE.format(
            num="count(*)",
            first="row CROSS JOIN part ON part.id=row.part",
            where=f"row.uid=? AND tbl IN ({marks}) GROUP BY part.id",
        )
        found = db.execute(sql, (uid, *sorted(names)))
    elif thing.kind == "subject":
        sql = _LIFE.format(
            num="sum(subject.num)",
            first="subject CROSS JOIN part ON part.id=subject.part",
            where="key=? GROUP BY part.id",
        )
        found = db.execute(sql, (thing.name,))
    else:
        sql = _LIFE.format(num="num", first="part", where=f"{thing.kind}=?")
        found = db.execute(sql, (thing.name,))
    return [life for row in found if seen.label((life := Life(*row)).label)]


def kin(table: str) -> set[str]:
    """The tables in which a row of this one has the same id: before it and after it."""
    before = [raw for raw, same in SAME_ROWS.items() if table in same]
    return {table, *SAME_ROWS.get(table, ()), *before}


def versions(graph: sqlite3.Connection, at: str, compartment: str) -> list[Version]:
    """The dataset versions of one compartment that were on record by then."""
    found = graph.execute(
        "SELECT id, compartment, tbl, version, labels FROM dataset WHERE compartment=? AND ts<=?"
        " ORDER BY id",
        (compartment, at),
    )
    return [_version(*row) for row in found]


def version(graph: sqlite3.Connection, dsv_id: str) -> Version:
    """One that is on record."""
    found = "SELECT id, compartment, tbl, version, labels FROM dataset WHERE id=?"
    return _version(*graph.execute(found, (dsv_id,)).fetchone())


def _version(dsv_id: str, compartment: str, table: str, number: int, labels: str) -> Version:
    return Version(dsv_id, compartment, table, number, frozenset(json.loads(labels)))


def hits(held: Sequence[Life], known: Sequence[Version]) -> list[Hit]:
    """The versions that hold any of these rows, by id, with how many."""
    by_table: dict[str, list[Life]] = {}
    for life in held:
        by_table.setdefault(life.table, []).append(life)
    found: list[Hit] = []
    for dataset in known:
        num = sum(
            life.num
            for life in by_table.get(dataset.table, ())
            if life.from_v <= dataset.version < life.to_v and life.label in dataset.labels
        )
        if num:
            found.append(Hit(dataset.dsv_id, num))
    return found


def unseen(db: sqlite3.Connection, known: Sequence[Version]) -> list[Version]:
    """Those of these versions, all of one compartment, of which nothing can be told: there is no
    such version, or its commit was cleaned away."""
    newest: dict[str, int] = dict(db.execute("SELECT tbl, version FROM tracked").fetchall())
    spans = _spans(db.execute("SELECT tbl, from_v, to_v FROM gap").fetchall())
    return [one for one in known if one.version > newest.get(one.table, -1) or _in(one, spans)]


def partly(db: sqlite3.Connection, known: Sequence[Version]) -> list[Version]:
    """Those of which some file cannot be read any more."""
    lost = "SELECT tbl, from_v, to_v FROM file WHERE unread<>''"
    spans = _spans(db.execute(lost).fetchall())
    return [one for one in known if _in(one, spans)]


def _spans(found: Sequence[tuple[str, int, int]]) -> dict[str, list[tuple[int, int]]]:
    spans: dict[str, list[tuple[int, int]]] = {}
    for table, from_v, to_v in found:
        spans.setdefault(table, []).append((from_v, to_v))
    return spans


def _in(one: Version, spans: dict[str, list[tuple[int, int]]]) -> bool:
    return any(from_v <= one.version < to_v for from_v, to_v in spans.get(one.table, ()))


def gap(one: Version) -> str:
    return f"{one.compartment}:{one.table} version {one.version} cannot be read any more"


def counted(
    db: sqlite3.Connection, thing: Thing, held: Sequence[Life], us: int
) -> dict[str, tuple[int, int]]:
    """By table: how many of these rows there were at that moment, and how many there ever were
    until then, each id once."""
    return {
        table: (sum(life.num for life in there), len(_ids(db, thing, [*there, *before])))
        for table, there, before in _then(db, held, us)
    }


def listed(
    db: sqlite3.Connection, thing: Thing, held: Sequence[Life], us: int
) -> Iterator[tuple[str, int, bool]]:
    """(table, row_uid, whether it was there at that moment) of every row there ever was until then,
    each once, by table and id."""
    for table, there, before in _then(db, held, us):
        ids = _ids(db, thing, there)
        yield from ((table, uid, uid in ids) for uid in sorted(ids | _ids(db, thing, before)))


def _then(
    db: sqlite3.Connection, held: Sequence[Life], us: int
) -> Iterator[tuple[str, list[Life], list[Life]]]:
    """By table: where the rows lived at that moment, and where before."""
    for table in sorted({life.table for life in held}):
        newest = db.execute("SELECT max(version) FROM step WHERE tbl=? AND us<=?", (table, us))
        last = newest.fetchone()[0]
        version = -1 if last is None else int(last)
        began = [life for life in held if life.table == table and life.from_v <= version]
        there = [life for life in began if version < life.to_v]
        yield table, there, [life for life in began if life.to_v <= version]


def _ids(db: sqlite3.Connection, thing: Thing, held: Sequence[Life]) -> set[int]:
    if thing.kind == "row":
        return {thing.row[2]} if held else set()
    ids: set[int] = set()
    for life in held:
        if thing.kind == "subject":
            mine = "SELECT uid FROM subject WHERE key=? AND part=?"
            ids.update(uid for (uid,) in db.execute(mine, (thing.name, life.part)))
        else:
            blob = db.execute("SELECT uids FROM body WHERE part=?", (life.part,)).fetchone()
            ids.update(packed.unpacked(blob[0]))
    return ids
