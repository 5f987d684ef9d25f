"""A set of tags in little memory that says `no` for certain and `yes` but for a few in a thousand.

The split block Bloom filter of Apache Parquet's specification (after Putze, Sanders, Singler 2007):
blocks of 256 bits, in each of whose eight words a tag sets one bit. One tag touches one cache line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.segregation.compiled import Mask, Places, Tags

    Words = NDArray[np.uint32]

BITS = 16
"""Per tag. With this, some 1 in 1,000 tags that are not in the set pass."""
# The salts that Parquet's specification gives.
_SALTS = np.array(
    [
        *(0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D),
        *(0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31),
    ],
    dtype=np.uint32,
)
_STIR = 0x9E3779B97F4A7C15


def num_words(count: int) -> int:
    """The 32-bit words of a filter for this many tags."""
    return max(1, -(-count * BITS // 256)) * 8


def filled(tags: Tags) -> Words:
    """The filter of these tags."""
    words = np.zeros(num_words(len(tags)), dtype=np.uint32)
    fill(words, tags)
    return words


def fill(words: Words, tags: Tags) -> None:
    """Add tags to a filter."""
    _fill(words, tags, _SALTS)


@kernel
def _fill(words: Words, tags: Tags, salts: Words) -> None:
    blocks = np.uint64(len(words) // 8)
    for number in range(len(tags)):
        tag = tags[number]
        block = _block(tag, blocks)
        low = np.uint32(tag & np.uint64(0xFFFFFFFF))
        for part in range(8):
            bit = np.uint32(low * salts[part]) >> np.uint32(27)
            words[block + part] |= np.uint32(1) << bit


@dataclass(frozen=True, slots=True)
class Fence:
    """Where in sorted tags each part of their range begins: part `n` are those whose distance from
    the first one, less its last `shift` bits, is `n`. Some 8 to 16 tags each, if they are spread
    evenly; so 0.25 to 0.5 bytes a tag."""

    starts: Words
    shift: int

    @classmethod
    def around(cls, prints: Tags) -> Fence:
        """Of fewer than 2^32 tags."""
        reach = int(prints[-1]) - int(prints[0]) if len(prints) else 0
        shift = min(63, max(0, reach.bit_length() - max(0, len(prints).bit_length() - 4)))
        starts = np.zeros((reach >> shift) + 2, dtype=np.uint32)
        _begun(prints, np.uint64(shift), starts)
        return cls(starts, shift)


def holds(words: Words, prints: Tags, fence: Fence, tags: Tags) -> Mask:
    """Which tags are among the sorted `prints`, whose filter is `words`."""
    found = np.zeros(len(tags), dtype=np.bool_)
    if len(prints):
        likely = passes(words, tags)
        _among(prints, fence.starts, np.uint64(fence.shift), tags, likely, found)
    return found


def passes(words: Words, tags: Tags) -> Places:
    """The numbers of the tags that the filter lets pass."""
    places = np.empty(len(tags), dtype=np.int64)
    return places[: _passes(words, tags, _SALTS, places)]


@kernel
def _passes(words: Words, tags: Tags, salts: Words, places: Places) -> int:
    count = 0
    for number in range(len(tags)):
        # Written whether it passes or not: no branch, and all eight words at once.
        places[count] = number
        count += _passed(words, tags[number], salts)
    return count


@kernel
def _begun(prints: Tags, shift: np.uint64, starts: Words) -> None:
    part = 0
    for number in range(len(prints)):
        this = np.int64((prints[number] - prints[0]) >> shift)
        while part < this:
            part += 1
            starts[part] = number
    starts[part + 1] = len(prints)


@kernel
def _among(
    prints: Tags, starts: Words, shift: np.uint64, tags: Tags, likely: Places, found: Mask
) -> None:
    """First where each is to be looked for, then there: memory answers many at once."""
    parts = np.empty(len(likely), dtype=np.int64)
    lows = np.empty(len(likely), dtype=np.int64)
    for number in range(len(likely)):
        tag = tags[likely[number]]
        inside = (tag >= prints[0]) & (tag <= prints[-1])
        part = np.int64((tag - prints[0]) >> shift) if inside else 0
        parts[number], lows[number] = part, np.int64(starts[part])
    for number in range(len(likely)):
        tag = tags[likely[number]]
        low, high = lows[number], np.int64(starts[parts[number] + 1])
        while high - low > 32:
            middle = (low + high) >> 1
            low, high = (middle, high) if prints[middle] <= tag else (low, middle)
        while low < high and prints[low] < tag:
            low += 1
        found[likely[number]] = low < high and prints[low] == tag


@kernel
def _passed(words: Words, tag: np.uint64, salts: Words) -> bool:
    block = _block(tag, np.uint64(len(words) // 8))
    low = np.uint32(tag & np.uint64(0xFFFFFFFF))
    missing = np.uint32(0)
    for part in range(8):
        bit = np.uint32(low * salts[part]) >> np.uint32(27)
        missing |= ~(words[block + part] >> bit) & np.uint32(1)
    return bool(missing == 0)


@kernel
def _block(tag: np.uint64, blocks: np.uint64) -> int:
    """Of the tag's bits, stirred: those of one shard have their highest in common."""
    high = (tag * np.uint64(_STIR)) >> np.uint64(32)
    return int((high * blocks) >> np.uint64(32)) * 8
