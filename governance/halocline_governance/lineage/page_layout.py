"""Where the boxes and arrows of a trace lie on a page: data on the left, answers on the right.

A layered drawing (Sugiyama, Tagawa and Toda 1981): layers by longest path, arrows that skip a
layer led through it, order within a layer by the mean of neighbours, then heights pulled towards
them. The same trace gives the same drawing. Knows nothing of HTML.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from halocline_governance.lineage.trace import Edge, Node, Trace

WIDTH, HEIGHT = 212.0, 66.0
_ACROSS, _BETWEEN, _LANE = 164.0, 18.0, 10.0
_SWEEPS = 8
# More boxes of one kind than this are drawn as one: nobody reads a wall of them.
MAX_OF_A_KIND = 12
RANKS: Mapping[str, int] = {
    "subject": 0, "source": 0, "licence": 0, "row": 1, "rows": 1, "dataset": 2, "mixture": 3,
    "run": 4, "model": 5, "deployment": 6, "endpoint": 7, "output": 8, "outputs": 8,
}  # fmt: skip
_LAST = ("deployment", "endpoint", "output", "outputs")
# What an arrow says when it is read the way the data went.
_SAID = {
    "answered by": "answered", "asked of": "was asked",
    "came out of": "gave", "mixed by": "mixed", "made from": "became",
    "answered with": "deployed at", "was": "is", "came from": "gave",
}  # fmt: skip


@dataclass(slots=True)
class Box:
    """One node, or several of a kind that are folded: then `node` is the first of `folded`.

    `x` and `y` are of its upper left corner, in pixels; `lane` boxes only lead an arrow through.
    """

    id: str
    node: Node
    folded: tuple[Node, ...] = ()
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    lane: bool = False

    @property
    def height(self) -> float:
        return _LANE if self.lane else HEIGHT

    @property
    def gap(self) -> float:
        """What must be free below it."""
        return _LANE if self.lane else _BETWEEN

    @property
    def centre(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """From box to box, in the direction of the data, through the boxes that lead it."""

    tail: str
    head: str
    said: str
    through: tuple[str, ...] = ()


@dataclass(slots=True)
class Drawing:
    boxes: dict[str, Box] = field(default_factory=dict[str, Box])
    arrows: list[Arrow] = field(default_factory=list[Arrow])
    width: float = 0.0
    height: float = 0.0

    def shown(self) -> list[Box]:
        """The boxes that are seen, by layer and height."""
        seen = (box for box in self.boxes.values() if not box.lane)
        return sorted(seen, key=lambda box: (box.layer, box.y, box.id))


def draw(trace: Trace, marked: Iterable[str] = ()) -> Drawing:
    """A drawing of a trace; `marked` nodes are never folded."""
    drawing = Drawing()
    place = _fold(trace, {trace.root.id, *marked}, drawing)
    merged: dict[tuple[str, str], list[str]] = defaultdict(list)
    for edge in sorted(trace.edges, key=lambda edge: (edge.tail, edge.head, edge.kind)):
        if edge.tail in place and edge.head in place:
            tail, head, said = _with_the_data(edge, trace.nodes)
            if place[tail] != place[head]:
                merged[place[tail], place[head]].append(said)
    _leave_to_mixtures(drawing, merged)
    arrows = [(tail, head, _together(said)) for (tail, head), said in merged.items()]
    _layers(drawing, [(tail, head) for tail, head, _ in arrows])
    for tail, head, said in arrows:
        drawing.arrows.append(_led(drawing, tail, head, said))
    _arrange(drawing)
    return drawing


def _leave_to_mixtures(drawing: Drawing, merged: dict[tuple[str, str], list[str]]) -> None:
    """No arrow from a dataset version to a run where one leads there through the run's mixture."""
    kinds = {id_: box.node.kind for id_, box in drawing.boxes.items()}
    mixtures: dict[str, set[str]] = defaultdict(set)
    for tail, head in merged:
        if kinds[head] == "mixture":
            mixtures[tail].add(head)
    for tail, head in list(merged):
        through = mixtures[tail] if kinds[tail] == "dataset" and kinds[head] == "run" else ()
        if any((mixture, head) in merged for mixture in through):
            del merged[tail, head]


def _fold(trace: Trace, kept: set[str], drawing: Drawing) -> dict[str, str]:
    """Boxes for nodes; gives the box of each node."""
    degree: Counter[str] = Counter()
    for edge in trace.edges:
        degree.update((edge.tail, edge.head))
    place: dict[str, str] = {}
    for kind in sorted({node.kind for node in trace.nodes.values()}):
        nodes = trace.of(kind)
        nodes.sort(key=lambda node: (node.id not in kept, -degree[node.id], node.id))
        must = sum(node.id in kept for node in nodes)
        keep = len(nodes) if len(nodes) <= MAX_OF_A_KIND else max(MAX_OF_A_KIND - 1, must)
        for node in nodes[:keep]:
            drawing.boxes[node.id], place[node.id] = Box(node.id, node), node.id
        if folded := tuple(nodes[keep:]):
            id_ = f"\x00{kind}"
            drawing.boxes[id_] = Box(id_, folded[0], folded)
            place.update((node.id, id_) for node in folded)
    return place


