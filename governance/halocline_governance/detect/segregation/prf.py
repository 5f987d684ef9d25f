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
    left = np.uint64((width & 7) * 8)
    for number in range(len(places)):
        at = places[number]
        shift = np.uint64((at & 7) * 8)
        v0 = np.uint64(key[0] ^ np.uint64(0x736F6D6570736575))
        v1 = np.uint64(key[1] ^ np.uint64(0x646F72616E646F6D))
        v2 = np.uint64(key[0] ^ np.uint64(0x6C7967656E657261))
        v3 = np.uint64(key[1] ^ np.uint64(0x7465646279746573))
        for part in range((width >> 3) + 1):
            word = (at >> 3) + part
            high = words[word + 1] << np.uint64(1)
            m = np.uint64((words[word] >> shift) | (high << (np.uint64(63) - shift)))
            if part == width >> 3:
                m = np.uint64(m & ((np.uint64(1) << left) - np.uint64(1)))
                m = np.uint64(m | np.uint64(width & 255) << np.uint64(56))
            v0, v1, v2, v3 = _round(v0, v1, v2, np.uint64(v3 ^ m))
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
            v0 = np.uint64(v0 ^ m)
        v2 = np.uint64(v2 ^ np.uint64(0xFF))
        for _ in range(4):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        out[number] = v0 ^ v1 ^ v2 ^ v3


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
