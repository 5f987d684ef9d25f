"""Reads the files of a log as they are: plain files, block by block, whoever writes them meanwhile.

Nothing here is held in memory but one block and one record.
"""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal.frame import HEAD_BYTES, MAX_PAYLOAD_BYTES, MAX_TAIL_BYTES, Flaw

LOG_NAMES = "log-*"
HEAD_NAME = "checkpoint"
_LOG = re.compile(r"log-[0-9]{4}")
_SEGMENT = re.compile(r"[0-9]{12}\.seg")
_BLOCK_BYTES = 1 << 20
_HEAD = struct.Struct("<II")


def is_log(name: str) -> bool:
    return _LOG.fullmatch(name) is not None


def logs(directory: Path) -> list[Path]:
    """The logs of a journal, in order."""
    return sorted(path for path in directory.glob(LOG_NAMES) if is_log(path.name))


def segments(folder: Path) -> list[Path]:
    """The segments of a log, in order: all that there were at one moment.

    A listing may have a file that was made while it went on, and lack one that was made a little
    earlier. So what it has is listed again, up to the last of them.
    """
    last = max(_listed(folder), default=folder)
    return sorted(path for path in _listed(folder) if path <= last)


def _listed(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.seg") if _SEGMENT.fullmatch(path.name))


def first_of(segment: Path) -> int:
    """The number of a segment's first record, by its name."""
    return int(segment.stem)


def opened(path: Path) -> BinaryIO:
    """A plain file, open to be read; never waits for one that is not.

    Raises:
        FileNotFoundError: it is not there.
        JournalCorrupt: it is a link, a folder or a device, or may not be read.
    """
    place = f"{path.parent.name}/{path.name}"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise JournalCorrupt(place, f"it cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise JournalCorrupt(place, "it is not a plain file")
    return os.fdopen(handle, "rb", buffering=0)


def frames(path: Path, start: int = 0) -> Iterator[tuple[int, bytes] | Flaw]:
    """Each frame's offset and payload from the byte `start`; a `Flaw` ends it, if there is one.

    Raises:
        FileNotFoundError, JournalCorrupt: as `opened`.
    """
    with opened(path) as file:
        file.seek(start)
        data, base, want = b"", start, _BLOCK_BYTES
        while True:
            block = _read(file, want)
            data += block
            at, end, want = 0, len(data), _BLOCK_BYTES
            while end - at >= HEAD_BYTES:
                length, crc = _HEAD.unpack_from(data, at)
                stop = at + HEAD_BYTES + length
                if not 0 < length <= MAX_PAYLOAD_BYTES:
                    torn = _only_zeros(data[at:], file)
                    yield Flaw(base + at, "impossible record length", torn)
                    return
                if stop > end:
                    want = max(stop - end, _BLOCK_BYTES)
                    break
                payload = data[at + HEAD_BYTES : stop]
                if zlib.crc32(payload) != crc:
                    torn = _only_zeros(data[stop:], file)
                    yield Flaw(base + at, "the record's checksum does not match", torn)
                    return
                yield base + at, payload
                at = stop
            data, base = data[at:], base + at
            if not block:
                break
        if data:
            what = "record" if len(data) >= HEAD_BYTES else "frame's head"
            yield Flaw(base, f"the file ends inside a {what}", torn=True)


def payloads(
    folder: Path, segment: Path | None = None, start: int = 0
) -> Iterator[tuple[int, bytes] | Flaw]:
    """`frames` of all segments of a log, from the byte `start` of one of them."""
    named = [path for path in segments(folder) if segment is None or path >= segment]
    for number, path in enumerate(named):
        yield from frames(path, 0 if number else start)


def _read(file: BinaryIO, count: int) -> bytes:
    """As many bytes as there are, up to `count`."""
    parts: list[bytes] = []
    while count > 0 and (part := file.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _only_zeros(block: bytes, file: BinaryIO) -> bool:
    """Whether there is nothing from here to the end but zeros, and no more of them than an
    unfinished write may leave."""
    num_bytes = 0
    while num_bytes <= MAX_TAIL_BYTES and (block := block or file.read(_BLOCK_BYTES)):
        if block.strip(b"\0"):
            return False
        num_bytes += len(block)
        block = b""
    return num_bytes <= MAX_TAIL_BYTES
