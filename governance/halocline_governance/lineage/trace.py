"""A trace: the part of the lineage graph that one output or one row reaches, and its gaps.

Nodes hold ids, hashes and counts only. Knows no table; `lineage` builds it, the report and the
CLI show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """One thing in the graph. `facts` are scalars that may be shown to an auditor."""

    id: str
    kind: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "kind": self.kind, "name": self.name, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Edge:
    """`tail` leads to `head`, in the direction the trace goes."""

    tail: str
    head: str
    kind: str

    def as_json(self) -> dict[str, str]:
        return {"from": self.tail, "to": self.head, "kind": self.kind}


@dataclass(slots=True)
class Trace:
    """Grows from its root. `gaps` say what could not be followed, and why.

    `counts` says how many of a kind there are, exactly, where not all of them are nodes.
    """

    root: Node
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    gaps: list[str] = field(default_factory=list[str])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    _told: set[Edge] = field(default_factory=set[Edge], repr=False, compare=False)

    def __post_init__(self) -> None:
        self.nodes[self.root.id] = self.root

    def lead(self, tail: Node, head: Node, kind: str) -> bool:
        """Add an edge; true when `head` is new to the trace."""
        edge = Edge(tail.id, head.id, kind)
        if edge not in self._told:
            self._told.add(edge)
            self.edges.append(edge)
        fresh = head.id not in self.nodes
        self.nodes.setdefault(head.id, head)
        return fresh

    def of(self, kind: str) -> list[Node]:
        """The nodes of one kind, by id."""
        return sorted((n for n in self.nodes.values() if n.kind == kind), key=lambda n: n.id)

    def more(self) -> dict[str, int]:
        """How many of each kind are counted and not shown; outputs have a node of their own."""
        shown = Counter(node.kind for node in self.nodes.values() if node.id != self.root.id)
        left = {k: num - shown[k] for k, num in sorted(self.counts.items()) if k != "output"}
        return {kind: num for kind, num in left.items() if num > 0}

    def as_json(self) -> dict[str, Any]:
        """Sorted throughout, so that equal traces are equal bytes."""
        edges = sorted(self.edges, key=lambda edge: (edge.tail, edge.head, edge.kind))
        return {
            "root": self.root.id,
            "nodes": [self.nodes[id_].as_json() for id_ in sorted(self.nodes)],
            "edges": [edge.as_json() for edge in edges],
            "counts": dict(sorted(self.counts.items())),
            "more": self.more(),
            "gaps": sorted(set(self.gaps)),
        }

    def tree(self) -> list[str]:
        """The trace as indented lines; what was shown above is not repeated."""
        lines = [_line(self.root)]
        heads: dict[str, list[Edge]] = {}
        for edge in sorted(self.edges, key=lambda edge: (edge.kind, edge.head)):
            heads.setdefault(edge.tail, []).append(edge)
        lines += self._below(heads)
        lines += [f"... and {num} more: {kind}" for kind, num in self.more().items()]
        lines += [f"! {gap}" for gap in sorted(set(self.gaps))]
        return lines

    def mermaid(self) -> str:
        """The trace as a Mermaid flowchart, every text escaped."""
        names = {id_: f"n{number}" for number, id_ in enumerate(sorted(self.nodes))}
        lines = ["flowchart LR"]
        lines += [f'  {names[id_]}["{_escape(_line(self.nodes[id_]))}"]' for id_ in names]
        edges = sorted(self.edges, key=lambda edge: (edge.tail, edge.head, edge.kind))
        lines += [f'  {names[e.tail]} -->|"{_escape(e.kind)}"| {names[e.head]}' for e in edges]
        return "\n".join(lines) + "\n"

    def _below(self, heads: Mapping[str, list[Edge]]) -> Iterator[str]:
        """Not by recursion: a line of models may be longer than Python's stack is deep."""
        shown = {self.root.id}
        open_ = [("", iter(heads.get(self.root.id, [])), len(heads.get(self.root.id, [])))]
        while open_:
            indent, edges, left = open_.pop()
            edge = next(edges, None)
            if edge is None:
                continue
            open_.append((indent, edges, left - 1))
            last = left == 1
            mark = "\u2514\u2500\u2500 " if last else "\u251c\u2500\u2500 "
            above = " (above)" if edge.head in shown else ""
            yield f"{indent}{mark}{edge.kind}: {_line(self.nodes[edge.head])}{above}"
            if not above:
                shown.add(edge.head)
                further = heads.get(edge.head, [])
                below = indent + ("    " if last else "\u2502   ")
                open_.append((below, iter(further), len(further)))


def _line(node: Node) -> str:
    facts = " ".join(f"{name}={value}" for name, value in node.facts.items() if value is not None)
    return f"{node.kind} {node.name}" + (f" ({facts})" if facts else "")


def _escape(text: str) -> str:
    """Mermaid reads entity codes in quoted text; everything that is not plain becomes one."""
    return "".join(
        char if char.isalnum() or char in " .,:;=@/_()-" else f"#{ord(char)};" for char in text
    )
