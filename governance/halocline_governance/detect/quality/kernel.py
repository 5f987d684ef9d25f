"""The one pass over the buffer that every quality signal comes from, compiled.

Held to plain Python by tests/governance/test_detect_quality.py.
"""
# pyright: reportUntypedFunctionDecorator=false, reportUnknownMemberType=false

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from halocline_governance.detect.quality import repeats

_SPACE, _BREAK, _ALPHA = 1, 2, 4
_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_LOREM, _SCRIPT = b"lorem ipsum", b"javascript"
_POLICY = (
    b"terms of use",
    b"privacy policy",
    b"cookie policy",
    b"uses cookies",
    b"use of cookies",
    b"use cookies",
)


def _packed(phrases: tuple[bytes, ...]) -> NDArray[np.uint8]:
    rows = np.zeros((len(phrases), 16), dtype=np.uint8)
    for row, phrase in zip(rows, phrases, strict=True):
        row[: len(phrase)] = np.frombuffer(phrase, dtype=np.uint8)
    return rows


_PHRASES = _packed((_LOREM, _SCRIPT, *_POLICY))
_STOPS = _packed((b"the", b"be", b"to", b"of", b"and", b"that", b"have", b"with"))
_OPENS = np.isin(np.arange(256), list(b"ljtpcuLJTPCU"))

# What is counted of a text, by place in `counts`.
_CHARS, _ALPHAS, _STOPPED, _HASHES, _DOTS, _SENTENCES, _BRACES, _NEWLINES, _LOREMS = range(9)
_BULLETED, _DOTTED, _ENDED, _SHORT, _SCRIPTS, _POLICIES, _OF_30 = range(9, 16)
# What is known of a word or of a part, by row: where it stands, in bytes and in characters.
_FROM, _TO, _CHAR_FROM, _CHAR_TO = range(4)


