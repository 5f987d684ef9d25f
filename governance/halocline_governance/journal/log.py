"""One named log: hash-linked, Merkle-hashed, signed, and written by one process at a time.

A process takes the first free name. Its records name the heads of all sibling logs, so that a
sibling which is cut or missing later is found. docs/journal-format.md says what lies where.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from halocline_governance import durable
from halocline_governance.errors import JournalCorrupt, JournalUnavailable
from halocline_governance.journal import canonical, record
from halocline_governance.journal.keeper import Keeper
from halocline_governance.journal.note import Signer
from halocline_governance.journal.recovery import recover
from halocline_governance.journal.segments import Receipt, Segments
from halocline_governance.journal.writer import GroupWriter, reason
from halocline_governance.records import AuditEvent, Kind

_MAX_LOGS = 256


class Journal:
    """An open log. Use `Journal.open`; append from any thread or event loop."""

    def __init__(self, folder: Path, lock: int, signer: Signer, witness: Path | None) -> None:
        self.name = folder.name
        self._lock = lock
        self._pid = os.getpid()
        self._closing = threading.Lock()
        with ExitStack() as opening:
            found = recover(folder, signer, witness)
            opening.callback(found.kept.close)
            log = self._segments = Segments(found.last, found.tree, found.prev, found.head.size)
            opening.callback(log.close)
            keeper = self._keeper = Keeper(log, folder, signer, witness, found.kept)
            adopted = found.tree.size - found.head.size
            first = [_own(Kind.OPENED, {"adopted": adopted, **keeper.siblings()})]
            # In the segment that is there, and before any head by a new key.
            first += [_own(Kind.KEY, told.as_json()) for told in signer.handover(found.note)]
            log.write_here(first)
            keeper.sign()  # so what stands behind a record of the end and no head was never ours
            log.sign = keeper.sign
            opening.pop_all()
        self._writer: GroupWriter[Receipt] = GroupWriter(log, keeper.added)
        keeper.start(
            grown=lambda: self._writer.submit(_own(Kind.SIBLINGS, keeper.siblings())),
            failed=self._writer.fail,
        )

    @classmethod
    def open(cls, directory: Path, signer: Signer, witness: Path | None = None) -> Journal:
        """Take a free name under `directory` and continue its log.

        Args:
            directory: of the journal.
            signer: signs its heads; a head on disk may be by an older key of its trust.
            witness: a folder elsewhere that gets each head too; it must exist.

        Raises:
            JournalCorrupt: the log of that name is not what was written, or lacks a head that the
                witness knows.
            JournalUnavailable: the directory or the witness cannot be written.
        """
        try:
            _make(directory)
            folder, lock = _take_name(directory)
            try:
                return cls(folder, lock, signer, witness)
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise JournalUnavailable(
                f"the journal cannot be opened in {directory.name}: {reason(error)}"
            ) from error

    def append(self, event: AuditEvent) -> Receipt:
        """Write one event and return when it is durable.

        Raises:
            JournalUnavailable: it is not durable; the act it describes must not happen. Closed,
                failed before, or opened before a fork.
            ValueError: the event has no canonical form, is larger or nested deeper than a record
                may be, or has a number of 2**53 or more.
        """
        return self._here().append(_body(event))

    def submit(self, event: AuditEvent) -> Future[Receipt]:
        """Queue an event; the future resolves when its record is durable. Raises as `append`."""
        return self._here().submit(_body(event))

    async def append_async(self, event: AuditEvent) -> Receipt:
        """As `append`, for a coroutine. When its caller is cancelled, the event is written all the
        same."""
        return await self._here().append_async(_body(event))

    def seal(self) -> str:
        """Sign a head over all durable records now; the signed head, as text.

        Raises:
            JournalUnavailable: it may not be on disk; nothing can be appended any more.
        """
        writer = self._here()
        try:
            return self._keeper.sign()
        except OSError as error:
            why = f"the journal's head cannot be signed: {reason(error)}"
            writer.fail(why)
            raise JournalUnavailable(why) from error

    def close(self) -> None:
        """Record the end, sign the head and release the name. Idempotent; in a forked child, where
        the log is still the parent's, it does nothing.

        Raises:
            JournalUnavailable: the end is not on record.
        """
        if os.getpid() != self._pid:
            return
        with self._closing:
            lock, self._lock = self._lock, -1
        if lock < 0:
            return
        try:
            with ExitStack() as releasing:
                releasing.callback(os.close, lock)
                releasing.callback(self._segments.close)
                releasing.callback(self._keeper.close)
                self._end()
        except OSError as error:
            raise JournalUnavailable(
                f"the journal's end cannot be recorded: {reason(error)}"
            ) from error

    def _end(self) -> None:
        self._writer.close()
        self._keeper.stop()
        self._writer.check()
        self._keeper.sign()
        self._segments.write([_own(Kind.CLOSED, self._keeper.siblings())])
        self._keeper.sign()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _here(self) -> GroupWriter[Receipt]:
        if os.getpid() != self._pid:
            # The thread that writes is not here, and the log is the parent's.
            raise JournalUnavailable("open a journal in this process: it was forked from another")
        return self._writer


def _own(kind: Kind, what: dict[str, Any]) -> bytes:
    return _body(AuditEvent(kind, "halocline", "audit", what))


def _body(event: AuditEvent) -> bytes:
    """The event's canonical form; not by `as_json`, which copies all of it."""
    body = canonical.encode(
        {
            "event_id": event.event_id,
            "kind": event.kind.value,
            "object": event.object,
            "purpose": event.purpose,
            "subject": event.subject,
            "ts": event.ts,
        },
        canonical.MAX_DEPTH - 1,  # the record is around it
    )
    if len(body) > record.MAX_EVENT_BYTES:
        raise ValueError(f"an event has at most {record.MAX_EVENT_BYTES} bytes")
    return body


def _make(directory: Path) -> None:
    """A folder that is there after a power cut too."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        durable.sync(path.parent)


def _open_lock(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    what = "it is not a plain file: remove it; it holds nothing, and is made anew"
    try:
        lock = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise JournalCorrupt(f"{path.parent.name}/{path.name}", what) from error
        raise
    if not stat.S_ISREG(os.fstat(lock).st_mode):
        os.close(lock)
        raise JournalCorrupt(f"{path.parent.name}/{path.name}", what)
    return lock


def _take_name(directory: Path) -> tuple[Path, int]:
    for number in range(_MAX_LOGS):
        folder = directory / f"log-{number:04d}"
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise JournalCorrupt(
                folder.name, "it is not a folder: put it back, or remove what is there"
            )
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = _open_lock(folder / "lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        except OSError:
            os.close(lock)
            raise
        else:
            return folder, lock
    raise JournalUnavailable(f"all {_MAX_LOGS} journal names are taken by running processes")
