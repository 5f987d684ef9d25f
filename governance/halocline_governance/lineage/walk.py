"""Walks the lineage graph from where a question begins, forward or back, layer by layer.

Counts everything that is reached; lists no more than `limit` of a kind, and of those only what
hangs on what is listed. A node is followed once: a cycle ends where it began.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.lineage import graph
from halocline_governance.lineage.trace import Node, Trace

# (tail, head, kind, weight, num) as `graph` keeps an edge.
Found = tuple[str, str, str, float | None, int | None]
ALL_TIME = "9999-12-31T23:59:59.999999Z"


@dataclass(slots=True)
class Reached:
    """What lies ahead of, or behind, some nodes; `shown` and `edges` are the part to be listed.

    `made` are the runs that read and the models that came out of a run, on the way; `consumed`, by
    run, the sequences it took of the dataset versions on the way.
    """

    forward: bool
    seen: dict[str, None] = field(default_factory=dict[str, None])
    shown: dict[str, None] = field(default_factory=dict[str, None])
    edges: list[Found] = field(default_factory=list[Found])
    counts: Counter[str] = field(default_factory=Counter[str])
    made: set[str] = field(default_factory=set[str])
    consumed: Counter[str] = field(default_factory=Counter[str])

    def of(self, kind: str) -> list[str]:
        """Every id of a kind, listed or not, the starts included."""
        return [id_ for id_ in self.seen if id_.startswith(f"{kind}:")]


class View:
    """The graph as it was on record at one moment.

    Args:
        at: RFC 3339 in UTC with microseconds, as records have it.
    """

    def __init__(self, db: sqlite3.Connection, at: str = ALL_TIME) -> None:
        self.db, self.at = db, at

    def node(self, id_: str) -> Node | None:
        return self.nodes([id_]).get(id_)

    def nodes(self, ids: Iterable[str]) -> dict[str, Node]:
        """The nodes on record by then."""
        found = self.db.execute(
            "SELECT node.id, name, facts FROM json_each(?) CROSS JOIN node ON node.id=value"
            " WHERE ts<=? GROUP BY node.id",
            (json.dumps(list(ids)), self.at),
        )
        return {
            id_: Node(id_, _kind(id_), name, self._then(json.loads(facts)))
            for id_, name, facts in found
        }

    def edges(self, ids: Sequence[str], forward: bool) -> list[Found]:
        """Edges that lead on from these. What had no weight was not read, and leads nowhere; who
        asks what a run was made of is told of it all the same."""
        near = "tail" if forward else "head"
        weighty = "AND (weight IS NULL OR weight>0)" if forward else ""
        return self.db.execute(
            "SELECT tail, head, kind, weight, num FROM json_each(?)"
            f" CROSS JOIN edge ON {near}=value WHERE ts<=? {weighty}",
            (json.dumps(list(ids)), self.at),
        ).fetchall()

    def _then(self, facts: dict[str, Any]) -> dict[str, Any]:
        if "to" in facts and (facts["to"] is None or facts["to"] > self.at):
            facts["to"] = "now" if self.at == ALL_TIME else None
        return facts


def reach(view: View, starts: Sequence[str], forward: bool, limit: int) -> Reached:
    """All that lies ahead of `starts`, or behind them."""
    found = Reached(forward)
    found.seen.update(dict.fromkeys(starts))
    found.shown.update(dict.fromkeys(starts[:limit]))
    num_shown = Counter(_kind(id_) for id_ in found.shown)
    layer = list(starts)
    while layer:
        edges = view.edges(layer, forward)
        edges.sort(key=lambda edge: (_ends(edge, forward)[0] not in found.shown, edge))
        layer = []
        for edge in edges:
            near, far = _ends(edge, forward)
            kind = _kind(far)
            if edge[2] in (graph.GAVE, graph.READ):
                found.made.add(edge[1])
            if edge[2] == graph.READ:
                found.consumed[edge[1]] += edge[4] or 0
            if far not in found.seen:
                found.seen[far] = None
                found.counts[kind] += 1
                # A mixture names what is read by each of its runs, whatever a run really read.
                if kind != "mixture":
                    layer.append(far)
                if near in found.shown and num_shown[kind] < limit:
                    found.shown[far] = None
                    num_shown[kind] += 1
            if near in found.shown and far in found.shown:
                found.edges.append(edge)
    return found


def tell(trace: Trace, view: View, found: Reached) -> None:
    """Put what is listed into the trace, and the gaps of all that was reached."""
    nodes = view.nodes(found.shown)
    for id_ in found.shown:
        if id_ not in nodes:
            nodes[id_] = trace.nodes.get(id_) or _unknown(id_)
    for edge in found.edges:
        near, far = _ends(edge, found.forward)
        trace.lead(nodes[near], nodes[far], words(edge, found.forward))
    for kind, num in found.counts.items():
        trace.counts[kind] = trace.counts.get(kind, 0) + num
    trace.gaps += gaps(view, found, nodes)


def gaps(view: View, found: Reached, nodes: Mapping[str, Node]) -> list[str]:
    """What is named and not on record, among all that was reached."""
    hidden = [id_ for id_ in found.seen if id_ not in nodes]
    known = {*view.nodes(hidden), *(id_ for id_, node in nodes.items() if node.facts != _NONE)}
    told: list[str] = []
    for id_ in found.seen:
        kind = _kind(id_)
        if not found.forward and kind == "model" and id_ not in found.made:
            told.append(f"{_name(id_)}: no run is on record for this version")
        elif not found.forward and kind == "run" and id_ not in found.made:
            told.append(f"run {_name(id_)}: no dataset version is on record")
        elif id_ not in known:
            what = "dataset version" if kind == "dataset" else kind
            told.append(f"{what} {_name(id_)}: not on record")
    return told


def words(edge: Found, forward: bool) -> str:
    """An edge in words, as read in this direction."""
    _tail, _head, kind, weight, num = edge
    if kind == graph.READ:
        return "read by" if forward else f"read (weight {weight:g}, {num} sequences)"
    if kind == graph.WEIGHED:
        return f"weighed in ({weight:g})" if forward else f"weighs ({weight:g})"
    base, _, how = kind.partition(" ")
    there, back = _WORDS[base]
    return (there if forward else back) + (f" ({how})" if how else "")


_WORDS = {
    graph.MIXED: ("mixed for", "mixed by"),
    graph.GAVE: ("gave", "came out of"),
    graph.INTO: ("went into", "made from"),
    graph.DEPLOYED: ("deployed at", "answered with"),
    graph.ANSWERS: ("is", "was"),
}
_NONE: dict[str, Any] = {"on record": "no"}


def _unknown(id_: str) -> Node:
    return Node(id_, _kind(id_), _name(id_), _NONE)


def _ends(edge: Found, forward: bool) -> tuple[str, str]:
    return (edge[0], edge[1]) if forward else (edge[1], edge[0])


def _kind(id_: str) -> str:
    return id_.partition(":")[0]


def _name(id_: str) -> str:
    kind, _, name = id_.partition(":")
    if kind == "model":
        model, _, version = name.rpartition("/")
        return f"{model} v{version}"
    return name
