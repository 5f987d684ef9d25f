"""MinHash against exact Jaccard similarity, and the bands against their formula."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_pipelines.dedup import exact
from halocline_pipelines.dedup.minhash import MinHash, estimates, shingles, words

VOCABULARY = [f"w{number}" for number in range(5000)]


def pair(rng: random.Random, length: int, changes: int) -> tuple[str, str, float]:
    """Two texts, and the Jaccard similarity of their word 5-grams."""
    left = rng.choices(VOCABULARY, k=length)
    right = list(left)
    for place in rng.sample(range(length), changes):
        right[place] = rng.choice(VOCABULARY)
    grams = [{*zip(*(text[at:] for at in range(5)), strict=False)} for text in (left, right)]
    return " ".join(left), " ".join(right), len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_estimates_are_unbiased(rng: random.Random) -> None:
    minhash = MinHash()
    errors: list[float] = []
    for _ in range(150):
        left, right, similarity = pair(rng, 200, rng.randint(0, 40))
        signatures = np.stack([minhash.signature(left), minhash.signature(right)])
        errors.append(float(estimates(signatures[:1], signatures[1:])[0]) - similarity)
    assert abs(float(np.mean(errors))) < 0.02
    assert float(np.std(errors)) < 2 * 0.5 / 112**0.5


def test_bands_collide_as_often_as_the_formula_says(rng: random.Random) -> None:
    minhash = MinHash()
    met = expected = 0.0
    for _ in range(200):
        left, right, similarity = pair(rng, 200, rng.randint(2, 16))
        left_bands, right_bands = (minhash.bands(minhash.signature(one)) for one in (left, right))
        met += bool((left_bands == right_bands).any())
        expected += 1 - (1 - similarity**8) ** 14
    assert met == pytest.approx(expected, abs=25)


def test_signatures_never_change() -> None:
    """Signals of one release are compared with those of the next: these numbers are for ever."""
    minhash = MinHash()
    signature = minhash.signature("The quick brown fox jumps over the lazy dog, twice a day.")
    assert signature[:4].tolist() == GOLDEN_SIGNATURE
    assert minhash.bands(signature)[:2].tolist() == GOLDEN_BANDS


GOLDEN_SIGNATURE = [344359557, 89593717, 416709558, 1138181836]
GOLDEN_BANDS = [3251121884862477.0, 7340692168948120.0]


@given(st.text(max_size=80))
def test_case_space_and_accents_do_not_count(text: str) -> None:
    minhash = MinHash()
    spaced = "  " + text.replace(" ", "\n ")
    assert (minhash.signature(text) == minhash.signature(spaced)).all() or not words(text)
    assert words("Café  CAFÉ") == ["cafe", "cafe"]


@given(st.text(max_size=80))
def test_keys_are_exact_in_a_double(text: str) -> None:
    keys = [*MinHash().bands(MinHash().signature(text)).tolist(), exact.key(exact.digest(text))]
    assert all(key == int(key) and 0 <= key < 2**53 for key in keys)


def test_texts_without_a_word_are_not_all_alike() -> None:
    left, right = MinHash().signature("---"), MinHash().signature("+++")
    assert float(estimates(left[None], right[None])[0]) < 0.5


def test_a_text_shorter_than_an_n_gram_is_one() -> None:
    assert len(shingles(["a", "b"], 5)) == 1
    assert len(shingles([], 5)) == 0


def test_exact_ignores_case_and_white_space_only() -> None:
    assert exact.digest("One  Two\n") == exact.digest("one two")
    assert exact.digest("one, two") != exact.digest("one two")
    assert exact.digest("e\u0301") == exact.digest("\u00e9")
