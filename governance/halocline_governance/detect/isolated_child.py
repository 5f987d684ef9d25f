"""The other side of `isolated`: a process that holds one detector and answers one call at a time.

    python -m halocline_governance.detect.isolated_child HANDLE

Whatever it or its detector writes goes nowhere; the socket is its only way out.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, cast

from halocline_governance.detect.isolated_wire import Call, packed, receive, send
from halocline_governance.detect.stream import Stream
from halocline_governance.detect.verdict import Detector, Finding, Verdict, failure


def main(handle: int) -> None:
    """Serve until the other side is gone."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(quiet, number)
    with socket.socket(fileno=handle) as wire:
        detector = _opened(wire)
        if detector is None:
            return
        answering = _Answering(detector)
        while (call := receive(wire)) is not None:
            _alarm(call.head["seconds"])
            head, parts = answering.answer(call)
            send(wire, head, parts)
            _alarm(0)


def _opened(wire: socket.socket) -> Detector | None:
    """Build the detector as told, and tell what it is."""
    call = receive(wire)
    if call is None:
        return None
    told = call.head
    sys.path[:] = told["path"]
    try:
        # Now, as it takes long: a call's deadline is for scanning.
        importlib.import_module("halocline_governance.detect.batch")
        module, _, name = told["build"].partition(":")
        built = getattr(importlib.import_module(module), name)(**told["arguments"])
        detector = cast("Detector", built)
        head = {"id": detector.id, "kinds": sorted(detector.kinds)}
    except Exception as error:  # noqa: BLE001 - told to the other side
        send(wire, {"error": failure(error)})
        return None
    if told["memory_bytes"] is not None:
        size = _mapped() + told["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    send(wire, head)
    return detector


def _mapped() -> int:
    """How many bytes of addresses this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _alarm(seconds: float) -> None:
    """The kernel ends us if we have not answered by then: nobody may be there to do it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


class _Answering:
    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._streams: dict[int, Stream] = {}
        self._ways: dict[str, Callable[[Call], tuple[dict[str, Any], list[Any]]]] = {
            "scan": self._scan,
            "batch": self._batch,
            "open": self._open,
            "feed": self._feed,
            "findings": self._findings,
            "finish": self._finish,
        }

    def answer(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        for gone in call.head["gone"]:
            self._streams.pop(gone, None)
        try:
            return self._ways[call.head["do"]](call)
        except Exception as error:  # noqa: BLE001 - the law: what fails vouches for nothing
            return {"error": failure(error)}, []

    def _scan(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        return _verdict(self._detector.scan(call.parts[0].decode("utf-8", "surrogatepass"))), []

    def _batch(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        import numpy as np

        from halocline_governance.detect.batch import Texts

        offsets = np.frombuffer(call.parts[0], dtype=np.int64)
        bad = {int(row): reason for row, reason in call.head["bad"].items()}
        texts = Texts(np.frombuffer(call.parts[1], dtype=np.uint8), offsets, bad)
        return packed(self._detector.scan_batch(texts))

    def _open(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        self._streams[call.head["stream"]] = self._detector.stream()
        return {}, []

    def _feed(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        stream = self._streams[call.head["stream"]]
        stream.feed(bytes(call.parts[0]))
        return {"settled": stream.settled, "reason": stream.reason}, []

    def _findings(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        return _finding(self._streams[call.head["stream"]].findings(call.head["upto"])), []

    def _finish(self, call: Call) -> tuple[dict[str, Any], list[Any]]:
        return _verdict(self._streams.pop(call.head["stream"]).finish()), []


def _verdict(verdict: Verdict) -> dict[str, Any]:
    if verdict.reason is not None:
        return {"sha256": verdict.sha256, "reason": verdict.reason}
    finding = Finding(verdict.spans, verdict.score, verdict.status == "found")
    return {"sha256": verdict.sha256, **_finding(finding)}


def _finding(finding: Finding) -> dict[str, Any]:
    spans = [(span.start, span.end, span.kind, span.score) for span in finding.spans]
    return {"spans": spans, "score": finding.score, "found": finding.found}


if __name__ == "__main__":
    main(int(sys.argv[1]))
