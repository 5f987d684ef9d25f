"""A batch in pieces of whole rows that fit into a processor's cache, and the rows that don't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from halocline_governance.detect.batch import Texts
    from halocline_governance.detect.segregation.compiled import Bytes, Places

PIECE = 2**18


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a batch, from row `first` on: a buffer and offsets that begin with 0."""

    first: int
    data: Bytes
    offsets: Places


def pieces(texts: Texts) -> Iterator[Piece]:
    """All rows but the bad ones, in order; a piece has `PIECE` bytes or less, or one row."""
    first = 0
    for bad in (*sorted(texts.bad), len(texts)):
        yield from _between(texts, first, bad)
        first = bad + 1


def _between(texts: Texts, row: int, stop: int) -> Iterator[Piece]:
    offsets = texts.offsets
    while row < stop:
        start = int(offsets[row])
        behind = int(np.searchsorted(offsets, start + PIECE, side="right")) - 1
        behind = min(max(behind, row + 1), stop)
        yield Piece(row, texts.data[start : offsets[behind]], offsets[row : behind + 1] - start)
        row = behind
