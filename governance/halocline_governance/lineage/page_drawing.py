"""A drawing as SVG: boxes with a name, a label and a few facts, and arrows with what they say.

Everything is text and shapes: no script, no reference to anything outside but anchors on the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from itertools import pairwise

from halocline_governance.label import AXES, Label
from halocline_governance.lineage.page_layout import HEIGHT, WIDTH, Arrow, Box, Drawing
from halocline_governance.lineage.trace import Node

COLOURS: Mapping[str, str] = {
    "subject": "#9d4edd", "source": "#7b5ea7", "licence": "#8d6e63", "row": "#5b7fa6",
    "rows": "#5b7fa6",
    "dataset": "#1f77b4", "mixture": "#17a2a2", "run": "#c77700", "model": "#c2410c",
    "deployment": "#15803d", "endpoint": "#15803d", "output": "#374151",
    "outputs": "#374151",
}  # fmt: skip
GREY = "#6b7280"
_BAD, _INK, _SOFT, _LINE = "#a1260d", "#16202a", "#5a6875", "#9aa7b4"
_MARGIN, _HEAD = 8.0, 30.0
_CAPITALS = 'letter-spacing="0.9" style="text-transform:uppercase"'
# With more arrows than this their words would lie on each other: they show on pointing only.
_MAX_WORDS = 36
_NAME, _FACT = 21, 28
# Letters in a line of an arrow's words, and the pixels that one takes in a wide font; with what is
# free on both sides a line fits between two columns.
_WORDS, _LETTER, _FREE = 22, 6.5, 6.0
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:")


def svg(
    drawing: Drawing,
    root: str,
    marked: set[str],
    anchors: Mapping[str, str],
    labels: Mapping[str, Label],
) -> str:
    """The drawing. `marked` nodes have a red border; a box leads to its node's row by `anchors`."""
    width, height = drawing.width + 2 * _MARGIN, drawing.height + 2 * _MARGIN + _HEAD
    arrows = "".join(_arrow(drawing, arrow) for arrow in drawing.arrows)
    worded = drawing.arrows if len(drawing.arrows) <= _MAX_WORDS else []
    words = "".join(_words(drawing, arrow) for arrow in worded)
    boxes = "".join(_box(box, root, marked, anchors, labels) for box in drawing.shown())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}"'
        ' font-family="system-ui, sans-serif">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z" fill="{_LINE}"/></marker>'
        f'</defs>{_headings(drawing)}<g transform="translate({_MARGIN:g} {_MARGIN + _HEAD:g})">'
        f"{arrows}{boxes}{words}</g></svg>"
    )


def _headings(drawing: Drawing) -> str:
    """What stands in each column."""
    columns: dict[int, list[Box]] = {}
    for box in drawing.shown():
        columns.setdefault(box.layer, []).append(box)
    return "".join(
        _line(boxes[0].x + _MARGIN, 18, _heading(boxes), 11, _SOFT, _CAPITALS)
        for boxes in columns.values()
    )


def _heading(boxes: list[Box]) -> str:
    return " · ".join(sorted({box.node.kind for box in boxes}))


def _box(
    box: Box, root: str, marked: set[str], anchors: Mapping[str, str], labels: Mapping[str, Label]
) -> str:
    node, colour = box.node, COLOURS.get(box.node.kind, GREY)
    is_bad, is_root = node.id in marked and not box.folded, node.id == root
    border = _BAD if is_bad else _INK if is_root else "#c6d0d9"
    dash = ' stroke-dasharray="5 4"' if box.folded else ""
    name, facts, title = _said(box, labels)
    shape = (
        f'<rect width="{WIDTH:g}" height="{HEIGHT:g}" rx="7" fill="#fff" stroke="{border}"'
        f' stroke-width="{2 if is_bad or is_root else 1}"{dash}/>'
        f'<path d="M7 0 H6 A6 7 0 0 0 0 7 V{HEIGHT - 7:g} A6 7 0 0 0 6 {HEIGHT:g} H7 z"'
        f' fill="{colour}"/>'
    )
    lines = _line(16, 17, node.kind, 9.5, colour, _CAPITALS)
    lines += _line(16, 35, name, 13, _INK, 'font-weight="600"')
    lines += _line(16, 53, facts, 11, _SOFT)
    if is_bad:
        lines += f'<circle cx="{WIDTH - 15:g}" cy="15" r="8" fill="{_BAD}"/>'
        lines += _line(WIDTH - 15, 19, "!", 12, "#fff", 'font-weight="700" text-anchor="middle"')
    return (
        f'<a href="#{anchors[node.id]}"><g transform="translate({box.x:.1f} {box.y:.1f})">'
        f"<title>{_text(title)}</title>{shape}{lines}</g></a>"
    )


