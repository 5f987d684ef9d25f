"""A text that comes in pieces: what is settled of it so far, and the verdict at the end.

`settled` bytes are those about which no later text can change anything: no finding that starts
before that place will appear or vanish; only the end of the last one may still move on.
`LocalStream` is for detectors whose findings depend on a bounded neighbourhood: it keeps no more
than that. `TextStream` is for all others.
"""

from __future__ import annotations

import codecs
import hashlib
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from halocline_governance.detect.verdict import (
    MAX_BYTES,
    OVERSIZE,
    UNDECODABLE,
    Finding,
    Span,
    Verdict,
    concluded,
    failure,
    unscanned,
)
from halocline_governance.errors import Refused


class Stream(ABC):
    """Feed it bytes cut anywhere, within characters too. It never raises but when finished."""

    def __init__(self, detector: str) -> None:
        self._detector = detector
        self._hash = hashlib.sha256()
        self._size = 0
        self._settled = 0
        self._reason: str | None = None
        self._finished = False

    @property
    def settled(self) -> int:
        """How many bytes from the start are settled."""
        return self._settled

    @property
    def fed(self) -> int:
        """How many bytes were fed."""
        return self._size

    @property
    def reason(self) -> str | None:
        """Why the detector cannot vouch for this text any more, if so. Settled bytes stay so."""
        return self._reason

    def feed(self, chunk: bytes) -> int:
        """Take in a chunk; how many bytes from the start are settled now."""
        self._open()
        self._hash.update(chunk)
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            self._reason = OVERSIZE
        self._step(chunk, final=False)
        return self._settled

    def finish(self) -> Verdict:
        """The verdict about all that was fed."""
        self._open()
        self._step(b"", final=True)
        self._finished = True
        digest = self._hash.hexdigest()
        if self._reason is not None:
            return unscanned(self._detector, digest, self._reason)
        self._settled = self._size
        return concluded(self._detector, digest, self._whole())

    @abstractmethod
    def findings(self, upto: int) -> Finding:
        """What is known of the first `upto` bytes, which must be settled: spans that start before,
        and the score of the parts that end there or before."""

    @abstractmethod
    def _look(self, chunk: bytes, final: bool) -> None:
        """Take in the chunk and move `_settled`; may raise."""

    @abstractmethod
    def _whole(self) -> Finding:
        """What was found in all of it, after a final look."""

    def _step(self, chunk: bytes, final: bool) -> None:
        if self._reason is not None:
            return
        try:
            self._look(chunk, final)
        except UnicodeDecodeError:
            self._reason = UNDECODABLE
        except Exception as error:  # noqa: BLE001 - a detector that fails vouches for nothing more
            self._reason = failure(error)

    def _open(self) -> None:
        if self._finished:
            raise Refused("stream: finished; open a new one for the next text")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a local detector says of a window, in byte offsets of the window.

    Spans start at or behind the place it was asked to start at, and before `settled`; each ends at
    or before `settled`. `scores` are (end, score) of parts that are settled, in order.
    """

    spans: Sequence[Span]
    settled: int
    scores: Sequence[tuple[int, float]] = ()


Look = Callable[[bytes, int, bool], Looked]
"""(window, start, final): what stands at or behind `start`, given what stands before it. The window
is whole characters. Without `final` more may follow it; with it, all of the window is settled."""


class LocalStream(Stream):
    """For findings that depend on no more than `behind` bytes before their start.

    Args:
        look: of the detector; `start` is always a place that it called settled, or 0.
        behind: how many bytes before `start` it needs to see.
        conclude: the finding from all spans and scores.
    """

    def __init__(
        self,
        detector: str,
        look: Look,
        behind: int,
        conclude: Callable[[tuple[Span, ...], float | None], Finding] = Finding,
    ) -> None:
        super().__init__(detector)
        self._ask = look
        self._behind = behind
        self._conclude = conclude
        self._window = b""
        self._origin = 0
        self._spans: list[Span] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._worst: list[float] = []

    def findings(self, upto: int) -> Finding:
        return self._found(min(upto, self._settled))

    def _whole(self) -> Finding:
        return self._found(self._size)

    def _found(self, upto: int) -> Finding:
        spans = tuple(self._spans[: bisect_left(self._starts, upto)])
        scored = bisect_left(self._ends, upto + 1)
        return self._conclude(spans, self._worst[scored - 1] if scored else None)

    def _look(self, chunk: bytes, final: bool) -> None:
        self._window += chunk
        whole = self._window if final else self._window[: _whole_characters(self._window)]
        if final:
            whole.decode()
        looked = self._ask(whole, self._settled - self._origin, final)
        for span in looked.spans:
            start, end = span.start + self._origin, span.end + self._origin
            self._spans.append(Span(start, end, span.kind, span.score))
            self._starts.append(start)
        for end, score in looked.scores:
            self._ends.append(end + self._origin)
            self._worst.append(max(score, self._worst[-1]) if self._worst else score)
        self._settled = self._origin + looked.settled
        self._forget(looked.settled - self._behind)

    def _forget(self, before: int) -> None:
        """Let go of what no later look needs, up to a character's start."""
        while (
            before > 0 and self._window[before : before + 1] and self._window[before] & 0xC0 == 0x80
        ):
            before -= 1
        if before > 0:
            self._window = self._window[before:]
            self._origin += before


class TextStream(Stream):
    """For any detector that scans a text whole and can say how much of its end is open.

    Scans are spaced out as the text grows: together they read it some 65 times, not n times.

    Args:
        find: the detector's finding about a text.
        holdback: how many trailing bytes of an unfinished text it cannot vouch for yet. Law: for
            every text T and prefix P of it, with c = len(P) - holdback(P), T has a span that
            starts before c exactly if P has one.
    """

    def __init__(
        self, detector: str, find: Callable[[str], Finding], holdback: Callable[[str], int]
    ) -> None:
        super().__init__(detector)
        self._find = find
        self._holdback = holdback
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._looked = 0
        self._finding = Finding()

    def findings(self, upto: int) -> Finding:
        spans = tuple(span for span in self._finding.spans if span.start < upto)
        if self._finding.score is None:
            return Finding(spans)
        head = self._find(self._text.encode()[:upto].decode())
        return Finding(spans, head.score, head.found)

    def _whole(self) -> Finding:
        return self._finding

    def _look(self, chunk: bytes, final: bool) -> None:
        self._text += self._decoder.decode(chunk, final)
        if not final and len(self._text) - self._looked <= len(self._text) // 64:
            return
        self._looked = len(self._text)
        self._finding = self._find(self._text)
        fed = len(self._text.encode())
        self._settled = max(self._settled, fed - self._holdback(self._text))


def _whole_characters(data: bytes) -> int:
    """How many bytes of it are whole characters. Raises on what can't become UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0])
