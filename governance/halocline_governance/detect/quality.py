"""Quality signals of a text, as pure functions with versioned names; thresholds live in recipes.

Words are runs between white space, as in datatrove's and the papers' counts for English text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STOP = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
_ENDS = (".", "!", "?", '"', "\u201d", "'")
_ELLIPSES = ("...", "\u2026")
_BULLETS = ("\u2022", "-", "*")
_POLICY = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_SENTENCE = re.compile(r"[.!?]+(?:[\"'\u201d)\]]+)?(?:\s|\Z)")


def signals(text: str) -> dict[str, float]:
    """Every signal of this module for one text; an empty text has all of them at 0."""
    words = text.split()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return {
        **gopher(text, words, lines),
        **repetition(words, lines, paragraphs),
        **c4(text, lines),
        **fineweb(text, words, lines),
    }


def gopher(text: str, words: Sequence[str], lines: Sequence[str]) -> dict[str, float]:
    """Gopher quality (Rae et al. 2021, arXiv 2112.11446, A.1.1).

    Published bounds: 50 to 100,000 words; mean length 3 to 10; symbols per word <= 0.1; lines that
    start with a bullet <= 0.9, that end in an ellipsis <= 0.3; words with a letter >= 0.8; two of
    eight stop words.
    """
    count = len(words)
    hashes = text.count("#")
    ellipses = sum(map(text.count, _ELLIPSES))
    return {
        "gopher.word_count@1": float(count),
        "gopher.mean_word_length@1": _share(sum(map(len, words)), count),
        "gopher.hash_per_word@1": _share(hashes, count),
        "gopher.ellipsis_per_word@1": _share(ellipses, count),
        "gopher.bullet_lines@1": _share(
            sum(line.startswith(_BULLETS) for line in lines), len(lines)
        ),
        "gopher.ellipsis_lines@1": _share(
            sum(line.endswith(_ELLIPSES) for line in lines), len(lines)
        ),
        "gopher.alpha_words@1": _share(sum(any(map(str.isalpha, word)) for word in words), count),
        "gopher.stop_words@1": float(len(_STOP & {word.lower().strip(".,;:!?") for word in words})),
    }


def repetition(
    words: Sequence[str], lines: Sequence[str], paragraphs: Sequence[str]
) -> dict[str, float]:
    """Gopher repetition (the same paper, table A1).

    Published bounds: duplicate lines 0.30, paragraphs 0.30, their characters 0.20; characters in
    the top 2-, 3-, 4-gram 0.20, 0.18, 0.16; in duplicate 5- to 10-grams 0.15 down to 0.10.
    """
    result = {
        "gopher.duplicate_lines@1": _duplicates(lines)[0],
        "gopher.duplicate_line_chars@1": _duplicates(lines)[1],
        "gopher.duplicate_paragraphs@1": _duplicates(paragraphs)[0],
        "gopher.duplicate_paragraph_chars@1": _duplicates(paragraphs)[1],
    }
    return {**result, **_grams([word.lower() for word in words])}


def c4(text: str, lines: Sequence[str]) -> dict[str, float]:
    """C4 (Raffel et al. 2020, arXiv 1910.10683, 2.2): each of its drop rules as a share or count.

    Published: keep lines that end in punctuation and have 3 words; pages of 5 sentences; drop pages
    with a brace or "lorem ipsum", lines with "javascript" or a policy notice.
    """
    count = len(lines)
    lowered = [line.lower() for line in lines]
    return {
        "c4.punctuated_lines@1": _share(sum(line.endswith(_ENDS) for line in lines), count),
        "c4.short_lines@1": _share(sum(len(line.split()) < 3 for line in lines), count),
        "c4.sentences@1": float(len(_SENTENCE.findall(text))),
        "c4.braces@1": float(text.count("{")),
        "c4.lorem_ipsum@1": float("lorem ipsum" in text.lower()),
        "c4.javascript_lines@1": _share(sum("javascript" in line for line in lowered), count),
        "c4.policy_lines@1": _share(
            sum(any(phrase in line for phrase in _POLICY) for line in lowered), count
        ),
    }


def fineweb(text: str, words: Sequence[str], lines: Sequence[str]) -> dict[str, float]:
    """FineWeb's own filters (Penedo et al. 2024, arXiv 2406.17557, 3.6).

    Published: drop at lines ending in punctuation <= 0.12, lines of at most 30 characters >= 0.67,
    duplicate-line characters >= 0.1 (paper; its code says 0.01), newlines per word > 0.3.
    """
    count = len(lines)
    return {
        "fineweb.punctuated_lines@1": _share(sum(line.endswith(_ENDS) for line in lines), count),
        "fineweb.lines_of_30@1": _share(sum(len(line) <= 30 for line in lines), count),
        "fineweb.duplicate_line_chars@1": _duplicates(lines)[1],
        "fineweb.newline_per_word@1": _share(text.count("\n"), len(words)),
    }


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


def _duplicates(parts: Sequence[str]) -> tuple[float, float]:
    """The share of repeated parts, and of their characters; a part's first time does not count."""
    seen: set[str] = set()
    number = chars = 0
    for part in parts:
        if part in seen:
            number += 1
            chars += len(part)
        seen.add(part)
    return _share(number, len(parts)), _share(chars, sum(map(len, parts)))


def _grams(words: Sequence[str]) -> dict[str, float]:
    """Characters in the top 2- to 4-grams, and in 5- to 10-grams seen before, over all words'.

    A word in several repeated n-grams counts once. N-grams are compared by a 64-bit rolling hash.
    """
    import numpy as np

    known: dict[str, int] = {}
    ids = np.array([known.setdefault(word, len(known) + 1) for word in words], dtype=np.uint64)
    sizes = np.array([len(word) for word in words], dtype=np.int64)
    total, ends = int(sizes.sum()), np.concatenate([[0], np.cumsum(sizes)])
    result: dict[str, float] = {}
    keys = ids
    for n in range(2, 11):
        keys = keys[:-1] * np.uint64(0x9E3779B97F4A7C15) + ids[n - 1 :]
        _, first, counts = np.unique(keys, return_index=True, return_counts=True)
        if n < 5:
            chars = _top(ends[first + n] - ends[first], counts)
            result[f"gopher.top_{n}gram_chars@1"] = min(1.0, _share(chars, total))
        else:
            again = np.setdiff1d(np.arange(len(keys)), first)
            edges = np.zeros(len(sizes) + 1, dtype=np.int64)
            edges[again] += 1
            edges[again + n] -= 1
            chars = int(sizes[np.cumsum(edges)[:-1] > 0].sum())
            result[f"gopher.duplicate_{n}gram_chars@1"] = _share(chars, total)
    return result


def _top(chars: NDArray[np.int64], counts: NDArray[np.int64]) -> int:
    """All characters of the n-gram that comes most often; 0 if none comes twice."""
    best = int(counts.max(initial=0))
    return best * int(chars[counts == best].max()) if best > 1 else 0
