"""Both stages over the segments of a batch, or of a stream's window: one code for all faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import BatchVerdict, Spans, Texts
from halocline_governance.detect.stream import Looked
from halocline_governance.detect.toxicity import FOUND, segments
from halocline_governance.detect.toxicity.model import ANSWERS, DECIMALS, Second, load
from halocline_governance.detect.verdict import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.int64]

# What the first stage clears can score no higher than this, whatever its own number says.
CLEARED = 0.05
_AT_ONCE = 2048


def judge_rows(detector: str, path: Path, texts: Texts) -> BatchVerdict:
    """The verdicts about a batch. Raises `Refused` where the weights are not what they must be."""
    rows, froms, starts, ends = segments.cut_rows(texts.data, texts.offsets)
    if texts.bad:
        good = ~np.isin(rows, np.fromiter(texts.bad, dtype=np.int64, count=len(texts.bad)))
        rows, froms, starts, ends = rows[good], froms[good], starts[good], ends[good]
    answers = judge(path, texts.data, froms, starts, ends)
    scores = np.zeros(len(texts))
    np.maximum.at(scores, rows, answers[:, 0])
    hit, kind = np.nonzero(answers >= FOUND)
    first = texts.offsets[rows[hit]]
    spans = Spans(
        ANSWERS,
        rows[hit],
        starts[hit] - first,
        ends[hit] - first,
        kind.astype(np.int16),
        answers[hit, kind],
    )
    return BatchVerdict.of(detector, texts, spans, scores, scores >= FOUND)


def look(path: Path, window: bytes, start: int, final: bool) -> Looked:
    """The segments that are closed behind `start` in a stream's window."""
    data = np.frombuffer(window, dtype=np.uint8)
    froms, starts, ends = segments.cut(data, start, len(data), final)
    answers = judge(path, data, froms, starts, ends)
    spans = [
        Span(int(a), int(b), kind, float(score))
        for a, b, row in zip(starts, ends, answers, strict=True)
        for kind, score in sorted(zip(ANSWERS, row, strict=True))
        if score >= FOUND
    ]
    scores = [(int(end), float(row[0])) for end, row in zip(ends, answers, strict=True)]
    return Looked(spans, int(ends[-1]) if len(ends) else start, scores)


def judge(
    path: Path, data: Bytes, froms: Places, starts: Places, ends: Places
) -> NDArray[np.float64]:
    """Probabilities (segments, 6) by `ANSWERS`; of what the first stage clears, only the first."""
    first, second = load(path)
    margins = first.margins(data, froms, ends)
    answers = np.zeros((len(starts), len(ANSWERS)))
    answers[:, 0] = np.round(np.minimum(first.probability(margins), CLEARED), DECIMALS)
    open_ones = np.flatnonzero(margins >= first.clears)
    for at in range(0, len(open_ones), _AT_ONCE):
        chosen = open_ones[at : at + _AT_ONCE]
        answers[chosen] = _second(second, data, froms[chosen], starts[chosen], ends[chosen])
    return answers


def _second(
    second: Second, data: Bytes, froms: Places, starts: Places, ends: Places
) -> NDArray[np.float64]:
    """The encoder's answers. Where what stands before is an attack by itself, the segment is judged
    alone, so that one attack is not told twice.
    """
    answers = second.answers([_text(data, a, b) for a, b in zip(froms, ends, strict=True)])
    doubtful = np.flatnonzero((answers[:, 0] >= FOUND) & (froms < starts))
    if len(doubtful):
        before = zip(froms[doubtful], starts[doubtful], strict=True)
        told = second.answers([_text(data, a, b) for a, b in before])[:, 0] >= FOUND
        again = doubtful[told]
        alone = zip(starts[again], ends[again], strict=True)
        answers[again] = second.answers([_text(data, a, b) for a, b in alone])
    return answers


def _text(data: Bytes, start: int, end: int) -> str:
    return data[start:end].tobytes().decode()
