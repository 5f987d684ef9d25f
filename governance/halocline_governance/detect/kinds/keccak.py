"""Keccak-256 with the original padding, which Ethereum's address checksum (EIP-55) uses.

The standard library has only SHA-3, whose padding differs. Source: the Keccak reference, FIPS 202.
"""

from __future__ import annotations

from typing import Final

_MASK: Final = (1 << 64) - 1
_RATE: Final = 136


def keccak256(data: bytes) -> bytes:
    """32 bytes; fit for short inputs only."""
    padded = bytearray(data)
    padded.append(0x01)
    padded.extend(bytes(-len(padded) % _RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for block in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = block + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _rotated(lane: int, count: int) -> int:
    count %= 64
    return (lane << count | lane >> (64 - count)) & _MASK


def _permute(lanes: list[int]) -> None:
    """24 rounds over lanes[x + 5 * y]; round constants come from the standard's LFSR."""
    register = 1
    for _ in range(24):
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        for x in range(5):
            parity = columns[x - 1] ^ _rotated(columns[(x + 1) % 5], 1)
            for y in range(0, 25, 5):
                lanes[x + y] ^= parity
        x, y, current = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x + 5 * y] = (
                lanes[x + 5 * y],
                _rotated(current, (step + 1) * (step + 2) // 2),
            )
        for row in range(0, 25, 5):
            old = lanes[row : row + 5]
            for x in range(5):
                lanes[row + x] = old[x] ^ (~old[(x + 1) % 5] & _MASK & old[(x + 2) % 5])
        for power in range(7):
            register = (register << 1) ^ ((register >> 7) * 0x171)
            if register & 2:
                lanes[0] ^= 1 << ((1 << power) - 1)