@numba.njit(cache=True)
def measure(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    folds: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None:
    """Write the signals of each row, `data[offsets[i]:offsets[i + 1]]`, to its row of `out`."""
    for row in range(len(offsets) - 1):
        text = data[offsets[row] : offsets[row + 1]]
        if len(text):
            _measure(text, kinds, folds, out[row])


@numba.njit(cache=True)
def _measure(
    text: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    folds: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None:
    counts = np.zeros(16, dtype=np.int64)
    words, hashes = _words(text, kinds, folds, counts)
    _marks(text, kinds, counts)
    out[23] = counts[_SENTENCES]
    out[24] = counts[_BRACES]
    size = len(hashes)
    if size == 0:
        return
    out[0] = size
    out[1] = counts[_CHARS] / size
    out[2] = counts[_HASHES] / size
    out[3] = counts[_DOTS] / size
    out[6] = counts[_ALPHAS] / size
    for bit in range(8):
        out[7] += counts[_STOPPED] >> bit & 1
    repeats.grams(hashes, words[_CHAR_TO] - words[_CHAR_FROM], out[12:15], out[15:21])
    out[31] = counts[_NEWLINES] / size
    lines = _lines(text, kinds, words, counts, out[8:12])
    out[25] = min(1, counts[_LOREMS])
    out[30] = out[9]
    out[4] = counts[_BULLETED] / lines
    out[5] = counts[_DOTTED] / lines
    out[21] = out[28] = counts[_ENDED] / lines
    out[22] = counts[_SHORT] / lines
    out[26] = counts[_SCRIPTS] / lines
    out[27] = counts[_POLICIES] / lines
    out[29] = counts[_OF_30] / lines


@numba.njit(cache=True)
def _words(
    text: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    folds: NDArray[np.int32],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """Where the words stand, 4 rows by `_FROM` and so on, and a hash of each in lower case."""
    spaces = 0
    for byte in text:  # an upper bound: any white space beyond ASCII begins with one of these
        spaces += byte <= 0x20 or byte == 0xC2 or (0xE1 <= byte <= 0xE3)
    places = np.empty((4, spaces + 1), dtype=np.int32)
    hashes = np.empty(spaces + 1, dtype=np.uint64)
    found = at = char = 0
    while at < len(text):
        code, size = _decoded(text, at)
        if _kind(code, kinds) & _SPACE:
            at += size
            char += 1
            continue
        value, seen = _FNV, 0
        places[_FROM, found], places[_CHAR_FROM, found] = at, char
        while at < len(text):
            code, size = _decoded(text, at)
            kind = _kind(code, kinds)
            if kind & _SPACE:
                break
            seen |= kind
            fold = folds[code] if code < len(folds) else code
            value = (value ^ np.uint64(fold)) * _PRIME
            value ^= value >> np.uint64(29)
            at += size
            char += 1
        places[_TO, found], places[_CHAR_TO, found] = at, char
        hashes[found] = value
        counts[_CHARS] += char - places[_CHAR_FROM, found]
        counts[_ALPHAS] += seen & _ALPHA != 0
        counts[_STOPPED] |= _stop(text, places[_FROM, found], at)
        found += 1
    return places[:, :found], hashes[:found]


@numba.njit(cache=True)
def _lines(
    text: NDArray[np.uint8],
    kinds: NDArray[np.uint8],
    words: NDArray[np.int32],
    counts: NDArray[np.int64],
    out: NDArray[np.float64],
) -> int:
    """Count the lines, which it returns; `out`: the shares of repeated lines and paragraphs."""
    size = words.shape[1]
    hashes = np.empty((2, size), dtype=np.uint64)
    chars = np.empty((2, size), dtype=np.int64)
    lines = paragraphs = line = block = 0
    for word in range(size):
        end = words[_FROM, word + 1] if word + 1 < size else len(text)
        broken, newlines = _gap(text, words[_TO, word], end, kinds)
        if broken or word + 1 == size:
            hashes[0, lines] = _hash(text, words[_FROM, line], words[_TO, word])
            chars[0, lines] = words[_CHAR_TO, word] - words[_CHAR_FROM, line]
            counts[_SHORT] += word - line < 2
            counts[_OF_30] += chars[0, lines] <= 30
            _ends(text, words[_FROM, line], words[_TO, word], counts)
            lines, line = lines + 1, word + 1
        if newlines > 1 or word + 1 == size:
            hashes[1, paragraphs] = _hash(text, words[_FROM, block], words[_TO, word])
            chars[1, paragraphs] = words[_CHAR_TO, word] - words[_CHAR_FROM, block]
            paragraphs, block = paragraphs + 1, word + 1
    out[0], out[1] = repeats.duplicates(hashes[0, :lines], chars[0, :lines])
    out[2], out[3] = repeats.duplicates(hashes[1, :paragraphs], chars[1, :paragraphs])
    return lines


@numba.njit(cache=True)
def _gap(
    text: NDArray[np.uint8], start: int, end: int, kinds: NDArray[np.uint8]
) -> tuple[bool, int]:
    """Whether there is a line break between two words, and how many newlines."""
    broken, newlines = False, 0
    at = start
    while at < end:
        code, size = _decoded(text, at)
        broken |= _kind(code, kinds) & _BREAK != 0
        newlines += code == 0x0A
        at += size
    return broken, newlines


@numba.njit(cache=True)
def _ends(text: NDArray[np.uint8], start: int, end: int, counts: NDArray[np.int64]) -> None:
    """Count what a line begins and ends with, and the phrases in it."""
    first, last = text[start], text[end - 1]
    counts[_BULLETED] += first == 0x2D or first == 0x2A or _is(text, start, end, 0xA2)
    dotted = end - start >= 3 and text[end - 3] == 0x2E and text[end - 2] == 0x2E and last == 0x2E
    counts[_DOTTED] += dotted or _is(text, end - 3, end, 0xA6)
    plain = last == 0x2E or last == 0x21 or last == 0x3F or last == 0x22 or last == 0x27
    counts[_ENDED] += plain or _is(text, end - 3, end, 0x9D)
    flags = 0
    for at in range(start, end):
        if _OPENS[text[at]]:
            flags |= _phrases(text, at, end)
    counts[_SCRIPTS] += flags & 1
    counts[_POLICIES] += flags >> 1 & 1
    counts[_LOREMS] += flags >> 2 & 1


@numba.njit(cache=True)
def _is(text: NDArray[np.uint8], at: int, end: int, last: int) -> bool:
    """Whether a character of the block U+2000, known by its last byte, stands here."""
    if at < 0 or at + 3 > end:
        return False
    return bool(text[at] == 0xE2 and text[at + 1] == 0x80 and text[at + 2] == last)


@numba.njit(cache=True)
def _marks(text: NDArray[np.uint8], kinds: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Count signs, and sentences: points, then closing marks, then white space or the end."""
    at = dots = 0
    ended = False
    while at < len(text):
        code, size = _decoded(text, at)
        counts[_NEWLINES] += code == 0x0A
        counts[_HASHES] += code == 0x23
        counts[_BRACES] += code == 0x7B
        dots = dots + 1 if code == 0x2E else 0
        if dots == 3 or code == 0x2026:
            dots = 0
            counts[_DOTS] += 1
        if code == 0x2E or code == 0x21 or code == 0x3F:
            ended = True
        elif ended and not _closes(code):
            counts[_SENTENCES] += _kind(code, kinds) & _SPACE != 0
            ended = False
        at += size
    counts[_SENTENCES] += ended


@numba.njit(cache=True, inline="always")
def _closes(code: int) -> bool:
    return code == 0x22 or code == 0x27 or code == 0x201D or code == 0x29 or code == 0x5D


@numba.njit(cache=True, inline="always")
def _kind(code: int, kinds: NDArray[np.uint8]) -> int:
    return int(kinds[code]) if code < len(kinds) else 0


@numba.njit(cache=True, inline="always")
def _decoded(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """The code point at this place of valid UTF-8, and its bytes; of other text, anything."""
    lead = int(text[at])
    if lead < 0x80:
        return lead, 1
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if at + size > len(text):
        return 0xFFFD, 1
    code = lead & (0x7F >> size)
    for more in range(1, size):
        code = code << 6 | (int(text[at + more]) & 0x3F)
    return code, size


@numba.njit(cache=True)
def _hash(text: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    value = _FNV ^ np.uint64(end - start)
    for at in range(start, end):
        value = (value ^ np.uint64(text[at])) * _PRIME
        value ^= value >> np.uint64(31)
    return value


@numba.njit(cache=True)
def _same(text: NDArray[np.uint8], at: int, end: int, phrase: NDArray[np.uint8]) -> int:
    """How many letters the phrase has if it stands here, in whatever ASCII case; else 0."""
    size = 0
    while size < 16 and phrase[size]:
        if at + size >= end:
            return 0
        byte = text[at + size]
        if 0x41 <= byte <= 0x5A:
            byte += 0x20
        if byte != phrase[size]:
            return 0
        size += 1
    return size


@numba.njit(cache=True)
def _phrases(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Bit 0: javascript stands here; bit 1: a policy notice; bit 2: placeholder text."""
    for row in range(len(_PHRASES)):
        if text[at] | 0x20 == _PHRASES[row, 0] and _same(text, at, end, _PHRASES[row]):
            return 4 if row == 0 else 1 if row == 1 else 2
    return 0


@numba.njit(cache=True)
def _stop(text: NDArray[np.uint8], start: int, end: int) -> int:
    """The bit of the stop word that stands here between punctuation, or 0."""
    while start < end and _is_point(text[start]):
        start += 1
    while end > start and _is_point(text[end - 1]):
        end -= 1
    if end - start < 2 or end - start > 4:
        return 0
    for row in range(len(_STOPS)):
        if _same(text, start, end, _STOPS[row]) == end - start:
            return 1 << row
    return 0


@numba.njit(cache=True, inline="always")
def _is_point(byte: int) -> bool:
    return (
        byte == 0x2E or byte == 0x2C or byte == 0x3B or byte == 0x3A or byte == 0x21 or byte == 0x3F
    )
