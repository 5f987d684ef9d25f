"""What an open log does beside its appends, in a thread of its own: heads, siblings, the index.

A head is signed over what is durable, so an append never waits for a signature.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halocline_governance import durable
from halocline_governance.errors import JournalCorrupt, JournalUnavailable
from halocline_governance.journal.evidence import HEAD_NAME
from halocline_governance.journal.index import Kept
from halocline_governance.journal.note import ORIGIN, Checkpoint, Signer
from halocline_governance.journal.scan import heads
from halocline_governance.journal.segments import Segments
from halocline_governance.journal.writer import reason

SIGN_AFTER_S = 0.75  # so that a record's head is there within a second
SIBLINGS_EVERY_S = 60.0


class Keeper:
    """Signs heads of a log, keeps its index, and sees its siblings grow.

    Args:
        segments: what is durable of the log.
        folder: of the log.
        signer: holds the key.
        witness: a folder that gets each head too.
        kept: the index.
    """

    def __init__(
        self, segments: Segments, folder: Path, signer: Signer, witness: Path | None, kept: Kept
    ) -> None:
        self._segments = segments
        self._folder = folder
        self._signer = signer
        self._witness = witness
        self._kept: Kept | None = kept
        self._note = ""
        self._signing = threading.Lock()
        self._closed = False
        self._unsigned = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-heads", daemon=True)
        self._grown: Callable[[], object] = lambda: None
        self._failed: Callable[[str], object] = lambda why: None
        self._known = self._seen()
        self._told_at, self._told_size = time.monotonic(), 0

    def start(self, grown: Callable[[], object], failed: Callable[[str], object]) -> None:
        """Sign what is added, from now on, at most a second after it.

        Args:
            grown: called when the other logs' heads are to be recorded.
            failed: called with why, when nothing may be added any more.
        """
        self._grown, self._failed = grown, failed
        self._told_size = self._segments.durable[0]
        self._thread.start()
        self.added()

    def added(self) -> None:
        """Something became durable."""
        if not self._unsigned.is_set():
            self._unsigned.set()

    def sign(self) -> str:
        """Sign a head over what is durable, unless the newest one has it all; gives its note.

        Raises:
            OSError: it may not be on disk, or not with the witness.
            JournalUnavailable: the log was closed: another process may have it.
        """
        with self._signing:
            if self._closed:
                raise JournalUnavailable("the journal is closed")
            size, root = self._segments.durable
            if size != self._segments.head or not self._note:
                note = self._signer.sign(Checkpoint(ORIGIN + self._folder.name, size, root))
                durable.write(self._folder / HEAD_NAME, note)
                if self._witness is not None:
                    durable.write(self._witness / self._folder.name, note)
                self._note, self._segments.head = note, size
            return self._note

    def siblings(self) -> dict[str, Any]:
        """What a record says of all other logs: their heads as they are on disk now."""
        self._known = self._seen()
        return {"log": self._folder.name, "siblings": self._known}

    def stop(self) -> None:
        """Sign nothing more of itself. Idempotent."""
        self._stopping.set()
        self._unsigned.set()
        if self._thread.ident is not None:
            self._thread.join()

    def close(self) -> None:
        """Sign nothing at all any more; bring the index up to date and let it go."""
        with self._signing:
            self._closed = True
        self._index()
        if self._kept:
            self._kept.close()
            self._kept = None

    def _run(self) -> None:
        while True:
            self._unsigned.wait()
            if self._stopping.wait(SIGN_AFTER_S):
                return
            self._unsigned.clear()
            try:
                self.sign()
                self._index()
                self._tell_siblings()
            except JournalUnavailable:
                return  # it failed elsewhere, or is being closed
            except (OSError, JournalCorrupt) as error:
                self._failed(f"the journal's head cannot be signed: {reason(error)}")
                return

    def _index(self) -> None:
        """Without an index the log is as good, and the next to open it makes it anew."""
        leaves, offsets = self._segments.fresh()
        if self._kept and offsets:
            try:
                self._kept.extend(leaves, offsets)
            except OSError:
                self._kept.close()
                self._kept = None

    def _tell_siblings(self) -> None:
        now, (size, _) = time.monotonic(), self._segments.durable
        if now - self._told_at < SIBLINGS_EVERY_S or size == self._told_size:
            return
        self._told_at = now
        if self._seen() != self._known:
            self._grown()
            size += 1  # that record is no reason for the next
        self._told_size = size

    def _seen(self) -> list[dict[str, Any]]:
        found = [head for head in heads(self._folder.parent) if head.log != self._folder.name]
        return [head.as_json() for head in found]
