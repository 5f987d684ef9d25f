"""What a detector says about a text: spans, counts and a score, bound to the bytes it saw.

Knows no kind and no threshold. Law: whatever could not be scanned is `unscanned` with a reason,
never clean; and neither a verdict nor a reason holds any part of the text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Status = Literal["clean", "found", "unscanned"]

MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: byte offsets into the UTF-8 text, end excluded."""

    start: int
    end: int
    kind: str
    score: float

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "start": self.start,
            "end": self.end,
            "score": round(self.score, 6),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector's own code returns: spans in bytes, and a score if it has one."""

    spans: tuple[Span, ...] = ()
    score: float | None = None
    found: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One detector's answer about exactly the bytes with this hash."""

    detector: str
    sha256: str
    status: Status
    findings: Mapping[str, int] = field(default_factory=dict[str, int])
    score: float | None = None
    spans: tuple[Span, ...] = ()
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "detector": self.detector,
            "sha256": self.sha256,
            "status": self.status,
            "findings": dict(self.findings),
            "score": None if self.score is None else round(self.score, 6),
            "spans": [span.as_json() for span in self.spans],
            "reason": self.reason,
        }


class Detector(Protocol):
    """One check. The prefix law binds its two methods (see `stream.py`):

    for every text T and prefix P of it, with c = len(P) - holdback(P) in bytes, T has a span that
    starts before c exactly if P has one.
    """

    @property
    def id(self) -> str:
        """name@version; a change that can change an answer changes the version."""
        ...

    def scan(self, text: str) -> Verdict:
        """The verdict about the whole text. Never raises."""
        ...

    def holdback(self, text: str) -> int:
        """How many trailing bytes of this unfinished text the detector cannot vouch for yet."""
        ...


def judged(detector: str, text: str, find: Callable[[str], Finding]) -> Verdict:
    """Run `find` on a text under the law: what fails is unscanned, and says why without a value."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
        return Verdict(detector, hashlib.sha256(raw).hexdigest(), "unscanned", reason="undecodable")
    sha256 = hashlib.sha256(data).hexdigest()
    if len(data) > MAX_BYTES:
        return Verdict(detector, sha256, "unscanned", reason=f"oversize: over {MAX_BYTES} bytes")
    try:
        finding = find(text)
    except Exception as error:  # noqa: BLE001 - the law above: a detector that fails vouches for nothing
        reason = f"failed: {type(error).__name__}"
        return Verdict(detector, sha256, "unscanned", reason=reason)
    spans = tuple(sorted(finding.spans, key=lambda span: (span.start, span.end, span.kind)))
    found = bool(spans) if finding.found is None else finding.found
    counts = dict(sorted(Counter(span.kind for span in spans).items()))
    return Verdict(detector, sha256, "found" if found else "clean", counts, finding.score, spans)


def scan_all(detectors: Iterable[Detector], text: str) -> list[Verdict]:
    """Every detector's verdict about this text, in order; one that raises has not scanned."""
    return [guarded(detector).scan(text) for detector in detectors]


def guarded(detector: Detector) -> Detector:
    """The same detector, for which a raise and a verdict about other bytes are `unscanned`."""
    return detector if isinstance(detector, _Guarded) else _Guarded(detector)


def byte_offsets(text: str, positions: Sequence[int]) -> dict[int, int]:
    """Character positions to byte offsets of the UTF-8 text, in one pass over it."""
    if text.isascii():
        return {position: position for position in positions}
    offsets: dict[int, int] = {}
    at = offset = 0
    for position in sorted(set(positions)):
        offset += len(text[at:position].encode())
        offsets[position] = offset
        at = position
    return offsets


@dataclass(frozen=True, slots=True)
class _Guarded:
    inner: Detector

    @property
    def id(self) -> str:
        return self.inner.id

    def holdback(self, text: str) -> int:
        try:
            return self.inner.holdback(text)
        except Exception:  # noqa: BLE001 - what cannot say holds everything back
            return len(text.encode("utf-8", "surrogatepass"))

    def scan(self, text: str) -> Verdict:
        raw = text.encode("utf-8", "surrogatepass")
        sha256 = hashlib.sha256(raw).hexdigest()
        try:
            verdict = self.inner.scan(text)
        except Exception as error:  # noqa: BLE001 - the law: a detector that fails vouches for nothing
            return Verdict(self.id, sha256, "unscanned", reason=f"failed: {type(error).__name__}")
        if verdict.sha256 != sha256:
            return Verdict(self.id, sha256, "unscanned", reason="verdict is about other bytes")
        return verdict
