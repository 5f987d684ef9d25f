"""The faces that a detector does not write itself, and the wrapper that makes one fail closed.

A detector that reads one text at a time is `ByText`; one that reads a whole batch at once is
`ByBatch`, and its text face is a batch of one. Either way there is one piece of code that decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from halocline_governance.detect.stream import Stream, TextStream
from halocline_governance.detect.verdict import (
    Detector,
    Finding,
    Verdict,
    failure,
    judged,
    sha256,
    unscanned,
)

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

OTHER_BYTES = "verdict is about other bytes"


class ByText(ABC):
    """Scans a text whole; the batch is a loop, the stream scans again as the text grows."""

    __slots__ = ()

    @abstractmethod
    def find(self, text: str) -> Finding:
        """What stands in this text; byte offsets. May raise: then nothing was scanned."""

    @abstractmethod
    def holdback(self, text: str) -> int:
        """How many trailing bytes of this unfinished text it cannot vouch for (`TextStream`)."""

    def scan(self: _TextAtATime, text: str) -> Verdict:
        return judged(self.id, text, self.find)

    def scan_batch(self: _TextAtATime, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict

        rows = [_row(self, texts, row) for row in range(len(texts))]
        return BatchVerdict.of_findings(self.id, texts, rows)

    def stream(self: _TextAtATime) -> Stream:
        return TextStream(self.id, self.find, self.holdback)


class _TextAtATime(Protocol):
    """What `ByText` needs of the class that it is mixed into."""

    @property
    def id(self) -> str: ...
    def find(self, text: str) -> Finding: ...
    def holdback(self, text: str) -> int: ...


def _row(detector: _TextAtATime, texts: Texts, row: int) -> Finding | str:
    if row in texts.bad:
        return texts.bad[row]
    try:
        return detector.find(texts.text(row))
    except Exception as error:  # noqa: BLE001 - the law: what fails vouches for nothing
        return failure(error)


class ByBatch(ABC):
    """Scans a batch at once; a text is a batch of one. The stream is its own to write."""

    __slots__ = ()

    @abstractmethod
    def find_batch(self, texts: Texts) -> BatchVerdict:
        """The verdicts about all rows. May raise: then no row was scanned."""

    @abstractmethod
    def stream(self) -> Stream:
        """A new stream."""

    def scan(self: _BatchAtATime, text: str) -> Verdict:
        from halocline_governance.detect.batch import Texts

        return self.scan_batch(Texts.of([text])).verdict(0)

    def scan_batch(self: _BatchAtATime, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict

        try:
            return self.find_batch(texts)
        except Exception as error:  # noqa: BLE001 - the law: what fails vouches for nothing
            return BatchVerdict.unscanned(self.id, texts, failure(error))


class _BatchAtATime(Protocol):
    """What `ByBatch` needs of the class that it is mixed into."""

    @property
    def id(self) -> str: ...
    def find_batch(self, texts: Texts) -> BatchVerdict: ...
    def scan_batch(self, texts: Texts) -> BatchVerdict: ...


def scan_all(detectors: Iterable[Detector], text: str) -> list[Verdict]:
    """Every detector's verdict about this text, in order; one that raises has not scanned."""
    return [guarded(detector).scan(text) for detector in detectors]


def guarded(detector: Detector) -> Detector:
    """The same detector, for which a raise and a verdict about other bytes are `unscanned`."""
    return detector if isinstance(detector, _Guarded) else _Guarded(detector)


@dataclass(frozen=True, slots=True)
class _Guarded:
    inner: Detector

    @property
    def id(self) -> str:
        return self.inner.id

    @property
    def kinds(self) -> frozenset[str]:
        return self.inner.kinds

    def scan(self, text: str) -> Verdict:
        digest = sha256(text.encode("utf-8", "surrogatepass"))
        try:
            verdict = self.inner.scan(text)
        except Exception as error:  # noqa: BLE001 - the law: what fails vouches for nothing
            return unscanned(self.id, digest, failure(error))
        if verdict.sha256 != digest:
            return unscanned(self.id, digest, OTHER_BYTES)
        return verdict

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict

        try:
            verdicts = self.inner.scan_batch(texts)
        except Exception as error:  # noqa: BLE001 - as above
            return BatchVerdict.unscanned(self.id, texts, failure(error))
        if verdicts.texts is not texts:
            return BatchVerdict.unscanned(self.id, texts, OTHER_BYTES)
        return verdicts

    def stream(self) -> Stream:
        try:
            return self.inner.stream()
        except Exception as error:  # noqa: BLE001 - as above
            return _Dead(self.id, failure(error))


class _Dead(Stream):
    """The stream of a detector that could not open one: nothing is ever settled."""

    def __init__(self, detector: str, reason: str) -> None:
        super().__init__(detector)
        self._reason = reason

    def findings(self, upto: int) -> Finding:
        return Finding()

    def _look(self, chunk: bytes, final: bool) -> None:
        return None

    def _whole(self) -> Finding:
        return Finding()
