"""A text released only as far as no check can still find anything in it.

Knows no policy and no transport. Rests on what `stream.Stream.settled` promises: so nothing of a
finding is released before it is found, and the verdicts at the end are those of the whole text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from halocline_governance.detect.face import guarded
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Detector, Verdict, concluded, unscanned
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
        self._ids = [detector.id for detector in detectors]
        self._streams = [guarded(detector).stream() for detector in detectors]
        self._blocks = blocks
        self._data = bytearray()
        self._released = 0
        self._hash = hashlib.sha256()
        self._verdicts: list[Verdict] = []
        self._stopped = self._finished = False

    @property
    def stopped(self) -> bool:
        """Whether a verdict has blocked the stream."""
        return self._stopped

    @property
    def text(self) -> str:
        """All that was fed, for the record."""
        return self._data.decode("utf-8", "surrogatepass")

    @property
    def verdicts(self) -> list[Verdict]:
        """About exactly the bytes released so far; once stopped, about those that were settled
        then; after `finish`, about all."""
        return list(self._verdicts)

    def feed(self, chunk: str) -> str:
        """The next part that may go out, up to a word's end; empty when none or stopped."""
        self._open()
        raw = chunk.encode("utf-8", "surrogatepass")
        self._data += raw
        if self._stopped:
            return ""
        for stream in self._streams:
            stream.feed(raw)
        cut = min((stream.settled for stream in self._streams), default=len(self._data))
        settled = self._about(cut)
        if any(map(self._blocks, settled)):
            self._stopped, self._verdicts = True, settled
            return ""
        words = _WORD_END.match(self._data, self._released, cut)
        return self._release(words.end() if words else self._released)

    def finish(self) -> str:
        """The rest, if the whole text's verdicts do not block."""
        self._open()
        self._finished = True
        if self._stopped:
            missed = bytes(self._data[self._fed() :])
            for stream in self._streams:
                stream.feed(missed)
        self._verdicts = [stream.finish() for stream in self._streams]
        self._stopped = self._stopped or any(map(self._blocks, self._verdicts))
        if self._stopped:
            return ""
        rest = bytes(self._data[self._released :])
        self._released = len(self._data)
        return rest.decode("utf-8", "surrogatepass")

    def _fed(self) -> int:
        return self._streams[0].fed if self._streams else len(self._data)

    def _about(self, cut: int) -> list[Verdict]:
        """The verdicts about the first `cut` bytes, none of which can change any more."""
        upto = self._hash.copy()
        upto.update(self._data[self._released : cut])
        digest = upto.hexdigest()
        return [
            _settled(name, stream, cut, digest)
            for name, stream in zip(self._ids, self._streams, strict=True)
        ]

    def _release(self, cut: int) -> str:
        fresh = bytes(self._data[self._released : cut])
        self._verdicts = self._about(cut)
        self._hash.update(fresh)
        self._released = cut
        return fresh.decode("utf-8", "surrogatepass")

    def _open(self) -> None:
        if self._finished:
            raise Refused("stream: finished; use a new Holdback for the next answer")


def _settled(detector: str, stream: Stream, cut: int, digest: str) -> Verdict:
    if stream.reason is not None:
        return unscanned(detector, digest, stream.reason)
    return concluded(detector, digest, stream.findings(cut))
