"""Which tokens may be part of a name at all: only these are scored, and most segments have none.

A token may be one if it has a capital; if it joins such tokens (`of`, `&`, a comma); or, small, if
a list knows it as a name and text at large does not, if a name or greeting stands before it, or,
where nothing has a capital, if nobody knows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halocline_governance.detect.names.compiled import part
from halocline_governance.detect.names.tokens import (
    BITS,
    CLUSTER,
    END,
    GAP,
    KIND,
    SIZE,
    START,
    TAIL,
    WORD,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the lexicon knows of a word.
FIRST, LAST, CITY, COUNTRY, FIRM, TITLE, GREETING, SUFFIX = (1 << bit for bit in range(8))
FIRM_WORD, PLACE_WORD, COMMON, SEEN, DATE, STATE, JOINS, ROLE = (1 << bit for bit in range(8, 16))
NAMES = FIRST | LAST | CITY | COUNTRY | FIRM

# How a segment is written.
MIXED, CAPITALS, SMALL, TITLES = range(4)


@part
def look_up(
    count: int, tokens: NDArray[Any], keys: NDArray[Any], bits: NDArray[Any], clusters: NDArray[Any]
) -> None:
    """Writes what the lexicon knows into the tokens; a slot with key 0 is empty."""
    mask = len(keys) - 1
    for index in range(count):
        token = tokens[index]
        token[BITS] = 0
        token[CLUSTER] = 0
        if token[KIND] > 5:
            continue
        word = int(token[WORD])
        slot = ((word * 0x2C1B3C6D) >> 13) & mask
        while keys[slot] != 0:
            if keys[slot] == word:
                token[BITS] = bits[slot]
                token[CLUSTER] = clusters[slot]
                break
            slot = (slot + 1) & mask


@part
def style_of(count: int, tokens: NDArray[Any]) -> int:
    """How the segment is written: MIXED, CAPITALS, SMALL (no capital but `I`) or TITLES."""
    caps, titles, small = 0, 0, 0
    for index in range(count):
        kind = tokens[index, KIND]
        if kind == 0:
            small += 1
        elif kind == 2:
            caps += 1 if tokens[index, SIZE] > 1 else 0
        elif kind == 1 or kind == 3 or kind == 4:
            titles += 1
    if caps + titles == 0:
        return 2
    if caps >= 2 and caps * 10 >= (caps + titles + small) * 7:
        return 1
    if titles >= 3 and small * 4 <= titles:
        return 3
    return 0


@part
def gate(count: int, style: int, tokens: NDArray[Any], open_: NDArray[Any]) -> int:
    """Marks the tokens that may be part of a name in `open_`; how many there are."""
    marked = 0
    for index in range(count):
        kind, bits = tokens[index, KIND], tokens[index, BITS]
        may = 1 <= kind <= 4 and (kind != 2 or style != 2)
        if kind == 0:
            if bits & 1024 == 0:
                may = bits & 31 != 0 or (style == 2 and bits & 2048 == 0)
            elif bits & 3 != 0 and index > 0:
                may = tokens[index - 1, BITS] & 96 != 0 or (style == 2 and open_[index - 1] == 1)
            if not may and index > 0 and open_[index - 1] == 1 and tokens[index, GAP] < 2:
                may = bits & 128 != 0 or (bits & 3072 == 0 and tokens[index - 1, KIND] == 0)
        open_[index] = 1 if may else 0
        marked += 1 if may else 0
    if marked == 0 or _only_first(count, tokens, open_, marked):
        return 0
    for index in range(count):
        if open_[index] == 0 and _joins(index, count, style, tokens, open_):
            open_[index] = 2
            marked += 1
    return marked


@part
def _only_first(count: int, tokens: NDArray[Any], open_: NDArray[Any], marked: int) -> bool:
    """Whether the one marked token is a word at the start that text at large writes small."""
    if marked != 1:
        return False
    for index in range(count):
        kind, bits = tokens[index, KIND], tokens[index, BITS]
        if open_[index] == 1:
            return kind == 1 and bits & 1024 != 0 and bits & 31 == 0
        if kind != 6 and kind != 5:
            return False
    return False


@part
def _joins(index: int, count: int, style: int, tokens: NDArray[Any], open_: NDArray[Any]) -> bool:
    """Whether this token stands between tokens of a name, or is a word that leads or ends one."""
    token = tokens[index]
    kind, bits = token[KIND], token[BITS]
    before = index > 0 and open_[index - 1] != 0 and token[GAP] < 2
    after = index + 1 < count and open_[index + 1] == 1 and tokens[index + 1, GAP] < 2
    if kind == 5:
        return before or after
    second = index + 2 < count and open_[index + 2] == 1 and tokens[index + 2, GAP] < 2
    if kind == 0:
        short = bits & 16384 != 0 or token[SIZE] <= 3
        if style == 2 and (before or after) and (bits & 17287 != 0 or token[SIZE] == 1):
            return True
        if bits & 16384 != 0 and (bits & 1024 == 0 or bits & 2 != 0) and (after or second):
            return True
        if not before or not short:
            return False
        return after or (second and tokens[index + 1, SIZE] <= 3)
    code = token[TAIL]
    if kind == 6 and before and token[END] - token[START] > 1 and (code == 39 or code == 0x2019):
        return True
    if kind == 6 and before and index + 1 < count and code == 45 and tokens[index + 1, GAP] == 0:
        return tokens[index + 1, KIND] < 5
    if kind == 6 and before and after:
        return (
            code == 38 or code == 45 or code == 39 or code == 46 or code == 47 or code == 44
            or code == 0x2019 or code == 0x2010 or code == 0x2011 or code == 0x2013 or code == 33
            or code == 43 or code == 34 or code == 0x201C or code == 0x201D
        )  # fmt: skip
    return False
