"""Walks the lineage graph from where a question begins, forward or back, layer by layer.

Counts everything that is reached; lists no more than `limit` of a kind, and of those only what
hangs on what is listed. A node is followed once: a cycle ends where it began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from halocline_governance.lineage import graph
from halocline_governance.lineage.trace import Node, Trace
from halocline_governance.lineage.view import Found, View


@dataclass(slots=True)
class Reached:
    """What lies ahead of, or behind, some nodes; `shown` and `edges` are the part to be listed.

    `made` are the runs that read and the models that came out of a run, on the way; `consumed`, by
    run, the sequences it took of the dataset versions on the way.
    """

    forward: bool
    seen: dict[str, None] = field(default_factory=dict[str, None])
    shown: dict[str, None] = field(default_factory=dict[str, None])
    edges: list[tuple[str, Found]] = field(default_factory=list[tuple[str, Found]])
    counts: Counter[str] = field(default_factory=Counter[str])
    made: set[str] = field(default_factory=set[str])
    consumed: Counter[str] = field(default_factory=Counter[str])

    def of(self, kind: str) -> list[str]:
        """Every id of a kind, listed or not, the starts included."""
        begins = f"{kind}:"
        return [id_ for id_ in self.seen if id_.startswith(begins)]


def reach(view: View, starts: Sequence[str], forward: bool, limit: int) -> Reached:
    """All that lies ahead of `starts`, or behind them."""
    found = Reached(forward)
    found.seen.update(dict.fromkeys(starts))
    found.shown.update(dict.fromkeys(starts[:limit]))
    num_shown = Counter(_kind(id_) for id_ in found.shown)
    layer = list(starts)
    while layer:
        edges = view.edges(layer, forward)
        near_first = [id_ for id_ in layer if id_ in found.shown]
        near_first += [id_ for id_ in layer if id_ not in found.shown]
        layer = []
        for near in near_first:
            for edge in edges[near]:
                if view.is_on_record(edge) and _take(found, near, edge, num_shown, limit):
                    layer.append(edge.far)
    return found


def _take(found: Reached, near: str, edge: Found, num_shown: Counter[str], limit: int) -> bool:
    """Count an edge and what it leads to; whether to go on from there."""
    far, is_new = edge.far, edge.far not in found.seen
    if edge.kind in (graph.GAVE, graph.READ):
        made = far if found.forward else near
        found.made.add(made)
        if edge.kind == graph.READ:
            found.consumed[made] += edge.num or 0
    if is_new:
        kind = _kind(far)
        found.seen[far] = None
        found.counts[kind] += 1
        if near in found.shown and num_shown[kind] < limit:
            found.shown[far] = None
            num_shown[kind] += 1
    if far in found.shown and near in found.shown:
        found.edges.append((near, edge))
    # A mixture names what is read by each of its runs, whatever a run really read.
    return is_new and not far.startswith("mixture:")


def tell(trace: Trace, view: View, found: Reached) -> None:
    """Put what is listed into the trace, and the gaps of all that was reached."""
    nodes = view.nodes(found.seen)
    shown = {
        id_: nodes.get(id_) or trace.nodes.get(id_) or Node(id_, _kind(id_), _name(id_))
        for id_ in found.shown
    }
    for near, edge in found.edges:
        trace.lead(shown[near], shown[edge.far], words(edge, found.forward))
    for kind, num in found.counts.items():
        trace.counts[kind] = trace.counts.get(kind, 0) + num
    trace.gaps += gaps(found, nodes)


def gaps(found: Reached, nodes: Mapping[str, Node]) -> Iterable[str]:
    """What is named and not on record, among all that was reached."""
    for id_ in found.seen:
        kind = _kind(id_)
        if not found.forward and kind == "model" and id_ not in found.made:
            yield f"{_name(id_)}: no run is on record for this version"
        elif not found.forward and kind == "run" and id_ not in found.made:
            yield f"run {_name(id_)}: no dataset version is on record"
        elif id_ not in nodes:
            what = "dataset version" if kind == "dataset" else kind
            yield f"{what} {_name(id_)}: not on record"


def words(edge: Found, forward: bool) -> str:
    """An edge in words, as read in this direction."""
    if edge.kind == graph.READ:
        return "read by" if forward else f"read (weight {edge.weight:g}, {edge.num} sequences)"
    if edge.kind == graph.WEIGHED:
        return f"weighed in ({edge.weight:g})" if forward else f"weighs ({edge.weight:g})"
    base, _, how = edge.kind.partition(" ")
    there, back = _WORDS[base]
    return (there if forward else back) + (f" ({how})" if how else "")


_WORDS = {
    graph.MIXED: ("mixed for", "mixed by"),
    graph.GAVE: ("gave", "came out of"),
    graph.INTO: ("went into", "made from"),
    graph.DEPLOYED: ("deployed at", "answered with"),
    graph.ANSWERS: ("is", "was"),
}


def _kind(id_: str) -> str:
    return id_[: id_.index(":")]


def _name(id_: str) -> str:
    kind, _, name = id_.partition(":")
    if kind == "model":
        model, _, version = name.rpartition("/")
        return f"{model} v{version}"
    return name
