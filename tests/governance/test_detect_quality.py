"""Quality signals: counted by hand, and the compiled pass held to a plain reading of the papers."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.quality import Signal, signals, table
from halocline_governance.detect.quality.measure import ALPHA, BREAK, SPACE, letters

TEXT = """# A title

The fox and the dog. It is of use to be here...
- one bullet
- one bullet

The fox and the dog. It is of use to be here...
"""


def test_signals_counted_by_hand() -> None:
    found = signals(TEXT)

    assert found[Signal.WORD_COUNT] == 3 + 12 + 3 + 3 + 12
    assert found[Signal.HASH_PER_WORD] == pytest.approx(1 / 33)
    assert found[Signal.ELLIPSIS_PER_WORD] == pytest.approx(2 / 33)
    assert found[Signal.BULLET_LINES] == pytest.approx(2 / 5)
    assert found[Signal.ELLIPSIS_LINES] == pytest.approx(2 / 5)
    assert found[Signal.STOP_WORDS] == 5
    assert found[Signal.ALPHA_WORDS] == pytest.approx(30 / 33)
    assert found[Signal.DUPLICATE_LINES] == pytest.approx(2 / 5)
    assert found[Signal.PUNCTUATED_LINES] == pytest.approx(2 / 5)
    assert found[Signal.SENTENCES] == 4
    assert found[Signal.WEB_NEWLINE_PER_WORD] == pytest.approx(7 / 33)


def test_policy_lines_braces_and_scripts_are_counted() -> None:
    found = signals(
        "We use cookies. See our Privacy Policy.\nfunction() { return; }\nLorem ipsum dolor."
    )

    assert found[Signal.POLICY_LINES] == pytest.approx(1 / 3)
    assert found[Signal.BRACES] == 1
    assert found[Signal.LOREM_IPSUM] == 1


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def folded(text: str) -> str:
    """Lower case, a character for a character."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def repeated(parts: Sequence[str]) -> tuple[float, float]:
    again = [part for at, part in enumerate(parts) if part in parts[:at]]
    return share(len(again), len(parts)), share(sum(map(len, again)), sum(map(len, parts)))


def top(words: Sequence[str], n: int) -> float:
    grams = Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    best = max(grams.values(), default=0)
    chars = max((len("".join(g)) for g, count in grams.items() if count == best), default=0)
    return min(1.0, share(best * chars, len("".join(words)))) if best > 1 else 0.0


def again(words: Sequence[str], n: int) -> float:
    seen: set[tuple[str, ...]] = set()
    covered: set[int] = set()
    for at in range(len(words) - n + 1):
        gram = tuple(words[at : at + n])
        if gram in seen:
            covered |= set(range(at, at + n))
        seen.add(gram)
    return share(sum(len(words[at]) for at in covered), len("".join(words)))


ENDS = (".", "!", "?", '"', "\u201d", "'")
STOPS = {"the", "be", "to", "of", "and", "that", "have", "with"}
POLICY = "terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
SENTENCE = re.compile(r"[.!?]+(?:[\"'\u201d)\]]+)?(?:\s|\Z)")


def told(text: str) -> dict[str, float]:
    """Every signal by its definition, slowly."""
    words, size = text.split(), len(text.split())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    blocks = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    lower = [folded(word) for word in words]
    count = len(lines)
    ended = share(sum(line.endswith(ENDS) for line in lines), count)

    def of_lines(pattern: str) -> float:
        return share(sum(bool(re.search(pattern, x, re.I | re.A)) for x in lines), count)

    values = [
        size,
        share(sum(map(len, words)), size),
        share(text.count("#"), size),
        share(text.count("...") + text.count("\u2026"), size),
        share(sum(line.startswith(("\u2022", "-", "*")) for line in lines), count),
        share(sum(line.endswith(("...", "\u2026")) for line in lines), count),
        share(sum(any(map(str.isalpha, word)) for word in words), size),
        len(STOPS & {word.strip(".,;:!?") for word in lower}),
        *repeated(lines),
        *repeated(blocks),
        *(top(lower, n) for n in (2, 3, 4)),
        *(again(lower, n) for n in range(5, 11)),
        ended,
        share(sum(len(line.split()) < 3 for line in lines), count),
        len(SENTENCE.findall(text)),
        text.count("{"),
        of_lines("lorem ipsum") > 0,
        of_lines("javascript"),
        of_lines(POLICY),
        ended,
        share(sum(len(line) <= 30 for line in lines), count),
        repeated(lines)[1],
        share(text.count("\n"), size),
    ]
    return dict(zip(map(str, Signal), map(float, values), strict=True))


PARTS = [
    *("The ", "fox", " and ", "\n", "\n\n", "\r\n", " \t", "...", "\u2026", ". ", "! ", "?) "),
    *(
        "- ",
        "\u2022",
        "*",
        '"',
        "\u201d",
        "a ",
        "\u03a3 ",
        "\u0130x",
        "\u212a",
        "\u00e9 ",
        "{",
        "#",
    ),
    *("\u2028", "\x1c", "\x85", "\u3000", "\u200b", "\U0001f600", "\U00010400 ", "\x00"),
    *("JavaScript", "use of cookies", "Lorem ipsum", " be,", "with", "buy now ", "buy now "),
]
TEXTS = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=3)), max_size=40).map("".join)


@settings(max_examples=80)
@given(st.lists(TEXTS, max_size=4))
def test_the_compiled_pass_reads_as_the_definition_does(texts: list[str]) -> None:
    found = table(Texts.of(texts))

    for row, text in zip(found.tolist(), texts, strict=True):
        assert dict(zip(map(str, Signal), row, strict=True)) == pytest.approx(told(text), abs=1e-12)
        assert signals(text) == dict(zip(map(str, Signal), row, strict=True))


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=60))
def test_repeated_ngrams_are_those_of_the_definition(words: list[str]) -> None:
    text = " ".join(words)

    assert signals(text) == pytest.approx(told(text), abs=1e-12)


def test_every_character_is_read_as_python_reads_it() -> None:
    kinds, folds = letters()
    for code in range(0x110000):
        letter = chr(code)
        kind = int(kinds[code]) if code < len(kinds) else 0
        assert bool(kind & SPACE) == letter.isspace()
        assert bool(kind & ALPHA) == letter.isalpha()
        if kind & BREAK:
            assert len(f"a{letter}b".splitlines()) == 2
        elif kind & ALPHA:
            assert chr(int(folds[code])) == folded(letter)
    assert {len(f"a{chr(c)}b".splitlines()) for c in range(0x3000) if not kinds[c] & BREAK} == {1}


def test_the_empty_text_has_every_signal_at_zero() -> None:
    assert set(signals("").values()) == {0.0}


def test_a_row_that_is_no_text_has_no_signals() -> None:
    rows = pa.array([b"fine words", None, b"\xff\xfe bad"], pa.binary())

    found = table(Texts.of_arrow(rows))

    assert np.isnan(found).all(axis=1).tolist() == [False, True, True]
    with pytest.raises(ValueError, match="UTF-8"):
        signals("\ud800")


@pytest.mark.parametrize("unit", ["?", "7", "a ", "\n", "buy now ", "\u2028", "\U0001f600"])
def test_cost_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        texts = Texts.of([unit * (size // len(unit))])
        start = time.process_time()
        table(texts)
        return time.process_time() - start

    seconds(1_000)
    small, large = (min(seconds(size) for _ in range(3)) for size in (100_000, 800_000))
    assert large < 40 * max(small, 0.002)