def _said(box: Box, labels: Mapping[str, Label]) -> tuple[str, str, str]:
    """Name, facts and title of a box."""
    node = box.node
    if box.folded:
        told = "\n".join(one.name for one in box.folded[:40])
        return f"and {len(box.folded):,} more", "listed below", told
    label = labels.get(str(node.facts.get("label_id")))
    facts = [_short_label(label)] if label else []
    if isinstance(rows := node.facts.get("num_rows"), int):
        facts.insert(0, f"{rows:,} rows")
    if not facts and node.facts:
        facts = [_first_fact(node)]
    full = "\n".join([f"{node.kind} {node.name}", *(f"{k}: {v}" for k, v in node.facts.items())])
    return _cut(_name(node), _NAME), _cut(" · ".join(facts), _FACT), full


def _name(node: Node) -> str:
    """A dataset version is known by its table; other things by their name."""
    if node.kind == "outputs":
        return f"{int(node.name):,} outputs" if node.name.isdecimal() else node.name
    table = node.name if node.kind == "rows" else node.facts.get("table")
    if node.kind not in ("rows", "dataset") or not isinstance(table, str) or ":" not in table:
        return node.name
    compartment, _, name = table.partition(":")
    version = "" if node.kind == "rows" else f" v{node.facts.get('version')}"
    return f"{compartment}:{name.partition('.')[0]}{version}"


def _first_fact(node: Node) -> str:
    """The first that is short; a time to the minute, for the whole stands below."""
    for name, value in node.facts.items():
        text = str(value)
        if _TIME.match(text):
            return f"{name.replace('_', ' ')} {text[:10]} {text[11:16]}"
        if value is not None and len(text) <= _FACT // 2:
            return f"{name.replace('_', ' ')} {text}"
    return ""


def _short_label(label: Label) -> str:
    return " ".join([label.sensitivity, *(one for axis in AXES for one in getattr(label, axis))])


def _cut(text: str, most: int) -> str:
    """The beginning and the end; the whole stands in the title and below."""
    return text if len(text) <= most else f"{text[: most - 8]}…{text[-7:]}"


def _arrow(drawing: Drawing, arrow: Arrow) -> str:
    boxes = [drawing.boxes[id_] for id_ in (arrow.tail, *arrow.through, arrow.head)]
    path = f"M{boxes[0].x + WIDTH:.1f} {boxes[0].centre:.1f}"
    for one, other in pairwise(boxes):
        start, end = one.x + WIDTH, other.x
        bend = max(40.0, (end - start) / 2)
        path += (
            f" C{start + bend:.1f} {one.centre:.1f} {end - bend:.1f} {other.centre:.1f}"
            f" {end:.1f} {other.centre:.1f}"
        )
        if other.lane:
            path += f" H{other.x + WIDTH:.1f}"
    return (
        f'<path d="{path}" fill="none" stroke="{_LINE}" stroke-width="1.4"'
        f' marker-end="url(#tip)"><title>{_text(arrow.said)}</title></path>'
    )


def _words(drawing: Drawing, arrow: Arrow) -> str:
    """Near the end that fewer arrows share, so that words lie apart."""
    out = sum(one.tail == arrow.tail for one in drawing.arrows)
    into = sum(one.head == arrow.head for one in drawing.arrows)
    ids = (arrow.tail, *arrow.through, arrow.head)
    one, other = (drawing.boxes[id_] for id_ in (ids[-2:] if out > into else ids[:2]))
    share = 0.72 if out > into else 0.28 if into > out else 0.5
    start, end = one.x + WIDTH, other.x
    height = one.centre + (other.centre - one.centre) * (share**2 * (3 - 2 * share))
    lines = arrow.said.replace(" (", "\n").replace(", ", "\n").removesuffix(")").split("\n")[:3]
    half = _LETTER * max(len(_cut(line, _WORDS)) for line in lines) / 2 + _FREE
    middle = min(max(start + (end - start) * share, start + half), end - half)
    return "".join(
        _line(
            middle, height - 4 + 12 * (number - (len(lines) - 1) / 2),
            _cut(line, _WORDS), 10, _SOFT,
            'text-anchor="middle" paint-order="stroke" stroke="#f6f8fa" stroke-width="4"',
        )
        for number, line in enumerate(lines)
    )  # fmt: skip


def _line(x: float, y: float, text: str, size: float, colour: str, more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" {more}>'
        f"{_text(text)}</text>"
    )


def _text(text: str) -> str:
    plain = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    return escape(plain, quote=True)
