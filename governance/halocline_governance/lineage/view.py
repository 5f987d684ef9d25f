"""The lineage graph as it was on record at one moment, remembered as far as it was looked at.

What is remembered belongs to one state of the index: as soon as a lineage table grew, it is
forgotten. Nothing in it is more than the index says.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from halocline_governance.lineage.seen import WHOLE, Seen
from halocline_governance.lineage.trace import Node

ALL_TIME = "9999-12-31T23:59:59.999999Z"
_MOST = 1_000_000
# Some sqlite is built for no more values in one list than this.
_AT_ONCE = 10_000


class Found(NamedTuple):
    """An edge as seen from one of its ends: `far` is the other."""

    far: str
    kind: str
    ts: str
    weight: float | None
    num: int | None


@dataclass(frozen=True, slots=True)
class Ends:
    """The edges of one node in one direction, and each thing they lead to once; `latest` is when
    the last of them was made."""

    edges: list[Found]
    fars: tuple[str, ...]
    latest: str


@dataclass(slots=True)
class Memory:
    """Nodes and edges that were looked up. Threads may share it: what two look up is the same."""

    state: object = None
    told: dict[str, tuple[str, str, str] | None] = field(
        default_factory=dict[str, tuple[str, str, str] | None]
    )
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    ahead: dict[str, Ends] = field(default_factory=dict[str, Ends])
    behind: dict[str, Ends] = field(default_factory=dict[str, Ends])

    def at(self, db: sqlite3.Connection) -> Memory:
        """This one, if the index is as it was, or else an empty one."""
        state = tuple(db.execute("SELECT tbl, version, stamp FROM tracked ORDER BY tbl"))
        size = len(self.told) + len(self.ahead) + len(self.behind)
        return self if state == self.state and size < _MOST else Memory(state)


class View:
    """
    Args:
        db: the graph's index, in one transaction.
        at: RFC 3339 in UTC with microseconds, as records have it.
        memory: of this very state of the index.
        seen: what may be seen; the rest is as if it were not there.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        at: str = ALL_TIME,
        memory: Memory | None = None,
        seen: Seen = WHOLE,
    ) -> None:
        self.db, self.at, self.seen = db, at, seen
        self._memory = memory or Memory()

    def node(self, id_: str) -> Node | None:
        return self.nodes([id_]).get(id_)

    def nodes(self, ids: Iterable[str]) -> dict[str, Node]:
        """Those of these nodes that were on record by then, and may be seen."""
        wanted = list(ids)
        missing = self.missing(wanted)
        return {id_: self._node(id_) for id_ in wanted if id_ not in missing}

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Those that were not."""
        wanted, told = list(ids), self._memory.told
        if unknown := [id_ for id_ in wanted if id_ not in told]:
            self._look_up(unknown)
        at = self.at
        missing = {id_ for id_ in wanted if (held := told[id_]) is None or held[0] > at}
        return missing if self.seen is WHOLE else missing | set(filter(self._is_hidden, wanted))

    def _is_hidden(self, id_: str) -> bool:
        if not self.seen.node(id_):
            return True
        # An endpoint is there from the first deployment on that may be seen.
        return id_.startswith("endpoint:") and not any(
            map(self.is_on_record, self.edges([id_], False)[id_].edges)
        )

    def edges(self, ids: Iterable[str], forward: bool) -> Mapping[str, Ends]:
        """Edges that lead on from these to what may be seen, by id, whenever they were made; see
        `is_on_record`."""
        known = self._known(ids := list(ids), forward)
        return known if self.seen is WHOLE else {id_: self._cut(known[id_]) for id_ in ids}

    def is_cut(self, id_: str) -> bool:
        """Whether something that this was made of may not be seen, or is not on record where not
        everything may be seen: both are told alike."""
        if self.seen is WHOLE:
            return False
        behind = self._known([id_], False)[id_]
        return any(self.is_on_record(e) and not self.seen.node(e.far) for e in behind.edges)

    def _known(self, ids: Iterable[str], forward: bool) -> Mapping[str, Ends]:
        known = self._memory.ahead if forward else self._memory.behind
        if missing := [id_ for id_ in ids if id_ not in known]:
            near, far = ("tail", "head") if forward else ("head", "tail")
            # What had no weight was not read, and leads nowhere; who asks what a run was made of
            # is told of it all the same.
            weighty = "WHERE weight IS NULL OR weight>0" if forward else ""
            sql = (
                f"SELECT {near}, {far}, kind, ts, weight, num FROM json_each(?)"
                f" CROSS JOIN edge ON {near}=value {weighty}"
            )
            found: dict[str, list[Found]] = {id_: [] for id_ in missing}
            for start, *edge in self._many(sql, missing):
                found[start].append(Found(*edge))
            known.update({id_: _ends(edges) for id_, edges in found.items()})
        return known

    def fars(self, ends: Ends) -> Iterable[str]:
        """What these edges led to by then."""
        if ends.latest <= self.at:
            return ends.fars
        return dict.fromkeys(edge.far for edge in ends.edges if edge.ts <= self.at)

    def is_on_record(self, edge: Found) -> bool:
        return edge.ts <= self.at

    def _cut(self, ends: Ends) -> Ends:
        if all(map(self.seen.node, ends.fars)):
            return ends
        return _ends([edge for edge in ends.edges if self.seen.node(edge.far)])

    def _look_up(self, ids: list[str]) -> None:
        sql = "SELECT node.id, ts, name, facts FROM json_each(?) CROSS JOIN node ON node.id=value"
        found: dict[str, tuple[str, str, str] | None] = dict.fromkeys(ids)
        for id_, ts, name, facts in self._many(sql, ids):
            known = found[id_]
            if known is None or ts < known[0]:
                found[id_] = ts, name, facts
        self._memory.told.update(found)

    def _node(self, id_: str) -> Node:
        node = self._memory.nodes.get(id_)
        if node is None:
            told = self._memory.told[id_]
            assert told is not None
            facts = MappingProxyType(json.loads(told[2]))
            node = Node(id_, id_.partition(":")[0], told[1], facts)
            self._memory.nodes[id_] = node
        return node if "to" not in node.facts else self._then(node)

    def _many(self, sql: str, ids: list[str]) -> Iterable[tuple[Any, ...]]:
        for start in range(0, len(ids), _AT_ONCE):
            yield from self.db.execute(sql, (json.dumps(ids[start : start + _AT_ONCE]),))

    def _then(self, node: Node) -> Node:
        """A deployment as it was: its end had not come, or had."""
        ends = node.facts["to"]
        if ends is None or ends > self.at:
            ends = "now" if self.at == ALL_TIME else None
        return Node(node.id, node.kind, node.name, {**node.facts, "to": ends})


def _ends(edges: list[Found]) -> Ends:
    """One edge is in as many files as there were reports of it: the first of them counts."""
    merged: list[Found] = []
    for edge in sorted(edges, key=itemgetter(0, 1)):
        last = merged[-1] if merged else None
        if last is None or last[:2] != edge[:2]:
            merged.append(edge)
            continue
        merged[-1] = Found(
            edge.far,
            edge.kind,
            min(last.ts, edge.ts),
            _most(last.weight, edge.weight),
            _most(last.num, edge.num),
        )
    fars = tuple(dict.fromkeys(edge.far for edge in merged))
    return Ends(merged, fars, max((edge.ts for edge in merged), default=""))


def _most(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else max(one, other)
