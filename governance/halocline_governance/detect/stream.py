"""A stream of text released only as far as no check can still find anything in it.

Knows no policy and no transport. Rests on the prefix law of `verdict.Detector`: what starts before
len - holdback is found now or never. So nothing of a finding is released before it is found, and
the verdicts at the end are those of the whole text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from halocline_governance.detect.verdict import Detector, Verdict, guarded
from halocline_governance.errors import Refused

_WORD_END = re.compile(rb".*\s", re.DOTALL)

Blocks = Callable[[Verdict], bool]


def finds(verdict: Verdict) -> bool:
    """Blocks on anything but a clean verdict."""
    return verdict.status != "clean"


class Holdback:
    """Feed chunks, get what may be released. Once it has stopped, it releases nothing more.

    `blocks` says which verdicts stop the stream. Before the end it is asked about settled verdicts
    only: no later text can take back what they say, though it may add to it.
    """

    def __init__(self, detectors: Sequence[Detector], blocks: Blocks = finds) -> None:
        self._detectors = [guarded(detector) for detector in detectors]
        self._blocks = blocks
        self._text = ""
        self._released = self._scanned = 0
        self._verdicts: list[Verdict] = []
        self._stopped = self._finished = False

    @property
    def stopped(self) -> bool:
        """Whether a verdict has blocked the stream."""
        return self._stopped

    @property
    def text(self) -> str:
        """All that was fed, for the record."""
        return self._text

    @property
    def verdicts(self) -> list[Verdict]:
        """The latest verdicts: after `finish`, those of the whole text."""
        return list(self._verdicts)

    def feed(self, chunk: str) -> str:
        """The next part that may go out, up to a word's end; empty when none or stopped."""
        self._open()
        self._text += chunk
        if self._stopped or not self._due():
            return ""
        self._scanned = len(self._text)
        settled = [self._settled(detector) for detector in self._detectors]
        self._verdicts = [verdict for _, verdict in settled]
        self._stopped = any(map(self._blocks, self._verdicts))
        cut = min((cut for cut, _ in settled), default=self._size())
        return "" if self._stopped else self._release(cut, whole_words=True)

    def finish(self) -> str:
        """The rest, if the whole text's verdicts do not block."""
        self._open()
        self._finished = True
        self._verdicts = [detector.scan(self._text) for detector in self._detectors]
        self._stopped = self._stopped or any(map(self._blocks, self._verdicts))
        return "" if self._stopped else self._release(self._size(), whole_words=False)

    def _due(self) -> bool:
        """Scans are spaced out as the text grows: together they read it some 65 times, not n."""
        return len(self._text) - self._scanned > len(self._text) // 64

    def _settled(self, detector: Detector) -> tuple[int, Verdict]:
        """The byte up to which this detector vouches, and its verdict as far as that."""
        cut = max(0, self._size() - detector.holdback(self._text))
        verdict = detector.scan(self._text)
        if verdict.status == "unscanned":
            return 0, replace(verdict, status="clean", reason="not scanned so far")
        if verdict.score is not None:
            return cut, detector.scan(_head(self._text, cut))
        return cut, _before(verdict, cut)

    def _release(self, cut: int, whole_words: bool) -> str:
        fresh = self._text.encode("utf-8", "surrogatepass")[self._released : cut]
        if whole_words:
            words = _WORD_END.match(fresh)
            fresh = words[0] if words else b""
        self._released += len(fresh)
        return fresh.decode("utf-8", "surrogatepass")

    def _size(self) -> int:
        return len(self._text.encode("utf-8", "surrogatepass"))

    def _open(self) -> None:
        if self._finished:
            raise Refused("stream: finished; use a new Holdback for the next answer")


def _before(verdict: Verdict, cut: int) -> Verdict:
    """The verdict as far as it can't change any more: the spans that start before the cut."""
    spans = tuple(span for span in verdict.spans if span.start < cut)
    counts = dict(sorted(Counter(span.kind for span in spans).items()))
    return replace(verdict, status="found" if spans else "clean", findings=counts, spans=spans)


def _head(text: str, cut: int) -> str:
    return text.encode("utf-8", "surrogatepass")[:cut].decode("utf-8", "surrogatepass")
