"""What detectors say of a batch, put together: one order of spans, offsets in characters too.

A row that one of them could not scan is unscanned: none of the others' findings make up for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import Spans
from halocline_governance.detect.face import guarded
from halocline_governance.detect.joined import joined
from halocline_governance.detect.verdict import Detector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.batch import BatchVerdict, Texts
    from halocline_infra.detecting.batches import Batch

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One detector and what is wanted of it.

    Args:
        kinds: whose spans are wanted; None for all.
        scores: under which name a text's score is told, if it is.
        yields: whether its spans give way to those that they touch, of detectors that don't score:
            what these find is a value, not a sentence.
    """

    detector: Detector
    kinds: frozenset[str] | None = None
    scores: str | None = None
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """About one batch. Spans by row, start, end; `starts` and `ends` in bytes of the row, `heads`
    and `tails` the same in characters. `scores` has NaN for an unscanned row."""

    batch: Batch
    kinds: tuple[str, ...]
    rows: Ints
    starts: Ints
    ends: Ints
    heads: Ints
    tails: Ints
    codes: NDArray[np.int16]
    sure: NDArray[np.float64]
    scores: Mapping[str, NDArray[np.float64]] = field(repr=False)
    reasons: Mapping[int, str]

    def flat(self) -> Iterator[tuple[int, int, int, int, float]]:
        """Row, kind's code, head, tail and score of each span; the score to six places."""
        return zip(
            self.rows.tolist(),
            self.codes.tolist(),
            self.heads.tolist(),
            self.tails.tolist(),
            self.sure.round(6).tolist(),
            strict=True,
        )


def answers(batch: Batch, asked: Sequence[Asked]) -> Answers:
    """Ask them all. Never raises for what a detector does."""
    texts = batch.texts
    verdicts = [guarded(one.detector).scan_batch(texts) for one in asked]
    reasons = dict(texts.bad)
    for verdict in verdicts:
        for row, reason in verdict.reasons.items():
            reasons.setdefault(row, f"{verdict.detector}: {reason}")
    pairs = list(zip(asked, map(_spans, verdicts), strict=True))
    firm = [spans for one, spans in pairs if not one.yields and one.scores is None]
    parts = [
        _wanted(one, _beside(spans, firm, texts) if one.yields else spans) for one, spans in pairs
    ]
    spans = joined(parts).without(reasons).ordered()
    scores = {
        one.scores: _scores(verdict, reasons)
        for one, verdict in zip(asked, verdicts, strict=True)
        if one.scores
    }
    return Answers(
        batch,
        spans.kinds,
        spans.rows,
        spans.starts,
        spans.ends,
        *_in_characters(texts, spans),
        spans.codes,
        spans.scores,
        scores,
        reasons,
    )


def _spans(verdict: BatchVerdict) -> Spans:
    return Spans(
        verdict.kinds, verdict.rows, verdict.starts, verdict.ends, verdict.codes, verdict.scores
    )


def _wanted(one: Asked, spans: Spans) -> Spans:
    if one.kinds is None or not len(spans.rows):
        return spans
    wanted = np.array([kind in one.kinds for kind in spans.kinds], dtype=np.bool_)
    return spans if wanted.all() else spans.take(wanted[spans.codes])


def _beside(spans: Spans, firm: Sequence[Spans], texts: Texts) -> Spans:
    """Those that touch none of the firm ones."""
    others = joined(firm)
    rows, starts, ends, base = others.rows, others.starts, others.ends, texts.offsets
    if not len(rows) or not len(spans.rows):
        return spans
    order = np.argsort(base[rows] + starts, kind="stable")
    begins = (base[rows] + starts)[order]
    reach = np.maximum.accumulate((base[rows] + ends)[order])
    before = np.searchsorted(begins, base[spans.rows] + spans.ends)  # those that begin before it
    touched = (before > 0) & (reach[before - 1] > base[spans.rows] + spans.starts)
    return spans.take(~touched)


def _scores(verdict: BatchVerdict, reasons: Mapping[int, str]) -> NDArray[np.float64]:
    """A text in which there is nothing to score has 0."""
    size = len(verdict.texts)
    held = np.zeros(size) if verdict.text_scores is None else np.nan_to_num(verdict.text_scores)
    held[np.fromiter(reasons, dtype=np.int64, count=len(reasons))] = np.nan
    return held


def _in_characters(texts: Texts, spans: Spans) -> tuple[Ints, Ints]:
    """Code points before each offset: all bytes before it that don't continue a character."""
    if not len(spans.rows):
        return spans.starts, spans.ends
    more = np.flatnonzero((texts.data & 0xC0) == 0x80)
    if not len(more):
        return spans.starts, spans.ends
    base = texts.offsets[spans.rows]
    before = np.searchsorted(more, base)
    heads = spans.starts - (np.searchsorted(more, base + spans.starts) - before)
    tails = spans.ends - (np.searchsorted(more, base + spans.ends) - before)
    return heads, tails
