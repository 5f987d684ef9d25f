"""Each compiled part does what plain Python says, and SipHash what its authors say."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import filter as sieve
from halocline_governance.detect.segregation import folding, prf, windows
from halocline_governance.detect.segregation.form import GAP, Form, form
from halocline_governance.detect.segregation.index import Run, merged

CHARS = st.one_of(
    st.characters(max_codepoint=127),
    st.sampled_from("\u0430\u0415\u03bf\u0397\uff21\ufb03\ufdfa\u00df\u0301\u200b\u65e5\u0660"),
    st.characters(),
)
TEXT = st.lists(st.one_of(CHARS, st.just(" " * (GAP + 1))), max_size=40).map("".join)
# From the authors' reference implementation: by n, key 00..0f and message 00..n-1.
VECTORS = {
    0: "310e0edd47db6f72",
    1: "fd67dc93c539f874",
    2: "5a4fa9d909806c0d",
    7: "37d1018bf50002ab",
    8: "6224939a79f5f593",
    15: "e545be4961ca29a1",
}


def formed(*texts: str) -> Form:
    rows = Texts.of(texts)
    return form(rows.data, rows.offsets)


@given(st.lists(TEXT, max_size=4))
def test_the_form_is_each_characters_codes_in_order(texts: list[str]) -> None:
    made = formed(*texts)

    codes, where, at = b"", list[int](), 0
    for char in "".join(texts):
        folded = folding.fold(char) if ord(char) < folding.KNOWN else _high(char)
        codes += folded
        where += [at] * len(folded)
        at += len(char.encode())
    assert made.codes.tobytes() == codes
    assert made.where.tolist() == where


def _high(char: str) -> bytes:
    return bytes((folding.other(ord(char)),)) if ord(char) < folding.INVISIBLE else b""


@given(st.lists(TEXT, max_size=4))
def test_stretches_end_at_rows_and_gaps(texts: list[str]) -> None:
    made = formed(*texts)
    ends = Texts.of(texts).offsets.tolist()

    begins = [
        at
        for at, place in enumerate(made.where.tolist())
        if at == 0
        or place - made.where[at - 1] > GAP
        or any(made.where[at - 1] < end <= place for end in ends)
    ]

    assert made.firsts.tolist() == [*begins, len(made)]
    for row, first in zip(made.rows.tolist(), made.firsts[:-1].tolist(), strict=True):
        assert ends[row] <= made.where[first] < ends[row + 1]


@pytest.mark.parametrize(
    "text",
    [
        "ACME",
        "\u0410\u0421\u041c\u0415",
        "\uff21\uff43\uff4d\uff45",
        "\u00e1\u00e7m\u00e9",
        "a\u200bc-m.e",
        "\U0001d400\U0001d402\U0001d40c\U0001d404",
        "\u1d00\u1d04\u1d0d\u1d07",
        "\u03b1\u03f2m\u03b5",
        "a c\tm\u00ade",
    ],
)
def test_one_name_has_one_form_however_it_is_written(text: str) -> None:
    assert formed(text).codes.tobytes() == b"acme"


def test_letters_that_look_unlike_have_forms_of_their_own() -> None:
    assert (
        len({formed(text).codes.tobytes() for text in ("rn", "m", "0", "o", "1", "l", "日")}) == 7
    )


@pytest.mark.parametrize("size", VECTORS)
def test_siphash_gives_its_authors_vectors(size: int) -> None:
    key = np.frombuffer(bytes(range(16)), dtype="<u8")
    for shift in range(9):
        room = np.frombuffer(bytes(shift) + bytes(range(size)) + bytes(24), dtype=np.uint8)
        (tag,) = prf.tags(room, np.array([shift]), size, key)
        assert int(tag).to_bytes(8, "little").hex() == VECTORS[size]


def test_keys_differ_by_secret_and_by_use() -> None:
    keys = {prf.derived(s, use, 32) for s in (b"a" * 16, b"b" * 16) for use in ("text", "names")}

    assert len(keys) == 4


@given(st.lists(st.text("ab", max_size=70), max_size=4), st.booleans())
def test_of_every_span_of_windows_the_leftmost_least_is_chosen(
    texts: list[str], ended: bool
) -> None:
    made, order = formed(*texts), windows.order(b"k" * 16)
    chosen = windows.chosen(made.codes, made.firsts, order, ended)

    expected: set[int] = set()
    borders = list(pairwise(made.firsts.tolist()))
    for number, (first, last) in enumerate(borders):
        values = [
            _hashed(made.codes[at : at + windows.HEAD].tobytes(), order)
            for at in range(first, last - windows.WIDTH + 1)
        ]
        spans = [(at, at + windows.SPAN) for at in range(len(values) - windows.SPAN + 1)]
        if values and not spans and (ended or number + 1 < len(borders)):
            spans = [(0, len(values))]
        expected |= {first + min(range(a, b), key=lambda at: (values[at], at)) for a, b in spans}
    assert chosen.places.tolist() == sorted(expected)
    for place, seen in zip(chosen.places.tolist(), chosen.seen.tolist(), strict=True):
        assert place <= seen < place + windows.SPAN


def _hashed(head: bytes, order: NDArray[np.uint64]) -> int:
    mask, spread, stir = map(int, order)
    value = (int.from_bytes(head, "little") ^ mask) * spread % 2**64
    return (value ^ value >> 32) * stir % 2**64 >> 32


@given(st.sets(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 2**64 - 1), st.booleans())
def test_a_run_holds_what_it_was_made_of(tags: set[int], other: int, near: bool) -> None:
    """Also tags that are not evenly spread, and ones beside those that are there."""
    base = {tag % 1000 for tag in tags} if near else tags
    run = Run.of(np.array(sorted(base), dtype=np.uint64))
    asked = sorted(base | {(tag + 1) % 2**64 for tag in base} | {other, 0, 2**64 - 1})

    found = run.holds(np.array(asked, dtype=np.uint64))

    assert [tag for tag, yes in zip(asked, found.tolist(), strict=True) if yes] == sorted(base)


def test_the_filter_weighs_two_bytes_a_tag_and_passes_few(scale: Callable[[int, int], int]) -> None:
    count = scale(10**5, 10**7)
    rng = np.random.default_rng(5)
    words = sieve.filled(rng.integers(0, 2**64, count, dtype=np.uint64))
    others = rng.integers(0, 2**64, count, dtype=np.uint64)

    assert words.nbytes <= 2 * count + 32
    assert len(sieve.passes(words, others)) / count < 0.002
    assert sieve.num_words(10**9) * 4 <= 4 * 10**9


@given(
    st.lists(st.sets(st.integers(0, 2**64 - 1), max_size=30), min_size=1, max_size=3),
    st.integers(1, 9),
)
def test_runs_merge_in_parts_into_one_order(runs: list[set[int]], most: int) -> None:
    made = [Run.of(np.array(sorted(run), dtype=np.uint64)) for run in runs]

    together = [int(tag) for part in merged(made, most) for tag in part]

    assert together == sorted(set[int]().union(*runs))


def test_a_shard_fills_all_of_its_filter(rng: random.Random) -> None:
    """Its tags have their first bits in common, which must not choose the block."""
    tags = np.array([rng.randrange(2**60) for _ in range(20_000)], dtype=np.uint64)
    words = sieve.filled(tags)
    others = np.array([rng.randrange(2**60) for _ in range(20_000)], dtype=np.uint64)

    assert len(sieve.passes(words, others)) < 100
