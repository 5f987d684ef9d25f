"""A single thread that makes whole groups of records durable with one sync.

Many callers share a sync: whoever comes while one is under way goes into the next. Threads wait
blocked, coroutines suspended; for a group each event loop is woken once. When as much is queued as
may be, callers wait for room: nothing is dropped. After a failure nothing is ever written again:
the kernel may have dropped the pages, so a retry that succeeds proves nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from halocline_governance.errors import JournalUnavailable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_MAX_GROUP = 1024
_MAX_GROUP_BYTES = 4 * 1024 * 1024
_MAX_QUEUED = 8 * _MAX_GROUP
_MAX_QUEUED_BYTES = 64 * 1024 * 1024


class Sink(Protocol[T_co]):
    """Where groups go. Called by one thread at a time."""

    def write(self, bodies: Sequence[bytes]) -> Sequence[T_co]:
        """Make all durable, in order; gives what each one's caller is told.

        Raises:
            OSError: they may not be durable, and nothing more will be written.
        """
        ...


class GroupWriter(Generic[T]):
    """Takes the records of any number of callers to a sink, in the order in which they come.

    Args:
        sink: makes groups durable.
        added: called in the writing thread after each group, before its callers are told.
    """

    def __init__(self, sink: Sink[T], added: Callable[[], object] = lambda: None) -> None:
        self._sink = sink
        self._added = added
        self._queue: deque[_Request[T]] = deque()
        self._num = self._num_bytes = 0  # queued, or being written
        self._refusal: str | None = None
        self._failed = False
        state = threading.Lock()
        self._work = threading.Condition(state)
        self._room = threading.Condition(state)
        self._awaiting_room: list[asyncio.Future[Any]] = []
        self._is_idle = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, body: bytes) -> Future[T]:
        """Queue one record; the future resolves when it is durable. Blocks while there is no room.

        Raises:
            JournalUnavailable: closed, or failed before.
        """
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()  # what is queued will be written
        self._put(body, future, None)
        return future

    def append(self, body: bytes) -> T:
        """Have one record durable.

        Raises:
            JournalUnavailable: it is not.
        """
        parked: _Parked[T] = _Parked()
        self._put(body, parked, None)
        return parked.wait()

    async def append_async(self, body: bytes) -> T:
        """As `append`, for a coroutine. A record whose caller was cancelled is written still."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        while True:
            room: asyncio.Future[Any] = loop.create_future()
            if self._put(body, future, room):
                return await future
            await room

    def fail(self, why: str) -> None:
        """Refuse everything from now on, and all that is queued."""
        with self._work:
            if not self._failed:
                self._failed, self._refusal = True, why
            dropped = list(self._queue)
            self._queue.clear()
            self._work.notify_all()
            self._room.notify_all()
        self._tell_failed(dropped)
        self._wake()

    def check(self) -> None:
        """Raise JournalUnavailable if anything failed."""
        if self._failed:
            raise JournalUnavailable(self._refusal)

    def close(self) -> None:
        """Write what is queued, then stop. Later records are refused. Idempotent."""
        with self._work:
            if self._refusal is None:
                self._refusal = "the journal is closed"
            self._work.notify_all()
            self._room.notify_all()
        self._wake()
        self._thread.join()

    def _put(self, body: bytes, waiter: _Waiter[T], room: asyncio.Future[Any] | None) -> bool:
        with self._work:
            while self._refusal is None and self._is_full(len(body)):
                if room is not None:
                    self._awaiting_room.append(room)
                    return False
                self._room.wait()
            if self._refusal is not None:
                raise JournalUnavailable(self._refusal)
            self._queue.append((body, waiter))
            self._num += 1
            self._num_bytes += len(body)
            if self._is_idle:
                self._is_idle = False
                self._work.notify()
        return True

    def _is_full(self, num_bytes: int) -> bool:
        too_many = self._num_bytes + num_bytes > _MAX_QUEUED_BYTES or self._num >= _MAX_QUEUED
        return too_many and self._num > 0

    def _run(self) -> None:
        while group := self._take():
            try:
                answers = self._sink.write([body for body, _ in group])
                self._added()
            except Exception as error:  # noqa: BLE001 (whoever waits must hear of any)
                self.fail(f"the journal cannot be written: {reason(error)}")
                self._tell_failed(group)
                return
            with self._room:
                failed = self._failed
                self._num -= len(group)
                self._num_bytes -= sum(len(body) for body, _ in group)
                self._room.notify_all()
            if failed:
                self._tell_failed(group)
                return
            _tell([waiter for _, waiter in group], answers)
            if self._awaiting_room:
                self._wake()

    def _take(self) -> list[_Request[T]]:
        """The next group; empty when there will be none."""
        with self._work:
            while not self._queue:
                if self._refusal is not None:
                    return []
                self._is_idle = True
                self._work.wait()
            queue, group, num_bytes = self._queue, list[_Request[T]](), 0
            while queue and len(group) < _MAX_GROUP and num_bytes < _MAX_GROUP_BYTES:
                group.append(queue.popleft())
                num_bytes += len(group[-1][0])
            return group

    def _tell_failed(self, requests: list[_Request[T]]) -> None:
        why = self._refusal or ""
        errors = [JournalUnavailable(why) for _ in requests]
        _tell([waiter for _, waiter in requests], errors)

    def _wake(self) -> None:
        """Have all coroutines that wait for room look again."""
        with self._room:
            waiting, self._awaiting_room = self._awaiting_room, []
        _tell(waiting, [None] * len(waiting))


class _Parked(Generic[T]):
    """A thread that waits for its record."""

    __slots__ = ("_answer", "_done")

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()

    def set_result(self, answer: T) -> None:
        self._answer: T | Exception = answer
        self._done.release()

    def set_exception(self, error: Exception) -> None:
        self._answer = error
        self._done.release()

    def wait(self) -> T:
        self._done.acquire()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


_Waiter = asyncio.Future[T] | Future[T] | _Parked[T]
_Request = tuple[bytes, _Waiter[T]]
_Told = list[tuple["asyncio.Future[Any]", Any]]


def _tell(waiters: Sequence[_Waiter[Any]], answers: Iterable[Any]) -> None:
    loops: dict[asyncio.AbstractEventLoop, _Told] = {}
    for waiter, answer in zip(waiters, answers, strict=True):
        if isinstance(waiter, asyncio.Future):
            loops.setdefault(waiter.get_loop(), []).append((waiter, answer))
        elif isinstance(answer, Exception):
            waiter.set_exception(answer)
        else:
            waiter.set_result(answer)
    for loop, told in loops.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there
            loop.call_soon_threadsafe(_resolve, told)


def _resolve(told: _Told) -> None:
    for future, answer in told:
        if future.done():
            continue  # its caller was cancelled
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def reason(error: Exception) -> str:
    """What to tell of an error: the system's words, when it was the system."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def cut_tail(path: Path, size: int) -> None:
    """Cut a file to its good part; what is cut is kept beside it, for whoever asks why."""
    kept = path.with_name(f"torn-{size}-{time.time_ns()}")
    here = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(here, "r+b") as file, kept.open("xb") as torn:
        file.seek(size)
        shutil.copyfileobj(file, torn)  # by blocks: a file may have been lengthened by gigabytes
        torn.flush()
        os.fsync(torn.fileno())
        file.truncate(size)
        os.fsync(file.fileno())
