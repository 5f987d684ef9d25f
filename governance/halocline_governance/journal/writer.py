"""A single thread that writes frames to one file and makes whole groups durable with one fsync.

Many callers share a sync: whoever waits while one is under way goes into the next. After a failed
write or sync nothing is ever written again: the kernel may have dropped the pages, so a retry that
succeeds proves nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Generic, TypeVar

from halocline_governance.errors import JournalUnavailable

T = TypeVar("T")
_MAX_GROUP = 1024


@dataclass(slots=True)
class _Request(Generic[T]):
    make: Callable[[], tuple[bytes, T]]
    future: Future[T] = field(default_factory=Future[T])


class GroupWriter(Generic[T]):
    """Appends frames to `path`, which it opens and never truncates.

    Args:
        path: the file; it must exist.
        after_sync: called in the writing thread after each durable group.
    """

    def __init__(self, path: os.PathLike[str], after_sync: Callable[[], None]) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._after_sync = after_sync
        self._queue: SimpleQueue[_Request[T] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, make: Callable[[], tuple[bytes, T]]) -> Future[T]:
        """Queue one record. `make` runs in the writing thread, in order, and gives the frame and
        what the future resolves to once the frame is durable."""
        request = _Request(make)
        with self._lock:
            if self._failure is not None:
                raise JournalUnavailable(self._failure)
            self._queue.put(request)
        return request.future

    def close(self) -> None:
        """Write what is queued, then stop. Later submissions are refused."""
        with self._lock:
            if self._failure is None:
                self._failure = "the journal is closed"
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group = [self._queue.get()]
            while len(group) < _MAX_GROUP and not self._queue.empty():
                group.append(self._queue.get())
            stopping = None in group
            requests = [request for request in group if request is not None]
            try:
                self._write(requests)
            except OSError as error:
                self._fail(requests, f"the journal cannot be written: {error.strerror}")
                return
        os.close(self._file)

    def _write(self, requests: list[_Request[T]]) -> None:
        ready: list[tuple[_Request[T], T]] = []
        frames: list[bytes] = []
        for request in requests:
            try:
                frame, result = request.make()
            except (ValueError, TypeError) as error:
                request.future.set_exception(error)
                continue
            frames.append(frame)
            ready.append((request, result))
        if frames:
            _write_all(self._file, b"".join(frames))
            os.fdatasync(self._file)
            for request, result in ready:
                request.future.set_result(result)
        self._after_sync()

    def _fail(self, requests: list[_Request[T]], why: str) -> None:
        with self._lock:
            self._failure = why
            while not self._queue.empty():
                request = self._queue.get()
                if request is not None:
                    requests.append(request)
        for request in requests:
            if not request.future.done():
                request.future.set_exception(JournalUnavailable(why))
        os.close(self._file)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def sync_folder(path: os.PathLike[str]) -> None:
    """Make a folder's entries durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cut_tail(path: Path, size: int) -> None:
    """Cut a file to its good part; what is cut is kept beside it, for whoever asks why."""
    with path.open("r+b") as file:
        file.seek(size)
        path.with_name(f"torn-{size}-{time.time_ns()}").write_bytes(file.read())
        file.truncate(size)
        os.fsync(file.fileno())
