"""Walks the lineage graph from where a question begins, forward or back, layer by layer.

Counts everything that is reached; lists no more than `limit` of a kind, and of those only what
hangs on what is listed. A node is followed once: a cycle ends where it began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from halocline_governance.lineage import graph
from halocline_governance.lineage.trace import Node, Trace
from halocline_governance.lineage.view import Found, View


@dataclass(slots=True)
class Reached:
    """What lies ahead of, or behind, some nodes; `shown` and `edges` are the part to be listed."""

    forward: bool
    seen: dict[str, None] = field(default_factory=dict[str, None])
    shown: dict[str, None] = field(default_factory=dict[str, None])
    edges: list[tuple[str, Found]] = field(default_factory=list[tuple[str, Found]])
    starts: dict[str, None] = field(default_factory=dict[str, None])

    def of(self, kind: str) -> list[str]:
        """Every id of a kind, listed or not, the starts included."""
        begins = f"{kind}:"
        return [id_ for id_ in self.seen if id_.startswith(begins)]

    def counts(self) -> Counter[str]:
        """How many of each kind, the starts left out."""
        return Counter(map(_kind, self.seen)) - Counter(map(_kind, self.starts))


def reach(view: View, starts: Sequence[str], forward: bool, limit: int) -> Reached:
    """All that lies ahead of `starts`, or behind them."""
    found = Reached(forward, starts=dict.fromkeys(starts))
    found.seen.update(found.starts)
    found.shown.update(dict.fromkeys(starts[:limit]))
    num_shown = Counter(_kind(id_) for id_ in found.shown)
    layer = list(starts)
    while layer:
        edges, fresh = view.edges(layer, forward), dict[str, None]()
        for near in layer:
            if near in found.shown:
                _show(found, view, near, edges[near].edges, num_shown, limit)
            fresh.update(dict.fromkeys(view.fars(edges[near])))
        new = [far for far in fresh if far not in found.seen]
        found.seen.update(dict.fromkeys(new))
        # A mixture names what is read by each of its runs, whatever a run really read.
        layer = [far for far in new if not far.startswith("mixture:")]
    return found


def _show(
    found: Reached,
    view: View,
    near: str,
    edges: Iterable[Found],
    num_shown: Counter[str],
    limit: int,
) -> None:
    """List the edges of one that is listed, and what they lead to while there is room."""
    for edge in edges:
        far = edge.far
        if not view.is_on_record(edge):
            continue
        if far not in found.seen and far not in found.shown:
            kind = _kind(far)
            if num_shown[kind] < limit:
                found.shown[far] = None
                num_shown[kind] += 1
        if far in found.shown:
            found.edges.append((near, edge))


def tell(trace: Trace, view: View, found: Reached) -> None:
    """Put what is listed into the trace, and the gaps of all that was reached."""
    missing, nodes = view.missing(found.seen), view.nodes(found.shown)
    shown = {
        id_: nodes.get(id_) or trace.nodes.get(id_) or Node(id_, _kind(id_), _name(id_))
        for id_ in found.shown
    }
    for near, edge in found.edges:
        trace.lead(shown[near], shown[edge.far], words(edge, found.forward))
    for kind, num in found.counts().items():
        trace.counts[kind] = trace.counts.get(kind, 0) + num
    trace.gaps += gaps(view, found, missing)


def gaps(view: View, found: Reached, missing: Collection[str]) -> Iterator[str]:
    """What is named and not on record, among all that was reached."""
    if not found.forward:
        yield from _unread(view, found)
    made = {"model": graph.GAVE, "run": graph.READ}
    behind = view.edges(() if found.forward else found.seen, False)
    for id_ in found.seen:
        kind = _kind(id_)
        needs = None if found.forward else made.get(kind)
        # What an endpoint answered with besides is no part of it.
        if not found.forward and kind != "endpoint" and view.is_cut(id_):
            yield cut(f"{kind} {_name(id_)}")
        elif needs and not any(e.kind == needs and view.is_on_record(e) for e in behind[id_].edges):
            if kind == "model":
                yield f"{_name(id_)}: no run is on record for this version"
            else:
                yield f"run {_name(id_)}: no dataset version is on record"
        elif id_ in missing:
            what = "dataset version" if kind == "dataset" else kind
            yield f"{what} {_name(id_)}: not on record"


def _unread(view: View, found: Reached) -> Iterator[str]:
    """Dataset versions that a run's mixture weighs, where no record says that the run read them."""
    runs = [id_ for id_ in found.seen if id_.startswith("run:")]
    behind = view.edges(runs, False)
    mixed = {run: [e.far for e in behind[run].edges if e.kind == graph.MIXED] for run in runs}
    weighed = view.edges([mixture for of_run in mixed.values() for mixture in of_run], False)
    for run, mixtures in mixed.items():
        read = {e.far for e in behind[run].edges if e.kind == graph.READ}
        for id_ in sorted({far for one in mixtures for far in weighed[one].fars} - read):
            what = f"dataset version {_name(id_)}, which its mixture weighs"
            yield f"run {_name(run)}: no record says that it read {what}"


def cut(name: str) -> str:
    return f"{name}: some of what it was made of is not on record, or not for your clearance"


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
