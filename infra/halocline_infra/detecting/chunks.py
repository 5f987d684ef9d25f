"""The bytes of a file or a pipe as they come, unpacked where they are compressed.

What is compressed shows by its first bytes, whatever the name says.
"""

from __future__ import annotations

import bz2
import fcntl
import io
import lzma
import os
import select
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 4 * 1024 * 1024
_PIPE = 1024 * 1024
_PAUSE_S = 0.005

Chunks = Iterator[bytes]
"""Pieces as they come; an empty one says that we would have to wait for the next."""


class Unreadable(ValueError):
    """Its only argument is the reason, which holds nothing of a text."""


def chunks(handle: int) -> Chunks:
    """All bytes behind a handle. Whoever writes to a pipe and pauses is told of by an empty one."""
    waits = not stat.S_ISREG(os.fstat(handle).st_mode)
    if waits:
        _widen(handle)
    while True:
        if waits and not select.select([handle], [], [], _PAUSE_S)[0]:
            yield b""
        chunk = os.read(handle, _CHUNK)
        if not chunk:
            return
        yield chunk


def _widen(handle: int) -> None:
    """A pipe that holds more has the two sides wait for each other less."""
    try:
        fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, _PIPE)
    except OSError:  # no pipe, or more than this system gives
        return


def peeked(parts: Chunks, marks: Iterable[bytes]) -> tuple[bytes, Chunks]:
    """The first bytes, as many as it takes to know which mark they begin with, and all of them.

    Waits for them: no line is the beginning of a mark.
    """
    head, marks = b"", tuple(marks)
    for part in parts:
        head += part
        if not any(len(head) < len(mark) and mark.startswith(head) for mark in marks):
            break
    return head, chain([head] if head else [], parts)


def unpacked(parts: Chunks) -> Chunks:
    """What is in gzip, bzip2, xz or zstd; anything else as it is.

    Raises:
        Unreadable: it is damaged or cut off, after all that could be unpacked.
    """
    head, parts = peeked(parts, _MARKS)
    mark = next((mark for mark in _MARKS if head.startswith(mark)), None)
    if mark is None:
        yield from parts
        return
    name, open_ = _MARKS[mark]
    try:
        yield from open_(parts)
    except EOFError:
        raise Unreadable(f"unreadable: {name} is cut off") from None
    except (zlib.error, lzma.LZMAError, OSError, ValueError):
        raise Unreadable(f"unreadable: {name} is damaged") from None


class _Unpacker(Protocol):
    """One member of a compressed file, as bz2 and lzma have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Gzip:
    """zlib's in the same shape."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._tail, self._more = b"", False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._tail and not self._more

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data.lstrip(b"\0")  # tapes pad

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        out = self._inner.decompress(self._tail + data, max_length)
        self._tail, self._more = self._inner.unconsumed_tail, len(out) == max_length
        return out


def _members(make: Callable[[], _Unpacker]) -> Callable[[Chunks], Chunks]:
    """Member after member, in pieces of bounded size however much is packed into little."""

    def opened(parts: Chunks) -> Chunks:
        member: _Unpacker | None = None
        for part in parts:
            if not part:
                yield part
            while part or (member is not None and not member.needs_input):
                member = member or make()
                out = member.decompress(part, _CHUNK)
                part = b""
                if out:
                    yield out
                if member.eof:
                    part, member = member.unused_data, None
        if member is not None:
            raise EOFError

    return opened


class _File(io.RawIOBase):
    """Chunks as a file, for who reads nothing else."""

    def __init__(self, parts: Chunks) -> None:
        self._parts, self._rest = parts, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        into = memoryview(buffer).cast("B")
        size = min(len(into), len(self._rest))
        into[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _zstd(parts: Chunks) -> Chunks:
    """By Arrow, which has it with it."""
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(_File(parts), mode="r"), "zstd") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


_MARKS: Mapping[bytes, tuple[str, Callable[[Chunks], Chunks]]] = {
    b"\x1f\x8b": ("gzip", _members(_Gzip)),
    b"BZh91AY&SY": ("bzip2", _members(bz2.BZ2Decompressor)),
    b"\xfd7zXZ\x00": ("xz", _members(lzma.LZMADecompressor)),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
}
