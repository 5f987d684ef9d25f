"""The linear model's pass over a buffer, compiled: segments, hashed words, the worst window.

A segment ends after a sentence's end and the white space behind it, at a blank line, after 64 words
or 512 bytes. Words are folded: ASCII lower case, digits for letters (`1gn0re`) undone, characters
that nobody sees left out. A window of 24 words is scored, so that a longer segment hides nothing.

Held to plain Python by tests/governance/test_detect_injection.py.
"""
# pyright: reportUntypedFunctionDecorator=false, reportUnknownMemberType=false

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
MAX_WORDS, MAX_BYTES, WINDOW = 64, 512, 24
CLASSED, WIDTH = 4, 5

# Why a segment is worth reading in its other forms (`disguise`).
UNSEEN, ENCODED, SPACED, FOREIGN = 1, 2, 4, 8

_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_LEET = np.arange(256, dtype=np.uint8)
for _sign, _letter in zip(b"01345789@$!", b"oieastbgasi", strict=True):
    _LEET[_sign] = _letter
_WORD = np.zeros(256, dtype=np.bool_)
_WORD[list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'@$")] = True
_WORD[0x80:] = True
_QUOTES = np.isin(np.arange(256), list(b'"`'))
_ENDING = np.isin(np.arange(256), list(b".!?"))
_CLOSING = np.isin(np.arange(256), list(b"\"')]"))
# Base64 has `/`, `-` and `_` too, but of plain text so rarely that most paths can be left out.
_CODED = np.isin(
    np.arange(256), list(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+=%\\")
)


@numba.njit(cache=True)
def segments(data: NDArray[np.uint8], start: int, stop: int) -> tuple[NDArray[np.int64], bool]:
    """The ends of the segments of the text `data[start:stop]`, and whether the last is closed.

    No later text can change a closed segment.
    """
    ends = np.empty((stop - start) // 2 + 2, dtype=np.int64)
    found, at, closed = 0, start, True
    while at < stop:
        at, closed = _end(data, at, stop)
        ends[found] = at
        found += 1
    return ends[:found], closed


@numba.njit(cache=True)
def _end(data: NDArray[np.uint8], start: int, stop: int) -> tuple[int, bool]:
    words, inside, pointed, newline = 0, False, False, False
    limit = min(stop, start + MAX_BYTES)
    for at in range(start, limit):
        byte = data[at]
        space = byte == 0x20 or (0x09 <= byte <= 0x0D)
        if space and pointed:
            return at + 1, True
        if byte == 0x0A:
            if newline:
                return at + 1, True
            newline = True
        elif not space:
            newline = False
        if not space and not inside:
            words += 1
            if words > MAX_WORDS:
                return at, True
        inside = not space
        if byte == 0x82 and _is_wide(data, start, at):
            return at + 1, True
        pointed = _ENDING[byte] or (pointed and _CLOSING[byte])
    if stop - start < MAX_BYTES:
        return stop, False
    return _border(data, start, limit, stop), True


@numba.njit(cache=True)
def _border(data: NDArray[np.uint8], start: int, at: int, stop: int) -> int:
    """The place, or the start of the character that it lies in."""
    while start + 1 < at < stop and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


@numba.njit(cache=True)
def _is_wide(data: NDArray[np.uint8], start: int, at: int) -> bool:
    """The last byte of an ideographic full stop, which needs no white space behind it."""
    return bool(at >= start + 2 and data[at - 1] == 0x80 and data[at - 2] == 0xE3)


@numba.njit(cache=True)
def hashed(
    data: NDArray[np.uint8],
    start: int,
    stop: int,
    keys: NDArray[np.uint64],
    masks: NDArray[np.uint16],
    rows: NDArray[np.int32],
) -> tuple[int, int]:
    """Write each word's four buckets (itself, with the last, with the one before, with both), and
    the set of its classes.

    Returns:
        How many words there are, and the flags that say what else the segment may be.
    """
    words, flags, single, run = 0, 0, 0, 0
    one = two = np.uint64(0)
    at = start
    while at < stop and words < len(rows):
        byte = data[at]
        run = run + 1 if _CODED[byte] else 0
        if run >= 24:
            flags |= ENCODED
        if not _WORD[byte] and not _QUOTES[byte]:
            at += 1
            continue
        if _QUOTES[byte]:
            value, size, kind, end = np.uint64(34), 1, 0, at + 1
        else:
            value, size, kind, end = word(data, at, stop)
            for inner in range(at + 1, end):
                run = run + 1 if _CODED[data[inner]] else 0
                if run >= 24:
                    flags |= ENCODED
        flags |= kind
        at = end
        if size == 0:
            continue
        single = single + 1 if size == 1 and value != np.uint64(34) else 0
        if single >= 6:
            flags |= SPACED
        rows[words, CLASSED] = masks[slot(keys, value)]
        rows[words, 0] = _bucket(value, np.uint64(1))
        rows[words, 1] = _bucket(value ^ one * _PRIME, np.uint64(2))
        rows[words, 2] = _bucket(value ^ two * _PRIME, np.uint64(3))
        rows[words, 3] = _bucket((value ^ one * _PRIME) * _PRIME ^ two, np.uint64(4))
        two, one = one, value
        words += 1
    return words, flags


@numba.njit(cache=True)
def slot(keys: NDArray[np.uint64], value: np.uint64) -> int:
    """Where a word stands in the lexicon, or the free place where it would."""
    mask = np.uint64(len(keys) - 1)
    at = (value ^ (value >> np.uint64(32))) & mask
    while keys[at] and keys[at] != value:
        at = (at + np.uint64(1)) & mask
    return int(at)


@numba.njit(cache=True)
def word(data: NDArray[np.uint8], start: int, stop: int) -> tuple[np.uint64, int, int, int]:
    """Its hash, its size in bytes that count, what is odd about it, and where it ends."""
    end, letters, digits, foreign, unseen = start, 0, 0, 0, 0
    while end < stop and _WORD[data[end]]:
        byte = data[end]
        skip = _unseen(data, end, stop)
        if skip:
            unseen = 1
            end += skip
            continue
        letters += (0x41 <= byte <= 0x5A) or (0x61 <= byte <= 0x7A)
        digits += (0x30 <= byte <= 0x39) or byte == 0x40 or byte == 0x24
        foreign += 0xCE <= byte <= 0xD1  # Greek and Cyrillic
        # mathematical and full-width letters
        if byte == 0xEF or (byte == 0xF0 and end + 1 < stop and data[end + 1] == 0x9D):
            unseen = 1
        end += 1
    value, size, at = _FNV, 0, start
    while at < end:
        skip = _unseen(data, at, stop)
        if skip:
            at += skip
            continue
        byte = data[at]
        if 0x41 <= byte <= 0x5A:
            byte += 0x20
        if digits and letters:
            byte = _LEET[byte]
        elif digits:
            byte = 0x30
        if byte != 0x27:
            value = (value ^ np.uint64(byte)) * _PRIME
            size += 1
        at += 1
    kind = (UNSEEN if unseen else 0) | (FOREIGN if foreign and letters else 0)
    return value, size, kind, min(end, stop)


@numba.njit(cache=True)
def _unseen(data: NDArray[np.uint8], at: int, stop: int) -> int:
    """The size of the character here if nobody sees it: zero width, joiners, tags; else 0."""
    byte = data[at]
    if byte < 0xC2 or at + 1 >= stop:
        return 0
    if byte == 0xC2:
        return 2 if data[at + 1] == 0xAD else 0
    if at + 2 >= stop:
        return 0
    second, third = data[at + 1], data[at + 2]
    if byte == 0xE2 and second == 0x80:
        return 3 if 0x8B <= third <= 0x8F or 0xAA <= third <= 0xAE else 0
    if byte == 0xE2 and second == 0x81:
        return 3 if 0xA0 <= third <= 0xA4 else 0
    if byte == 0xEF and second == 0xBB:
        return 3 if third == 0xBF else 0
    if byte == 0xF3 and second == 0xA0 and at + 3 < stop:
        return 4
    return 0


@numba.njit(cache=True)
def _bucket(value: np.uint64, salt: np.uint64) -> int:
    mixed = (value + salt * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(31)
    return int(mixed & np.uint64(BUCKETS - 1))


@numba.njit(cache=True)
def margin(
    weights: NDArray[np.float32], table: NDArray[np.float32], rows: NDArray[np.int32], words: int
) -> float:
    """The largest sum over `WINDOW` words in a row: of their weights, and their set of classes."""
    total, best = 0.0, -np.inf
    counts = np.zeros(16, dtype=np.int64)
    for at in range(words):
        for way in range(CLASSED):
            total += weights[rows[at, way]]
            if at >= WINDOW:
                total -= weights[rows[at - WINDOW, way]]
        _count(counts, rows[at, CLASSED], 1)
        if at >= WINDOW:
            _count(counts, rows[at - WINDOW, CLASSED], -1)
        if at >= WINDOW - 1 or at == words - 1:
            held = 0
            for bit in range(16):
                held |= (counts[bit] > 0) << bit
            best = max(best, total + table[held])
    return best


@numba.njit(cache=True)
def _count(counts: NDArray[np.int64], classes: int, step: int) -> None:
    if classes:
        for bit in range(16):
            if classes >> bit & 1:
                counts[bit] += step


@numba.njit(cache=True)
def scan(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    lexicon: tuple[NDArray[np.uint64], NDArray[np.uint16]],
    weights: tuple[NDArray[np.float32], NDArray[np.float32]],
    told: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]],
) -> int:
    """Tell each segment's start, margin and flags; how many there are. The margin of a segment
    without a word is -inf."""
    starts, margins, flags = told
    rows = np.empty((MAX_BYTES, WIDTH), dtype=np.int32)
    found = 0
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1]:
            end, _ = _end(data, at, offsets[row + 1])
            words, flag = hashed(data, at, end, lexicon[0], lexicon[1], rows)
            starts[found], flags[found] = at, flag
            margins[found] = -np.inf
            if words:
                margins[found] = margin(weights[0], weights[1], rows, words)
            found += 1
            at = end
    return found


@numba.njit(cache=True)
def count(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> int:
    """How many segments there are."""
    found = 0
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1]:
            at, _ = _end(data, at, offsets[row + 1])
            found += 1
    return found
