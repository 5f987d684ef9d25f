"""The loops that find words of letters and digits worth a look, and house numbers before a road.

Compiled by numba; called from `number_kernel` at each run of digits that has a letter beside it.
They only sift: the rules of `lettered`, `crypto`, `money`, `papers` and `postal` decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    def _compiled(function: Callable[..., Any]) -> Callable[..., Any]: ...

else:
    _compiled = numba.njit(cache=True, boundscheck=False, nogil=True)

NOTHING, LETTERED, COIN, IBAN, BRITISH = 0, 1, 2, 3, 4
_SPACE, _DASH, _DOT = 32, 45, 46
_LONGEST = 112
_STREET = 64


@_compiled
def is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@_compiled
def letter(byte: int) -> int:
    """0 to 25, or -1."""
    low = byte | 0x20
    return low - 97 if 97 <= low <= 122 else -1


@_compiled
def is_word(byte: int) -> bool:
    return is_digit(byte) or letter(byte) >= 0 or byte == 95 or byte == 0xFF


@_compiled
def _alnum(byte: int) -> bool:
    return is_digit(byte) or letter(byte) >= 0


@_compiled
def _gap(byte: int) -> bool:
    return byte in (_SPACE, _DASH, 10)


@_compiled
def _broken(data: Any, low: int, high: int) -> bool:
    """Whether a row ends in between."""
    found = False
    for k in range(low, high):
        found = found or data[k] == 0
    return found


@_compiled
def mixed(data: Any, start: int, end: int, countries: Any) -> tuple[int, int, int]:  # noqa: C901 - one loop: calls would cost more
    """(what, place, end of the word) for the digits in between, which touch a letter."""
    low, high = start, end
    while start - low < _LONGEST and _alnum(data[low - 1]):
        low -= 1
    while high - low < _LONGEST and _alnum(data[high]):
        high += 1
    if is_word(data[low - 1]) or is_word(data[high]):
        return NOTHING, low, high
    size = high - low
    first, second = letter(data[low]), letter(data[low + 1])
    paired = first >= 0 and second >= 0 and low + 2 == start
    if paired and end - start >= 2 and countries[first * 26 + second]:
        apart = size <= 8 and (_gap(data[high]) or data[high] == _DOT)
        if size >= 15 or apart:
            return IBAN, low, high
    halved = (
        (data[high] == _SPACE or data[high] == 10)
        and is_digit(data[high + 1])
        and letter(data[high + 2]) >= 0
    )
    if size <= 4 and first >= 0 and halved:
        return BRITISH, low, high
    if size >= 26:
        return COIN, low, high
    digits = 0
    for k in range(low, high):
        digits += is_digit(data[k])
    if size >= 8 and digits >= 4:
        return LETTERED, low, high
    if size == 4 and data[high] == _DASH and digits >= 2 and is_digit(data[low]):
        return LETTERED, low, high
    if paired and size == 4 and _gap(data[high]) and is_digit(data[high + 1]):
        return LETTERED, low, high
    if low > 8 and _broken(data, low - 8, low):
        return NOTHING, low, high
    if size == 5 and data[low - 1] == _SPACE and data[low - 5] == _SPACE and data[high] == _SPACE:
        return LETTERED, low - 8, high
    if size == 2 and data[low] == 50 and data[low - 1] == _SPACE and data[high] == _SPACE:
        return LETTERED, low - 8, high
    return NOTHING, low, high


@_compiled
def spaced(data: Any, start: int, end: int) -> int:
    """Where an id starts whose letters stand apart from the digits in between; 0 if none does."""
    size = end - start
    before, behind = data[start - 1], data[end]
    if _gap(before) and letter(data[start - 2]) >= 0:
        if size == 7 and not is_word(data[start - 3]):
            return start - 2
        lone = letter(data[start - 3]) >= 0 and not is_word(data[start - 4])
        if lone and (size == 6 or (size == 2 and _gap(behind) and is_digit(data[end + 1]))):
            return start - 3
    if is_word(before):
        return 0
    if size == 8 and _gap(behind) and letter(data[end + 1]) >= 0 and not is_word(data[end + 2]):
        return start
    if size == 2 and behind == _DOT and data[end + 4] == _DOT:
        k = end + 8
        if letter(data[k]) >= 0 or (_gap(data[k]) and letter(data[k + 1]) >= 0):
            return start
    apart = behind == _SPACE and data[end + 7] == _SPACE and data[end + 9] == _SPACE
    if size == 2 and apart and letter(data[end + 8]) >= 0:
        return start
    return 0


@_compiled
def named(data: Any, places: Any, table: Any, left: int, right: int) -> tuple[Any, Any, Any]:
    """The words near the places that may be of a group, each once, and which are near each place.

    Args:
        places: int64 (n,), in order.
        table: int64, by the first three letters of a word, base 27, 0 for none.
        left: how far before a place a word may start.
        right: how far behind it.

    Returns:
        `starts`: int64 (m,), of the words, in order.
        `bits`: int64 (m,), those of each word.
        `near`: int64 (n, 3): the bits of all words near each place; the number of the first of
            these words, and of the first behind them.
    """
    starts = np.empty(1024, dtype=np.int64)
    bits = np.empty(1024, dtype=np.int64)
    near = np.zeros((len(places), 3), dtype=np.int64)
    count, done, low = 0, 1, 0
    for n in range(len(places)):
        high = min(places[n] + right, len(data) - 3)
        for at in range(max(places[n] - left, done), high):
            first = letter(data[at])
            if first < 0:
                continue
            before = data[at - 1]
            inner = letter(before) >= 0 or before == 0xFF
            if inner and not (before >= 97 and before != 0xFF and data[at] < 97):
                continue
            second = letter(data[at + 1]) + 1
            third = letter(data[at + 2]) + 1 if second else 0
            known = table[((first + 1) * 27 + second) * 27 + third]
            if known == 0:
                continue
            if count == len(starts):
                starts = np.append(starts, starts)
                bits = np.append(bits, bits)
            starts[count] = at
            bits[count] = known
            count += 1
        done = max(done, high)
        while low < count and starts[low] < places[n] - left:
            low += 1
        last = count
        while last > low and starts[last - 1] >= high:
            last -= 1
        for k in range(low, last):
            near[n, 0] |= bits[k]
        near[n, 1] = low
        near[n, 2] = last
    return starts[:count], bits[:count], near


@_compiled
def housed(data: Any, places: Any) -> Any:
    """Before which places a house number and one to six words stand, in one phrase: bool (n,)."""
    kept = np.zeros(len(places), dtype=np.bool_)
    for n in range(len(places)):
        at = places[n]
        words = 0
        k = at - 1
        while k > 0 and at - k < _STREET and words < 7:
            byte = data[k]
            if byte == _SPACE:
                if data[k + 1] == _SPACE:
                    break
                words += 1
            elif not (is_word(byte) or byte in (_DOT, _DASH, 39, 47)):
                break
            if is_digit(byte) and words > 0:
                left = data[k - 1]
                if left == 44 and is_digit(data[k - 2]):
                    left = _DOT
                if not (is_word(left) or left in (_DOT, 36, _DASH)):
                    kept[n] = True
                    break
            k -= 1
    return kept
