"""The page of a trace: whole in itself, inert, the same each time, and complete when it folds."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from halocline_governance.label import PUBLIC, Label
from halocline_governance.lineage import Node, Trace
from halocline_governance.lineage.checks import Flag
from halocline_governance.lineage.page import page
from halocline_governance.lineage.page_layout import HEIGHT, MAX_OF_A_KIND, RANKS, WIDTH, Box, draw

BUY = Label("confidential", sides=("buy",), issuers=("acme",))
LABELS = {label.label_id: label for label in (PUBLIC, BUY)}
KINDS = ("row", "dataset", "run", "model", "deployment")


def back() -> Trace:
    """An output, as it is traced to its data."""
    trace = Trace(Node("output:o", "output", "o", {"label_id": BUY.label_id}))
    model = Node("model:house/1", "model", "house v1", {"label_id": BUY.label_id})
    run, mixture = Node("run:r", "run", "r"), Node("mixture:m", "mixture", "m")
    facts = {"table": "buy:curated.documents", "version": 0, "num_rows": 12_345, "fingerprint": "f"}
    data = Node("dataset:d", "dataset", "d" * 33, {**facts, "label_id": PUBLIC.label_id})
    trace.lead(trace.root, model, "answered by")
    trace.lead(model, run, "came out of")
    trace.lead(run, mixture, "mixed by")
    trace.lead(run, data, "read (weight 1, 40 sequences)")
    return trace


def any_trace(rng: random.Random, num_nodes: int, num_edges: int) -> Trace:
    """Anything that hangs together: several parents, models from models, cycles, skipped kinds."""
    nodes = [Node("row:0", "row", "0")]
    nodes += [Node(f"{kind}:{n}", kind, f"{kind} {n}", {"num_rows": n})
              for n, kind in ((n, rng.choice(KINDS)) for n in range(1, num_nodes))]  # fmt: skip
    trace = Trace(nodes[0])
    for number, node in enumerate(nodes[1:], 1):
        trace.lead(nodes[rng.randrange(number)], node, "led to")
    for _ in range(num_edges):
        trace.lead(rng.choice(nodes), rng.choice(nodes), rng.choice(("in", "went into (base)")))
    return trace


class Parsed(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def drawing(text: str) -> Any:
    found = re.search(r"<svg .*</svg>", text, re.DOTALL)
    assert found
    return ET.fromstring(found[0])


def test_the_page_shows_what_is_there() -> None:
    trace = back()
    trace.gaps.append("sell:curated.documents version 2 cannot be read any more")
    flag = Flag("dataset:d", "rows", "the guard handed out other rows")
    far = Flag("run:elsewhere", "rows", "what the journal knows and lineage lost")
    text = page(trace, LABELS, [flag, far], {"taken for": "an output"})
    said = " ".join(Parsed(text).said)

    for wanted in (
        "Lineage of output o", "taken for", "12,345 rows", "buy:curated v0", "other rows",
        "cannot be read any more", "confidential · sides buy · issuers acme", "d" * 33,
        "weight 1", "answered",
    ):  # fmt: skip
        assert wanted in said, wanted
    assert "what the journal knows and lineage lost" in said
    assert "Nothing is missing" not in said
    assert "Nothing is missing" in page(back(), LABELS)


def test_nothing_is_run_or_fetched_whatever_names_hold() -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=y>&{}\u202e\x00\x1b]8;;http://x\x07'
    trace = Trace(Node(f"row:{evil}", evil, evil, {evil: evil, "label_id": evil}))
    trace.lead(trace.root, Node("run:r", "run", evil, {"table": evil}), evil)
    trace.gaps.append(evil)
    plain = Parsed(page(back(), LABELS))
    parsed = Parsed(page(trace, {}, [Flag("run:r", "rows", evil)], {evil: evil}))

    assert {tag for tag, _ in parsed.tags} <= {tag for tag, _ in plain.tags} | {
        "ul",
        "li",
        "circle",
    }
    for tag, attributes in parsed.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("href", "src", "action", "data"):
                assert re.fullmatch(r"#t\d+", value or ""), (tag, value)
    assert not any(c in page(trace, {}) for c in "\u202e\x00\x1b\x07")
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_same_trace_gives_the_same_bytes(rng: random.Random) -> None:
    trace = any_trace(rng, 60, 40)
    other = Trace(trace.root)
    nodes, edges = list(trace.nodes.values()), list(trace.edges)
    rng.shuffle(nodes)
    rng.shuffle(edges)
    other.nodes.update((node.id, node) for node in nodes)
    other.edges.extend(edges)

    assert page(other, LABELS) == page(trace, LABELS)


def test_data_stands_left_of_what_was_made_of_it() -> None:
    boxes = {box.node.kind: box for box in draw(back()).shown()}
    ordered = sorted(boxes.values(), key=lambda box: RANKS[box.node.kind])

    assert ordered[0].node.kind == "dataset"
    for one, other in pairwise(box for box in ordered if box.node.kind != "mixture"):
        assert one.x < other.x
    assert boxes["mixture"].layer == boxes["run"].layer - 1


@pytest.mark.parametrize("num_nodes", [1, 2, 40, 400])
def test_boxes_lie_apart_and_arrows_go_to_boxes(rng: random.Random, num_nodes: int) -> None:
    trace = any_trace(rng, num_nodes, num_nodes)
    drawn = draw(trace)

    layers: dict[int, list[Box]] = {}
    for box in drawn.boxes.values():
        layers.setdefault(box.layer, []).append(box)
        assert 0 <= box.y <= drawn.height - box.height + 1e-6
        assert 0 <= box.x <= drawn.width
    for layer in layers.values():
        layer.sort(key=lambda box: box.y)
        assert all(a.y + a.height < b.y for a, b in pairwise(layer))
    for arrow in drawn.arrows:
        assert {arrow.tail, arrow.head, *arrow.through} <= drawn.boxes.keys()
        at = [drawn.boxes[id_].layer for id_ in arrow.through]
        assert at == sorted(at)
    drawing(page(trace, LABELS))


def test_an_arrows_words_lie_between_the_cards() -> None:
    trace = back()
    for number, said in enumerate(("0.366667, 123456", "0.633333, 99", "W" * 40)):
        data = Node(f"dataset:{number}", "dataset", str(number))
        trace.lead(trace.nodes["run:r"], data, f"read (weight {said} sequences)")
    picture = drawing(page(trace, LABELS)).find("{*}g")
    places = re.findall(r"translate\(([\d.]+)", ET.tostring(picture).decode())
    columns = {float(place) for place in places[1:]}
    words = [one for one in picture if one.tag.endswith("text")]

    assert any("weight" in (one.text or "") for one in words)
    for one in words:
        at, half = float(one.attrib["x"]), 6.5 * len(one.text or "") / 2
        start = max(x for x in columns if x < at) + WIDTH
        end = min(x for x in columns if x > at)
        assert start + 3 <= at - half < at + half <= end - 3, one.text


def test_two_thousand_things_fold_and_every_one_is_listed(rng: random.Random) -> None:
    trace = any_trace(rng, 2_000, 2_000)
    marked = rng.choice([id_ for id_ in trace.nodes if id_ != trace.root.id])
    text = page(trace, LABELS, [Flag(marked, "rows", "other rows")])
    drawn = draw(trace, {marked})

    assert len(drawn.shown()) <= len(KINDS) * (MAX_OF_A_KIND + 1)
    assert drawn.height < 40 * 2 * HEIGHT * MAX_OF_A_KIND
    held = [node.id for box in drawn.shown() for node in (box.folded or (box.node,))]
    assert sorted(held) == sorted(trace.nodes)
    assert not any(marked in (node.id for node in box.folded) for box in drawn.shown())
    assert len(text) < 2_000_000
    said = set(Parsed(text).said)
    assert {node.name for node in trace.nodes.values()} <= said
    anchors = {a["id"] for _, a in Parsed(text).tags if "id" in a}
    assert set(_targets(text)) <= anchors


def _targets(text: str) -> Iterator[str]:
    return (found[1] for found in re.finditer(r'href="#([^"]+)"', text))


def test_a_long_line_of_models_is_drawn() -> None:
    trace = Trace(Node("model:m/0", "model", "m v0"))
    last = trace.root
    for number in range(1, 3_000):
        node = Node(f"model:m/{number}", "model", f"m v{number}")
        trace.lead(last, node, "made from (base)")
        last = node

    assert "and 2," in page(trace, LABELS)


def test_a_drawing_is_as_tall_as_its_fullest_column_and_none_is_cut(rng: random.Random) -> None:
    """Sixty models made from each other: the page scrolls over them, or makes them fit."""
    trace = any_trace(rng, 300, 300)
    drawn = draw(trace)
    columns: dict[int, float] = {}
    for box in drawn.boxes.values():
        columns[box.layer] = columns.get(box.layer, 0.0) + box.height + box.gap
    text = page(trace, LABELS)
    sizes = [a for tag, a in Parsed(text).tags if tag == "input"]
    (svg,) = (a for tag, a in Parsed(text).tags if tag == "svg")
    width, height = (float(one) for one in str(svg["viewbox"]).split()[2:])

    assert drawn.height <= max(columns.values())
    assert max(box.x for box in drawn.shown()) < width
    assert (svg["width"], svg["height"]) == (f"{width:.0f}", f"{height:.0f}")
    assert [a["id"] for a in sizes if "checked" in a] == ["plain"]
    assert 'id="whole" checked' in page(back(), LABELS)
    for id_ in ("whole", "large"):
        assert f"#{id_}:checked ~ figure svg" in text


def test_what_answered_stands_right_of_every_model_in_columns_of_its_own() -> None:
    trace = back()
    model, last = trace.nodes["model:house/1"], trace.nodes["model:house/1"]
    for number in range(2, 5):
        tuned = Node(f"model:house/{number}", "model", f"house v{number}")
        trace.lead(last, tuned, "went into (base)")
        last = tuned
    for number, served in enumerate((model, last)):
        deployment = Node(f"deployment:e{number}/0", "deployment", f"e{number}")
        trace.lead(served, deployment, "deployed at")
        trace.lead(deployment, Node(f"endpoint:e{number}", "endpoint", f"e{number}"), "is")
    layers: dict[str, set[int]] = {}
    for box in draw(trace).shown():
        layers.setdefault(box.node.kind, set()).add(box.layer)

    assert max(layers["model"]) < min(layers["deployment"]) == max(layers["deployment"])
    assert layers["endpoint"] == layers["output"] == {max(layers["deployment"]) + 1}
