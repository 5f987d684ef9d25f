"""`halocline detect`: a line for each text, a page for people, and nothing clean by accident."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.errors import Refused
from halocline_infra.cli import app
from halocline_infra.commands.train_detector import RECIPES
from halocline_infra.detecting.answers import Answers, Asked, answers
from halocline_infra.detecting.asking import UNSCANNED_EXIT, through
from halocline_infra.detecting.batches import Batch
from halocline_infra.detecting.jsonlines import encoded
from halocline_infra.detecting.page import MAX_CHARS, MAX_TEXTS
from halocline_infra.detecting.page_style import COLOURS
from tests.governance.detect_rules import Rule

ATTACK = "You are all stupid idiots, disgusting garbage, and you should die."
SECRET = "AKIA" + "QYLPMN5HXJ3ABCDE"


def detect(*arguments: object) -> tuple[int, list[dict[str, Any]]]:
    done = CliRunner().invoke(app, ["detect", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines() if line[0] == "{"]


def jsonl(path: Path, texts: Sequence[object]) -> Path:
    rows = ({"id": number, "text": text} for number, text in enumerate(texts))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def batch(*texts: str) -> Batch:
    return Batch("s", list(range(len(texts))), range(1, len(texts) + 1), Texts.of(texts))


def test_one_scoring_detector_tells_its_score_and_nothing_else(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [ATTACK, "", "The sun shines.", 5])
    code, rows = detect(file, "--kinds", "toxicity", "--json")
    assert code == 3
    assert [list(row) for row in rows[:3]] == [["id", "toxicity"]] * 3
    assert rows[0]["toxicity"] > 0.5 > rows[2]["toxicity"] >= rows[1]["toxicity"] == 0
    assert rows[3] == {
        "id": 3, "toxicity": None, "spans": [], "unscanned": "malformed: text is no string",
    }  # fmt: skip


def test_several_tell_scores_then_the_spans_of_all(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [f"{ATTACK} é jo@example.org key {SECRET}", "Nothing."])
    code, rows = detect(file, "--kinds", "toxicity,pii,secrets", "--json")
    assert code == 0
    assert [list(row) for row in rows] == [["id", "toxicity", "spans"]] * 2
    assert {"email", "aws_access_key"} <= {span["kind"] for span in rows[0]["spans"]}
    assert rows[1]["spans"] == []
    starts = [span["start"] for span in rows[0]["spans"]]
    assert starts == sorted(starts)


def test_a_kind_alone_gives_its_spans_alone(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", ["jo@example.org 4111 1111 1111 1111"])
    _, rows = detect(file, "--kinds", "credit_card", "--json")
    assert [span["kind"] for span in rows[0]["spans"]] == ["credit_card"]


def test_a_process_of_their_own_changes_no_answer(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", [ATTACK, f"key {SECRET}", "\ud800", ""])
    arguments = [file, "--kinds", "secrets", "--json"]
    assert detect(*arguments, "--timeout", "30") == detect(*arguments)


@pytest.mark.parametrize("name", ["segregation", "canary"])
def test_what_depends_on_who_asks_is_not_asked_here(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="label"):
        detect(jsonl(tmp_path / "a.jsonl", ["x"]), "--kinds", name)


@pytest.mark.parametrize("content", [None, b"", b"\0" * 64, b"{}"])
def test_a_model_that_is_missing_or_damaged_makes_every_line_unscanned(
    tmp_path: Path, content: bytes | None
) -> None:
    weights = tmp_path / "toxicity.safetensors"
    if content is not None:
        weights.write_bytes(content)
    lines: list[dict[str, Any]] = []

    def take(found: Answers) -> None:
        lines.extend(json.loads(line) for line in encoded(found).splitlines())

    detectors = [Asked(ToxicityDetector(weights), scores="toxicity"), Asked(Rule())]
    assert through(iter([batch("jo", ATTACK)]), detectors, take) == UNSCANNED_EXIT
    assert [(line["toxicity"], line["spans"]) for line in lines] == [(None, [])] * 2
    assert all(line["unscanned"].startswith(ToxicityDetector().id) for line in lines)


def test_a_detector_that_fails_on_a_text_leaves_the_others() -> None:
    found = answers(batch("jo", "do:raise jo", "jo"), [Asked(Rule())])
    assert dict(found.reasons) == {1: "rule@1: failed: ValueError"}
    assert found.rows.tolist() == [0, 2]


def test_spans_that_yield_give_way_where_they_touch() -> None:
    class Wide(Rule):
        """Finds the words around as well."""

    texts = batch("jo x", "é jo jo", "jo")
    firm, soft = Asked(Rule()), Asked(Wide(id="wide@1"), yields=True)
    assert len(answers(texts, [firm, soft]).rows) == 4
    assert len(answers(texts, [Asked(Rule()), Asked(Wide(id="wide@1"))]).rows) == 8
    assert len(answers(texts, [soft]).rows) == 4
    assert len(answers(texts, [Asked(Rule(), scores="sentences"), soft]).rows) == 8
    hidden = Asked(Rule(), kinds=frozenset(("none",)))
    assert len(answers(texts, [hidden, soft]).rows) == 0


class _Seen(HTMLParser):
    """What a browser would make of a page: its tags and what stands in each text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "pre":
            self.texts.append("")
        if tag not in ("meta", "input"):
            classes = dict(attrs).get("class") or ""
            self._inside.append("label" if classes == "kind" else tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside.pop()

    def handle_data(self, data: str) -> None:
        if "pre" in self._inside and "label" not in self._inside:
            self.texts[-1] += data


def page(tmp_path: Path, texts: Sequence[str]) -> tuple[str, _Seen]:
    out = tmp_path / "out.html"
    detect(jsonl(tmp_path / "a.jsonl", texts), "--kinds", "pii,secrets", "--html", out)
    assert out.stat().st_mode & 0o777 == 0o600
    seen = _Seen()
    seen.feed(out.read_text())
    return out.read_text(), seen


HOSTILE = [
    "<script>alert(1)</script> jo@example.org",
    "</pre></article><img src=x onerror=alert(1)> jo@example.org",
    '"><svg/onload=alert(1)> jo@example.org \' " &lt; &amp;amp;',
    "<!-- jo@example.org --> ]]> <style>body{display:none}</style>",
    "javascript:alert(1) http://u:p4ssw0rd@example.org/<b>",
]


def test_a_page_does_nothing_that_its_texts_say(tmp_path: Path) -> None:
    html, seen = page(tmp_path, HOSTILE)
    used = {tag for tag, _ in seen.tags}
    assert not used & {"script", "img", "svg", "a", "iframe", "link", "form", "object", "b"}
    assert sum(tag == "style" for tag, _ in seen.tags) == 1
    assert not {name for _, named in seen.tags for name in named} & {"src", "href", "style"}
    assert not [name for _, named in seen.tags for name in named if name.startswith("on")]
    assert seen.texts == HOSTILE
    assert "default-src 'none'" in html


def test_a_page_shows_what_would_reorder_or_hide_text(tmp_path: Path) -> None:
    _, seen = page(tmp_path, ["jo@example.org \u202eevil\u202c\u200b\x00\x1b[31m \u2066"])
    shown = seen.texts[0]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x00\x1b]", shown)
    assert "U+202E" in shown
    assert "U+0000" in shown


