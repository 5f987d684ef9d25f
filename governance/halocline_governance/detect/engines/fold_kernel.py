"""The loops that fold UTF-8 to one byte a character, and walk back from a folded place.

Compiled by numba; `tests/governance/test_detect_engines_fold.py` holds them to plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    def _compiled(function: Callable[..., Any]) -> Callable[..., Any]: ...

else:
    _compiled = numba.njit(cache=True, boundscheck=False, nogil=True)

DELETED = 0xFE
NEUTRAL = 0x01
MARK_BITS = 8
MOST_DELETED = 3
PAD = 16
_BLOCK = 64


@_compiled
def character(data: Any, at: int, end: int, table: Any) -> tuple[int, int]:
    """(byte, length) of the character at `at`, by the table; NEUTRAL beyond the table."""
    first = data[at]
    if first < 0x80:
        return first, 1
    length = 2 if first < 0xE0 else (3 if first < 0xF0 else 4)
    if at + length > end:
        return NEUTRAL, end - at
    point = first & (0x1F if length == 2 else (0x0F if length == 3 else 0x07))
    for k in range(1, length):
        point = (point << 6) | (data[at + k] & 0x3F)
    return (table[point] if point < len(table) else NEUTRAL), length


@_compiled
def fold(data: Any, offsets: Any, skipped: Any, table: Any) -> tuple[Any, Any, Any]:  # noqa: C901 - one loop: calls would cost more
    """Fold all rows.

    Args:
        data: uint8, UTF-8 of all rows that are not skipped.
        offsets: int64 (rows + 1,).
        skipped: bool (rows,); such a row folds to nothing.
        table: uint8, by code point.

    Returns:
        `out`: uint8; a NUL, then each row with a NUL behind it, then PAD more, so that a look
            a little beyond either end (an index below 0 counts from the end) sees NULs.
        `starts`: int64 (rows + 1,); row r is `out[starts[r] : starts[r + 1] - 1]`.
        `marks`: int64; where in `data` the character folded to `out[k << MARK_BITS]` starts.
    """
    rows = len(offsets) - 1
    out = np.empty(len(data) + rows + 1 + PAD, dtype=np.uint8)
    starts = np.empty(rows + 1, dtype=np.int64)
    marks = np.zeros((len(out) >> MARK_BITS) + 1, dtype=np.int64)
    mask = (1 << MARK_BITS) - 1
    out[0] = 0
    o = 1
    for row in range(rows):
        starts[row] = o
        i = offsets[row]
        end = i if skipped[row] else offsets[row + 1]
        deleted = 0
        while i < end:
            if i + _BLOCK <= end:
                high = np.uint8(0)
                for k in range(_BLOCK):
                    byte = data[i + k]
                    out[o + k] = byte
                    high |= byte
                if high < 0x80:
                    last = (o + _BLOCK - 1) & ~mask
                    if last >= o:
                        marks[last >> MARK_BITS] = i + last - o
                    i += _BLOCK
                    o += _BLOCK
                    deleted = 0
                    continue
            stop = min(i + _BLOCK, end)
            while i < stop:
                byte, length = character(data, i, end, table)
                if byte == DELETED and data[i] >= 0x80:
                    deleted += 1
                    if deleted <= MOST_DELETED:
                        i += length
                        continue
                    byte = NEUTRAL
                deleted = 0
                if o & mask == 0:
                    marks[o >> MARK_BITS] = i
                out[o] = byte
                o += 1
                i += length
        out[o] = 0
        o += 1
    starts[rows] = o
    out[o : o + PAD] = 0
    return out[: o + PAD], starts, marks


@_compiled
def origins(data: Any, offsets: Any, table: Any, starts: Any, marks: Any, asked: Any) -> Any:
    """Where the characters at folded places stand in `data`.

    Args:
        asked: int64 (n, 2): row and folded place; the place just behind a row's last is allowed.

    Returns:
        int64 (n, 2): start and end of the character; both the row's end behind its last.
    """
    found = np.empty((len(asked), 2), dtype=np.int64)
    for n in range(len(asked)):
        row, place = asked[n, 0], asked[n, 1]
        end = offsets[row + 1]
        base = (place >> MARK_BITS) << MARK_BITS
        if base >= starts[row]:
            o, i = base, marks[place >> MARK_BITS]
        else:
            o, i = starts[row], offsets[row]
        if place >= starts[row + 1] - 1:
            found[n, 0] = found[n, 1] = end
            continue
        deleted = 0
        while True:
            byte, length = character(data, i, end, table)
            if byte == DELETED and data[i] >= 0x80:
                deleted += 1
                if deleted <= MOST_DELETED:
                    i += length
                    continue
            deleted = 0
            if o == place:
                break
            o += 1
            i += length
        found[n, 0] = i
        found[n, 1] = i + length
    return found
