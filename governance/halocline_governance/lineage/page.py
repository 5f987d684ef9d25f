"""A trace as one page for people: a drawing, what is flagged or missing, and every thing in it.

The page is whole in itself: no script, nothing fetched, ids and labels as text that does nothing.
The same trace gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from halocline_governance.label import AXES, Label
from halocline_governance.lineage.checks import Flag
from halocline_governance.lineage.page_drawing import COLOURS, GREY, svg
from halocline_governance.lineage.page_layout import RANKS, Drawing, draw
from halocline_governance.lineage.trace import Node, Trace

MAX_ROWS = 2_000
_LONG = 24
_PLURAL: Mapping[str, str] = {
    "subject": "data subjects", "source": "sources", "licence": "licences", "row": "rows",
    "rows": "rows by table",
    "dataset": "dataset versions", "mixture": "mixtures", "run": "runs", "model": "models",
    "deployment": "deployments", "endpoint": "endpoints", "output": "outputs",
    "outputs": "outputs",
}  # fmt: skip
_SENSITIVITY = {
    "public": "#2f7d4f", "internal": "#2b6cb0", "confidential": "#b7791f", "restricted": "#b3261e"
}  # fmt: skip
_STYLE = """
:root { color-scheme: light; --ink: #16202a; --soft: #5a6875; --line: #d8dee4; --wash: #f6f8fa;
  --bad: #a1260d; --warn: #8a5a00; --good: #14683a; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0 auto;
  max-width: 110rem; padding: 2rem 2rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .35rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; border-bottom: 2px solid var(--ink);
  padding-bottom: .2rem; }
p { margin: .4rem 0; max-width: 60rem; } .soft { color: var(--soft); }
code { font: 12.5px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
ul.counts { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 .5rem;
  padding: 0; }
ul.counts li { border: 1px solid var(--line); border-radius: 999px; padding: .1rem .8rem;
  font-size: 13.5px; white-space: nowrap; }
.dot { display: inline-block; width: .65em; height: .65em; border-radius: 50%; margin-right: .4em; }
.told { border-left: 4px solid var(--line); padding: .2rem 0 .2rem 1rem; margin: .6rem 0; }
.told.bad { border-color: var(--bad); } .told.warn { border-color: var(--warn); }
.told.good { border-color: var(--good); } .told ul { margin: .3rem 0; padding-left: 1.1rem; }
.told b { margin-right: .3rem; }
figure { margin: .6rem 0 1rem; overflow: auto; max-height: 88vh; border: 1px solid var(--line);
  border-radius: 8px; background: var(--wash); padding: 1.25rem; }
figure svg { display: block; margin: 0 auto; flex: none; }
.zoom { display: inline-block; font-size: 13.5px; margin-right: .9rem; }
#whole:checked ~ figure svg { width: 100%; height: auto; max-height: calc(88vh - 2.6rem); }
#large:checked ~ figure svg { zoom: 1.6; }
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0;
  margin: .4rem 0; font-size: 13.5px; color: var(--soft); }
