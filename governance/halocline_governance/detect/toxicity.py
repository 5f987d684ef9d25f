"""The probability that a text attacks a person or a group, by a small linear model of our own.

A text is cut into sentences of at most 64 words; its score is its worst sentence's. Weights are
trained by `halocline_pipelines.recipes.toxicity`; docs/detectors.md tells how good they are.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import tensorfile
from halocline_governance.detect.face import ByText
from halocline_governance.detect.verdict import Finding, Span, byte_offsets
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).with_name("weights") / "toxicity.safetensors"
BUCKETS = 1 << 18
FORMAT = "halocline toxicity 1"
FOUND = 0.5

_MAX_WORDS, _MAX_CHARS = 64, 512
_CHAR_SIZES = (3, 4, 5)
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+[\"'\u201d\u2019)\]]*\s|\n[ \t\r]*\n")
_NOISE = re.compile(r"https?://\S+|www\.\S+|@\w+|&#?\w{2,8};")
_LONG = re.compile(r"(.)\1{2,}", re.DOTALL)
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by hashed n-gram, the intercept, and Platt's two numbers."""

    weights: NDArray[np.float32]
    intercept: float
    slope: float
    shift: float

    def probability(self, segment: str) -> float:
        """The calibrated probability for one segment; 0 for one without a word."""
        buckets, values = features(segment)
        if not len(buckets):
            return 0.0
        margin = float(self.weights[buckets] @ values) + self.intercept
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, self.slope * margin + self.shift))))


@dataclass(frozen=True, slots=True)
class ToxicityDetector(ByText):
    """The score is the verdict's `score`; each segment at or above 0.5 is a span of `toxicity`."""

    path: Path = WEIGHTS
    id: str = "toxicity@1"
    kinds: frozenset[str] = frozenset(("toxicity",))

    def holdback(self, text: str) -> int:
        """The bytes of the segment that is not finished yet."""
        start = max((end for _, end, closed in segments(text) if closed), default=0)
        return len(text[start:].encode("utf-8", "surrogatepass"))

    def find(self, text: str) -> Finding:
        model = load(self.path)
        scored = [
            (start, end, model.probability(text[start:end])) for start, end, _ in segments(text)
        ]
        worst = max((score for _, _, score in scored), default=0.0)
        bad = [row for row in scored if row[2] >= FOUND]
        offsets = byte_offsets(text, [at for row in bad for at in row[:2]])
        spans = (Span(offsets[start], offsets[end], "toxicity", score) for start, end, score in bad)
        return Finding(tuple(spans), worst, found=worst >= FOUND)


def segments(text: str) -> Iterator[tuple[int, int, bool]]:
    """Start, end, and whether it is closed: no later text can change a closed segment.

    A segment ends after a sentence's end and one white space behind it, at a blank line, or when it
    is full.
    """
    start = 0
    while start < len(text):
        end, closed = _segment_end(text, start)
        yield start, end, closed
        start = end


def _segment_end(text: str, start: int) -> tuple[int, bool]:
    limit = start + _MAX_CHARS
    match = _SENTENCE_END.search(text, start, limit)
    end = match.end() if match else min(limit, len(text))
    for number, word in enumerate(_WORD.finditer(text, start, end)):
        if number == _MAX_WORDS:
            return word.start(), True
    return end, match is not None or end == limit


@cache
def load(path: Path) -> Model:
    """The model from its safetensors file, once per process. Raises `Refused` on anything else."""
    import numpy as np

    _, arrays = tensorfile.read(path, FORMAT)
    weights, numbers = arrays.get("weights"), arrays.get("numbers")
    if weights is None or numbers is None or weights.shape != (BUCKETS,) or numbers.shape != (3,):
        raise Refused(f"{path.name}: arrays missing; train it with the toxicity recipe")
    intercept, slope, shift = (float(number) for number in numbers)
    return Model(weights.astype(np.float32), intercept, slope, shift)


def features(text: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Buckets and values: 3- to 5-grams of letters; words and word pairs. Each block has norm 1."""
    import numpy as np

    plain = normal(text)
    if not plain:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    codes = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    blocks = [np.unique(_char_grams(codes)), np.unique(_word_grams(plain.split()))]
    values = [np.full(len(block), 1 / math.sqrt(max(1, len(block)))) for block in blocks]
    return np.concatenate(blocks), np.concatenate(values).astype(np.float32)


def normal(text: str) -> str:
    """Lower case, one space, without links and handles, letters at most twice in a row.

    Numbers, rules and punctuation say nothing about an attack, but for `!` and `?`.
    """
    tokens = _WORD.findall(_LONG.sub(r"\1\1", _NOISE.sub(" ", text).lower()))
    words = [token for token in tokens if token in "!?" or any(map(str.isalpha, token))]
    return f" {' '.join(words)} " if any(len(word) > 1 for word in words) else ""


def _char_grams(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    import numpy as np

    grams: list[NDArray[np.uint64]] = [np.zeros(0, dtype=np.uint64)]
    for size in _CHAR_SIZES:
        count = len(codes) - size + 1
        if count > 0:
            value = np.full(count, size, dtype=np.uint64)
            for at in range(size):
                value = value * np.uint64(0x9E3779B97F4A7C15) + codes[at : at + count]
            grams.append(value)
    return _buckets(np.concatenate(grams))


def _word_grams(words: list[str]) -> NDArray[np.int64]:
    import numpy as np

    pairs = map(" ".join, pairwise(words))
    hashes = [zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in (*words, *pairs)]
    return _buckets(np.array(hashes, dtype=np.uint64))


def _buckets(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    import numpy as np

    mixed = (values ^ (values >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed ^ (mixed >> np.uint64(29))) % np.uint64(BUCKETS)).astype(np.int64)
