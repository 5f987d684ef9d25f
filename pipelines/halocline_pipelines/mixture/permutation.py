"""A keyed permutation of 0..size-1 that needs no memory: a Feistel network with cycle-walking.

Both ways cost the same, for any size. Not a cipher: it spreads, it does not hide.

Laws (tests/pipelines/test_sampler.py): `forward` is a bijection; `inverse` undoes it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.uint64]

_ROUNDS = 6
_MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Permutation:
    """One permutation; `keys` are its round keys, `half` the bits of each Feistel half."""

    size: int
    half: int
    keys: tuple[int, ...]

    @classmethod
    def keyed(cls, size: int, *parts: str | int) -> Permutation:
        """The permutation of this size that the parts name."""
        text = "\x1f".join(str(part) for part in parts).encode()
        raw = hashlib.blake2b(text, digest_size=8 * _ROUNDS, person=b"halocline.mix").digest()
        keys = np.frombuffer(raw, dtype="<u8")
        half = max(1, ((size - 1).bit_length() + 1) // 2)
        return cls(size, half, tuple(int(key) for key in keys))

    def forward(self, index: Index) -> Index:
        """Where each index goes."""
        return self._walk(index, self.keys, swap=False)

    def inverse(self, index: Index) -> Index:
        """Where each index comes from."""
        return self._walk(index, self.keys[::-1], swap=True)

    def _walk(self, index: Index, keys: tuple[int, ...], *, swap: bool) -> Index:
        """The network may leave 0..size-1; going on from there comes back, and stays invertible."""
        if index.size and int(index.max()) >= self.size:
            raise ValueError(f"an index of {self.size} things is at most {self.size - 1}")
        out = self._network(index, keys, swap=swap)
        while (outside := out >= np.uint64(self.size)).any():
            out[outside] = self._network(out[outside], keys, swap=swap)
        return out

    def _network(self, index: Index, keys: tuple[int, ...], *, swap: bool) -> Index:
        bits, mask = np.uint64(self.half), np.uint64((1 << self.half) - 1)
        left, right = index >> bits, index & mask
        if swap:
            left, right = right, left
        for key in keys:
            left, right = right, left ^ (_mixed(right ^ np.uint64(key)) & mask)
        if swap:
            left, right = right, left
        return left << bits | right


def _mixed(words: Index) -> Index:
    """SplitMix64's finaliser."""
    words = (words ^ words >> np.uint64(30)) * np.uint64(_MULTIPLIERS[0])
    words = (words ^ words >> np.uint64(27)) * np.uint64(_MULTIPLIERS[1])
    return words ^ words >> np.uint64(31)