.box { display: inline-block; width: 1.5em; height: .95em; border: 1px solid #c6d0d9;
  border-radius: 3px; background: #fff; margin-right: .45em; vertical-align: -.1em; }
.box.asked { border: 2px solid var(--ink); } .box.bad { border: 2px solid var(--bad); }
.box.many { border-style: dashed; border-color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; margin: .4rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
tr:target td { background: #fff4c2; } tr.bad td:first-child { border-left: 4px solid var(--bad);
  padding-left: .6rem; }
.label { display: inline-block; color: #fff; border-radius: 3px; padding: 0 .45em;
  font-size: 12px; }
a { color: inherit; }
@page { size: landscape; margin: 14mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; }
  figure { border: 0; padding: 0; background: none; overflow: visible; break-inside: avoid;
    max-height: none; }
  figure svg { width: 100%; height: auto; max-height: 165mm; zoom: 1 !important; }
  input, .zoom { display: none; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_SIZES = {"whole": "the whole drawing", "plain": "in its own size", "large": "large"}
# A drawing up to this many pixels can be read when it is made to fit a screen.
_FITS = (2_400, 1_300)


def page(
    trace: Trace,
    labels: Mapping[str, Label],
    flags: Sequence[Flag] = (),
    about: Mapping[str, str] | None = None,
) -> str:
    """The page of a trace.

    Args:
        trace: what is shown.
        labels: of the label ids that nodes name, as far as known.
        flags: what was found wrong; those about a node of the trace are shown at it too.
        about: what was asked and of what, to stand under the title: name and value.
    """
    about = about or {}
    marked = {flag.about for flag in flags if flag.about in trace.nodes}
    anchors = {id_: f"t{number}" for number, id_ in enumerate(sorted(trace.nodes))}
    title = f"Lineage of {trace.root.kind} {trace.root.name}"
    drawn = draw(trace, marked)
    drawing = svg(drawn, trace.root.id, marked, anchors, labels)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>",
        f"<header><h1>{_text(title)}</h1>{_about(about)}{_counts(trace)}</header>",
        _flags(flags, anchors),
        _gaps(sorted(set(trace.gaps)), is_flagged=bool(flags)),
        _unlisted(trace),
        f"<section><h2>What led to what</h2>{_zoom(drawn)}<figure>{drawing}</figure>",
        _legend(trace, is_flagged=bool(marked)),
        "</section>",
        *(_table(trace, kind, anchors, labels, marked) for kind in _kinds(trace)),
        _edges(trace, anchors),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def label_text(label: Label | None, label_id: str) -> str:
    """A label for people: its level and what it is bound to; else its id."""
    if label is None:
        return label_id
    bound = [f"{axis} {', '.join(getattr(label, axis))}" for axis in AXES if getattr(label, axis)]
    return " · ".join([label.sensitivity, *bound])


def _zoom(drawn: Drawing) -> str:
    """Sizes to choose from, without a script: the stylesheet looks at which one is chosen."""
    fits = drawn.width <= _FITS[0] and drawn.height <= _FITS[1]
    return "".join(
        f'<input type="radio" name="zoom" id="{id_}"'
        f"{' checked' if id_ == ('whole' if fits else 'plain') else ''}>"
        f'<label class="zoom" for="{id_}">{said}</label>'
        for id_, said in _SIZES.items()
    )


def _legend(trace: Trace, *, is_flagged: bool) -> str:
    """What colours and borders mean."""
    kinds = "".join(
        f'<li><span class="dot" style="background:{COLOURS.get(kind, GREY)}"></span>'
        f"{_text(_PLURAL.get(kind, kind))}</li>"
        for kind in _kinds(trace)
    )
    borders = {"asked": "what was asked about", "many": "several things, all listed below"}
    borders |= {"bad": "flagged"} if is_flagged else {}
    told = "".join(
        f'<li><span class="box {name}"></span>{what}</li>' for name, what in borders.items()
    )
    return (
        f'<ul class="legend">{kinds}{told}</ul><p class="soft">Read from left to right: data, what'
        " was trained on it, what answered with it. Point at a box or an arrow for all it says.</p>"
    )


def _kinds(trace: Trace) -> list[str]:
    there = {node.kind for node in trace.nodes.values()}
    return sorted(there, key=lambda kind: (RANKS.get(kind, 3), kind))


def _about(about: Mapping[str, str]) -> str:
    said = [f"{_text(name)} <code>{_text(value)}</code>" for name, value in about.items()]
    return f'<p class="soft">{" · ".join(said)}</p>' if said else ""


def _counts(trace: Trace) -> str:
    items = [
        f'<li><span class="dot" style="background:{COLOURS.get(kind, GREY)}"></span>'
        f"{_count(number, kind)}</li>"
        for kind, number in _numbers(trace).items()
    ]
    return f'<ul class="counts">{"".join(items)}</ul>'


def _numbers(trace: Trace) -> dict[str, int]:
    """How many there are of each kind, those that are counted and not listed included."""
    shown = {kind: len(trace.of(kind)) for kind in _kinds(trace) if kind not in ("rows", "outputs")}
    rooted = {kind: number + (trace.root.kind == kind) for kind, number in trace.counts.items()}
    return {kind: max(shown.get(kind, 0), rooted.get(kind, 0)) for kind in {**shown, **rooted}}


def _count(number: int, kind: str) -> str:
    name = kind if number == 1 else _PLURAL.get(kind, f"{kind}s")
    return f"<b>{number:,}</b> {_text(_PLURAL['dataset'][:-1] if name == 'dataset' else name)}"


def _flags(flags: Sequence[Flag], anchors: Mapping[str, str]) -> str:
    if not flags:
        return ""
    items = [
        f"<li>{_flagged(flag, anchors)} <b>{_text(flag.kind)}</b>{_text(flag.what)}</li>"
        for flag in flags
    ]
    said = "What the records say of this does not agree"
    return f'<div class="told bad"><b>{said}</b><ul>{"".join(items)}</ul></div>'


def _flagged(flag: Flag, anchors: Mapping[str, str]) -> str:
    """What a flag is about; a lost link leads to what is not in the trace."""
    name = f"<code>{_text(flag.about)}</code>"
    return f'<a href="#{anchors[flag.about]}">{name}</a>' if flag.about in anchors else name


def _gaps(gaps: Sequence[str], *, is_flagged: bool) -> str:
    if not gaps and is_flagged:
        return ""
    if not gaps:
        return '<div class="told good">Nothing is missing: every link is on record.</div>'
    items = "".join(f"<li>{_text(gap)}</li>" for gap in gaps)
    return f'<div class="told warn"><b>What could not be followed</b><ul>{items}</ul></div>'


def _unlisted(trace: Trace) -> str:
    left = [f"{number:,} more of kind {kind}" for kind, number in trace.more().items()]
    if not left:
        return ""
    said = f"Counted, and not listed here: {', '.join(left)}."
    return f'<div class="told"><p>{_text(said)}</p></div>'


def _table(
    trace: Trace,
    kind: str,
    anchors: Mapping[str, str],
    labels: Mapping[str, Label],
    marked: set[str],
) -> str:
    nodes = trace.of(kind)
    names = list(dict.fromkeys(name for node in nodes for name in node.facts))
    heads = "".join(f"<th>{_text(name.replace('_', ' '))}</th>" for name in ["name", *names])
    rows = "".join(
        f'<tr id="{anchors[node.id]}"{_bad(node, marked)}><td><code>{_text(node.name)}</code></td>'
        + "".join(_cell(name, node.facts.get(name), labels) for name in names)
        + "</tr>"
        for node in nodes[:MAX_ROWS]
    )
    title = _PLURAL.get(kind, f"{kind}s")
    return (
        f"<h2>{_text(title[:1].upper() + title[1:])}</h2>"
        f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>{_more(len(nodes))}'
    )


def _bad(node: Node, marked: set[str]) -> str:
    """The class of a row that is flagged."""
    return ' class="bad"' if node.id in marked else ""


def _cell(name: str, value: Any, labels: Mapping[str, Label]) -> str:
    if value is None:
        return "<td></td>"
    if name == "label_id":
        label = labels.get(str(value))
        colour = _SENSITIVITY.get(label.sensitivity, GREY) if label else GREY
        said = _text(label_text(label, str(value)))
        return f'<td><span class="label" style="background:{colour}">{said}</span></td>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="n">{value if name == "version" else format(value, ",")}</td>'
    text = _text(str(value))
    return f"<td><code>{text}</code></td>" if len(text) > _LONG else f"<td>{text}</td>"


def _edges(trace: Trace, anchors: Mapping[str, str]) -> str:
    edges = sorted(trace.edges, key=lambda edge: (edge.tail, edge.head, edge.kind))
    if not edges:
        return ""
    rows = "".join(
        f"<tr><td>{_link(edge.tail, trace, anchors)}</td><td>{_text(edge.kind)}</td>"
        f"<td>{_link(edge.head, trace, anchors)}</td></tr>"
        for edge in edges[:MAX_ROWS]
    )
    return (
        f'<h2>Links, as they were followed</h2><div class="scroll"><table><tr><th>of</th>'
        f"<th>on record</th><th>to</th></tr>{rows}</table></div>{_more(len(edges))}"
    )


def _link(id_: str, trace: Trace, anchors: Mapping[str, str]) -> str:
    node = trace.nodes.get(id_)
    if node is None:
        return f"<code>{_text(id_)}</code>"
    return f'<a href="#{anchors[id_]}">{_text(node.kind)} <code>{_text(node.name)}</code></a>'


def _more(number: int) -> str:
    if number <= MAX_ROWS:
        return ""
    return f'<p class="soft">and {number - MAX_ROWS:,} more: --json lists them all</p>'


def _text(text: str) -> str:
    """Text that does nothing, whatever it holds: no markup, no control or direction marks."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return escape(plain, quote=True)
