"""The loop that finds numbers worth a look in folded bytes: by their grouping, checksum or words.

Compiled by numba. It decides nothing but what the rules of `numbers` never see; a table of figures
gives it groups of three, decimals and double spaces, of which it lets none through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from halocline_governance.detect.engines.fold_kernel import NEUTRAL
from halocline_governance.detect.kinds.token_kernel import (
    LETTERED,
    NOTHING,
    is_digit,
    is_word,
    letter,
    mixed,
    spaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    def _compiled(function: Callable[..., Any]) -> Callable[..., Any]: ...

else:
    _compiled = numba.njit(cache=True, boundscheck=False, nogil=True)

LETTERS = 27
ALONE, FIRST, SECOND, LONGER = 1, 2, 4, 8
DEEP = 0xFFFFF
_GROUPS = 12
_DIGITS = 30
_LINE = 10
_SPACE, _PLUS, _DASH, _DOT, _SLASH = 32, 43, 45, 46, 47
_OPEN, _CLOSE, _COMMA, _ZERO, _NINE = 40, 41, 44, 48, 57


@_compiled
def _joint(byte: int) -> bool:
    return _DASH <= byte <= _SLASH


@_compiled
def _capitals(data: Any, start: int) -> bool:
    """Whether two capitals stand before the blank, as those of a state before a ZIP code."""
    at = start - 2 if data[start - 2] != _COMMA and data[start - 2] != _SPACE else start - 3
    return 65 <= data[at] <= 90 and 65 <= data[at - 1] <= 90 and data[at - 2] == _SPACE


@_compiled
def luhn(data: Any, start: int, count: int, digits: int) -> bool:
    """ISO/IEC 7812-1 annex B over the first `digits` digits, read to the left."""
    total = 0
    place = digits & 1
    seen = 0
    at = start
    while seen < digits and at < count:
        byte = data[at]
        if is_digit(byte):
            value = byte - _ZERO
            if (seen & 1) == place:
                value = value * 2 - 9 if value > 4 else value * 2
            total += value
            seen += 1
        at += 1
    return seen == digits and total % 10 == 0


@_compiled
def _stem(data: Any, at: int, count: int) -> int:
    """The number of the `count` letters that start here; fewer if the word ends before."""
    index = 0
    ended = False
    for k in range(count):
        value = -1 if ended or at + k >= len(data) else letter(data[at + k])
        ended = ended or value < 0 or (k > 0 and data[at + k] < 97 <= data[at + k - 1])
        value = -1 if ended else value
        index = index * LETTERS + (value + 1)
    return index


@_compiled
def worded(data: Any, low: int, high: int, words: Any, deep: Any) -> bool:
    """Whether a word of the tables, or two in a row, start in between."""
    at = low
    while at < high:
        if letter(data[at]) >= 0 and (
            letter(data[at - 1]) < 0 or (data[at - 1] >= 97 and data[at] < 97)
        ):
            index = _stem(data, at, 4)
            known = words[index]
            if known & ALONE:
                return True
            if known & LONGER and deep[(index * 7919 + _stem(data, at + 4, 3)) & DEEP]:
                return True
            if known & FIRST:
                k = at + 1
                while k < high and letter(data[k]) >= 0 and not data[k] < 97 <= data[k - 1]:
                    k += 1
                gap = k
                while k < high and k - gap < 3 and letter(data[k]) < 0:
                    k += 1
                if k < high and words[_stem(data, k, 4)] & SECOND:
                    return True
        at += 1
    return False


@_compiled
def _shaped(data: Any, start: int, size: Any, mark: Any, groups: int, total: int) -> bool:  # noqa: C901 - one loop: calls would cost more
    """Whether the groups of digits that start here look like an identifier by themselves."""
    before = data[start - 1]
    first, second = data[start], data[start + 1]
    a, b = size[0], size[1]
    c = size[2]
    dotted = groups >= 4 and mark[0] == mark[1] == mark[2] == _DOT
    if dotted and a <= 3 and b <= 3 and c <= 3 and size[3] <= 3:
        return True
    if before == _PLUS or (before == _OPEN and data[start - 2] == _PLUS):
        return total >= 7
    if before == _OPEN and total >= 7 and groups > 1 and data[start + a] == _CLOSE:
        return True
    if first == _ZERO and total >= 9 and groups > 1:
        return True
    if a == 11 and first == 49 and second >= 51:
        return before == NEUTRAL or data[start - 2] == NEUTRAL or data[start - 3] == NEUTRAL
    if a >= 12:
        return a <= 19 and (luhn(data, start, len(data), a) or a in (13, 15))
    if groups >= 2:
        if a == 5 and b == 5 and first >= 54:
            return True
        if (a == 6 or a == 8) and b == 4 and mark[0] == _DASH:
            return luhn(data, start + a - 6, len(data), 10)
    if groups >= 3:
        if a == 3 and b == 3 and c == 4 and mark[0] > 0 and mark[1] > 0:
            return True
        if a == 3 and b == 2 and c == 4 and mark[0] == mark[1] > 0:
            return True
        if a == 3 and b == 3 and c == 3 and mark[0] == mark[1] > 0:
            return luhn(data, start, len(data), 9) or (groups >= 4 and size[3] == 2)
        if a == 4 and b == 4 and c == 4 and mark[0] == mark[1] > 0:
            years = (first == 49 and second == 57) or (first == 50 and second == _ZERO)
            d = size[3]
            if d == 0 or d > 4 or luhn(data, start, len(data), 12):
                return not years
            end = 19 if groups >= 5 and d == 4 and size[4] == 3 else 12 + d
            return luhn(data, start, len(data), end) or luhn(data, start, len(data), 12 + d)
        if a == 4 and b == 6 and (c == 4 or c == 5):
            return luhn(data, start, len(data), 10 + c)
    if groups >= 4:
        if a == 1 and b == 3 and c == 3 and size[3] == 4:
            return True
        if a == 3 and b == 4 and c == 4 and size[3] == 2:
            return True
    return groups >= 6 and total >= 13 and 49 <= first <= 50


@_compiled
def numbers(data: Any, words: Any, deep: Any, countries: Any, left: int, right: int) -> Any:  # noqa: C901 - one loop: calls would cost more
    """Where numbers and ids start that the rules should look at.

    Returns int64 (n, 2): 0 for a number or what `mixed` calls it, and the place.

    Args:
        data: uint8, folded; it starts and ends with a NUL.
        countries: bool, by two letters, base 26: those that have IBANs.
        words: uint8, by the first four letters of a word, base LETTERS, 0 for none: ALONE if any
            such word counts, FIRST and SECOND if two in a row do, LONGER if `deep` knows.
        deep: bool, by the first seven letters, hashed.
        left: how far before a number a word may start.
        right: how far behind it.
    """
    found = np.empty((1024, 2), dtype=np.int64)
    count = 0
    word_end = 0
    size = np.zeros(_GROUPS, dtype=np.int64)
    mark = np.zeros(_GROUPS, dtype=np.int64)
    end = len(data) - 1
    at = 1
    while at < end:
        while at < end and not is_digit(data[at]):
            at += 1
        if at >= end:
            break
        start = at
        while is_digit(data[at]):
            at += 1
        length = at - start
        if count + 2 >= len(found):
            grown = np.empty((2 * len(found), 2), dtype=np.int64)
            grown[:count] = found[:count]
            found = grown
        before = data[start - 1]
        if letter(before) >= 0 or letter(data[at]) >= 0:
            if start < word_end:
                continue
            what, place, word_end = mixed(data, start, at, countries)
            if what != NOTHING and place > 0:
                found[count, 0] = what
                found[count, 1] = place
                count += 1
        if 2 <= length <= 8:
            place = spaced(data, start, at)
            if place > 0:
                found[count, 0] = LETTERED
                found[count, 1] = place
                count += 1
        if is_word(before) or before == 36:
            continue
        if is_digit(data[start - 2]) and (
            _joint(before) or (before == _COMMA and length == 3 and data[at] != _DOT)
        ):
            continue
        if length > 28:
            continue
        total, groups, to = length, 1, at
        size[0] = length
        size[1] = size[2] = size[3] = 0
        mark[0] = 0
        while groups < _GROUPS and total < _DIGITS:
            k = to
            spaces = 0
            while k - to < 3:
                sep = data[k]
                if sep == _SPACE:
                    spaces += 1
                    if spaces > 1 and data[k - 1] == _SPACE:
                        break
                elif not (_joint(sep) or sep in (_LINE, _OPEN, _CLOSE)):
                    break
                k += 1
            if k == to or not is_digit(data[k]):
                break
            mark[groups - 1] = 0 if k - to > 1 else (_SPACE if data[to] == _LINE else data[to])
            to = k
            while is_digit(data[to]):
                to += 1
            size[groups] = to - k
            total += to - k
            groups += 1
        dotted = groups >= 4 and mark[0] == mark[1] == mark[2] == _DOT
        if (total < 5 and not dotted) or (
            groups == 1 and data[to] == _DOT and is_digit(data[to + 1])
        ):
            continue
        zipped = length == 5 and before == _SPACE and _capitals(data, start)
        if (
            zipped
            or _shaped(data, start, size, mark, groups, total)
            or worded_near(data, start, to, words, deep, left, right)
        ):
            found[count, 0] = NOTHING
            found[count, 1] = start
            count += 1
    return found[:count]


@_compiled
def worded_near(  # noqa: PLR0913 - arrays of a kernel
    data: Any, start: int, end: int, words: Any, deep: Any, left: int, right: int
) -> bool:
    """Whether a word of the table stands close by, in the same row."""
    low = start
    while low > 1 and start - low < left and data[low - 1] != 0:
        low -= 1
    if worded(data, max(low, 1), start, words, deep):
        return True
    high = end
    while high < len(data) and high - end < right and data[high] != 0 and data[high] != 10:
        high += 1
    return worded(data, end, high, words, deep)


@_compiled
def near_digit(data: Any, places: Any, before: Any, behind: Any) -> Any:
    """Which places have a digit within so many bytes, in the same row: bool (n,)."""
    kept = np.zeros(len(places), dtype=np.bool_)
    for n in range(len(places)):
        at = places[n]
        if before[n] == 0 and behind[n] == 0:
            kept[n] = True
            continue
        k = at
        while k >= 0 and at - k <= before[n] and data[k] != 0 and not kept[n]:
            kept[n] = is_digit(data[k])
            k -= 1
        k = at
        while k < len(data) and k - at <= behind[n] and data[k] != 0 and not kept[n]:
            kept[n] = is_digit(data[k])
            k += 1
    return kept
