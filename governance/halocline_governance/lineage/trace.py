"""A trace: the part of the lineage graph that one output or one row reaches, and its gaps.

Nodes hold ids, hashes and counts only. Knows no table; `lineage` builds it, the report and the
CLI show it.
"""

from __future__ import annotations

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
    """Grows from its root. `gaps` say what could not be followed, and why."""

    root: Node
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    gaps: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.nodes[self.root.id] = self.root

    def lead(self, tail: Node, head: Node, kind: str) -> bool:
        """Add an edge; true when `head` is new to the trace."""
        edge = Edge(tail.id, head.id, kind)
        if edge not in self.edges:
            self.edges.append(edge)
        fresh = head.id not in self.nodes
        self.nodes.setdefault(head.id, head)
        return fresh

    def of(self, kind: str) -> list[Node]:
        """The nodes of one kind, by id."""
        return sorted((n for n in self.nodes.values() if n.kind == kind), key=lambda n: n.id)

    def as_json(self) -> dict[str, Any]:
        """Sorted throughout, so that equal traces are equal bytes."""
        edges = sorted(self.edges, key=lambda edge: (edge.tail, edge.head, edge.kind))
        return {
            "root": self.root.id,
            "nodes": [self.nodes[id_].as_json() for id_ in sorted(self.nodes)],
            "edges": [edge.as_json() for edge in edges],
            "gaps": sorted(self.gaps),
        }

    def tree(self) -> list[str]:
        """The trace as indented lines; what was shown above is not repeated."""
        lines = [_line(self.root)]
        lines += self._below(self.root.id, "", {self.root.id})
        lines += [f"! {gap}" for gap in sorted(self.gaps)]
        return lines

    def mermaid(self) -> str:
        """The trace as a Mermaid flowchart, every text escaped."""
        names = {id_: f"n{number}" for number, id_ in enumerate(sorted(self.nodes))}
        lines = ["flowchart LR"]
        lines += [f'  {names[id_]}["{_escape(_line(self.nodes[id_]))}"]' for id_ in names]
        edges = sorted(self.edges, key=lambda edge: (edge.tail, edge.head, edge.kind))
        lines += [f'  {names[e.tail]} -->|"{_escape(e.kind)}"| {names[e.head]}' for e in edges]
        return "\n".join(lines) + "\n"

    def _below(self, id_: str, indent: str, shown: set[str]) -> Iterator[str]:
        edges = sorted(
            (edge for edge in self.edges if edge.tail == id_),
            key=lambda edge: (edge.kind, edge.head),
        )
        for number, edge in enumerate(edges):
            last = number == len(edges) - 1
            seen = edge.head in shown
            shown.add(edge.head)
            mark = "\u2514\u2500\u2500 " if last else "\u251c\u2500\u2500 "
            above = " (above)" if seen else ""
            yield f"{indent}{mark}{edge.kind}: {_line(self.nodes[edge.head])}{above}"
            if not seen:
                yield from self._below(edge.head, indent + ("    " if last else "\u2502   "), shown)


def _line(node: Node) -> str:
    facts = " ".join(f"{name}={value}" for name, value in node.facts.items() if value is not None)
    return f"{node.kind} {node.name}" + (f" ({facts})" if facts else "")


def _escape(text: str) -> str:
    """Mermaid reads entity codes in quoted text; everything that is not plain becomes one."""
    return "".join(
        char if char.isalnum() or char in " .,:;=@/_()-" else f"#{ord(char)};" for char in text
    )
