"""Which windows of a text's form stand for it, so that two texts with a run in common share one.

Winnowing (Schleimer, Wilkerson, Aiken 2003): of every `SPAN` windows that follow one another, the
one whose rolling hash is least, the leftmost of equals. A run of WIDTH + SPAN - 1 = 25 letters and
digits has SPAN windows of its own, so wherever it stands the same one is chosen from them. The
rolling hash only chooses; what is stored is a tag (`prf`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.detect.segregation.prf import derived

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Places, Tags

WIDTH, SPAN = 22, 4
LETTERS = WIDTH + SPAN - 1


def order(secret: bytes) -> Tags:
    """The secret order of windows: a value per code, and one to multiply with (odd)."""
    values = np.frombuffer(derived(secret, "order", 257 * 8), dtype="<u8").astype(np.uint64)
    values[256] |= np.uint64(1)
    return values


@dataclass(frozen=True, slots=True)
class Windows:
    """Chosen windows, in order: where each starts in the codes, in which stretch, and the last
    window of the first `SPAN` that chose it."""

    places: Places
    stretches: Places
    seen: Places

    def __len__(self) -> int:
        return len(self.places)


def chosen(codes: Bytes, firsts: Places, order: Tags, ended: bool) -> Windows:
    """The windows that stand for these codes.

    A stretch with fewer than SPAN windows has its least one; if the last one has not `ended`, more
    may follow it and it has none yet.
    """
    places, stretches, seen = (np.empty(len(codes), dtype=np.int64) for _ in range(3))
    count = _chosen(codes, firsts, order, (places, stretches, seen), ended)
    return Windows(places[:count], stretches[:count], seen[:count])


@kernel
def _chosen(
    codes: Bytes, firsts: Places, order: Tags, out: tuple[Places, Places, Places], ended: bool
) -> int:
    places, stretches, seen = out
    base = order[256]
    top = base
    for _ in range(WIDTH - 2):
        top *= base
    count = 0
    for stretch in range(len(firsts) - 1):
        start, stop = firsts[stretch], firsts[stretch + 1]
        closed = ended or stretch < len(firsts) - 2
        if stop - start >= (WIDTH if closed else LETTERS):
            new = _winnowed(codes[start:stop], order, (base, top), (places[count:], seen[count:]))
            for number in range(count, count + new):
                places[number] += start
                seen[number] += start
                stretches[number] = stretch
            count += new
    return count


@kernel
def _winnowed(
    codes: Bytes, order: Tags, powers: tuple[np.uint64, np.uint64], out: tuple[Places, Places]
) -> int:
    base, top = powers
    places, seen = out
    last = np.empty(SPAN, dtype=np.uint64)
    value = least = np.uint64(0)
    for at in range(WIDTH - 1):
        value = value * base + order[codes[at]]
    count, place, told = 0, -1, -1
    for at in range(len(codes) - WIDTH + 1):
        value = value * base + order[codes[at + WIDTH - 1]]
        last[at & (SPAN - 1)] = value
        if place < 0 or value < least:
            least, place = value, at
        elif place + SPAN <= at:
            place = at - SPAN + 1
            least = last[place & (SPAN - 1)]
            for other in range(place + 1, at + 1):
                if last[other & (SPAN - 1)] < least:
                    least, place = last[other & (SPAN - 1)], other
        if place != told and at >= SPAN - 1:
            places[count] = told = place
            seen[count] = at
            count += 1
        value -= top * order[codes[at]]
    if told < 0:
        places[0] = seen[0] = place
        count = 1
    return count
