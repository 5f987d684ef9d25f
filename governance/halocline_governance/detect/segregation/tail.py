"""A stream that keeps only the part of its text on which what follows can depend.

Several searches run over it, each with a place of its own up to which it has decided.
"""

from __future__ import annotations

import codecs
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.pieces import PIECE, pieces
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Finding, Span

if TYPE_CHECKING:
    from halocline_governance.detect.batch import Texts
    from halocline_governance.detect.segregation.compiled import Bytes, Places


@dataclass(frozen=True, slots=True)
class Look:
    """What was found from the floors on, the floors now, and the byte from which to keep the text.

    A span belongs to one search; it starts at or behind its old floor and before its new one.
    """

    spans: Sequence[Span]
    floors: dict[str, int]
    keep: int


Looking = Callable[["Bytes", dict[str, int], bool], Look]
"""(window, floors, ended): the window is whole characters; a search without a floor begins at 0."""


class Tail(Stream):
    """Feeds the searches of a detector."""

    def __init__(self, detector: str, look: Looking) -> None:
        super().__init__(detector)
        self._ask = look
        self._window = b""
        self._origin = 0
        self._floors: dict[str, int] = {}
        self._spans: list[Span] = []

    def findings(self, upto: int) -> Finding:
        return Finding(tuple(span for span in self._spans if span.start < upto))

    def _whole(self) -> Finding:
        return Finding(tuple(self._spans))

    def _look(self, chunk: bytes, final: bool) -> None:
        self._window += chunk
        decoder = codecs.getincrementaldecoder("utf-8")()
        decoder.decode(self._window, final)
        size = len(self._window) - len(decoder.getstate()[0])
        data = np.frombuffer(self._window, dtype=np.uint8)[:size]
        looked = self._ask(data, self._floors, final)
        for span in looked.spans:
            start, end = span.start + self._origin, span.end + self._origin
            place = Span(start, end, span.kind, span.score)
            if not self._spans or self._spans[-1].start <= start:
                self._spans.append(place)
            else:
                insort(self._spans, place, key=lambda s: s.start)
        settled = min(looked.floors.values(), default=size)
        self._settled = max(self._settled, self._origin + settled)
        self._floors = {name: max(floor - looked.keep, 0) for name, floor in looked.floors.items()}
        self._window = self._window[looked.keep :]
        self._origin += looked.keep


def by_pieces(
    texts: Texts,
    stream: Callable[[], Stream],
    find: Callable[[Bytes, Places], list[tuple[int, int, str]]],
) -> Iterator[tuple[int, Span]]:
    """Row and span of all that `find` finds in rows that lie together; a long row is streamed.

    Raises:
        ValueError: a stream could not vouch for its row.
    """
    for piece in pieces(texts):
        if piece.offsets[-1] > 2 * PIECE:
            tail, data = stream(), piece.data
            for at in range(0, len(data), PIECE):
                tail.feed(data[at : at + PIECE].tobytes())
            yield from ((piece.first, span) for span in tail.finish().spans)
            if tail.reason is not None:
                raise ValueError(tail.reason)
            continue
        for start, end, kind in find(piece.data, piece.offsets):
            row = int(np.searchsorted(piece.offsets, start, side="right")) - 1
            begun = int(piece.offsets[row])
            yield piece.first + row, Span(start - begun, end - begun, kind, 1.0)
