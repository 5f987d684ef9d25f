"""What clears most lines of plain prose before the net reads: a linear model over hashed n-grams.

It reads bytes: words and word pairs as they stand, and runs of 4 and 6 letters of the text with
spaces, repeated letters and leet taken out, so that a hidden word looks as the plain one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.int64]

BUCKETS = 1 << 18
_WORD_SEED, _PAIR_SEED, _SHORT_SEED, _LONG_SEED = 0x9E37, 0x85EB, 0xC2B2, 0x27D4


@dataclass(frozen=True, slots=True)
class Grams:
    """Weights by bucket, intercept, Platt's two numbers, and the margin below which it clears."""

    weights: NDArray[np.float32]
    intercept: float
    slope: float
    shift: float
    clears: float

    def margins(self, data: Bytes, starts: Places, ends: Places) -> NDArray[np.float64]:
        """One number for each `data[start:end]`; NaN for one without a letter."""
        return _margins(data, starts, ends, FOLD, LOWER, self.weights, self.intercept)

    def probability(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely the second stage would find an attack; 0 where there is no letter."""
        likely = 1.0 / (1.0 + np.exp(-np.clip(self.slope * margins + self.shift, -30, 30)))
        return np.where(np.isnan(margins), 0.0, likely)


def grams(data: Bytes, start: int, end: int) -> tuple[Places, int]:
    """The buckets of one text, and how many of them are words and pairs: those come first."""
    found = np.empty(4 * (end - start) + 4, dtype=np.int64)
    words, letters = _grams(data, start, end, FOLD, LOWER, found)
    half = len(found) // 2
    return np.concatenate([found[:words], found[half : half + letters]]), words


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """By byte: the letter that it stands for once leet is undone, and its small form in a word."""
    fold, lower = np.zeros(256, dtype=np.uint8), np.zeros(256, dtype=np.uint8)
    for byte in range(128, 256):
        fold[byte] = lower[byte] = byte
    for letter in b"abcdefghijklmnopqrstuvwxyz":
        for byte in (letter, letter - 32):
            fold[byte] = lower[byte] = letter
    for sign, letter in zip(b"013457@$|!", b"oieastasii", strict=True):
        fold[sign] = letter
    for byte in b"0123456789*@$":
        lower[byte] = byte
    return fold, lower


FOLD, LOWER = _tables()


@njit(cache=True, nogil=True)
def _margins(  # noqa: PLR0913 - a kernel knows no objects
    data: Bytes,
    starts: Places,
    ends: Places,
    fold: Bytes,
    lower: Bytes,
    weights: NDArray[np.float32],
    intercept: float,
) -> NDArray[np.float64]:
    out = np.empty(len(starts), dtype=np.float64)
    longest = 0
    for at in range(len(starts)):
        longest = max(longest, ends[at] - starts[at])
    found = np.empty(4 * longest + 4, dtype=np.int64)
    half = len(found) // 2
    for at in range(len(starts)):
        words, letters = _grams(data, starts[at], ends[at], fold, lower, found)
        if letters == 0 and words == 0:
            out[at] = np.nan
            continue
        total = 0.0
        for place in range(words):
            total += weights[found[place]]
        margin = intercept
        if words:
            margin += total / np.sqrt(words)
        total = 0.0
        for place in range(half, half + letters):
            total += weights[found[place]]
        if letters:
            margin += total / np.sqrt(letters)
        out[at] = margin
    return out


@njit(cache=True, nogil=True)
def _grams(
    data: Bytes, start: int, end: int, fold: Bytes, lower: Bytes, found: Places
) -> tuple[int, int]:
    half = len(found) // 2
    words, letters = 0, half
    word, before, size, alpha = np.uint64(0), np.uint64(0), 0, False
    last, run, short, long = 0, 0, np.uint64(0), np.uint64(0)
    for at in range(start, end + 1):
        byte = data[at] if at < end else 32
        low = lower[byte]
        if low:
            word = word * np.uint64(0x100000001B3) + np.uint64(low)
            size += 1
            alpha = alpha or low > 96
        elif size:
            if alpha:
                found[words] = _bucket(word, _WORD_SEED)
                found[words + 1] = _bucket(before * np.uint64(31) + word, _PAIR_SEED)
                words += 2
                before = word
            word, size, alpha = np.uint64(0), 0, False
        letter = fold[byte]
        if letter and byte < 65:
            near = (at > start and data[at - 1] >= 65) or (at + 1 < end and data[at + 1] >= 65)
            letter = letter if near else 0
        if letter and letter != last:
            last = letter
            run += 1
            short = (short << np.uint64(8)) | np.uint64(letter)
            long = (long << np.uint64(8)) | np.uint64(letter)
            if run >= 4:
                found[letters] = _bucket(short & np.uint64(0xFFFFFFFF), _SHORT_SEED)
                letters += 1
            if run >= 6 and letters < len(found):
                found[letters] = _bucket(long & np.uint64(0xFFFFFFFFFFFF), _LONG_SEED)
                letters += 1
    return words, letters - half


@njit(cache=True, nogil=True, inline="always")
def _bucket(value: np.uint64, seed: int) -> int:
    mixed = (value ^ np.uint64(seed)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    return int((mixed ^ (mixed >> np.uint64(32))) & np.uint64(BUCKETS - 1))
