"""Which windows of a text's form stand for it, so that two texts with a run in common share one.

Winnowing (Schleimer, Wilkerson, Aiken 2003): of every `SPAN` windows that follow one another, the
one whose secret hash is least, the leftmost of equals. A run of WIDTH + SPAN - 1 = 25 letters and
digits has SPAN windows of its own, so wherever it stands the same one is chosen from them. The hash
is of a window's first HEAD codes and only chooses; what is stored is a tag of all of it (`prf`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.detect.segregation.prf import derived

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Places, Tags

WIDTH, SPAN, HEAD = 22, 4, 8
LETTERS = WIDTH + SPAN - 1


def order(secret: bytes) -> Tags:
    """The secret order of windows: a mask, and two to multiply with (odd)."""
    values = np.frombuffer(derived(secret, "order", 3 * 8), dtype="<u8").astype(np.uint64)
    values[1:] |= np.uint64(1)
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
    """Each window's hash and place are one number, so the least of SPAN of them is the leftmost
    least; it is the less of two pairs, of which one was made two windows ago."""
    places, stretches, seen = out
    mask, spread, stir = order[0], order[1], order[2]
    low = np.uint64(0xFFFFFFFF)
    none = ~np.uint64(0)
    count = 0
    for stretch in range(len(firsts) - 1):
        start, stop = firsts[stretch], firsts[stretch + 1]
        closed = ended or stretch < len(firsts) - 2
        if stop - start < (WIDTH if closed else LETTERS):
            continue
        begun = count
        word = np.uint64(0)
        for at in range(start, start + HEAD - 1):
            word = (word >> np.uint64(8)) | (np.uint64(codes[at]) << np.uint64(56))
        before = pair = older = none
        told = none
        for at in range(start, stop - WIDTH + 1):
            word = (word >> np.uint64(8)) | (np.uint64(codes[at + HEAD - 1]) << np.uint64(56))
            value = (word ^ mask) * spread
            value = (value ^ (value >> np.uint64(32))) * stir
            value = (value & ~low) | np.uint64(at)
            new = value if value < before else before
            least = new if new < older else older
            before, older, pair = value, pair, new
            place = least & low
            # Written whether chosen or not: no branch that text would make unpredictable.
            places[count], seen[count], stretches[count] = np.int64(place), at, stretch
            full = at - start >= SPAN - 1
            count += full & (place != told)
            told = place if full else told
        if count == begun:
            count += 1
    return count
