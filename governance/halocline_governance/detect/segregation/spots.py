"""Windows at every place of a text's form that are among a few known ones: what canaries need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation import kept, prf
from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.detect.segregation.form import Form, end_of, form

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Mask, Places, Tags

_HEAD_BITS = 20
_CAP = 1024


@dataclass(frozen=True, slots=True)
class Spots:
    """Tags of windows of `width` codes, and the mask of their heads: the first bits of a keyed
    rolling hash, by which all but a few other windows are passed over."""

    width: int
    known: Tags = field(repr=False)
    heads: Mask = field(repr=False)
    order: Tags = field(repr=False)
    key: Tags = field(repr=False)

    @classmethod
    def of(cls, width: int, marks: Iterable[tuple[int, int]], secret: bytes) -> Spots:
        """From pairs of head and tag, as `marks_of` gives them."""
        pairs = np.array(list(marks), dtype=np.uint64).reshape(-1, 2)
        heads = np.zeros(1 << _HEAD_BITS, dtype=np.bool_)
        heads[pairs[:, 0].astype(np.int64)] = True
        return cls(width, np.unique(pairs[:, 1]), heads, *_keys(secret))

    def places(self, made: Form) -> tuple[Places, Tags]:
        """Where known windows start in the codes, and their tags."""
        likely = np.empty(len(made), dtype=np.int64)
        heads = (self.order, self.heads)
        likely = likely[: _likely(made.codes, made.firsts, self.width, heads, likely)]
        tags = prf.tags(made.room, likely, self.width, self.key)
        at = np.minimum(np.searchsorted(self.known, tags), max(len(self.known) - 1, 0))
        known = self.known[at] == tags if len(self.known) else np.zeros(len(tags), dtype=np.bool_)
        return likely[known], tags[known]

    def spans(
        self, data: Bytes, made: Form, floor: int, ended: bool
    ) -> tuple[list[tuple[int, int]], int]:
        """Runs of known windows in one row or many, and the byte from which on more may begin."""
        open_ = not kept.closed(data, made, ended)
        undecided = max(int(made.firsts[-2]), len(made) - self.width + 1) if open_ else len(made)
        runs: list[tuple[int, int]] = []
        for place in self.places(made)[0].tolist():
            if made.where[place] < floor:
                continue
            if runs and place < runs[-1][1] and place - runs[-1][0] <= _CAP - self.width:
                runs[-1] = (runs[-1][0], place + self.width)
            elif not runs or place >= runs[-1][1]:
                runs.append((place, place + self.width))
        begun = len(data) if not open_ else int(made.where[undecided])
        if open_ and runs and runs[-1][1] > undecided:
            begun = int(made.where[runs.pop()[0]])
        where = made.where
        spans = [(int(where[a]), end_of(data, int(where[b - 1]))) for a, b in runs]
        return spans, max(floor, begun)


def marks_of(text: str, width: int, secret: bytes) -> list[tuple[int, int]]:
    """Head and tag of each window of the text's form."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    made = form(data, np.array([0, len(data)], dtype=np.int64))
    order, key = _keys(secret)
    places = np.arange(max(0, len(made) - width + 1), dtype=np.int64)
    heads = np.empty(len(places), dtype=np.int64)
    _heads(made.codes, width, order, heads)
    tags = prf.tags(made.room, places, width, key)
    return list(zip(heads.tolist(), tags.tolist(), strict=True))


def _keys(secret: bytes) -> tuple[Tags, Tags]:
    drawn = np.frombuffer(prf.derived(secret, "canary order", 257 * 8), dtype="<u8")
    values = drawn.astype(np.uint64)
    values[256] |= np.uint64(1)
    return values, prf.key_of(secret, "canary")


@kernel
def _likely(codes: Bytes, firsts: Places, width: int, heads: tuple[Tags, Mask], out: Places) -> int:
    order, known = heads
    count = 0
    for stretch in range(len(firsts) - 1):
        start, stop = firsts[stretch], firsts[stretch + 1]
        if stop - start < width:
            continue
        value = np.uint64(0)
        top = np.uint64(1)
        for at in range(start, start + width - 1):
            value = value * order[256] + order[codes[at]]
            top *= order[256]
        for at in range(start, stop - width + 1):
            value = value * order[256] + order[codes[at + width - 1]]
            if known[np.int64(value >> np.uint64(64 - _HEAD_BITS))]:
                out[count] = at
                count += 1
            value -= top * order[codes[at]]
    return count


@kernel
def _heads(codes: Bytes, width: int, order: Tags, out: Places) -> None:
    for place in range(len(out)):
        value = np.uint64(0)
        for at in range(place, place + width):
            value = value * order[256] + order[codes[at]]
        out[place] = np.int64(value >> np.uint64(64 - _HEAD_BITS))