def _with_the_data(edge: Edge, nodes: Mapping[str, Node]) -> tuple[str, str, str]:
    """Tail, head and words of an edge, turned the way the data went."""
    tail, head = (RANKS.get(nodes[id_].kind, 3) for id_ in (edge.tail, edge.head))
    against = tail > head or (tail == head and edge.kind.startswith("made from"))
    if not against:
        return edge.tail, edge.head, edge.kind
    said = _SAID.get(edge.kind, edge.kind.replace("made from (", "went into (", 1))
    said = said.replace("weighs (", "weighed (", 1)
    return edge.head, edge.tail, said


def _together(said: Sequence[str]) -> str:
    first = said[0].partition(" (")[0]
    return said[0] if len(said) == 1 else f"{first} ({len(said):,} links)"


def _layers(drawing: Drawing, links: Sequence[tuple[str, str]]) -> None:
    """Longest path from the left; what nothing leads to stands beside what it leads to."""
    after: dict[str, list[str]] = defaultdict(list)
    for tail, head in links:
        after[tail].append(head)
    order = _topological(drawing.boxes, after)
    rank = {id_: number for number, id_ in enumerate(order)}
    boxes = drawing.boxes
    for id_ in order:
        for head in after[id_]:
            if rank[head] > rank[id_]:  # an arrow back, in a cycle, orders nothing
                boxes[head].layer = max(boxes[head].layer, boxes[id_].layer + 1)
    heads = {head for _, head in links}
    for id_ in order:
        if id_ not in heads and after[id_]:
            boxes[id_].layer = max(0, min(boxes[head].layer for head in after[id_]) - 1)
    _align(boxes.values())


def _align(boxes: Iterable[Box]) -> None:
    """What answered stands in columns of its own, right of every model."""
    layer = max((box.layer for box in boxes if box.node.kind not in _LAST), default=-1)
    for kinds in (("deployment",), ("endpoint", "output", "outputs")):
        column = [box for box in boxes if box.node.kind in kinds]
        layer = max([layer + 1, *(box.layer for box in column)]) if column else layer
        for box in column:
            box.layer = layer


def _topological(boxes: Mapping[str, Box], after: Mapping[str, list[str]]) -> list[str]:
    """Boxes, each before those it leads to, as far as there is no cycle. Not recursive: a chain
    of models may be long."""
    done: list[str] = []
    seen: set[str] = set()
    for start in sorted(boxes, key=lambda id_: (RANKS.get(boxes[id_].node.kind, 3), id_)):
        stack = [(start, iter(after.get(start, ())))] if start not in seen else []
        seen.add(start)
        while stack:
            id_, heads = stack[-1]
            head = next((one for one in heads if one not in seen), None)
            if head is None:
                done.append(id_)
                stack.pop()
            else:
                seen.add(head)
                stack.append((head, iter(after.get(head, ()))))
    return done[::-1]


def _led(drawing: Drawing, tail: str, head: str, said: str) -> Arrow:
    """An arrow, with a lane in every layer that it passes."""
    first, last = drawing.boxes[tail].layer, drawing.boxes[head].layer
    through: list[str] = []
    for layer in range(first + 1, last):
        id_ = f"\x01{layer}\x00{tail}\x00{head}"
        drawing.boxes[id_] = Box(id_, drawing.boxes[tail].node, layer=layer, lane=True)
        through.append(id_)
    return Arrow(tail, head, said, tuple(through))


def _arrange(drawing: Drawing) -> None:
    beside: dict[str, list[str]] = defaultdict(list)
    for arrow in drawing.arrows:
        for one, other in pairwise((arrow.tail, *arrow.through, arrow.head)):
            beside[one].append(other)
            beside[other].append(one)
    layers: dict[int, list[Box]] = defaultdict(list)
    for box in sorted(drawing.boxes.values(), key=lambda box: (bool(box.folded), box.id)):
        layers[box.layer].append(box)
    tall = max(sum(box.height + box.gap for box in layer) for layer in layers.values())
    for layer in layers.values():
        _stack(layer, [tall / 2] * len(layer), tall)
    for sweep in range(_SWEEPS):
        for number in sorted(layers, reverse=bool(sweep % 2)):
            layer = layers[number]
            wanted = {box.id: _wanted(drawing, box, beside[box.id]) for box in layer}
            if sweep < _SWEEPS // 2:
                # Folded boxes stay below what is shown.
                layer.sort(key=lambda box: (bool(box.folded), wanted[box.id], box.id))
            _stack(layer, [wanted[box.id] for box in layer], tall)
    top = min(box.y for box in drawing.boxes.values())
    for box in drawing.boxes.values():
        box.x, box.y = box.layer * (WIDTH + _ACROSS), box.y - top
    drawing.width = max(layers) * (WIDTH + _ACROSS) + WIDTH
    drawing.height = max(box.y + box.height for box in drawing.boxes.values())


def _wanted(drawing: Drawing, box: Box, beside: Sequence[str]) -> float:
    """The height at which a box's neighbours would have its centre."""
    heights = [drawing.boxes[id_].centre for id_ in beside]
    return sum(heights) / len(heights) if heights else box.centre


def _stack(layer: Sequence[Box], wanted: Sequence[float], tall: float) -> None:
    """Boxes below each other, near the heights they want, none on another: pushed down from the
    top, then up from the bottom of a page that is as tall as the fullest layer."""
    below = 0.0
    for box, centre in zip(layer, wanted, strict=True):
        box.y = max(centre - box.height / 2, below)
        below = box.y + box.height + box.gap
    above = tall
    for number in range(len(layer) - 1, -1, -1):
        box = layer[number]
        box.y = min(box.y, above - box.height)
        above = box.y - layer[number - 1].gap
