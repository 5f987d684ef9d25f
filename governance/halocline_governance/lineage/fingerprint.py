"""One hash for a multiset of rows, whatever their order: LtHash over (row_uid, content_sha256).

Knows nothing of tables. The guard takes it of what it hands out, lineage keeps it.

Laws (tests/governance/test_lineage_fingerprint.py): the order of rows does not matter; adding and
removing rows one by one gives what hashing the remaining rows from scratch gives; merging two
fingerprints gives the fingerprint of both sets of rows together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

_LANES = 1024
_STATE_BYTES = _LANES * 2
_DOMAIN = b"halocline.fingerprint.v1\x00"
# Every second 16-bit lane, so that a sum of two lanes has room to carry and is masked off after:
# 1024 additions modulo 2**16 are then two additions of big integers, and numpy is not needed.
_EVERY_OTHER = int.from_bytes(b"\xff\xff\x00\x00" * (_LANES // 2), "little")
_CARRY = int.from_bytes(b"\x00\x00\x01\x00" * (_LANES // 2), "little")


@dataclass(slots=True)
class Fingerprint:
    """The running sum: 1024 lanes modulo 2**16, kept as even and odd lanes, and a row count."""

    num_rows: int = 0
    _even: int = 0
    _odd: int = 0

    def add(self, row_uid: int, content_sha256: str) -> None:
        """Put one row in."""
        even, odd = _expand(row_uid, content_sha256)
        self._even = (self._even + even) & _EVERY_OTHER
        self._odd = (self._odd + odd) & _EVERY_OTHER
        self.num_rows += 1

    def remove(self, row_uid: int, content_sha256: str) -> None:
        """Take one row out that was put in before."""
        even, odd = _expand(row_uid, content_sha256)
        self._even = (self._even + _CARRY - even) & _EVERY_OTHER
        self._odd = (self._odd + _CARRY - odd) & _EVERY_OTHER
        self.num_rows -= 1

    def merge(self, other: Fingerprint) -> Fingerprint:
        """The fingerprint of both multisets together."""
        return Fingerprint(
            self.num_rows + other.num_rows,
            (self._even + other._even) & _EVERY_OTHER,
            (self._odd + other._odd) & _EVERY_OTHER,
        )

    def state(self) -> bytes:
        """The 2048 bytes a later `resume` goes on from."""
        return (self._even | self._odd << 16).to_bytes(_STATE_BYTES, "little")

    def hex(self) -> str:
        """SHA-256 over the row count and the state: 64 hex digits."""
        count = self.num_rows.to_bytes(8, "big", signed=True)
        return hashlib.sha256(_DOMAIN + count + self.state()).hexdigest()


def of(rows: Iterable[tuple[int, str]]) -> str:
    """The fingerprint of (row_uid, content_sha256) pairs, as 64 hex digits."""
    running = Fingerprint()
    for row_uid, content_sha256 in rows:
        running.add(row_uid, content_sha256)
    return running.hex()


def resume(num_rows: int, state: bytes) -> Fingerprint:
    """A fingerprint to go on from, as `Fingerprint.state` gave it."""
    if len(state) != _STATE_BYTES:
        raise ValueError(f"a fingerprint's state has {_STATE_BYTES} bytes")
    lanes = int.from_bytes(state, "little")
    return Fingerprint(num_rows, lanes & _EVERY_OTHER, lanes >> 16 & _EVERY_OTHER)


def _expand(row_uid: int, content_sha256: str) -> tuple[int, int]:
    """Even and odd lanes of one row. The id has a fixed width, so no two rows share an input."""
    row = _DOMAIN + row_uid.to_bytes(8, "big", signed=True) + content_sha256.encode()
    lanes = int.from_bytes(hashlib.shake_128(row).digest(_STATE_BYTES), "little")
    return lanes & _EVERY_OTHER, lanes >> 16 & _EVERY_OTHER
