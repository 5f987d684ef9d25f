"""Keys, and the keyed function whose values stand for text: SipHash-2-4 of a window of codes.

SipHash (Aumasson and Bernstein 2012) is a pseudo-random function of a 128-bit key: without the key
its values say nothing of the text, not even by trying likely texts; with it, two different windows
share a value once in 2^64. Its keys come from a secret by HKDF-SHA256 (RFC 5869), one per use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Places, Tags


_BLOCK = 256


def derived(secret: bytes, use: str, length: int) -> bytes:
    """A key of this many bytes for one use. The secret has 16 bytes or more of randomness."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(secret) < 16:
        raise Refused("segregation: give a secret of 16 bytes or more")
    info = b"halocline segregation " + use.encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def key_of(secret: bytes, use: str) -> Tags:
    """A SipHash key, as its two little-endian words."""
    return np.frombuffer(derived(secret, use, 16), dtype="<u8").astype(np.uint64)


def tags(room: Bytes, places: Places, width: int, key: Tags) -> Tags:
    """SipHash-2-4 of `room[place:place + width]` for each place; the last ends 8 bytes before the
    room's end or earlier."""
    padded = room if len(room) % 8 == 0 else np.concatenate([room, np.zeros(8, np.uint8)])
    words = padded[: len(padded) // 8 * 8].view(np.uint64)
    out = np.empty(len(places), dtype=np.uint64)
    _tags(words, places, width, key, out)
    return out


@kernel
def _tags(words: Tags, places: Places, width: int, key: Tags, out: Tags) -> None:
    """In blocks of windows, one step after another for all of a block: loops without a branch and
    without a step that waits for the one before, which the compiler makes into vectors."""
    state = np.empty((4, _BLOCK), dtype=np.uint64)
    part = np.empty(_BLOCK, dtype=np.uint64)
    left = np.uint64((width & 7) * 8)
    v0, v1, v2, v3 = state[0], state[1], state[2], state[3]
    for first in range(0, len(places), _BLOCK):
        some = places[first : first + _BLOCK]
        v0[:] = key[0] ^ np.uint64(0x736F6D6570736575)
        v1[:] = key[1] ^ np.uint64(0x646F72616E646F6D)
        v2[:] = key[0] ^ np.uint64(0x6C7967656E657261)
        v3[:] = key[1] ^ np.uint64(0x7465646279746573)
        for number in range((width >> 3) + 1):
            for n in range(len(some)):
                at = some[n]
                shift = np.uint64((at & 7) * 8)
                word = (at >> 3) + number
                high = words[word + 1] << np.uint64(1)
                part[n] = (words[word] >> shift) | (high << (np.uint64(63) - shift))
            if number == width >> 3:
                for n in range(len(some)):
                    kept = part[n] & ((np.uint64(1) << left) - np.uint64(1))
                    part[n] = kept | np.uint64(width & 255) << np.uint64(56)
            _mixed(state, part)
        _last(state, out[first : first + _BLOCK])


@kernel
def _mixed(state: Tags, part: Tags) -> None:
    """Two rounds with one word of each message."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    for n in range(_BLOCK):
        m = part[n]
        v0, v1, v2, v3 = _round(s0[n], s1[n], s2[n], np.uint64(s3[n] ^ m))
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        s0[n], s1[n], s2[n], s3[n] = np.uint64(v0 ^ m), v1, v2, v3


@kernel
def _last(state: Tags, out: Tags) -> None:
    """Four rounds, and the value."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    for n in range(len(out)):
        v0, v1, v2, v3 = _round(s0[n], s1[n], np.uint64(s2[n] ^ np.uint64(0xFF)), s3[n])
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[n] = v0 ^ v1 ^ v2 ^ v3


@kernel
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 += v1
    v2 += v3
    v1 = (v1 << np.uint64(13)) | (v1 >> np.uint64(51))
    v3 = (v3 << np.uint64(16)) | (v3 >> np.uint64(48))
    v1 ^= v0
    v3 ^= v2
    v0 = (v0 << np.uint64(32)) | (v0 >> np.uint64(32))
    v2 += v1
    v0 += v3
    v1 = (v1 << np.uint64(17)) | (v1 >> np.uint64(47))
    v3 = (v3 << np.uint64(21)) | (v3 >> np.uint64(43))
    v1 ^= v2
    v3 ^= v0
    v2 = (v2 << np.uint64(32)) | (v2 >> np.uint64(32))
    return v0, v1, v2, v3
