"""Quality signals against counts made by hand, and the language of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.language import language
from halocline_governance.detect.quality import signals

TEXT = """# A title

The fox and the dog. It is of use to be here...
- one bullet
- one bullet

The fox and the dog. It is of use to be here...
"""


def test_signals_counted_by_hand() -> None:
    found = signals(TEXT)

    assert found["gopher.word_count@1"] == 3 + 12 + 3 + 3 + 12
    assert found["gopher.hash_per_word@1"] == pytest.approx(1 / 33)
    assert found["gopher.ellipsis_per_word@1"] == pytest.approx(2 / 33)
    assert found["gopher.bullet_lines@1"] == pytest.approx(2 / 5)
    assert found["gopher.ellipsis_lines@1"] == pytest.approx(2 / 5)
    assert found["gopher.stop_words@1"] == 5
    assert found["gopher.alpha_words@1"] == pytest.approx(30 / 33)
    assert found["gopher.duplicate_lines@1"] == pytest.approx(2 / 5)
    assert found["c4.punctuated_lines@1"] == pytest.approx(2 / 5)
    assert found["c4.sentences@1"] == 4
    assert found["fineweb.newline_per_word@1"] == pytest.approx(7 / 33)


def test_policy_lines_braces_and_scripts_are_counted() -> None:
    found = signals(
        "We use cookies. See our Privacy Policy.\nfunction() { return; }\nLorem ipsum dolor."
    )

    assert found["c4.policy_lines@1"] == pytest.approx(1 / 3)
    assert found["c4.braces@1"] == 1
    assert found["c4.lorem_ipsum@1"] == 1


def test_every_top_gram_rule_has_its_own_signal() -> None:
    """A peer's mixing configs name three signals that its tagger never writes."""
    names = set(signals(""))

    assert {f"gopher.top_{n}gram_chars@1" for n in (2, 3, 4)} <= names
    assert {f"gopher.duplicate_{n}gram_chars@1" for n in range(5, 11)} <= names


def test_repetition_is_seen() -> None:
    found = signals("buy now " * 100)

    assert found["gopher.top_2gram_chars@1"] > 0.9
    assert found["gopher.duplicate_10gram_chars@1"] > 0.9


def repeated_share(words: list[str], n: int) -> float:
    """By definition: the characters of words that lie in an n-gram seen before."""
    seen: set[tuple[str, ...]] = set()
    covered: set[int] = set()
    for at in range(len(words) - n + 1):
        gram = tuple(words[at : at + n])
        if gram in seen:
            covered |= set(range(at, at + n))
        seen.add(gram)
    return sum(len(words[at]) for at in covered) / max(1, sum(map(len, words)))


@given(st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=40))
def test_repeated_ngrams_are_those_of_the_definition(words: list[str]) -> None:
    found = signals(" ".join(words))

    for n in range(5, 11):
        assert found[f"gopher.duplicate_{n}gram_chars@1"] == pytest.approx(repeated_share(words, n))


@given(st.text())
def test_names_are_versioned_fixed_and_values_finite(text: str) -> None:
    found = signals(text)

    assert set(found) == set(signals(""))
    assert all(name.endswith("@1") for name in found)
    counts = ("word_count", "word_length", "_per_word", "sentences", "braces", "stop_words")
    assert all(value >= 0 for value in found.values())
    assert all(
        value <= 1.0 + 1e-9 for name, value in found.items() if not any(c in name for c in counts)
    )


def test_the_empty_text_has_every_signal_at_zero() -> None:
    assert set(signals("").values()) == {0.0}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The committee met on Monday and found nothing to say.", "en"),
        ("Der Ausschuss tagte am Montag und fand nichts zu sagen.", "de"),
        ("Le comit\u00e9 s'est r\u00e9uni lundi et n'a rien trouv\u00e9 \u00e0 dire.", "fr"),
    ],
)
def test_language(text: str, code: str) -> None:
    found, probability = language(text)

    assert found == code
    assert 0.9 < probability <= 1.0


@pytest.mark.parametrize("text", ["", "12 34", "\n\t", "!!!"])
def test_text_without_a_letter_has_no_language(text: str) -> None:
    assert language(text) == ("und", 0.0)


@given(st.text(max_size=200))
def test_language_never_raises(text: str) -> None:
    _, probability = language(text)

    assert 0.0 <= probability <= 1.0 + 1e-6
