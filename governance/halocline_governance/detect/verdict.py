"""What a detector says about a text: spans, counts and a score, bound to the bytes it saw.

Knows no kind and no threshold. Law: whatever could not be scanned is `unscanned` with a reason,
never clean; and neither a verdict nor a reason holds any part of the text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts
    from halocline_governance.detect.stream import Stream

Status = Literal["clean", "found", "unscanned"]

MAX_BYTES = 256 * 1024 * 1024
UNDECODABLE = "undecodable: not UTF-8"
OVERSIZE = f"oversize: over {MAX_BYTES} bytes"


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
    """What a detector's own code returns: spans in bytes, and a score if it has one.

    `found` says whether the status is `found`; None leaves it to the spans.
    """

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
    """One check with three faces and one answer: a text, a batch of texts, a stream.

    Law (tests/governance/test_detect_law.py), for every text T and every way of cutting it:
    `scan(T)`, the row of `scan_batch` that holds T, and `stream()` fed with T's pieces and
    finished give equal verdicts. `face.ByText` and `face.ByBatch` derive the faces that a
    detector does not write itself.
    """

    @property
    def id(self) -> str:
        """name@version; a change that can change an answer changes the version."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind that a span of it can have."""
        ...

    def scan(self, text: str) -> Verdict:
        """The verdict about the whole text. Never raises."""
        ...

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        """The verdicts about every row. Never raises."""
        ...

    def stream(self) -> Stream:
        """A new stream, of which nothing was fed yet."""
        ...


def judged(detector: str, text: str, find: Callable[[str], Finding]) -> Verdict:
    """Run `find` on a text under the law: what fails is unscanned, and says why without a value."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
        return unscanned(detector, sha256(raw), UNDECODABLE)
    digest = sha256(data)
    if len(data) > MAX_BYTES:
        return unscanned(detector, digest, OVERSIZE)
    try:
        finding = find(text)
    except Exception as error:  # noqa: BLE001 - the law above: a detector that fails vouches for nothing
        return unscanned(detector, digest, failure(error))
    return concluded(detector, digest, finding)


def concluded(detector: str, digest: str, finding: Finding) -> Verdict:
    """The verdict that this finding is, about the bytes with this hash."""
    spans = tuple(sorted(finding.spans, key=lambda span: (span.start, span.end, span.kind)))
    found = bool(spans) if finding.found is None else finding.found
    counts = dict(sorted(Counter(span.kind for span in spans).items()))
    return Verdict(detector, digest, "found" if found else "clean", counts, finding.score, spans)


def unscanned(detector: str, digest: str, reason: str) -> Verdict:
    """The verdict about bytes for which this detector cannot vouch."""
    return Verdict(detector, digest, "unscanned", reason=reason)


def failure(error: BaseException) -> str:
    """Why a detector that raised has not scanned: its type, as a message may hold the text."""
    return f"failed: {type(error).__name__}"


def sha256(data: bytes | bytearray | memoryview) -> str:
    """The hash that a verdict carries."""
    return hashlib.sha256(data).hexdigest()


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
