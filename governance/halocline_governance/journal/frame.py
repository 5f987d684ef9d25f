"""Length-prefixed, checksummed frames in a file: the one on-disk form of every log here.

A frame is `length u32 LE | crc32(payload) u32 LE | payload`. Knows nothing of what is in it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct("<II")
HEAD_BYTES = _HEAD.size
MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
MAX_TAIL_BYTES = 32 * 1024 * 1024  # of what may be an unfinished write, behind the last whole frame


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why reading stopped: `torn` when a write was cut short (the file ends too early, or in zeros
    that nobody wrote), else it was altered."""

    offset: int
    what: str
    torn: bool


def encode(payload: bytes) -> bytes:
    """One frame.

    Raises:
        ValueError: larger than a frame may be.
    """
    if not payload or len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"a record must have 1 to {MAX_PAYLOAD_BYTES} bytes")
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def decode(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes] | Flaw]:
    """Each frame's offset and payload; a `Flaw` ends it, if there is one."""
    offset = start
    while offset < len(data):
        if len(data) - offset < _HEAD.size:
            yield Flaw(offset, "the file ends inside a frame's head", torn=True)
            return
        length, crc = _HEAD.unpack_from(data, offset)
        if not 0 < length <= MAX_PAYLOAD_BYTES:
            yield Flaw(offset, "impossible record length", torn=not any(data[offset:]))
            return
        payload = data[offset + _HEAD.size : offset + _HEAD.size + length]
        if len(payload) < length:
            yield Flaw(offset, "the file ends inside a record", torn=True)
            return
        if zlib.crc32(payload) != crc:
            rest = data[offset + _HEAD.size + length :]
            yield Flaw(offset, "the record's checksum does not match", torn=not any(rest))
            return
        yield offset, payload
        offset += _HEAD.size + length
