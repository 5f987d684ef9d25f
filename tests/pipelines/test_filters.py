"""Filters refuse outside their published bounds, inside never, and what was not measured always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.quality import signals
from halocline_pipelines.filters.bound import Bound, Filter
from halocline_pipelines.filters.c4 import C4
from halocline_pipelines.filters.fineweb import FineWeb
from halocline_pipelines.filters.gopher_quality import GopherQuality
from halocline_pipelines.filters.gopher_repetition import GopherRepetition
from halocline_pipelines.filters.language import Language
from halocline_pipelines.filters.toxicity import Toxicity
from halocline_pipelines.recipes.firm import FirmConfig, generate

PROSE = next(
    iter(generate(FirmConfig(num_rationales=30, canary_repeats=1, share_pii=0)).sources)
).documents
GOOD = next(document.text for document in PROSE() if len(document.text or "") > 900) or ""
MEASURED = {**signals(GOOD), "language@1:en": 1.0, "toxicity@1": 0.01}

ALL: list[Filter] = [
    GopherQuality(),
    GopherRepetition(),
    C4(),
    FineWeb(),
    Language(),
    Toxicity(),
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_good_prose_passes_and_unmeasured_text_does_not(rule: Filter) -> None:
    assert rule.fault(MEASURED) is None
    assert rule.fault({}) is not None


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_every_signal_of_a_rule_is_needed(rule: Filter) -> None:
    used = [name for name in MEASURED if rule.fault({**MEASURED, name: float("nan")})]
    assert used
    for name in used:
        assert rule.fault({key: value for key, value in MEASURED.items() if key != name})


@pytest.mark.parametrize(
    ("rule", "name", "inside", "outside"),
    [
        (GopherQuality(), "gopher.word_count@1", 50, 49),
        (GopherQuality(), "gopher.word_count@1", 100_000, 100_001),
        (GopherQuality(), "gopher.mean_word_length@1", 3, 2.99),
        (GopherQuality(), "gopher.mean_word_length@1", 10, 10.01),
        (GopherQuality(), "gopher.hash_per_word@1", 0.1, 0.11),
        (GopherQuality(), "gopher.ellipsis_per_word@1", 0.1, 0.11),
        (GopherQuality(), "gopher.bullet_lines@1", 0.9, 0.91),
        (GopherQuality(), "gopher.ellipsis_lines@1", 0.3, 0.31),
        (GopherQuality(), "gopher.alpha_words@1", 0.8, 0.79),
        (GopherQuality(), "gopher.stop_words@1", 2, 1),
        (GopherRepetition(), "gopher.duplicate_lines@1", 0.3, 0.31),
        (GopherRepetition(), "gopher.duplicate_paragraph_chars@1", 0.2, 0.21),
        (GopherRepetition(), "gopher.top_2gram_chars@1", 0.2, 0.21),
        (GopherRepetition(), "gopher.top_4gram_chars@1", 0.16, 0.17),
        (GopherRepetition(), "gopher.duplicate_5gram_chars@1", 0.15, 0.16),
        (GopherRepetition(), "gopher.duplicate_10gram_chars@1", 0.1, 0.11),
        (C4(), "c4.sentences@1", 5, 4),
        (C4(), "c4.lorem_ipsum@1", 0, 1),
        (FineWeb(), "fineweb.punctuated_lines@1", 0.12, 0.11),
        (FineWeb(), "fineweb.lines_of_30@1", 0.67, 0.68),
        (FineWeb(), "fineweb.newline_per_word@1", 0.3, 0.31),
        (Language(), "language@1:en", 0.65, 0.64),
        (Toxicity(), "toxicity@1", 0.7, 0.71),
    ],
)
def test_published_bounds(rule: Filter, name: str, inside: float, outside: float) -> None:
    assert name in MEASURED
    assert rule.fault({**MEASURED, name: inside}) is None
    assert rule.fault({**MEASURED, name: outside})


def test_another_language_is_refused_by_name() -> None:
    assert Language().fault({"language@1:de": 0.99}) == "language de, not en"
    assert Language(code="de").fault({"language@1:de": 0.99}) is None


@given(st.floats(), st.floats(), st.floats())
def test_a_bound_is_a_closed_interval(value: float, low: float, high: float) -> None:
    fault = Bound("s", "thing", low, high).fault({"s": value})
    if low <= value <= high:
        assert fault is None
    elif value == value and low == low and high == high:
        assert fault is not None
