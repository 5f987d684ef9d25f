"""The process behind `isolated`: started when needed, asked with a deadline, killed when late.

Knows messages, no detector.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from halocline_governance.detect.isolated_wire import Call, receive, send

TIMEOUT = "timeout"
CRASHED = "crashed"
OTHER = "another detector answers"

_MARGIN_S = 1.0


class Process:
    """One child at a time. What it answers is told as it is; a reason is why there is no answer.

    Args:
        told: what it builds, as `isolated_child` reads it.
        timeout_s: for one call.
        start_s: for it to start and build.
    """

    def __init__(self, told: Mapping[str, Any], timeout_s: float, start_s: float) -> None:
        self._told, self._timeout_s, self._start_s = told, timeout_s, start_s
        self._lock = threading.Lock()
        self._gone = deque[int]()
        self._child: Child | None = None
        self._first: Child | None = None

    @property
    def child(self) -> Child | None:
        """The one there is at the moment."""
        return self._child

    def start(self) -> Child | str:
        """Have a child, or the reason why there is none."""
        with self._lock:
            return self._ready()

    def forget(self, stream: int) -> None:
        """Nobody will ask for this stream again. Takes no lock: a destructor calls it."""
        self._gone.append(stream)

    def call(
        self, head: Mapping[str, Any], parts: Sequence[Any] = (), child: Child | None = None
    ) -> Call | str:
        """The child's answer, or why there is none.

        Args:
            child: the one that must answer, where another does not know what was said before.
        """
        with self._lock:
            ready = self._ready()
            if isinstance(ready, str):
                return ready
            if child is not None and child is not ready:
                return CRASHED
            gone = [self._gone.popleft() for _ in range(len(self._gone))]
            reply = ready.ask({**head, "gone": gone}, parts, self._timeout_s)
            if isinstance(reply, str):
                self._lose()
                return reply
        error = reply.head.get("error")
        return reply if error is None else str(error)

    def end(self) -> None:
        with self._lock:
            self._lose()

    def _ready(self) -> Child | str:
        if self._child is None or self._child.owner != os.getpid():
            started = _started(self._told, self._start_s)
            if isinstance(started, str):
                return started
            self._child = started
            self._first = self._first or started
            if (started.id, started.kinds) != (self._first.id, self._first.kinds):
                self._lose()
                return OTHER
        return self._child

    def _lose(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = None
        self._gone.clear()


@dataclass(frozen=True, eq=False)
class Child:
    """One process and what it has built."""

    process: subprocess.Popen[bytes]
    wire: socket.socket
    owner: int
    id: str = ""
    kinds: frozenset[str] = frozenset()

    def ask(self, head: dict[str, Any], parts: Sequence[Any], seconds: float) -> Call | str:
        until = time.monotonic() + seconds
        try:
            self.wire.settimeout(seconds)
            send(self.wire, {**head, "seconds": seconds + _MARGIN_S}, parts)
            reply = receive(self.wire, until)
        except TimeoutError:
            return TIMEOUT
        except (OSError, ValueError):
            return CRASHED
        return CRASHED if reply is None else reply

    def end(self) -> None:
        _end(self.owner, self.process, self.wire)


def _end(owner: int, process: subprocess.Popen[bytes], wire: socket.socket) -> None:
    """Also where a child was lost without a call; after a fork it is the other one's."""
    wire.close()
    if owner == os.getpid():
        process.kill()
        process.wait()


def _started(told: Mapping[str, Any], seconds: float) -> Child | str:
    """A child that has built its detector, or why there is none."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "halocline_governance.detect.isolated_child",
                str(theirs.fileno()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    child = Child(process, ours, os.getpid())
    path = [place for place in sys.path if place]
    reply = child.ask({**told, "path": path}, (), seconds)
    if isinstance(reply, str) or "error" in reply.head:
        child.end()
        return reply if isinstance(reply, str) else str(reply.head["error"])
    built = Child(process, ours, os.getpid(), reply.head["id"], frozenset(reply.head["kinds"]))
    weakref.finalize(built, _end, built.owner, process, ours)
    return built
