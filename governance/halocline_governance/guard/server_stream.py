"""One read on its way to one caller: bounded pieces, for as long as the caller may have them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

import pyarrow as pa
from pyarrow import flight

from halocline_governance.guard.server_error import closed


class Slots:
    """How many streams may run at once, in all and for one subject. Safe for threads."""

    def __init__(self, total: int, per_subject: int) -> None:
        self._total = total
        self._per_subject = per_subject
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, subject: str) -> None:
        """Take a slot; `give` it back.

        Raises:
            FlightUnavailableError: there is none.
        """
        with self._lock:
            if self._taken.total() >= self._total or self._taken[subject] >= self._per_subject:
                raise flight.FlightUnavailableError("unavailable: too many streams, try again")
            self._taken[subject] += 1

    def give(self, subject: str) -> None:
        with self._lock:
            self._taken[subject] -= 1
            if not self._taken[subject]:
                del self._taken[subject]

    @property
    def taken(self) -> int:
        with self._lock:
            return self._taken.total()


class Sweep:
    """Asks for all streams every quarter second whether they may go on, so that the end of one
    whose caller reads slowly is recorded in time. Safe for threads."""

    def __init__(self, every_s: float = 0.25) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._checks: set[Callable[[], None]] = set()
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="guard-sweep", daemon=True).start()

    def join(self, check: Callable[[], None]) -> None:
        with self._lock:
            self._checks.add(check)

    def leave(self, check: Callable[[], None]) -> None:
        with self._lock:
            self._checks.discard(check)

    def stop(self) -> None:
        """Let the thread end; streams ask for themselves."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            with self._lock:
                checks = list(self._checks)
            for check in checks:
                # The stream itself is told of it when its next piece is due, and raises the same.
                with suppress(Exception):
                    check()


class Stream(Iterator[pa.RecordBatch]):
    """The batches of a reader in pieces of a few MiB.

    Args:
        reader: gives the batches.
        check: asked before each piece; raises when the stream must end.
        done: called once, however it ends: read to the end, failed, or dropped with the connection
            of a caller who went away.
        piece_bytes: about how large a piece may be.
    """

    def __init__(
        self,
        reader: pa.RecordBatchReader,
        check: Callable[[], None],
        done: Callable[[], None],
        piece_bytes: int,
    ) -> None:
        self._reader = reader
        self._check = check
        self._done: Callable[[], None] | None = done
        self._piece_bytes = piece_bytes
        self._pieces: list[pa.RecordBatch] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            with closed():
                piece = self._next()
        except flight.FlightError:
            self.close()
            raise
        if piece is None:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Free what the read holds. May be called again."""
        done, self._done = self._done, None
        if done is None:
            return
        self._pieces.clear()
        try:
            self._reader.close()
        finally:
            done()

    def __del__(self) -> None:
        self.close()

    def _next(self) -> pa.RecordBatch | None:
        self._check()
        while not self._pieces:
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                return None
            self._pieces = pieces(batch, self._piece_bytes)
        return self._pieces.pop()


def pieces(batch: Any, most_bytes: int) -> list[Any]:
    """A batch cut into parts of about that size, the last part first; never less than a row.

    Clients limit a message's size (16 MiB in ADBC's driver), and rows of text can be long.
    """
    if batch.num_rows == 0:
        return []
    waiting, cut = [batch], list[Any]()
    while waiting:
        part = waiting.pop()
        if part.num_rows > 1 and part.nbytes > most_bytes:
            middle = part.num_rows // 2
            waiting += [part.slice(0, middle), part.slice(middle)]
        else:
            cut.append(part)
    return cut
