"""A detector in a process of its own, with a deadline and a bound on memory.

A rule that never returns, ends its process or takes all memory costs the texts it was asked about,
which are unscanned, and nothing else: the process is killed, and the next text gets a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from halocline_governance.detect.isolated_process import CRASHED, Child, Process
from halocline_governance.detect.isolated_wire import unpacked
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import (
    Finding,
    Span,
    Verdict,
    concluded,
    sha256,
    unscanned,
)
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts


class Isolated:
    """The detector that `build` makes, called in a child process, one call at a time.

    Args:
        build: `module:function` of a detector's builder; its class will do.
        arguments: what to call it with, as JSON can hold it.
        timeout_s: for one call: a text, a batch, a piece of a stream.
        memory_bytes: how many bytes of addresses it may take beyond those it has when built.
        start_s: for the child to start and build.
        max_lost: after so many calls lost to one batch, what is left of it is unscanned. One bad
            row of 2^n takes n + 1.

    Raises:
        Refused: it cannot be built.
    """

    def __init__(
        self,
        build: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        timeout_s: float = 10.0,
        memory_bytes: int | None = None,
        start_s: float = 120.0,
        max_lost: int = 20,
    ) -> None:
        told = {"build": build, "arguments": dict(arguments or {}), "memory_bytes": memory_bytes}
        self._process = Process(told, timeout_s, start_s)
        self._numbers, self._max_lost = count(1), max_lost
        started = self._process.start()
        if isinstance(started, str):
            raise Refused(f"{build}: no detector ({started})")
        self._id, self._kinds = started.id, started.kinds

    @property
    def id(self) -> str:
        return self._id

    @property
    def kinds(self) -> frozenset[str]:
        return self._kinds

    @property
    def pid(self) -> int | None:
        """The child's process, if there is one at the moment."""
        child = self._process.child
        return child.process.pid if child else None

    def close(self) -> None:
        """End the child. A call after that starts another."""
        self._process.end()

    def scan(self, text: str) -> Verdict:
        raw = text.encode("utf-8", "surrogatepass")
        digest = sha256(raw)
        reply = self._process.call({"do": "scan"}, [raw])
        if isinstance(reply, str):
            return unscanned(self._id, digest, reply)
        return _verdict(self._id, digest, reply.head)

    def scan_batch(self, texts: Texts) -> BatchVerdict:
        """A row that a call is lost to is found by halving, so that only it is unscanned."""
        from halocline_governance.detect.batch import BatchVerdict

        parts: list[tuple[int, BatchVerdict]] = []
        todo, lost, answer = [(0, len(texts))], 0, None
        while todo:
            first, end = todo.pop()
            part = _rows(texts, first, end)
            if lost < self._max_lost:
                answer = self._batch(part)
            if isinstance(answer, str):
                lost += 1
                if end - first > 1 and lost < self._max_lost:
                    middle = (first + end) // 2
                    todo += [(middle, end), (first, middle)]
                    continue
                parts.append((first, BatchVerdict.unscanned(self._id, part, answer)))
            elif answer is not None:
                parts.append((first, answer))
        return _whole(self._id, texts, parts)

    def stream(self) -> Stream:
        return _FarStream(self._id, self._process, next(self._numbers))

    def _batch(self, texts: Texts) -> BatchVerdict | str:
        bad = {str(row): reason for row, reason in texts.bad.items()}
        reply = self._process.call({"do": "batch", "bad": bad}, [texts.offsets, texts.data])
        if isinstance(reply, str):
            return reply
        try:
            return unpacked(self._id, texts, reply)
        except (ValueError, KeyError, TypeError):
            return CRASHED


class _FarStream(Stream):
    """A stream whose detector's stream is in the child: it ends with it."""

    def __init__(self, detector: str, process: Process, number: int) -> None:
        super().__init__(detector)
        self._process, self._number = process, number
        self._home: Child | None = None
        self._known = Finding()

    def findings(self, upto: int) -> Finding:
        """Once the child is lost, what was last known: the stream vouches for nothing then."""
        reply = self._ask({"do": "findings", "upto": upto})
        if reply is not None:
            self._known = _finding(reply)
        return self._known

    def _look(self, chunk: bytes, final: bool) -> None:
        if self._home is None:
            self._open_far()
        if not final:
            self._take(self._ask({"do": "feed"}, [chunk]))
            return
        reply = self._ask({"do": "finish"})
        if reply is not None and reply.get("reason") is not None:
            self._reason = str(reply["reason"])
        elif reply is not None:
            self._known = _finding(reply)

    def _whole(self) -> Finding:
        return self._known

    def _open_far(self) -> None:
        if self._ask({"do": "open"}) is not None:
            self._home = self._process.child

    def _take(self, reply: dict[str, Any] | None) -> None:
        if reply is not None:
            self._settled = int(reply["settled"])
            if reply["reason"] is not None:
                self._reason = str(reply["reason"])

    def _ask(self, head: dict[str, Any], parts: Sequence[Any] = ()) -> dict[str, Any] | None:
        if self._reason is not None:
            return None
        reply = self._process.call({**head, "stream": self._number}, parts, self._home)
        if isinstance(reply, str):
            self._reason = reply
            return None
        return reply.head

    def __del__(self) -> None:
        self._process.forget(self._number)


def _verdict(detector: str, digest: str, head: Mapping[str, Any]) -> Verdict:
    if head.get("sha256") != digest:
        return unscanned(detector, digest, CRASHED)
    if head.get("reason") is not None:
        return unscanned(detector, digest, str(head["reason"]))
    return concluded(detector, digest, _finding(head))


def _finding(head: Mapping[str, Any]) -> Finding:
    spans = tuple(Span(int(s), int(e), str(kind), float(p)) for s, e, kind, p in head["spans"])
    return Finding(spans, head["score"], head["found"])


def _rows(texts: Texts, first: int, end: int) -> Texts:
    from halocline_governance.detect.batch import Texts as Rows

    if (first, end) == (0, len(texts)):
        return texts
    offsets = texts.offsets[first : end + 1]
    bad = {row - first: why for row, why in texts.bad.items() if first <= row < end}
    return Rows(texts.data[offsets[0] : offsets[-1]], offsets - offsets[0], bad)


def _whole(detector: str, texts: Texts, parts: list[tuple[int, BatchVerdict]]) -> BatchVerdict:
    import numpy as np

    from halocline_governance.detect.batch import BatchVerdict, Spans
    from halocline_governance.detect.joined import joined

    if len(parts) == 1 and parts[0][1].texts is texts:
        return parts[0][1]
    spans = [Spans(p.kinds, p.rows, p.starts, p.ends, p.codes, p.scores) for _, p in parts]
    scored = any(part.text_scores is not None for _, part in parts)
    scores = [np.full(len(p), np.nan) if p.text_scores is None else p.text_scores for _, p in parts]
    return BatchVerdict.of(
        detector,
        texts,
        joined(spans, [first for first, _ in parts]),
        np.concatenate([np.zeros(0), *scores]) if scored else None,
        np.concatenate([np.zeros(0, dtype=np.bool_), *(part.found for _, part in parts)]),
        {first + row: reason for first, p in parts for row, reason in p.reasons.items()},
    )
