"""A text released only as far as no check can still find anything in it.

Knows no policy and no transport. Rests on what `stream.Stream.settled` promises: so nothing of a
finding is released before it is found, and the verdicts at the end are those of the whole text.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

from halocline_governance.detect.face import guarded
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import (
    Detector,
    Finding,
    Span,
    Verdict,
    failure,
    sha256,
    unscanned,
)
from halocline_governance.errors import Refused

# A space; or a character of a script that writes none: U+3000 to U+9FFF, in UTF-8.
_WORD_END = re.compile(rb".*(?:\s|[\xe3-\xe9][\x80-\xbf]{2})", re.DOTALL)
_LONGEST_WORD = 4096
_ORDER = attrgetter("start", "end", "kind")
_START = attrgetter("start")
_KIND = attrgetter("kind")

Blocks = Callable[[Sequence[Verdict]], bool]


def finds(verdicts: Sequence[Verdict]) -> bool:
    """Blocks on anything but clean verdicts."""
    return any(verdict.status != "clean" for verdict in verdicts)


class Holdback:
    """Feed chunks, get what may be released. Once it has stopped, it releases nothing more.

    `blocks` says of every detector's verdicts about the same bytes whether they stop the stream.
    Before the end it is asked about settled verdicts only: no later text can take back what they
    say, though it may add to it. What it lets pass goes out in one piece: no release ends within.
    """

    def __init__(self, detectors: Sequence[Detector], blocks: Blocks = finds) -> None:
        self._streams = [guarded(detector).stream() for detector in detectors]
        self._accounts = [
            _Account(detector.id, stream)
            for detector, stream in zip(detectors, self._streams, strict=True)
        ]
        self._blocks = blocks
        self._data = bytearray()
        self._released = 0
        self._hash = hashlib.sha256()
        self._settled, self._settled_hash = 0, hashlib.sha256()
        self._verdicts: list[Verdict] | None = []  # None: to be told when asked
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
        if self._verdicts is None:
            self._verdicts = self._about(self._released, self._hash.hexdigest())
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
        cut = max(cut, self._settled)
        self._settled_hash.update(self._data[self._settled : cut])
        self._settled = cut
        settled = self._about(cut, self._settled_hash.hexdigest())
        if self._blocks(settled):
            self._stopped, self._verdicts = True, settled
            return ""
        return self._release(self._end(cut, settled))

    def finish(self) -> str:
        """The rest, if the whole text's verdicts do not block."""
        self._open()
        self._finished = True
        if self._stopped:
            missed = bytes(self._data[self._fed() :])
            for stream in self._streams:
                stream.feed(missed)
        self._verdicts = [account.closed(self._data) for account in self._accounts]
        self._stopped = self._stopped or self._blocks(self._verdicts)
        if self._stopped:
            return ""
        rest = bytes(self._data[self._released :])
        self._released = len(self._data)
        return rest.decode("utf-8", "surrogatepass")

    def _fed(self) -> int:
        return self._streams[0].fed if self._streams else len(self._data)

    def _about(self, cut: int, digest: str) -> list[Verdict]:
        """The verdicts about the first `cut` bytes, none of which can change any more."""
        return [account.about(cut, digest) for account in self._accounts]

    def _end(self, cut: int, settled: Sequence[Verdict]) -> int:
        """The last place up to `cut` where a word ends and that lies within no span."""
        while True:
            words = _WORD_END.match(self._data, max(self._released, cut - _LONGEST_WORD), cut)
            end = words.end() if words else self._released
            within = [
                span.start
                for verdict in settled
                for span in _behind(verdict.spans, self._released)
                if span.start < end < span.end
            ]
            if end == self._released or not within:
                return end
            cut = max(self._released, min(within))

    def _release(self, cut: int) -> str:
        fresh = bytes(self._data[self._released : cut])
        self._hash.update(fresh)
        self._released, self._verdicts = cut, None
        return fresh.decode("utf-8", "surrogatepass")

    def _open(self) -> None:
        if self._finished:
            raise Refused("stream: finished; use a new Holdback for the next answer")


class _Account:
    """What one stream has settled, told anew at every look for the price of what is new in it."""

    def __init__(self, detector: str, stream: Stream) -> None:
        self._detector = detector
        self._stream = stream
        self._failed: str | None = None
        self._told: tuple[Span, ...] = ()
        self._spans: list[Span] = []
        self._counts: Counter[str] = Counter()

    def about(self, cut: int, digest: str) -> Verdict:
        """As `verdict.concluded` says it of what the stream found before `cut`."""
        finding = self._finding(cut)
        # Asked after it was looked for: a stream may be lost while it is asked what it found.
        reason = self._failed or self._stream.reason
        if reason is not None:
            return unscanned(self._detector, digest, reason)
        self._count(finding.spans)
        found = bool(finding.spans) if finding.found is None else finding.found
        return Verdict(
            self._detector,
            digest,
            "found" if found else "clean",
            dict(sorted(self._counts.items())),
            finding.score,
            tuple(self._spans),
        )

    def closed(self, data: bytearray) -> Verdict:
        """The stream's verdict about all of it."""
        try:
            return self._stream.finish()
        except Exception as error:  # noqa: BLE001 - the law: what fails vouches for nothing
            return unscanned(self._detector, sha256(data), failure(error))

    def _finding(self, cut: int) -> Finding:
        try:
            return self._stream.findings(cut)
        except Exception as error:  # noqa: BLE001 - as above
            self._failed = failure(error)
            return Finding()

    def _count(self, spans: tuple[Span, ...]) -> None:
        """Take in these spans in place of those told before, nearly all of which are the same."""
        if spans == self._told:
            return
        same = min(len(self._told), len(spans))
        gone = sorted(self._told[same:], key=_ORDER)
        fresh = sorted(spans[same:], key=_ORDER)
        kept = self._told[:same] == spans[:same] and self._spans[same:] == gone
        if kept and (not fresh or not same or self._spans[same - 1].start < fresh[0].start):
            self._spans[same:] = fresh
            self._counts.update(map(_KIND, fresh))
            self._counts -= Counter(map(_KIND, gone))
        else:
            self._spans = sorted(spans, key=_ORDER)
            self._counts = Counter(map(_KIND, spans))
        self._told = spans


def _behind(spans: tuple[Span, ...], place: int) -> Iterator[Span]:
    """Those, in order, that start at or behind a place; and the last before, that may reach it."""
    first = bisect_left(spans, place, key=_START)
    return iter(spans[max(0, first - 1) :])
