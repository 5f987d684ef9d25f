"""Outputs as the index of one compartment has them: found by id, counted by model and time."""

from __future__ import annotations

import heapq
import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from halocline_governance.lineage import packed
from halocline_governance.lineage.lives import OPEN
from halocline_governance.lineage.thing import rfc3339
from halocline_governance.records import row_uid

TABLE = "serving.outputs"
FIRST_US, LAST_US = -(1 << 62), 1 << 62
# Parts of the files that are there now, by what the outputs were answered with.
_NOW = "FROM part JOIN file ON file.id=part.file WHERE tbl='serving.outputs' AND to_v=?"


@dataclass(slots=True)
class Count:
    """How many outputs, and when the first and the last of them."""

    num: int = 0
    first_us: int | None = None
    last_us: int | None = None
    by_model: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, model: str, num: int, first_us: int, last_us: int) -> None:
        """Count `num` more, which is more than none, of one model."""
        self.num += num
        self.first_us = first_us if self.first_us is None else min(first_us, self.first_us)
        self.last_us = last_us if self.last_us is None else max(last_us, self.last_us)
        self.by_model[model] = self.by_model.get(model, 0) + num

    def merge(self, other: Count) -> None:
        for model, num in other.by_model.items():
            assert other.first_us is not None
            assert other.last_us is not None
            self.add(model, num, other.first_us, other.last_us)

    def as_json(self) -> dict[str, Any]:
        return {
            "num": self.num,
            "first": None if self.first_us is None else rfc3339(self.first_us),
            "last": None if self.last_us is None else rfc3339(self.last_us),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """Outputs of these models (`name/version`; None is any), this endpoint ("" is any), in
    from..to, both within."""

    models: tuple[str, ...] | None = None
    endpoint: str = ""
    from_us: int = FIRST_US
    to_us: int = LAST_US

    def sql(self, columns: str) -> tuple[str, list[Any]]:
        where, values = [_NOW, "AND first_us<=? AND last_us>=?"], [OPEN, self.to_us, self.from_us]
        given: list[Any] = list(values)
        if self.models is not None:
            where.append("AND model IN (SELECT value FROM json_each(?))")
            given.append(json.dumps(self.models))
        if self.endpoint:
            where.append("AND endpoint=?")
            given.append(self.endpoint)
        return f"SELECT {columns} {' '.join(where)}", given


def count(db: sqlite3.Connection, asked: Asked) -> Count:
    """Exact: parts that lie wholly within are added up, those across an end are looked into."""
    found = Count()
    sql, values = asked.sql("part.id, model, num, first_us, last_us")
    for part, model, num, first_us, last_us in db.execute(sql, values):
        if asked.from_us <= first_us and last_us <= asked.to_us:
            found.add(model, num, first_us, last_us)
            continue
        blob = db.execute("SELECT times FROM body WHERE part=?", (part,)).fetchone()[0]
        times = packed.unpacked(blob)
        start, stop = bisect_left(times, asked.from_us), bisect_right(times, asked.to_us)
        if start < stop:
            found.add(model, stop - start, times[start], times[stop - 1])
    return found


def listed(db: sqlite3.Connection, asked: Asked) -> Iterator[tuple[int, str]]:
    """(time in microseconds, request_id), the oldest first; no more is read than is taken."""
    sql, values = asked.sql("part.id, first_us")
    waiting = sorted((first_us, part) for part, first_us in db.execute(sql, values))
    waiting.reverse()
    open_: list[tuple[int, str, int]] = []
    streams: dict[int, Iterator[tuple[int, str]]] = {}
    while waiting or open_:
        while waiting and (not open_ or waiting[-1][0] <= open_[0][0]):
            _, part = waiting.pop()
            streams[part] = _within(db, part, asked)
            _push(open_, streams, part)
        if open_:
            us, name, part = heapq.heappop(open_)
            yield us, name
            _push(open_, streams, part)


def find(db: sqlite3.Connection, request_id: str) -> Mapping[str, Any] | None:
    """One output's facts, as `serving.outputs` names them; None when it is not there now."""
    found = db.execute(
        "SELECT label, model, weights, endpoint, outcome, part.id, pos FROM row"
        " CROSS JOIN part ON part.id=row.part JOIN file ON file.id=part.file"
        " WHERE uid=? AND tbl=? AND to_v=?",
        (row_uid(TABLE, request_id), TABLE, OPEN),
    ).fetchone()
    if found is None:
        return None
    label, model, weights, endpoint, outcome, part, pos = found
    # Bytes of a blob are counted from 1.
    cut = "SELECT substr(times, ?, 8) FROM body WHERE part=?"
    time = db.execute(cut, (8 * pos + 1, part)).fetchone()[0]
    name, _, version = model.rpartition("/")
    return {
        "request_id": request_id,
        "label_id": label,
        "model": name,
        "model_version": int(version),
        "weights_sha256": weights,
        "endpoint": endpoint,
        "outcome": outcome,
        "ts": rfc3339(packed.unpacked(time)[0]),
    }


def _within(db: sqlite3.Connection, part: int, asked: Asked) -> Iterator[tuple[int, str]]:
    found = db.execute("SELECT times, names FROM body WHERE part=?", (part,)).fetchone()
    times = packed.unpacked(found[0])
    start, stop = bisect_left(times, asked.from_us), bisect_right(times, asked.to_us)
    yield from zip(times[start:stop], islice(packed.names(found[1]), start, stop), strict=True)


def _push(
    open_: list[tuple[int, str, int]], streams: dict[int, Iterator[tuple[int, str]]], part: int
) -> None:
    for us, name in islice(streams[part], 1):
        heapq.heappush(open_, (us, name, part))


def models(ids: Iterable[str]) -> tuple[str, ...]:
    """`model:NAME/VERSION` as outputs name it."""
    return tuple(id_.partition(":")[2] for id_ in ids)
