"""Where each record stands, and the tree over them, kept beside a log so that proofs are quick.

Derived from the segments and from nothing else: it may be deleted at any time, proves nothing by
itself, and whoever uses it ends at a signed head. In `index/`, all little-endian:

    leaves       32 bytes a record: its leaf hash
    offsets      4 bytes a record: where in its segment its frame begins
    nodes-08     32 bytes a complete subtree of 2**8 records, in order; nodes-16, nodes-24 likewise

A file may be longer than the others, or all may end before the log does: what counts is what all
of them have, and the rest is read from the segments.
"""

from __future__ import annotations

import bisect
import errno
import os
import shutil
import stat
from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import merkle
from halocline_governance.journal.evidence import first_of, frames, segments
from halocline_governance.journal.frame import Flaw
from halocline_governance.journal.merkle import leaf_hash, node_hash

FOLDER = "index"
_NO_LINK = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_STEP = 8
_LEVELS = (8, 16, 24)
_SPAN = 32 << _STEP  # bytes of the nodes below one that is kept
_NAMES = ("leaves", "offsets", *(f"nodes-{level:02}" for level in _LEVELS))


class Kept:
    """The files of an index. At most one process opens them to write.

    Raises:
        FileNotFoundError: there are none, or not all, and they are not to be written.
    """

    def __init__(self, folder: Path, write: bool) -> None:
        flags = (os.O_RDWR | os.O_CREAT if write else os.O_RDONLY) | _NO_LINK
        place = folder / FOLDER
        if write:
            if not _is_there(place, stat.S_ISDIR):
                _remove(place)
            place.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as opening:
            within = os.open(place, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
            opening.callback(os.close, within)
            handles: list[int] = []
            for name in _NAMES:
                if write and not _is_there(place / name, stat.S_ISREG):
                    _remove(place / name)
                handles.append(os.open(name, flags, 0o600, dir_fd=within))
                opening.callback(os.close, handles[-1])
                found = os.fstat(handles[-1])
                if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
                    raise FileNotFoundError(errno.ENOENT, "not a plain file", name)
            self._closing = opening.pop_all()
        self._leaves, self._offsets, *nodes = handles
        self._below: dict[int, int] = dict(zip((0, *_LEVELS), (self._leaves, *nodes), strict=True))
        self.size = self._common_size()

    def leaf(self, seq: int) -> bytes:
        return os.pread(self._leaves, 32, 32 * seq)

    def offset(self, seq: int) -> int:
        return int.from_bytes(os.pread(self._offsets, 4, 4 * seq), "little")

    def node(self, level: int, i: int) -> bytes:
        """The root of a complete subtree of the first `size` records."""
        kept = min(level - level % _STEP, _LEVELS[-1])
        num_bytes = 32 << level - kept
        return _root(os.pread(self._below[kept], num_bytes, num_bytes * i))

    def extend(self, leaves: bytes | bytearray, offsets: array[int]) -> None:
        """Add records; the offset of a frame is within its own segment."""
        _write(self._leaves, 32 * self.size, leaves)
        _write(self._offsets, 4 * self.size, offsets.tobytes())
        before, self.size = self.size, self.size + len(offsets)
        below = self._leaves
        for level in _LEVELS:
            start, stop = before >> level, self.size >> level
            made = [_root(os.pread(below, _SPAN, i * _SPAN)) for i in range(start, stop)]
            below = self._below[level]
            _write(below, 32 * start, b"".join(made))

    def cut(self, size: int) -> None:
        """Leave the first `size` records."""
        self.size = size
        os.truncate(self._offsets, 4 * size)
        for level, handle in self._below.items():
            os.truncate(handle, 32 * (size >> level))

    def close(self) -> None:
        """Idempotent."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _common_size(self) -> int:
        size = min(_length(self._leaves) // 32, _length(self._offsets) // 4)
        for level in _LEVELS:
            num_nodes = _length(self._below[level]) // 32
            size = min(size, (num_nodes + 1 << level) - 1)
        return size


class Index:
    """A log's leaves, places and complete subtrees, as its segments are now.

    Args:
        folder: of the log.
        stored: whether to use what is kept; else everything is read from the segments.

    Raises:
        JournalCorrupt: a segment is missing, or cannot be read to its end; of the last, an
            unfinished frame is left out.
    """

    def __init__(self, folder: Path, stored: bool = True) -> None:
        self._segments = segments(folder)
        self._firsts = [first_of(path) for path in self._segments]
        self._kept = _open_kept(folder) if stored else None
        self._leaves = bytearray()  # of what is not kept
        self._offsets = array("I")
        self._known: dict[tuple[int, int], bytes] = {}
        self._num_kept = self._checked_size()
        try:
            self._read_on()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Number of records."""
        return self._num_kept + len(self._offsets)

    def leaf(self, seq: int) -> bytes:
        """A record's leaf hash."""
        return self.node(0, seq)

    def place(self, seq: int) -> tuple[Path, int]:
        """The segment of a record, and where its frame begins there."""
        if not 0 <= seq < self.size:
            raise IndexError(seq)
        segment = self._segments[bisect.bisect_right(self._firsts, seq) - 1]
        if self._kept and seq < self._num_kept:
            return segment, self._kept.offset(seq)
        return segment, self._offsets[seq - self._num_kept]

    def node(self, level: int, i: int) -> bytes:
        """The root over records `i * 2**level` to `(i + 1) * 2**level - 1`, all of which exist."""
        end = i + 1 << level
        if i < 0 or end > self.size:
            raise IndexError((level, i))
        if self._kept and end <= self._num_kept:
            return self._kept.node(level, i)
        if level == 0:
            at = 32 * (i - self._num_kept)
            return bytes(self._leaves[at : at + 32])
        found = self._known.get((level, i))
        if found is None:
            found = node_hash(self.node(level - 1, 2 * i), self.node(level - 1, 2 * i + 1))
            self._known[level, i] = found
        return found

    def close(self) -> None:
        """Idempotent."""
        if self._kept:
            self._kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _checked_size(self) -> int:
        """How many records are kept; none, when the last of them is not what stands there."""
        size = self._kept.size if self._kept else 0
        if not self._kept or not size or not self._firsts or self._firsts[0]:
            return 0
        self._num_kept = size
        segment, offset = self.place(size - 1)
        found = next(frames(segment, offset), None)
        is_it = isinstance(found, tuple) and leaf_hash(found[1]) == self._kept.leaf(size - 1)
        return size if is_it else 0

    def _read_on(self) -> None:
        start, offset = 0, 0
        if self._num_kept:
            segment, offset = self.place(self._num_kept - 1)
            start = self._segments.index(segment)
        skip = bool(self._num_kept)
        for path in self._segments[start:]:
            if not skip and first_of(path) != self.size:
                raise JournalCorrupt(
                    f"{path.parent.name}/{path.name}",
                    f"the segment of record {self.size} is missing",
                )
            for item in frames(path, offset):
                if isinstance(item, Flaw):
                    if item.torn and path == self._segments[-1]:
                        break
                    place = f"{path.parent.name} record {self.size}"
                    raise JournalCorrupt(f"{place} (byte {item.offset} of {path.name})", item.what)
                if skip:  # the last one kept
                    skip = False
                    continue
                self._leaves += leaf_hash(item[1])
                self._offsets.append(item[0])
            offset = 0


def _is_there(path: Path, is_kind: Callable[[int], bool]) -> bool:
    """Whether a name leads to this kind of file itself, which nothing else leads to."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return is_kind(found.st_mode) and (stat.S_ISDIR(found.st_mode) or found.st_nlink == 1)


def _remove(path: Path) -> None:
    """What is in the place of a derived file: it is made anew. A link's target is left as it is."""
    if _is_there(path, stat.S_ISDIR):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fitting(folder: Path, size: int, root: bytes) -> Index:
    """A log's index, in which its first `size` records have this root; made from the segments when
    what is kept does not lead there.

    Raises:
        JournalCorrupt: they have another, or are fewer.
    """
    for stored in (True, False):
        index = Index(folder, stored)
        try:
            if index.size >= size and merkle.root(index.node, size) == root:
                return index
        except IndexError:
            pass
        index.close()
    what = f"its first {size} records are not those that were signed"
    raise JournalCorrupt(f"{folder.name}/checkpoint", what)


def _open_kept(folder: Path) -> Kept | None:
    try:
        return Kept(folder, write=False)
    except OSError:
        return None


def _root(nodes: bytes) -> bytes:
    """The root over 2**n nodes that lie one behind the other."""
    level: Sequence[bytes] = [nodes[at : at + 32] for at in range(0, len(nodes), 32)]
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def _length(handle: int) -> int:
    return os.fstat(handle).st_size


def _write(handle: int, offset: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        num = os.pwrite(handle, view, offset)
        view, offset = view[num:], offset + num
