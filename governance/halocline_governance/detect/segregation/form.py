"""The normal form of many texts at once, in one compiled pass: letters and digits as bytes.

White space, marks and invisible characters are left out, so no spacing and no punctuation hides
anything. Each code knows the byte at which its character begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.detect.segregation.folding import (
    INVISIBLE,
    KNOWN,
    SEVERAL,
    Folding,
    folding,
    latin,
)

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Places

GAP = 256
"""More bytes than this without a letter or digit end a stretch: no window reaches across."""
PADDING = 16
_NOTHING = Folding(
    np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.uint8)
)


@dataclass(frozen=True, slots=True)
class Form:
    """Codes of all rows on end, and the byte of the buffer where each one's character begins.

    `firsts` holds where stretches begin in `codes`, and at its end the number of codes; `rows` the
    row of each stretch. Behind the codes `_room` has padding, for reads by words.
    """

    codes: Bytes
    where: Places
    firsts: Places
    rows: Places
    room: Bytes

    def __len__(self) -> int:
        return len(self.codes)


def form(data: Bytes, offsets: Places) -> Form:
    """The form of rows `data[offsets[i]:offsets[i + 1]]`, each of them UTF-8."""
    size = int(offsets[-1] - offsets[0])
    room = np.empty(size + PADDING, dtype=np.uint8)
    where = np.empty(size + 1, dtype=np.int64)
    firsts = np.empty(len(offsets) + size // GAP + 1, dtype=np.int64)
    rows = np.empty_like(firsts)
    fold = folding() if _beyond(data, int(offsets[0]), int(offsets[-1])) else _NOTHING
    tables = (latin(), fold.table, fold.points, fold.ends, fold.codes)
    count, stretches = _form(data, offsets, tables, (room, where, firsts, rows))
    room[count : count + PADDING] = 0
    return Form(room[:count], where[:count], firsts[: stretches + 1], rows[:stretches], room)


def end_of(data: Bytes, at: int) -> int:
    """Where the character that begins here ends."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at


@kernel
def _beyond(data: Bytes, start: int, stop: int) -> bool:
    """Whether a byte in there is not ASCII."""
    seen = np.uint8(0)
    for at in range(start, stop):
        seen |= data[at]
    return bool(seen >= 128)


@kernel
def _form(
    data: Bytes,
    offsets: Places,
    tables: tuple[Bytes, Bytes, Places, Places, Bytes],
    out: tuple[Bytes, Places, Places, Places],
) -> tuple[int, int]:
    letters, table, points, ends, several = tables
    codes, where, firsts, rows = out
    count = stretches = 0
    for row in range(len(offsets) - 1):
        at, stop = offsets[row], offsets[row + 1]
        last = at - GAP - 2
        while at < stop:
            byte = data[at]
            if byte < 128:
                # Written whether kept or not: no branch that prose would make unpredictable.
                code = int(letters[byte])
                kept = code != 0
                if kept & (at - last > GAP):
                    firsts[stretches], rows[stretches] = count, row
                    stretches += 1
                codes[count] = code
                where[count] = at
                count += kept
                last = at if kept else last
                at += 1
                continue
            point, length = _point(data, at)
            code = _code(point, table)
            if code:
                if at - last > GAP:
                    firsts[stretches], rows[stretches] = count, row
                    stretches += 1
                last = at
                first, behind = 0, 1
                if code == SEVERAL:
                    number = np.searchsorted(points, point)
                    first, behind = ends[number], ends[number + 1]
                for place in range(first, behind):
                    codes[count] = several[place] if code == SEVERAL else code
                    where[count] = at
                    count += 1
            at += length
    firsts[stretches] = count
    return count, stretches


@kernel
def _point(data: Bytes, at: int) -> tuple[int, int]:
    """The code point that begins here, and its bytes."""
    byte = int(data[at])
    second = int(data[at + 1]) & 0x3F
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | second, 2
    third = int(data[at + 2]) & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | second << 6 | third, 3
    return (byte & 0x07) << 18 | second << 12 | third << 6 | (int(data[at + 3]) & 0x3F), 4


@kernel
def _code(point: int, table: Bytes) -> int:
    if point < KNOWN:
        return int(table[point])
    if point >= INVISIBLE:
        return 0
    return 128 + (((point * 2654435761) & 0xFFFFFFFF) >> 25)
