"""Scores every segment of a batch by the model, and looks closer at those that are odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.injection import disguise, rules
from halocline_governance.detect.injection.classes import lexicon
from halocline_governance.detect.injection.model import WEIGHTS, Model, load
from halocline_governance.detect.stream import LocalStream, Looked, Stream
from halocline_governance.detect.verdict import Finding, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from halocline_governance.detect.batch import BatchVerdict, Texts

KIND = "prompt_injection"
FOUND = 0.5
_HIDDEN = 8  # a flag of a region (UTS 51) has up to six tag characters


@dataclass(frozen=True, slots=True)
class InjectionDetector(ByBatch):
    """The score is the worst segment's; each segment at or above 0.5 is a span."""

    path: Path = WEIGHTS
    id: str = "injection@2"
    kinds: frozenset[str] = frozenset((KIND,))

    def find_batch(self, texts: Texts) -> BatchVerdict:
        import numpy as np

        from halocline_governance.detect.batch import BatchVerdict, Spans

        starts, scores = _scored(load(self.path), texts.data, texts.offsets)
        ends = np.append(starts[1:], texts.num_bytes)
        rows = texts.rows(starts)
        worst = np.zeros(len(texts))
        np.maximum.at(worst, rows, scores)
        bad = np.flatnonzero(scores >= FOUND)
        low = texts.offsets[rows[bad]]
        spans = Spans(
            (KIND,),
            rows[bad],
            starts[bad] - low,
            np.minimum(ends[bad], texts.offsets[rows[bad] + 1]) - low,
            np.zeros(len(bad), dtype=np.int16),
            scores[bad],
        )
        return BatchVerdict.of(self.id, texts, spans, worst, worst >= FOUND)

    def stream(self) -> Stream:
        return LocalStream(self.id, self._look, 0, _concluded)

    def _look(self, window: bytes, start: int, final: bool) -> Looked:
        import numpy as np

        from halocline_governance.detect.injection import kernel

        data = np.frombuffer(window, dtype=np.uint8)
        ends, closed = kernel.segments(data, start, len(window))
        if not final and not closed:
            ends = ends[:-1]
        settled = int(ends[-1]) if len(ends) else start
        part = np.array([start, settled], dtype=np.int64)
        starts, scores = _scored(load(self.path), data, part)
        pairs = list(zip(ends.tolist(), scores.tolist(), strict=True))
        spans = [
            Span(low, high, KIND, score)
            for low, (high, score) in zip(starts.tolist(), pairs, strict=True)
            if score >= FOUND
        ]
        return Looked(spans, settled, pairs)


def _concluded(spans: tuple[Span, ...], score: float | None) -> Finding:
    worst = score or 0.0
    return Finding(spans, worst, found=worst >= FOUND)


def _scored(
    model: Model, data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where the segments of these texts start, and how likely each is an injection."""
    import numpy as np

    from halocline_governance.detect.injection import kernel

    size = kernel.count(data, offsets)
    starts, margins = np.empty(size, dtype=np.int64), np.empty(size)
    flags = np.empty(size, dtype=np.uint8)
    weights = model.weights, model.table()
    kernel.scan(data, offsets, lexicon(), weights, (starts, margins, flags))
    scores = model.probabilities(margins)
    ends = np.append(starts[1:], offsets[-1])
    for at in _odd(data, offsets, starts, flags):
        segment = data[starts[at] : ends[at]].tobytes()
        scores[at] = max(scores[at], _closer(model, segment, bool(flags[at])))
    return starts, scores


def _odd(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    starts: NDArray[np.int64],
    flags: NDArray[np.uint8],
) -> list[int]:
    """The segments that a rule may match, or that are more than they seem."""
    import numpy as np

    low, high = int(offsets[0]), int(offsets[-1])
    find = rules.places()
    if find is None:
        return list(range(len(starts)))
    if not len(starts):
        return []
    places = np.array(find(data[low:high].tobytes()), dtype=np.int64) + low
    ruled = np.searchsorted(starts, places, side="right") - 1
    return np.union1d(np.flatnonzero(flags), ruled).tolist()


def _closer(model: Model, segment: bytes, flagged: bool) -> float:
    worst = rules.floor(segment)
    text = segment.decode("utf-8", "replace")
    for other in _others(text, segment, flagged):
        raw = other.encode("utf-8", "replace")
        worst = max(worst, rules.floor(raw), model.probability(raw))
    if flagged and len(disguise.tagged(text)) >= _HIDDEN:
        worst = max(worst, 0.6)
    return worst


def _others(text: str, segment: bytes, flagged: bool) -> Iterator[str]:
    if flagged:
        yield from disguise.others(text)
    if rules.TURNED.search(segment):
        yield from disguise.turned(text)
