"""Where a text is cut, and what is read together: the stated, deterministic segmentation.

A segment is a sentence: it ends behind `.`, `!`, `?` or their wide forms, closing quotes and one
white space, or at a blank line, once it has 3 words; and when it has 64 words or 384 bytes. It is
read with the sentence before it where that starts within 192 bytes, because `They should all go.`
alone says nothing; one that follows a full segment is read with the last words of that, so that no
cut hides a phrase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.int64]

MIN_WORDS, MAX_WORDS, MAX_BYTES = 3, 64, 384
CONTEXT, OVERLAP = 192, 64
_SHORTEST = 6  # `a b c.` and more
# Bytes before a segment's start, and behind its end, that its limits may depend on.
LOOK_BEHIND = CONTEXT + 8


def cut(data: Bytes, start: int, stop: int, final: bool) -> tuple[Places, Places, Places]:
    """Where the segments in `data[start:stop]` begin to be read, start and end; closed ones only.

    `data[:start]` is what stands before, in the same text. With `final` the last one is closed
    by the end.
    """
    room = (stop - start) // _SHORTEST + 2
    froms, starts, ends = (np.empty(room, dtype=np.int64) for _ in range(3))
    count = _cut(data, 0, start, stop, final, froms, starts, ends)
    return froms[:count], starts[:count], ends[:count]


def cut_rows(data: Bytes, offsets: Places) -> tuple[Places, Places, Places, Places]:
    """The row, and as `cut` the three places, of every segment of every row of a batch."""
    room = len(data) // _SHORTEST + 2 * len(offsets)
    rows, froms, starts, ends = (np.empty(room, dtype=np.int64) for _ in range(4))
    count = _cut_rows(data, offsets, rows, froms, starts, ends)
    return rows[:count].copy(), froms[:count].copy(), starts[:count].copy(), ends[:count].copy()


@njit(cache=True, nogil=True)
def _cut_rows(
    data: Bytes, offsets: Places, rows: Places, froms: Places, starts: Places, ends: Places
) -> int:
    count = 0
    for row in range(len(offsets) - 1):
        first, last = offsets[row], offsets[row + 1]
        new = _cut(data, first, first, last, True, froms[count:], starts[count:], ends[count:])
        rows[count : count + new] = row
        count += new
    return count


@njit(cache=True, nogil=True)
def _cut(  # noqa: PLR0913 - a kernel writes into its caller's arrays
    data: Bytes,
    origin: int,
    start: int,
    stop: int,
    final: bool,
    froms: Places,
    starts: Places,
    ends: Places,
) -> int:
    count = 0
    at = start
    while at < stop:
        end, closed = _segment_end(data, at, stop)
        if not (closed or final):
            break
        froms[count] = _read_from(data, origin, at, end)
        starts[count] = at
        ends[count] = end
        count += 1
        at = end
    return count


@njit(cache=True, nogil=True)
def _segment_end(data: Bytes, start: int, stop: int) -> tuple[int, bool]:
    """The end of the segment that begins at `start`, and whether later bytes can't move it.

    One byte more than the segment must be seen to close it.
    """
    words = 0
    inside = False
    at = start
    while at < stop:
        byte = data[at]
        if at - start >= MAX_BYTES:
            while at > start and (data[at] & 0xC0) == 0x80:
                at -= 1
            return at, True
        letter = _is_letter(byte)
        if letter and not inside:
            words += 1
            if words > MAX_WORDS:
                return at, True
        inside = letter
        ending = _ends_sentence(data, start, at + 1) if words >= MIN_WORDS else 0
        if ending:
            if at + 1 >= stop:
                return at + 1, False
            if not _goes_on(data[at + 1], ending):
                return at + 1, True
        at += 1
    return stop, False


@njit(cache=True, nogil=True)
def _ends_sentence(data: Bytes, start: int, end: int) -> int:
    """1 if `data[start:end]` ends in a sentence's end and white space, 2 if in a blank line."""
    if end - start < 2 or not _is_space(data[end - 1]):
        return 0
    at = end - 2
    if data[end - 1] == 10:
        while at > start and (data[at] == 32 or data[at] == 9 or data[at] == 13):
            at -= 1
        if data[at] == 10:
            return 2
    while at > start and end - at < 12 and _is_space(data[at]):
        at -= 1
    while at > start and end - at < 16 and _closes(data[at]):
        at -= 1
    byte = data[at]
    if byte == 46 or byte == 33 or byte == 63:
        return 1
    return 1 if at - start >= 2 and _wide_end(data[at - 2], data[at - 1], byte) else 0


@njit(cache=True, nogil=True)
def _wide_end(a: int, b: int, c: int) -> bool:
    """The ideographic full stop, the wide `!` and `?`, and the ellipsis, in UTF-8."""
    if a == 0xE3:
        return b == 0x80 and c == 0x82
    if a == 0xEF:
        return b == 0xBC and (c == 0x81 or c == 0x9F)
    return a == 0xE2 and b == 0x80 and c == 0xA6


@njit(cache=True, nogil=True)
def _read_from(data: Bytes, origin: int, start: int, end: int) -> int:
    """The start of the sentence before, where it is near and both fit into one segment's bytes."""
    if start == origin:
        return start
    floor = max(origin, start - CONTEXT)
    if not _ends_sentence(data, floor, start):
        for at in range(max(origin, start - OVERLAP), start):
            if _is_space(data[at]):
                return at + 1
        return start
    at = start - 2
    while at > floor:
        ending = _ends_sentence(data, floor, at + 1)
        if ending and not _goes_on(data[at + 1], ending):
            return _fitting(at + 1, start, end)
        at -= 1
    return _fitting(origin, start, end) if floor == origin else start


@njit(cache=True, nogil=True)
def _fitting(before: int, start: int, end: int) -> int:
    return before if end - before <= MAX_BYTES else start


@njit(cache=True, nogil=True)
def _is_space(byte: int) -> bool:
    return byte == 32 or (9 <= byte <= 13)


@njit(cache=True, nogil=True)
def _closes(byte: int) -> bool:
    return byte == 34 or byte == 39 or byte == 41 or byte == 93


@njit(cache=True, nogil=True)
def _is_letter(byte: int) -> bool:
    return byte >= 0x80 or 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


@njit(cache=True, nogil=True)
def _goes_on(byte: int, ending: int) -> bool:
    """More space, or a small letter behind a full stop's space: it has not ended here."""
    return _is_space(byte) or (ending == 1 and 97 <= byte <= 122)
