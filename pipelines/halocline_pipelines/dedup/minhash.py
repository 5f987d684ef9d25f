"""MinHash signatures of word n-grams, and their bands (locality-sensitive hashing), in numpy.

Two texts with Jaccard similarity s share a band with probability 1 - (1 - s^rows)^bands. Every
constant follows from the seed by SHAKE-256, so signatures never change between releases.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
_WORD = re.compile(r"\w+")
_CHUNK = 4096
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinHash:
    """The default is FineWeb's and datatrove's setting: 14 bands of 8 over words' 5-grams.

    Args:
        threshold: estimated Jaccard similarity from which two texts that share a band are
            duplicates; 0.7 is The Stack's (Kocetkov et al. 2022, arXiv 2211.15533).
    """

    num_bands: int = 14
    rows_per_band: int = 8
    shingle_words: int = 5
    threshold: float = 0.7
    seed: int = 1

    @property
    def id(self) -> str:
        """Names what determines the bands."""
        shape = f"{self.num_bands}x{self.rows_per_band}w{self.shingle_words}s{self.seed}"
        return f"minhash@1:{shape}"

    @property
    def num_hashes(self) -> int:
        return self.num_bands * self.rows_per_band

    def signature(self, text: str) -> NDArray[np.uint32]:
        """The minima of all hash functions over the text's n-grams; without a word, of the text."""
        grams = shingles(words(text) or [text], self.shingle_words)
        least = np.full(self.num_hashes, 0xFFFFFFFF, dtype=np.uint32)
        multipliers, offsets = _functions(self.seed, self.num_hashes)
        for at in range(0, len(grams), _CHUNK):
            hashed = grams[at : at + _CHUNK, None] * multipliers + offsets
            least = np.minimum(least, (hashed >> np.uint64(32)).min(axis=0).astype(np.uint32))
        return least

    def bands(self, signature: NDArray[np.uint32]) -> NDArray[np.float64]:
        """A key per band: 53 bits, which a signal's double holds exactly."""
        rows = signature.reshape(self.num_bands, self.rows_per_band).astype(np.uint64)
        keys = np.arange(1, self.num_bands + 1, dtype=np.uint64)
        for column in range(self.rows_per_band):
            keys = _mixed(keys * np.uint64(0x9E3779B97F4A7C15) + rows[:, column])
        return (keys >> np.uint64(11)).astype(np.float64)


def words(text: str) -> list[str]:
    """Runs of letters and digits in lower case, without accents."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in spread if not unicodedata.combining(char))
    return _WORD.findall(text.lower())


def shingles(parts: Sequence[str], size: int) -> U64:
    """Distinct hashes of the n-grams; a text shorter than one n-gram is one n-gram."""
    if not parts:
        return np.zeros(0, dtype=np.uint64)
    known: dict[str, int] = {}
    for part in parts:
        if part not in known:
            raw = hashlib.blake2b(part.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            known[part] = int.from_bytes(raw, "little")
    hashes = np.array([known[part] for part in parts], dtype=np.uint64)
    size = min(size, len(hashes))
    count = len(hashes) - size + 1
    grams = np.full(count, size, dtype=np.uint64)
    for at in range(size):
        grams = _mixed(grams * np.uint64(0x9E3779B97F4A7C15) + hashes[at : at + count])
    return np.unique(grams)


def estimates(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Estimated Jaccard similarities of the rows of two blocks of signatures."""
    return (left == right).mean(axis=1)


def _mixed(values: U64) -> U64:
    values = (values ^ (values >> np.uint64(31))) * _MIX
    return values ^ (values >> np.uint64(29))


@cache
def _functions(seed: int, count: int) -> tuple[U64, U64]:
    """Multiply-shift functions: odd multipliers, any offsets."""
    raw = hashlib.shake_256(f"halocline minhash {seed}".encode()).digest(count * 16)
    numbers = np.frombuffer(raw, dtype="<u8").astype(np.uint64)
    return numbers[:count] | np.uint64(1), numbers[count:]
