"""The rows a recorded dataset version is made of: exact counts at once, ids as they are taken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
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
    """Iterating gives every row_uid, file by file, read as they are taken.

    Args:
        version: which rows.
        num_rows: as counted.
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
    first: tuple[int, ...]
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
            "num_rows": self.num_rows,
            "num_recorded": self.num_recorded,
            "labels": dict(self.labels),
            "sources": dict(self.sources),
            "licences": dict(self.licences),
            "first": [str(uid) for uid in self.first],
            "gaps": list(self.gaps),
        }


def read(
    db: sqlite3.Connection,
    version: Version,
    num_recorded: int,
    open_: Callable[[], AbstractContextManager[sqlite3.Connection]],
) -> DatasetRows:
    """The rows of a version, from the index of its compartment.

    Args:
        open_: gives a connection to iterate on.
    """
    gone = bool(selection.unseen(db, [version]))
    lost = gone or bool(selection.partly(db, [version]))
    counts: dict[str, dict[str, int]] = {"label": {}, "source": {}, "licence": {}}
    total = 0
    grouped = f"SELECT label, source, licence, sum(num){_HELD} GROUP BY label, source, licence"
    for label, source, licence, num in () if gone else db.execute(grouped, _values(version)):
        total += num
        for name, value in (("label", label), ("source", source), ("licence", licence)):
            counts[name][value or ""] = counts[name].get(value or "", 0) + num
    gaps = [selection.gap(version)] if lost else []
    if not lost and total != num_recorded:
        gaps.append(f"dataset version {version.dsv_id}: it holds other rows than were recorded")
    return DatasetRows(
        version=version,
        num_rows=total,
        num_recorded=num_recorded,
        labels=dict(sorted(counts["label"].items())),
        sources=dict(sorted(counts["source"].items())),
        licences=dict(sorted(counts["licence"].items())),
        first=() if gone else tuple(islice(_ids(db, version, FIRST), FIRST)),
        gaps=tuple(gaps),
        _open=open_,
    )


def _ids(db: sqlite3.Connection, version: Version, first: int = MOST) -> Iterator[int]:
    held = _HELD.replace("FROM part", "FROM part JOIN body ON body.part=part.id")
    sql = f"SELECT substr(uids, 1, ?){held} ORDER BY file.id, part.id"
    for (blob,) in db.execute(sql, (8 * first, *_values(version))):
        yield from packed.unpacked(blob)


def _values(version: Version) -> tuple[Any, ...]:
    labels = json.dumps(sorted(version.labels))
    return version.table, version.version, version.version, labels
