"""The lineage graph as it was on record at one moment, remembered as far as it was looked at.

What is remembered belongs to one state of the index: as soon as a lineage table grew, it is
forgotten. Nothing in it is more than the index says.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from halocline_governance.lineage.trace import Node

ALL_TIME = "9999-12-31T23:59:59.999999Z"
_MOST = 1_000_000
# Some sqlite is built for no more values in one list than this.
_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """An edge as seen from one of its ends: `far` is the other."""

    far: str
    kind: str
    ts: str
    weight: float | None
    num: int | None


@dataclass(slots=True)
class Memory:
    """Nodes and edges that were looked up. Threads may share it: what two look up is the same."""

    state: object = None
    nodes: dict[str, tuple[str, Node] | None] = field(
        default_factory=dict[str, tuple[str, Node] | None]
    )
    ahead: dict[str, list[Found]] = field(default_factory=dict[str, list[Found]])
    behind: dict[str, list[Found]] = field(default_factory=dict[str, list[Found]])

    def at(self, db: sqlite3.Connection) -> Memory:
        """This one, if the index is as it was, or else an empty one."""
        state = tuple(db.execute("SELECT tbl, version, stamp FROM tracked ORDER BY tbl"))
        size = len(self.nodes) + len(self.ahead) + len(self.behind)
        return self if state == self.state and size < _MOST else Memory(state)


class View:
    """
    Args:
        db: the graph's index, in one transaction.
        at: RFC 3339 in UTC with microseconds, as records have it.
        memory: of this very state of the index.
    """

    def __init__(
        self, db: sqlite3.Connection, at: str = ALL_TIME, memory: Memory | None = None
    ) -> None:
        self.db, self.at = db, at
        self._memory = memory or Memory()

    def node(self, id_: str) -> Node | None:
        return self.nodes([id_]).get(id_)

    def nodes(self, ids: Iterable[str]) -> dict[str, Node]:
        """Those of these nodes that were on record by then."""
        wanted = list(ids)
        known = self._memory.nodes
        if missing := [id_ for id_ in wanted if id_ not in known]:
            self._look_up(missing)
        found: dict[str, Node] = {}
        for id_ in wanted:
            held = known[id_]
            if held is not None and held[0] <= self.at:
                found[id_] = held[1] if "to" not in held[1].facts else self._then(held[1])
        return found

    def edges(self, ids: Iterable[str], forward: bool) -> Mapping[str, list[Found]]:
        """Edges that lead on from these, by id, whenever they were made; see `is_on_record`."""
        known = self._memory.ahead if forward else self._memory.behind
        if missing := [id_ for id_ in ids if id_ not in known]:
            found: dict[str, list[Found]] = {id_: [] for id_ in missing}
            near, far = ("tail", "head") if forward else ("head", "tail")
            # What had no weight was not read, and leads nowhere; who asks what a run was made of
            # is told of it all the same.
            weighty = "WHERE weight IS NULL OR weight>0" if forward else ""
            sql = (
                f"SELECT {near}, {far}, kind, min(ts), max(weight), max(num) FROM json_each(?)"
                f" CROSS JOIN edge ON {near}=value {weighty}"
                f" GROUP BY {near}, {far}, kind ORDER BY {near}, {far}, kind"
            )
            for start, *edge in self._many(sql, missing):
                found[start].append(Found(*edge))
            known.update(found)
        return known

    def is_on_record(self, edge: Found) -> bool:
        return edge.ts <= self.at

    def _look_up(self, ids: list[str]) -> None:
        sql = (
            "SELECT node.id, min(ts), name, facts FROM json_each(?)"
            " CROSS JOIN node ON node.id=value GROUP BY node.id"
        )
        found: dict[str, tuple[str, Node] | None] = dict.fromkeys(ids)
        for id_, ts, name, facts in self._many(sql, ids):
            told = MappingProxyType(json.loads(facts))
            found[id_] = ts, Node(id_, id_.partition(":")[0], name, told)
        self._memory.nodes.update(found)

    def _many(self, sql: str, ids: list[str]) -> Iterable[tuple[Any, ...]]:
        for start in range(0, len(ids), _AT_ONCE):
            yield from self.db.execute(sql, (json.dumps(ids[start : start + _AT_ONCE]),))

    def _then(self, node: Node) -> Node:
        """A deployment as it was: its end had not come, or had."""
        ends = node.facts["to"]
        if ends is None or ends > self.at:
            ends = "now" if self.at == ALL_TIME else None
        return Node(node.id, node.kind, node.name, {**node.facts, "to": ends})
