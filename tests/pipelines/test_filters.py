"""Filters refuse outside their published bounds, inside never, and what was not measured always."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.quality import Signal, signals
from halocline_governance.errors import Refused
from halocline_pipelines.filters.bound import Bound, Filter, Signals
from halocline_pipelines.filters.c4 import C4
from halocline_pipelines.filters.fineweb import FineWeb
from halocline_pipelines.filters.gopher_quality import GopherQuality
from halocline_pipelines.filters.gopher_repetition import GopherRepetition
from halocline_pipelines.filters.language import Language
from halocline_pipelines.filters.toxicity import SIGNAL as TOXICITY
from halocline_pipelines.filters.toxicity import Toxicity
from halocline_pipelines.recipes.curation import CurationRecipe, english
from halocline_pipelines.recipes.firm import FirmConfig, generate

PROSE = next(
    iter(generate(FirmConfig(num_rationales=30, canary_repeats=1, share_pii=0)).sources)
).documents
GOOD = next(document.text for document in PROSE() if len(document.text or "") > 900) or ""
MEASURED = {**signals(GOOD), "language@2:en": 1.0, TOXICITY: 0.01}

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
        (GopherRepetition(), "gopher.top_2gram_chars@2", 0.2, 0.21),
        (GopherRepetition(), "gopher.top_4gram_chars@2", 0.16, 0.17),
        (GopherRepetition(), "gopher.duplicate_5gram_chars@2", 0.15, 0.16),
        (GopherRepetition(), "gopher.duplicate_10gram_chars@2", 0.1, 0.11),
        (C4(), "c4.sentences@1", 5, 4),
        (C4(), "c4.lorem_ipsum@2", 0, 1),
        (FineWeb(), "fineweb.punctuated_lines@1", 0.12, 0.11),
        (FineWeb(), "fineweb.lines_of_30@1", 0.67, 0.68),
        (FineWeb(), "fineweb.newline_per_word@1", 0.3, 0.31),
        (Language(), "language@2:en", 0.65, 0.64),
        (Toxicity(), TOXICITY, 0.5, 0.51),
    ],
)
def test_published_bounds(rule: Filter, name: str, inside: float, outside: float) -> None:
    assert name in MEASURED
    assert rule.fault({**MEASURED, name: inside}) is None
    assert rule.fault({**MEASURED, name: outside})


@dataclass(frozen=True)
class Misspelt:
    """A rule after a peer's: its configuration names signals that its tagger never writes."""

    id: str = "misspelt@1"
    needs: frozenset[str] = frozenset(("gopher.top_2grams_chars@2",))

    def fault(self, signals: Signals) -> str | None:
        return None


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_a_rule_says_which_signals_it_reads(rule: Filter) -> None:
    read = {name for name in MEASURED if rule.fault({**MEASURED, name: float("nan")})}

    assert rule.needs == read


def test_a_recipe_that_names_an_unknown_signal_is_refused_at_once() -> None:
    assert set(Signal) <= set(MEASURED)
    with pytest.raises(Refused, match="top_2grams_chars@2, which nobody measures"):
        CurationRecipe(name="x", filters=(Misspelt(),))
    with pytest.raises(Refused, match="nobody measures"):
        replace(english(), filters=(Language(code="english"),))


@pytest.mark.parametrize(("bound", "refuses"), [(0.1, False), (0.01, True)])
def test_the_bound_that_paper_and_code_differ_on_is_explicit(bound: float, refuses: bool) -> None:
    rule = FineWeb(max_duplicate_line_chars=bound)

    assert FineWeb().max_duplicate_line_chars == 0.1
    assert bool(rule.fault({**MEASURED, Signal.WEB_DUPLICATE_LINE_CHARS: 0.05})) is refuses


def test_another_language_is_refused_by_name() -> None:
    assert Language().fault({"language@2:de": 0.99}) == "language de, not en"
    assert Language(code="de").fault({"language@2:de": 0.99}) is None


@given(st.floats(), st.floats(), st.floats())
def test_a_bound_is_a_closed_interval(value: float, low: float, high: float) -> None:
    fault = Bound("s", "thing", low, high).fault({"s": value})
    if low <= value <= high:
        assert fault is None
    elif value == value and low == low and high == high:
        assert fault is not None
