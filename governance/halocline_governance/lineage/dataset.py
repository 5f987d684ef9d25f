"""The rows a recorded dataset version is made of: exact counts at once, ids as they are taken."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from halocline_governance.lineage import packed, selection
from halocline_governance.lineage.selection import Version

FIRST = 1000
MOST = 1 << 27  # more ids than a blob can hold
_HELD = (
    " FROM part JOIN file ON file.id=part.file WHERE tbl=? AND from_v<=? AND to_v>?"
    " AND label IN (SELECT value FROM json_each(?))"
)


@dataclass(frozen=True, slots=True)
class DatasetRows:
    """Iterating gives every row_uid that can be read, file by file, read as they are taken.

    Args:
        version: which rows.
        num_rows: as counted, of those that can still be read.
        num_recorded: as recorded when they were read.
        labels: rows by label id.
        sources: rows by source; "" where the table has none.
        licences: rows by licence; "" where the table has none.
        first: the first 1,000 ids that iterating gives.
        gaps: why that is not all, or not what was recorded.
    """

    version: Version
    num_rows: int
    num_recorded: int
    labels: Mapping[str, int]
    sources: Mapping[str, int]
    licences: Mapping[str, int]
    first: Sequence[int]
    gaps: tuple[str, ...]
    _open: Callable[[], AbstractContextManager[sqlite3.Connection]] = field(
        repr=False, compare=False
    )

    def __iter__(self) -> Iterator[int]:
        with self._open() as db:
            yield from _ids(db, self.version)

    def as_json(self) -> dict[str, Any]:
        """Ids as text: readers of JSON agree on whole numbers up to 2**53 only."""
        return {
            "dsv_id": self.version.dsv_id,
            "num_rows": self.num_recorded,
            "num_readable": self.num_rows,
            "num_recorded": self.num_recorded,
            "labels": dict(self.labels),
            "sources": dict(self.sources),
            "licences": dict(self.licences),
            "first": [str(uid) for uid in self.first],
            "gaps": list(self.gaps),
        }


@dataclass(frozen=True, slots=True)
class Held:
    """What a version holds, as far as its index knows: `lost` when that is not all, `erased` of how
    many rows the ids are not known any more."""

    num: int
    counts: Mapping[str, Mapping[str, int]]
    first: array[int]
    lost: bool = False
    erased: int = 0


def kept(db: sqlite3.Connection, version: Version) -> Held | None:
    """What was worked out before: what a version holds does not change."""
    found = db.execute(
        "SELECT num, counts, first FROM kept WHERE tbl=? AND version=? AND labels=?",
        (version.table, version.version, _labels(version)),
    ).fetchone()
    return found and Held(found[0], json.loads(found[1]), packed.unpacked(found[2]))


def keep(db: sqlite3.Connection, version: Version) -> Held:
    """Work it out, and keep it where all of it is known."""
    held = _read(db, version)
    if not held.lost and not held.erased:
        whole = (held.num, json.dumps(held.counts), held.first.tobytes())
        key = (version.table, version.version, _labels(version))
        db.execute("INSERT OR REPLACE INTO kept VALUES (?,?,?,?,?,?)", (*key, *whole))
    return held


def rows(
    version: Version,
    num_recorded: int,
    held: Held,
    open_: Callable[[], AbstractContextManager[sqlite3.Connection]],
) -> DatasetRows:
    """The rows of a version.

    Args:
        open_: gives a connection to iterate on.
    """
    name = f"dataset version {version.dsv_id}"
    gaps = [selection.gap(version)] if held.lost else []
    if held.erased:
        gaps.append(f"{name}: {held.erased} of its rows were erased; their ids are not known")
    if not held.lost and held.num != num_recorded:
        gaps.append(f"{name}: it holds other rows than were recorded")
    return DatasetRows(
        version=version,
        num_rows=held.num,
        num_recorded=num_recorded,
        labels=held.counts["label"],
        sources=held.counts["source"],
        licences=held.counts["licence"],
        first=held.first,
        gaps=tuple(gaps),
        _open=open_,
    )


def _read(db: sqlite3.Connection, version: Version) -> Held:
    counts: dict[str, dict[str, int]] = {"label": {}, "source": {}, "licence": {}}
    if selection.unseen(db, [version]):
        return Held(0, counts, array("q"), lost=True)
    total = erased = 0
    sql = f"SELECT label, source, licence, sum(num), sum(erased){_HELD} GROUP BY 1, 2, 3"
    for label, source, licence, num, missing in db.execute(sql, _values(version)):
        total, erased = total + num, erased + missing
        for name, value in (("label", label), ("source", source), ("licence", licence)):
            counts[name][value or ""] = counts[name].get(value or "", 0) + num
    ordered = {name: dict(sorted(of.items())) for name, of in counts.items()}
    first = array("q", islice(_ids(db, version, FIRST), FIRST))
    return Held(total, ordered, first, bool(selection.partly(db, [version])), erased)


def _ids(db: sqlite3.Connection, version: Version, first: int = MOST) -> Iterator[int]:
    held = _HELD.replace("FROM part", "FROM part JOIN body ON body.part=part.id")
    sql = f"SELECT substr(uids, 1, ?){held} ORDER BY file.id, part.id"
    for (blob,) in db.execute(sql, (8 * first, *_values(version))):
        yield from packed.unpacked(blob)


def _values(version: Version) -> tuple[Any, ...]:
    return version.table, version.version, version.version, _labels(version)


def _labels(version: Version) -> str:
    return json.dumps(sorted(version.labels))
