"""Repeated n-grams of words, compiled: each n-gram gets a number from its two halves' numbers.

An n-gram can come twice only if its first and its last n-1 words do, so those that stand alone
(number 0) are never looked at again: after a few rounds little is left.
"""
# pyright: reportUntypedFunctionDecorator=false, reportUnknownMemberType=false

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_MIX = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True)
def capacity(count: int) -> int:
    """Slots of a hash table for so many keys."""
    size = 16
    while size < 2 * count:
        size *= 2
    return size


@numba.njit(cache=True)
def number(
    keys: NDArray[np.uint64], alone: NDArray[np.bool_], ids: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Write each key's number from 1 on, 0 for a key that is alone or comes once.

    Returns:
        By number: how often the key comes, and where first.
    """
    active = 0
    for at in range(len(keys)):
        active += not alone[at]
    size = capacity(active)
    slots = np.zeros(size, dtype=np.int32)
    counts = np.zeros(active + 1, dtype=np.int32)
    first = np.zeros(active + 1, dtype=np.int32)
    held = np.zeros(active + 1, dtype=np.uint64)
    known = 0
    mask = np.uint64(size - 1)
    for at in range(len(keys)):
        if alone[at]:
            ids[at] = 0
            continue
        key = keys[at]
        mixed = key * _MIX
        slot = (mixed ^ (mixed >> np.uint64(32))) & mask
        while slots[slot] and held[slots[slot]] != key:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] == 0:
            known += 1
            slots[slot] = known
            held[known] = key
            first[known] = at
        ids[at] = slots[slot]
        counts[slots[slot]] += 1
    for at in range(len(keys)):
        if ids[at] and counts[ids[at]] == 1:
            ids[at] = 0
    return counts[: known + 1], first[: known + 1]


@numba.njit(cache=True)
def grams(
    hashes: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    top: NDArray[np.float64],
    again: NDArray[np.float64],
) -> None:
    """Characters in the top 2- to 4-grams, and in 5- to 10-grams seen before, over all words'.

    A word in several repeated n-grams counts once.

    Args:
        hashes: of each word's folded form, 64 bits.
        sizes: of each word, in characters.
        top: three shares to write, for 2 to 4 words.
        again: six shares to write, for 5 to 10 words.
    """
    count = len(hashes)
    total = 0
    for at in range(count):
        total += sizes[at]
    ids = np.zeros(count, dtype=np.int32)
    alone = np.zeros(count, dtype=np.bool_)
    number(hashes, alone, ids)
    keys = np.empty(count, dtype=np.uint64)
    for n in range(2, 11):
        left = count - n + 1
        if left < 1:
            return
        active = 0
        for at in range(left):
            alone[at] = ids[at] == 0 or ids[at + 1] == 0
            active += not alone[at]
            keys[at] = (np.uint64(ids[at]) << np.uint64(32)) | np.uint64(ids[at + 1])
        if active == 0:
            return
        counts, first = number(keys[:left], alone[:left], ids)
        if n < 5:
            top[n - 2] = min(1.0, _top(counts, first, sizes, n) / total)
        else:
            again[n - 5] = _again(ids[:left], first, sizes, n) / total


@numba.njit(cache=True)
def _top(
    counts: NDArray[np.int32], first: NDArray[np.int32], sizes: NDArray[np.int64], n: int
) -> int:
    """All characters of the n-gram that comes most often, of the longest of those; 0 if once."""
    best, most = 1, 0
    for gram in range(1, len(counts)):
        if counts[gram] < best or counts[gram] == 1:
            continue
        chars = 0
        for at in range(first[gram], first[gram] + n):
            chars += sizes[at]
        if counts[gram] > best or chars > most:
            best, most = counts[gram], chars
    return best * most


@numba.njit(cache=True)
def _again(
    ids: NDArray[np.int32], first: NDArray[np.int32], sizes: NDArray[np.int64], n: int
) -> int:
    chars = covered = 0
    for at in range(len(ids)):
        if ids[at] and first[ids[at]] != at:
            for word in range(max(at, covered), at + n):
                chars += sizes[word]
            covered = at + n
    return chars


@numba.njit(cache=True)
def duplicates(hashes: NDArray[np.uint64], sizes: NDArray[np.int64]) -> tuple[float, float]:
    """The share of repeated parts, and of their characters; a part's first time does not count."""
    count = len(hashes)
    if count == 0:
        return 0.0, 0.0
    ids = np.zeros(count, dtype=np.int32)
    _, first = number(hashes, np.zeros(count, dtype=np.bool_), ids)
    parts = chars = total = 0
    for at in range(count):
        total += sizes[at]
        if ids[at] and first[ids[at]] != at:
            parts += 1
            chars += sizes[at]
    return parts / count, chars / total
