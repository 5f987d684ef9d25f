"""Outputs as the index of one compartment has them: found by id, counted by model and time."""

from __future__ import annotations

import heapq
import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from halocline_governance.lineage import packed
from halocline_governance.lineage.lives import OPEN
from halocline_governance.lineage.seen import WHOLE, Seen
from halocline_governance.lineage.thing import rfc3339
from halocline_governance.lineage.trace import Node, Trace
from halocline_governance.records import row_uid

TABLE = "serving.outputs"
FIRST_US, LAST_US = -(1 << 62), 1 << 62
# Parts of the files that are there now, by what the outputs were answered with.
_NOW = "FROM part JOIN file ON file.id=part.file WHERE tbl='serving.outputs' AND to_v=?"


class Part(NamedTuple):
    """Outputs of one model, one outcome and one label are counted together."""

    model: str
    outcome: str
    label_id: str


class Span(NamedTuple):
    """How many, more than none, and when the first and the last of them."""

    num: int
    first_us: int
    last_us: int

    def __or__(self, other: Span) -> Span:
        first, last = min(self.first_us, other.first_us), max(self.last_us, other.last_us)
        return Span(self.num + other.num, first, last)


@dataclass(slots=True)
class Count:
    """How many outputs, and when the first and the last of them, by model, outcome and label."""

    parts: dict[Part, Span] = field(default_factory=dict[Part, Span])

    @property
    def num(self) -> int:
        return sum(span.num for span in self.parts.values())

    def add(self, part: Part, span: Span) -> None:
        known = self.parts.get(part)
        self.parts[part] = span if known is None else known | span

    def merge(self, other: Count) -> None:
        for part, span in other.parts.items():
            self.add(part, span)

    def by_model(self) -> dict[str, Count]:
        """Those of each model alone, by `name/version`."""
        found: dict[str, Count] = {}
        for part, span in sorted(self.parts.items()):
            found.setdefault(part.model, Count()).add(part, span)
        return found

    def by_label(self) -> dict[str, int]:
        """How many bear each label, by its id: who may have seen them."""
        found: dict[str, int] = {}
        for part, span in sorted(self.parts.items(), key=lambda one: one[0].label_id):
            found[part.label_id] = found.get(part.label_id, 0) + span.num
        return found

    def outcomes(self) -> dict[str, int]:
        """How many came to each end: a denied one was asked for, and never answered."""
        found: dict[str, int] = {}
        for part, span in sorted(self.parts.items()):
            found[part.outcome] = found.get(part.outcome, 0) + span.num
        return dict(sorted(found.items()))

    def told(self) -> str:
        """`38 released, 2 held, 1 denied`: the most frequent first."""
        ordered = sorted(self.outcomes().items(), key=lambda one: (-one[1], one[0]))
        return ", ".join(f"{num:,} {outcome}" for outcome, num in ordered)

    def as_json(self) -> dict[str, Any]:
        spans = self.parts.values()
        return {
            "num": self.num,
            "outcomes": self.outcomes(),
            "labels": self.by_label(),
            "first": rfc3339(min(span.first_us for span in spans)) if spans else None,
            "last": rfc3339(max(span.last_us for span in spans)) if spans else None,
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


def count(db: sqlite3.Connection, asked: Asked, seen: Seen = WHOLE) -> Count:
    """Exact: parts that lie wholly within are added up, those across an end are looked into."""
    found = Count()
    sql, values = asked.sql("part.id, model, outcome, label, num, first_us, last_us")
    for number, model, outcome, label, num, first_us, last_us in db.execute(sql, values):
        part = Part(model, outcome or "", label or "")
        if not _is_seen(seen, model, label):
            continue
        if asked.from_us <= first_us and last_us <= asked.to_us:
            found.add(part, Span(num, first_us, last_us))
            continue
        blob = db.execute("SELECT times FROM body WHERE part=?", (number,)).fetchone()[0]
        times = packed.unpacked(blob)
        start, stop = bisect_left(times, asked.from_us), bisect_right(times, asked.to_us)
        if start < stop:
            found.add(part, Span(stop - start, times[start], times[stop - 1]))
    return found


def listed(db: sqlite3.Connection, asked: Asked, seen: Seen = WHOLE) -> Iterator[tuple[int, str]]:
    """(time in microseconds, request_id), the oldest first; no more is read than is taken."""
    sql, values = asked.sql("part.id, first_us, model, label")
    waiting = sorted(
        (first_us, part)
        for part, first_us, model, label in db.execute(sql, values)
        if _is_seen(seen, model, label)
    )
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


def _is_seen(seen: Seen, model: str, label: str | None) -> bool:
    return seen.node(f"model:{model}") and seen.label(label or "")


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


def tell(trace: Trace, count: Count) -> None:
    """Put counted outputs into a trace, as one node: each model leads to it by how many came to
    which end, and where no model does, the trace's root."""
    if not count.num:
        return
    trace.counts["output"] = count.num
    told = count.as_json()
    facts = {**told["outcomes"], "first": told["first"], "last": told["last"]}
    node = Node("outputs", "outputs", str(count.num), facts)
    for model, mine in count.by_model().items() if trace.root.kind != "endpoint" else ():
        asked = trace.nodes.get(f"model:{model}")
        if asked is not None:
            trace.lead(asked, node, f"was asked: {mine.told()}")
    if node.id not in trace.nodes:
        trace.lead(trace.root, node, f"was asked: {count.told()}")


def word(outcome: str) -> str:
    """How an output hangs on its model: what was denied was asked of it, and never reached it."""
    return "asked of" if outcome == "denied" else "answered by"
