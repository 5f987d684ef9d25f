"""A set of tags in little memory that says `no` for certain and `yes` but for a few in a thousand.

The split block Bloom filter of Apache Parquet's specification (after Putze, Sanders, Singler 2007):
blocks of 256 bits, in each of whose eight words a tag sets one bit. One tag touches one cache line.
"""

from __future__ import annotations

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
_STEPS = 32


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


def holds(words: Words, prints: Tags, tags: Tags) -> Mask:
    """Which tags are among the sorted `prints`, whose filter is `words`."""
    found = np.zeros(len(tags), dtype=np.bool_)
    _holds(words, prints, tags, _SALTS, found)
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
def _holds(words: Words, prints: Tags, tags: Tags, salts: Words, found: Mask) -> None:
    """In passes over all tags that the filter lets pass, so that memory answers many at once."""
    last = len(prints) - 1
    if last < 0:
        return
    numbers = np.empty(len(tags), dtype=np.int64)
    count = _passes(words, tags, salts, numbers)
    places = np.empty(count, dtype=np.int64)
    rate = last / max(1.0, float(prints[last] - prints[0]))
    for number in range(count):
        above = float(tags[numbers[number]]) - float(prints[0])
        places[number] = min(max(int(above * rate), 0), last)
    for _ in range(2):
        for number in range(count):
            tag, at = tags[numbers[number]], places[number]
            above = float(prints[at]) - float(tag)
            places[number] = min(max(at - int(above * rate), 0), last)
    for number in range(count):
        place = int(places[number])
        found[numbers[number]] = _stands(prints, np.uint64(tags[numbers[number]]), place)


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


@kernel
def _stands(prints: Tags, tag: np.uint64, at: int) -> bool:
    """Looked for around a place that is likely near; else by bisection."""
    last = len(prints) - 1
    for _ in range(_STEPS):
        if prints[at] == tag:
            return True
        if prints[at] < tag:
            if at == last or prints[at + 1] > tag:
                return False
            at += 1
        else:
            if at == 0 or prints[at - 1] < tag:
                return False
            at -= 1
    return _bisected(prints, tag)


@kernel
def _bisected(prints: Tags, tag: np.uint64) -> bool:
    low, high = 0, len(prints)
    while low < high:
        middle = (low + high) >> 1
        if prints[middle] < tag:
            low = middle + 1
        else:
            high = middle
    return low < len(prints) and prints[low] == tag