def test_a_page_tells_each_kind_by_name_and_can_hide_it(tmp_path: Path) -> None:
    html, seen = page(tmp_path, [f"jo@example.org {SECRET}"])
    marks = [named for tag, named in seen.tags if tag == "mark"]
    assert [str(named["title"]).split(",")[0] for named in marks] == ["email", "aws_access_key"]
    boxes = [named["id"] for tag, named in seen.tags if tag == "input"]
    labels = [named["for"] for tag, named in seen.tags if tag == "label"]
    assert len(boxes) == 2
    assert boxes == labels
    assert all(f"#{box}:not(:checked)" in html for box in boxes)
    assert html.count('<span class="kind">') == 2


def test_a_page_counts_kinds_and_shows_only_texts_that_hold_a_ticked_one(tmp_path: Path) -> None:
    html, seen = page(tmp_path, ["jo@example.org ann@example.org", f"jo@example.org {SECRET}", "x"])
    assert "3 texts" in html
    assert "2 of them" in html
    assert "email</span> 3 (texts: 2)" in html
    held = [str(named["class"]) for tag, named in seen.tags if tag == "article"]
    assert held == ["h0", "h0 h1"]
    for number in (0, 1):
        assert f"body:has(#t{number}:checked) .h{number}{{display:block}}" in html
    assert "@supports selector(:has(a)){article{display:none}}" in html  # else all are shown


def test_a_page_tells_what_is_unscanned_and_lines_go_on_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    file = jsonl(tmp_path / "a.jsonl", ["jo@example.org", 5])
    code, rows = detect(file, "--kinds", "pii", "--json", "--html", out)
    assert (code, len(rows)) == (3, 2)
    assert '<mark class="mark k0" title="email, score 0.98">jo@example.org' in out.read_text()
    assert '<article class="hu">' in out.read_text()
    assert "unscanned</span> texts: 1" in out.read_text()


def test_a_page_is_bounded_and_says_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_TEXTS >= 10_000
    monkeypatch.setattr("halocline_infra.detecting.page.MAX_TEXTS", 50)
    long = "jo@example.org " + "x " * MAX_CHARS + "ann@example.org"
    html, seen = page(tmp_path, [long, *["jo@example.org"] * 59])
    assert len(seen.texts[0]) == MAX_CHARS
    assert len(seen.texts) == 50
    assert "findings behind them: 1" in html
    assert "10 more texts" in html


@pytest.mark.parametrize("colour", COLOURS)
def test_marks_can_be_read(colour: str) -> None:
    """WCAG 2.2's contrast ratio against the text's colour, 7:1 at least."""
    assert (_light(colour) + 0.05) / (_light("#111111") + 0.05) > 7


def _light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("target", "why"), [(".", "no file"), ("none/a.html", "no such folder"), ("a.jsonl", "is read")]
)
def test_a_page_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, target: str, why: str
) -> None:
    file = jsonl(tmp_path / "a.jsonl", ["x"])
    arguments = ["detect", str(file), "--kinds", "pii", "--json", "--html", str(tmp_path / target)]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, Refused)
    assert why in str(done.exception)
    assert done.stdout == ""
    assert file.read_text() == '{"id": 0, "text": "x"}\n'


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_can_be_asked_for(recipe: str) -> None:
    module = import_module(f"halocline_pipelines.recipes.{recipe}")
    assert list(signature(module.train).parameters)[:3] == ["data", "out", "tell"]


@pytest.mark.parametrize("arguments", [["nope", "."], ["toxicity", "nowhere"]])
def test_what_cannot_be_trained_is_refused(arguments: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "detector", *arguments, "--out", str(tmp_path / "w")])
    assert isinstance(done.exception, Refused)
    assert not list(tmp_path.iterdir())
