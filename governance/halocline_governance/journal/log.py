"""One named log: hash-linked, Merkle-hashed, signed, and written by one process at a time.

    journal/<name>/000000000000.seg   frames of canonical JSON: {"seq", "prev", "event"}
    journal/<name>/checkpoint         the newest signed head (C2SP)
    journal/<name>/lock               locked by the process that writes

A process takes the first free name. Its first record names the heads of all sibling logs, so that
a sibling which is cut or missing later is found.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rfc8785

from halocline_governance.errors import JournalCorrupt, JournalUnavailable
from halocline_governance.journal import frame
from halocline_governance.journal.merkle import EMPTY_ROOT, Tree, leaf_hash
from halocline_governance.journal.note import Checkpoint, Signer
from halocline_governance.journal.scan import SEGMENT, ZERO, Head, heads, scan
from halocline_governance.journal.writer import GroupWriter, cut_tail, sync_folder
from halocline_governance.records import AuditEvent, Kind

_MAX_LOGS = 256
_CHECKPOINT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a durable record stands."""

    log: str
    seq: int
    leaf: str


class Journal:
    """An open log. Use `Journal.open`; append from any thread."""

    def __init__(self, folder: Path, lock: int, signer: Signer, siblings: list[Head]) -> None:
        self.name = folder.name
        self._folder = folder
        self._lock = lock
        self._signer = signer
        self._tree, self._prev = _recover(folder, signer)
        self._signed_at = 0.0
        self._signed_size: int = self._tree.size or -1
        self._pid = os.getpid()
        self._closing = threading.Lock()
        self._writer: GroupWriter[Receipt] = GroupWriter(folder / SEGMENT, self._checkpoint_if_due)
        self.append(
            AuditEvent(
                Kind.OPENED,
                subject="halocline",
                purpose="audit",
                object={"log": self.name, "siblings": [head.as_json() for head in siblings]},
            )
        )

    @classmethod
    def open(cls, directory: Path, signer: Signer) -> Journal:
        """Take a free name under `directory` and continue its log.

        Raises:
            JournalCorrupt: the log of that name is not what was written.
            JournalUnavailable: the directory cannot be written.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder, lock = _take_name(directory)
        except OSError as error:
            raise JournalUnavailable(
                f"the journal cannot be opened in {directory.name}: {error.strerror}"
            ) from error
        try:
            siblings = [head for head in heads(directory) if head.log != folder.name]
            return cls(folder, lock, signer, siblings)
        except BaseException:
            os.close(lock)
            raise

    def submit(self, event: AuditEvent) -> Future[Receipt]:
        """Queue an event; the future resolves when its record is durable.

        Raises:
            JournalUnavailable: the journal is closed, has failed or was opened before a fork;
                nothing may take effect.
        """
        if os.getpid() != self._pid:
            # The thread that writes is not here, and the log is the parent's.
            raise JournalUnavailable("open a journal in this process: it was forked from another")
        body = event.as_json()
        return self._writer.submit(lambda: self._frame(body))

    def append(self, event: AuditEvent) -> Receipt:
        """Write one event and return when it is durable.

        Raises:
            JournalUnavailable: it is not durable; the act it describes must not happen.
        """
        return self.submit(event).result()

    def close(self) -> None:
        """Record the end, sign the head and release the name. Idempotent; in a forked child, where
        the log is still the parent's, it does nothing."""
        if os.getpid() != self._pid:
            return
        with self._closing:
            if self._lock < 0:
                return
            try:
                self.append(AuditEvent(Kind.CLOSED, "halocline", "audit", {"log": self.name}))
                self._writer.close()
                self._sign()
            finally:
                os.close(self._lock)
                self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _frame(self, body: dict[str, Any]) -> tuple[bytes, Receipt]:
        seq = self._tree.size
        payload = rfc8785.dumps({"seq": seq, "prev": self._prev, "event": body})
        framed = frame.encode(payload)
        leaf = leaf_hash(payload)
        self._tree.append(leaf)
        self._prev = leaf.hex()
        return framed, Receipt(self.name, seq, self._prev)

    def _checkpoint_if_due(self) -> None:
        if time.monotonic() - self._signed_at >= _CHECKPOINT_EVERY_S:
            self._sign()

    def _sign(self) -> None:
        if self._tree.size == self._signed_size:
            return
        head = Checkpoint(f"halocline/{self.name}", self._tree.size, self._tree.root)
        write_head(self._folder, self._signer, head)
        self._signed_at, self._signed_size = time.monotonic(), self._tree.size


def write_head(folder: Path, signer: Signer, head: Checkpoint) -> None:
    """Replace a log's signed head, durably."""
    draft = folder / ".checkpoint"
    with draft.open("w", encoding="utf-8") as file:
        file.write(signer.sign(head))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / "checkpoint")
    sync_folder(folder)


def _take_name(directory: Path) -> tuple[Path, int]:
    for number in range(_MAX_LOGS):
        folder = directory / f"log-{number:04d}"
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        return folder, lock
    raise JournalUnavailable(f"all {_MAX_LOGS} journal names are taken by running processes")


def _recover(folder: Path, signer: Signer) -> tuple[Tree, str]:
    """The state to continue from. Only a torn tail that no checkpoint covers is cut off."""
    segment = folder / SEGMENT
    if not segment.exists():
        write_head(folder, signer, Checkpoint(f"halocline/{folder.name}", 0, EMPTY_ROOT))
        segment.touch(mode=0o600)
        sync_folder(folder)
        sync_folder(folder.parent)
    result = scan(folder, signer.trust)
    if result.problems:
        raise JournalCorrupt(*result.problems[0])
    if result.unfinished:
        cut_tail(segment, result.good_bytes)
    tree = Tree(result.leaves)
    return tree, result.leaves[-1].hex() if result.leaves else ZERO
