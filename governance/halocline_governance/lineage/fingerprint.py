"""One hash for a multiset of rows, whatever their order: LtHash over (row_uid, content_sha256).

Rows without those are taken by all that they hold, in the form `whole` gives. Knows nothing of
tables. The guard takes it of what it hands out, lineage keeps it.

Laws (tests/governance/test_lineage_fingerprint.py): the order of rows does not matter; adding and
removing rows one by one gives what hashing the remaining rows from scratch gives; merging two
fingerprints gives the fingerprint of both sets of rows together.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, cast

_LANES = 1024
_STATE_BYTES = _LANES * 2
_DOMAIN = b"halocline.fingerprint.v1\x00"
_DOMAIN_WHOLE = b"halocline.fingerprint.v1.whole\x00"
# Rows whose lanes numpy adds up at once: 4 MB.
_AT_ONCE = 2048
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

    def add_all(self, rows: Iterable[tuple[int, str]]) -> None:
        """Put many rows in: what `add` does one by one, faster where numpy is."""
        self._add_inputs(_input(*row) for row in rows)

    def add_whole(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put rows in by all that they hold."""
        self._add_inputs(_DOMAIN_WHOLE + whole(row) for row in rows)

    def merge(self, other: Fingerprint) -> Fingerprint:
        """The fingerprint of both multisets together."""
        return Fingerprint(
            self.num_rows + other.num_rows,
            (self._even + other._even) & _EVERY_OTHER,
            (self._odd + other._odd) & _EVERY_OTHER,
        )

    def _add_inputs(self, inputs: Iterable[bytes]) -> None:
        rest = iter(inputs)
        while some := list(islice(rest, _AT_ONCE)):
            even, odd = _lanes(_sum(some))
            self._even = (self._even + even) & _EVERY_OTHER
            self._odd = (self._odd + odd) & _EVERY_OTHER
            self.num_rows += len(some)

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
    running.add_all(rows)
    return running.hex()


def whole(row: Mapping[str, Any]) -> bytes:
    """A row in canonical bytes: JSON as RFC 8785 has it, of the columns that are not null.

    Texts and lists stay what they are; a whole number becomes its decimal digits, a double the hex
    digits of its eight bytes big-endian (IEEE 754), bytes their hex digits, all as texts: so no
    reader's numbers matter.
    """
    return json.dumps(
        _plain(row), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode("utf-8", "surrogatepass")


def resume(num_rows: int, state: bytes) -> Fingerprint:
    """A fingerprint to go on from, as `Fingerprint.state` gave it."""
    if len(state) != _STATE_BYTES:
        raise ValueError(f"a fingerprint's state has {_STATE_BYTES} bytes")
    return Fingerprint(num_rows, *_lanes(state))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        held = cast("Mapping[str, Any]", value)
        return {name: _plain(one) for name, one in held.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[Any]", value)]
    if isinstance(value, float):
        return struct.pack(">d", value).hex()
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, str) else str(int(value))


def _input(row_uid: int, content_sha256: str) -> bytes:
    """The id has a fixed width, so no two rows share an input."""
    return _DOMAIN + row_uid.to_bytes(8, "big", signed=True) + content_sha256.encode()


def _expand(row_uid: int, content_sha256: str) -> tuple[int, int]:
    """Even and odd lanes of one row."""
    return _lanes(hashlib.shake_128(_input(row_uid, content_sha256)).digest(_STATE_BYTES))


def _lanes(state: bytes) -> tuple[int, int]:
    lanes = int.from_bytes(state, "little")
    return lanes & _EVERY_OTHER, lanes >> 16 & _EVERY_OTHER


def _sum(inputs: Sequence[bytes]) -> bytes:
    """The lanes of all these rows, added up."""
    shake = hashlib.shake_128
    lanes = [shake(one).digest(_STATE_BYTES) for one in inputs]
    numpy = _numpy()
    if numpy is None:
        even = odd = 0
        for one in lanes:
            more = _lanes(one)
            # Room for 2**16 carries, and no batch has as many.
            even, odd = even + more[0], odd + more[1]
        even, odd = even & _EVERY_OTHER, odd & _EVERY_OTHER
        return (even | odd << 16).to_bytes(_STATE_BYTES, "little")
    table = numpy.frombuffer(b"".join(lanes), dtype="<u2").reshape(-1, _LANES)
    return numpy.add.reduce(table, axis=0, dtype="<u2").tobytes()


@cache
def _numpy() -> Any:
    try:
        import numpy
    except ImportError:
        return None
    return numpy
