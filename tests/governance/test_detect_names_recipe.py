"""How good the shipped names are on fresh texts, how that is measured, and other engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from halocline_governance.detect.names import NamesDetector
from halocline_governance.detect.names.entities import parts
from halocline_governance.errors import Refused
from halocline_pipelines.recipes import names_texts
from halocline_pipelines.recipes.names_gold import gold
from halocline_pipelines.recipes.names_held import HELD
from halocline_pipelines.recipes.names_lexicon import held_out, pools
from halocline_pipelines.recipes.names_measure import measured
from halocline_pipelines.recipes.names_silver import Example, trimmed
from halocline_pipelines.recipes.names_templates import TRAIN

CONLL = """-DOCSTART- -X- O O

Ann NNP - I-PER
Lee NNP - I-PER
, , - O
of IN - O
Acme NNP - I-ORG
( ( - O
the DT - O
Borrower NNP - I-PER
) ) - O
. . - O
"""


def test_it_finds_names_it_never_saw_in_letters_it_never_saw(seed: int) -> None:
    """Templates and names that no training text has: the floors are below what was measured."""
    texts = names_texts.examples(seed, 200, held=True)
    scores = measured(texts, NamesDetector())
    assert scores["unscanned"] == 0
    assert scores["micro"]["f1"] >= 0.70
    assert scores["person"]["precision"] >= 0.80


def test_what_is_held_out_is_nowhere_in_training() -> None:
    kept, held = pools(False), pools(True)
    assert not {n for names in kept.last for n in names} & {n for names in held.last for n in names}
    assert not any(held_out(name) for name in kept.cities)
    assert not set(HELD.split("\n---\n")) & set(TRAIN.split("\n---\n"))


def test_a_filled_template_marks_its_names(seed: int) -> None:
    for example in names_texts.examples(seed, 60, held=False):
        ends = 0
        for start, end, kind in sorted(example.spans):
            assert ends <= start < end
            assert kind in ("person", "organization", "location")
            assert "{" not in example.text[start:end]
            ends = end


def test_gold_is_read_as_running_text_and_roles_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "ner").mkdir()
    (tmp_path / "ner" / "sec_filings.conll").write_text(CONLL)
    (example,) = gold(tmp_path, "sec_filings", "test")
    assert example.text == "Ann Lee, of Acme (the Borrower)."
    named = [(example.text[a:b], kind) for a, b, kind in example.spans]
    assert named == [("Ann Lee", "person"), ("Acme", "organization")]
    assert [example.text[a:b] for a, b in example.ignored] == ["Borrower"]
    with pytest.raises(Refused, match="not in the data folder"):
        gold(tmp_path, "wikigold", "test")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the United States'", "United States"),
        ("Mr. Smith's", "Smith"),
        ("Acme Inc.", "Acme Inc."),
        ("Berlin.", "Berlin"),
        ('"Ann"', "Ann"),
        ("U.S.", "U.S."),
        ("the", "the"),
        (" " * 20_000 + "." * 20_000, ""),
    ],
)
def test_a_span_is_trimmed_to_the_name(text: str, left: str) -> None:
    start, end = trimmed(text, 0, len(text))
    assert text[start:end] == left


def test_exact_spans_count_and_ignored_ones_do_not() -> None:
    text = "She moved from London to Paris."
    wrong = Example(text, ((15, 21, "organization"), (25, 30, "location")))
    scores = measured([wrong], NamesDetector())
    assert scores["micro"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    scores = measured([Example(text, ((25, 30, "location"),), ((15, 21),))], NamesDetector())
    assert scores["micro"]["f1"] == 1.0


def test_parts_are_the_text_and_cut_no_word() -> None:
    text = "Ann met Bob.\n" * 50
    cut = list(parts(text, 100))
    assert "".join(part for _, part in cut) == text
    assert all(text[at : at + len(part)] == part and len(part) <= 100 for at, part in cut)
    assert all(part.endswith("\n") for _, part in cut)
    assert [part for _, part in parts("x" * 250, 100)] == ["x" * 100, "x" * 100, "x" * 50]


def test_spacy_and_presidio_stand_behind_the_same_contract() -> None:
    from halocline_governance.detect.names.presidio_engine import PresidioNames
    from halocline_governance.detect.names.spacy_engine import SpacyNames

    text = "On Monday Zoë and John Smith of Acme Corp. flew to London.\n"
    for detector in (SpacyNames.open(), PresidioNames.open()):
        package, _, model = detector.id.partition("/")
        assert "@" in package
        assert model.startswith("en_core_web_sm")
        data = text.encode()
        verdict = detector.scan(text)
        named = {(data[s.start : s.end].decode(), s.kind) for s in verdict.spans}
        assert {("John Smith", "person"), ("London", "location")} <= named
        stream = detector.stream()
        stream.feed(data[:20])
        assert stream.settled == 0
        stream.feed(data[20:])
        assert stream.finish() == verdict
    with pytest.raises(Refused, match=r"halocline\[presidio\]"):
        SpacyNames.open("no_such_model_is_installed")
