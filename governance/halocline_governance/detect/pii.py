"""Structured personal data: anchors by an engine, shapes at the anchors, checksums, context words.

Knows no names of people and no policy. Hits that overlap are one finding: it covers them all, and
takes the kind of the longest hit, then the surest, then the first in `KINDS`; a plain URL gives way
to whatever stands in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.kinds.catalog import KINDS, LIMITS, PERSONAL, Kind
from halocline_governance.detect.stream import LocalStream, Looked, Stream
from halocline_governance.detect.verdict import Span

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts
    from halocline_governance.detect.kinds.shape import Hit

__all__ = ["KINDS", "LIMITS", "PERSONAL", "Kind", "PiiDetector"]

_VERSION = 3

_MOST_BYTES = 16
"""A folded character is at most four bytes, and at most three deleted ones may stand before it."""


@dataclass(frozen=True, slots=True)
class PiiDetector(ByBatch):
    """Every kind in `KINDS`, or the ones named.

    Args:
        kinds: which kinds to look for.
        engine: one of `engines.anchor.ENGINES`; None for the fastest that is installed. All give
            the same spans.

    Its id is `pii@3` only with all kinds: a check that a policy requires by that name is the whole
    one. With `PERSONAL` it is `pii-personal@3`, with others `pii-part@3:` and their hash.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    engine: str | None = None
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if unknown := sorted(self.kinds - set(KINDS)):
            raise ValueError(f"unknown kinds: {', '.join(unknown)}; choose from detect.pii.KINDS")
        object.__setattr__(self, "id", _identity(self.kinds))

    def find_batch(self, texts: Texts) -> BatchVerdict:
        import numpy as np

        from halocline_governance.detect.batch import BatchVerdict, Spans
        from halocline_governance.detect.engines.fold import Folded
        from halocline_governance.detect.kinds import sift

        folded = Folded.of(texts)
        candidates = sift.sieve(self.engine).candidates(folded)
        found = list(sift.resolved(sift.row_hits(folded, candidates), self.kinds))
        names = tuple(KINDS)
        code = {name: number for number, name in enumerate(names)}
        rows = np.array([row for row, _ in found], dtype=np.int64)
        starts = np.array([hit.start for _, hit in found], dtype=np.int64)
        lasts = np.array([hit.end - 1 for _, hit in found], dtype=np.int64)
        spans = Spans(
            names,
            rows,
            folded.bytes_of(rows, starts)[:, 0],
            folded.bytes_of(rows, lasts)[:, 1],
            np.array([code[hit.kind] for _, hit in found], dtype=np.int16),
            np.array([hit.score for _, hit in found], dtype=np.float64),
        )
        return BatchVerdict.of(self.id, texts, spans)

    def stream(self) -> Stream:
        from halocline_governance.detect.kinds.shape import BEHIND

        return LocalStream(self.id, self._look, BEHIND * _MOST_BYTES)

    def _look(self, window: bytes, start: int, final: bool) -> Looked:
        import numpy as np

        from halocline_governance.detect.batch import Texts
        from halocline_governance.detect.engines.fold import Folded
        from halocline_governance.detect.kinds import sift, tail

        folded = Folded.of(Texts.of([window]))
        begin = folded.place_of(start)
        found = sift.row_hits(folded, sift.sieve(self.engine).candidates(folded, begin))
        hits: list[Hit] = sift.merged(hit for _, hit in found if hit.kind in self.kinds)
        hits = [hit for hit in hits if hit.start >= begin]
        text = folded.data[1 : folded.starts[1] - 1].tobytes().decode("latin-1")
        end = len(text) + 1
        if not final:
            end = max(begin, tail.settled(text, [(hit.start - 1, hit.end - 1) for hit in hits]) + 1)
        hits = [hit for hit in hits if hit.start < end]
        asked = np.array([place for hit in hits for place in (hit.start, hit.end - 1)] + [end])
        borders = folded.bytes_of(np.zeros(len(asked), dtype=np.int64), asked.astype(np.int64))
        spans = tuple(
            Span(int(borders[2 * n, 0]), int(borders[2 * n + 1, 1]), hit.kind, hit.score)
            for n, hit in enumerate(hits)
        )
        return Looked(spans, max(start, int(borders[-1, 0])))


def _identity(kinds: frozenset[str]) -> str:
    if kinds == KINDS.keys():
        return f"pii@{_VERSION}"
    if kinds == PERSONAL:
        return f"pii-personal@{_VERSION}"
    return (
        f"pii-part@{_VERSION}:{hashlib.sha256(' '.join(sorted(kinds)).encode()).hexdigest()[:12]}"
    )
