"""Engines find the same places; the kernels do what plain Python says; folding maps back."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.engines.anchor import EDGE, ENGINES, Anchor, engine
from halocline_governance.detect.engines.fold import Folded, folded_byte, table
from halocline_governance.detect.engines.fold_kernel import DELETED, MOST_DELETED, NEUTRAL
from halocline_governance.detect.kinds import money, number_kernel, sift
from halocline_governance.detect.kinds.rules import ANCHORS, RULES, WORDS

ENGINE = {name: engine(name, ANCHORS) for name in ENGINES}
PIECES = st.sampled_from(
    [
        "a@b.de",
        "0x" + "ab" * 20,
        "://",
        "born ",
        "12 Main Street ",
        "::1",
        " at ",
        "[.]",
        "PO Box 1",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=6).map("".join)


def places(name: str, data: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> set[tuple[int, int]]:
    ids, starts = ENGINE[name].places(data)
    return set(zip(ids.tolist(), starts.tolist(), strict=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_engines_find_the_same_places(texts: list[str]) -> None:
    data = Folded.of(Texts.of(texts)).data

    first, *others = (places(name, data) for name in ENGINES)

    assert all(first == other for other in others)


def test_anchors_are_of_fixed_length_and_call_rules_that_exist() -> None:
    for anchor in ANCHORS:
        assert anchor.rule in RULES
        assert 0 <= anchor.at < anchor.size
    assert Anchor("x", EDGE + r"a{3}[\])]\.").size == 6
    for pattern in ("a*", "a|b", "(a)", "a?", "."):
        with pytest.raises(ValueError, match="fixed length"):
            _ = Anchor("x", pattern).size


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="choose from hyperscan, re2, stdlib"):
        engine("grep", ANCHORS)


def plainly_folded(text: str) -> list[tuple[int, int, int]]:
    """(byte, start, end) of each folded character, in bytes."""
    result: list[tuple[int, int, int]] = []
    at = deleted = 0
    known = table()
    for char in text:
        size = len(char.encode())
        point = ord(char)
        byte = int(known[point]) if point < len(known) else NEUTRAL
        if byte == DELETED and point > 127:
            deleted += 1
            if deleted <= MOST_DELETED:
                at += size
                continue
            byte = NEUTRAL
        deleted = 0
        result.append((byte, at, at + size))
        at += size
    return result


MIXED = st.lists(
    st.one_of(
        st.text(max_size=5), st.sampled_from(["a" * 70, "\u0301" * 5, "\u200b", "\U0001f600"])
    ),
    max_size=8,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(MIXED, min_size=1, max_size=4))
def test_folding_is_what_plain_python_says_and_maps_back(texts: list[str]) -> None:
    folded = Folded.of(Texts.of(texts))

    for row, text in enumerate(texts):
        low, high = int(folded.starts[row]), int(folded.starts[row + 1]) - 1
        want = plainly_folded(text)
        assert folded.data[low:high].tolist() == [byte for byte, _, _ in want]
        asked = np.arange(low, high, dtype=np.int64)
        got = folded.bytes_of(np.full(len(asked), row, dtype=np.int64), asked)
        assert got.tolist() == [[start, end] for _, start, end in want]


@pytest.mark.parametrize(
    ("char", "folds"),
    [("\u0663", "3"), ("\uff17", "7"), ("\u2011", "-"), ("\u00a0", " "), ("\u00e9", "e"),
     ("\u00df", "s"),
     ("\u2019", "'"), ("\uff20", "@"), ("\uff0e", "."), ("\u2212", "-"), ("\u0142", "l")],
)  # fmt: skip
def test_what_looks_like_ascii_folds_to_it(char: str, folds: str) -> None:
    import unicodedata

    assert chr(folded_byte(char, unicodedata.category(char))) == folds


@given(st.text("0123456789 -", min_size=1, max_size=24), st.integers(1, 19))
def test_luhn_of_the_kernel_is_luhn(text: str, count: int) -> None:
    digits = "".join(filter(str.isdigit, text))[:count]
    data = np.frombuffer(text.encode(), dtype=np.uint8)

    got = number_kernel.luhn(data, 0, len(data), count)

    assert got == (len(digits) == count and money.luhn(digits))


@pytest.mark.parametrize("phrase", sorted({p for words in WORDS for p in words.phrases}))
def test_a_number_beside_a_word_of_the_rules_reaches_them(phrase: str) -> None:
    """The kernel's tables are built from the phrases: none may be sifted out."""
    written = phrase.replace("*", "")
    folded = Folded.of(Texts.of([f"{written} 12345678", f"12345678 {written}", "12345678"]))

    rules, where = sift.sieve("stdlib").candidates(folded)

    number = list(RULES).index("number")
    rows = folded.rows(where[rules == number])
    assert {0, 1} <= set(rows.tolist())
    assert 2 not in rows


def timed(work: Callable[[], object]) -> float:
    import time

    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize(
    "piece", ["1", "4111 1111 ", "a@b.c ", "1.2.3.4 ", "://a ", "DE89 ", "12 A St "]
)
def test_sifting_is_linear_in_bytes(piece: str) -> None:
    def sifted(size: int) -> float:
        folded = Folded.of(Texts.of([(piece * (size // len(piece) + 1))[:size]]))
        return min(timed(lambda: sift.sieve().candidates(folded)) for _ in range(2))

    assert sifted(400_000) <= 12 * sifted(100_000) + 0.1


def test_digits_without_end_reach_no_rule() -> None:
    digits = "".join(random.Random(5).choices("0123456789", k=1_000_000))
    folded = Folded.of(Texts.of([digits]))

    _, where = sift.sieve().candidates(folded)

    assert len(where) == 0
    assert re.fullmatch(r"\d+", digits)
