"""Two engines of one detector that must say the same: where they don't, nothing was scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING

from halocline_governance.detect.face import guarded
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Detector, Finding, Span, Verdict, unscanned
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

DISAGREE = "engines disagree"
_NEAR = 1e-6


@dataclass(frozen=True, slots=True)
class Agreed:
    """The first one's answer, if the second gives the same; scores may differ by 1e-6.

    Raises:
        Refused: they are not one detector, by id and kinds.
    """

    first: Detector
    second: Detector

    def __post_init__(self) -> None:
        if (self.first.id, self.first.kinds) != (self.second.id, self.second.kinds):
            raise Refused(f"{self.first.id} and {self.second.id} are not engines of one detector")

    @property
    def id(self) -> str:
        return self.first.id

    @property
    def kinds(self) -> frozenset[str]:
        return self.first.kinds

    def scan(self, text: str) -> Verdict:
        one, other = guarded(self.first).scan(text), guarded(self.second).scan(text)
        if one.status == "unscanned":
            return one
        if other.reason is not None:
            return unscanned(self.id, one.sha256, other.reason)
        agree = one.status == other.status and _same(_finding(one), _finding(other))
        return one if agree else unscanned(self.id, one.sha256, DISAGREE)

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict, Spans

        one = guarded(self.first).scan_batch(texts)
        other = guarded(self.second).scan_batch(texts)
        reasons = {**other.reasons, **one.reasons}
        for row in _differing(one, other):
            reasons.setdefault(row, DISAGREE)
        spans = Spans(one.kinds, one.rows, one.starts, one.ends, one.codes, one.scores)
        return BatchVerdict.of(self.id, texts, spans, one.text_scores, one.found, reasons)

    def stream(self) -> Stream:
        return _Both(self.id, guarded(self.first).stream(), guarded(self.second).stream())


class _Both(Stream):
    """Once they differ nothing more is settled; both are fed on, as either may say why."""

    def __init__(self, detector: str, one: Stream, other: Stream) -> None:
        super().__init__(detector)
        self._two = (one, other)
        self._known = Finding()
        self._differ = False

    @property
    def reason(self) -> str | None:
        return DISAGREE if self._reason is None and self._differ else self._reason

    def findings(self, upto: int) -> Finding:
        return self._two[0].findings(upto)

    def _look(self, chunk: bytes, final: bool) -> None:
        if final:
            self._conclude()
            return
        settled = min([stream.feed(chunk) for stream in self._two])
        self._reason = self._two[0].reason or self._two[1].reason
        if self._reason is not None or self._differ or settled == self._settled:
            return
        self._differ = not _same(*(stream.findings(settled) for stream in self._two))
        if not self._differ:
            self._settled = settled

    def _conclude(self) -> None:
        one, other = (stream.finish() for stream in self._two)
        self._known = _finding(one)
        self._reason = one.reason or other.reason
        if self._reason is None and (self._differ or not _same(self._known, _finding(other))):
            self._reason = DISAGREE

    def _whole(self) -> Finding:
        return self._known


def _finding(verdict: Verdict) -> Finding:
    return Finding(verdict.spans, verdict.score, verdict.status == "found")


def _same(one: Finding, other: Finding) -> bool:
    if (one.score is None) != (other.score is None) or _found(one) != _found(other):
        return False
    if one.score is not None and not isclose(one.score, other.score or 0.0, abs_tol=_NEAR):
        return False
    return len(one.spans) == len(other.spans) and all(
        (a.start, a.end, a.kind) == (b.start, b.end, b.kind)
        and isclose(a.score, b.score, abs_tol=_NEAR)
        for a, b in zip(_ordered(one), _ordered(other), strict=True)
    )


def _found(finding: Finding) -> bool:
    return bool(finding.spans) if finding.found is None else finding.found


def _ordered(finding: Finding) -> Sequence[Span]:
    return sorted(finding.spans, key=lambda span: (span.start, span.end, span.kind))


def _differing(one: BatchVerdict, other: BatchVerdict) -> set[int]:
    """The rows about which they say two things."""
    import numpy as np

    differing = set(np.flatnonzero(one.found != other.found).tolist())
    if (one.text_scores is None) != (other.text_scores is None):
        return set(range(len(one)))
    if one.text_scores is not None and other.text_scores is not None:
        near = np.isclose(one.text_scores, other.text_scores, rtol=0, atol=_NEAR, equal_nan=True)
        differing |= set(np.flatnonzero(~near).tolist())
    if one.kinds == other.kinds and len(one.rows) == len(other.rows):
        columns = ("rows", "starts", "ends", "codes")
        equal = [getattr(one, name) == getattr(other, name) for name in columns]
        equal.append(np.isclose(one.scores, other.scores, rtol=0, atol=_NEAR))
        if np.logical_and.reduce(equal).all():
            return differing
    return differing | {row for row, *_ in _spans(one) ^ _spans(other)}


def _spans(verdicts: BatchVerdict) -> set[tuple[int, int, int, str, int]]:
    columns = (verdicts.rows, verdicts.starts, verdicts.ends, verdicts.codes, verdicts.scores)
    return {
        (row, start, end, verdicts.kinds[code], round(score / _NEAR))
        for row, start, end, code, score in zip(*(c.tolist() for c in columns), strict=True)
    }
