"""The segments of an open log: every record goes through here, in one thread at a time."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from halocline_governance import durable
from halocline_governance.journal import frame, record
from halocline_governance.journal.merkle import Tree, leaf_hash
from halocline_governance.journal.writer import write_all

SEGMENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a durable record stands."""

    log: str
    seq: int
    leaf: str


class Segments:
    """Appends records to the last segment, and begins the next one.

    `durable` is size and root of what is on disk, `head` how many records the newest signed head
    covers.

    Args:
        last: the last segment.
        tree: over all records.
        prev: leaf hash of the last record, in hex.
        head: how many records the newest signed head covers.
    """

    def __init__(self, last: Path, tree: Tree, prev: str, head: int) -> None:
        self.log = last.parent.name
        self._folder = last.parent
        self._tree = tree
        self._prev = prev
        self._file = os.open(last, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._num_bytes = os.fstat(self._file).st_size
        self._fresh = bytearray(), array("I")
        self._swapping = threading.Lock()
        self.durable = tree.size, tree.root
        self.head = head
        self.sign: Callable[[], object] = lambda: None

    def write(self, bodies: Sequence[bytes]) -> Sequence[Receipt]:
        """Make events durable, given in canonical form. Where the segment is full, `sign` is called
        for a head over all that is in it, and the next one is begun."""
        if self._num_bytes >= SEGMENT_BYTES:
            self.sign()
            full, self._file = self._file, begin(self._folder, self._tree.size)
            self._num_bytes = 0
            os.close(full)
        return self.write_here(bodies)

    def write_here(self, bodies: Sequence[bytes]) -> Sequence[Receipt]:
        """As `write`, to this segment, however long it is."""
        log, prev, head, offset = self.log, self._prev, self.head, self._num_bytes
        frames: list[bytes] = []
        leaves: list[bytes] = []
        offsets: list[int] = []
        receipts: list[Receipt] = []
        for seq, body in enumerate(bodies, start=self._tree.size):
            payload = record.encode(body, head, prev, seq)
            leaf = leaf_hash(payload)
            prev = leaf.hex()
            leaves.append(leaf)
            offsets.append(offset)
            frames.append(frame.encode(payload))
            offset += len(frames[-1])
            receipts.append(Receipt(log, seq, prev))
        write_all(self._file, b"".join(frames))
        os.fdatasync(self._file)
        self._tree.extend(leaves)
        self._prev, self._num_bytes = prev, offset
        self.durable = self._tree.size, self._tree.root
        with self._swapping:
            self._fresh[0].extend(b"".join(leaves))
            self._fresh[1].extend(offsets)
        return receipts

    def fresh(self) -> tuple[bytearray, array[int]]:
        """Leaf hashes and offsets of what became durable since this was asked last."""
        with self._swapping:
            taken, self._fresh = self._fresh, (bytearray(), array("I"))
        return taken

    def close(self) -> None:
        os.close(self._file)


def begin(folder: Path, first: int) -> int:
    """A new segment, durable and empty, open to append."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(folder / f"{first:012}.seg", flags, 0o600)
    try:
        os.fsync(handle)
        durable.sync(folder)
    except OSError:
        os.close(handle)
        raise
    return handle
