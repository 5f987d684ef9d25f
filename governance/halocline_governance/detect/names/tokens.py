"""Cuts UTF-8 text into segments and tokens, each by a rule that looks at bounded text only.

A chunk is a run without white space of at most 256 bytes. Segments begin at chunks: after a blank
line, an indented line or the end of a short one, behind a sentence's end, and when 160 tokens or
768 bytes are full. So each segment is decoded alone, and a stream holds back the last one.
"""

# ruff: noqa: C901, PLR0913 - compiled code: its tables come as arguments, one by one

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halocline_governance.detect.names.alphabet import class_of, code_at, folded_of, length
from halocline_governance.detect.names.compiled import part

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Columns of a token.
START, END, KIND, GAP, WORD, HEAD, TAIL, SHAPE, BITS, CLUSTER, SIZE = range(11)
COLUMNS = 11
# Kinds.
K_LOWER, K_TITLE, K_CAPS, K_MIXED, K_INITIAL, K_NUMBER, K_PUNCT, K_URL, K_HANDLE, K_LETTER = range(
    10
)
# Gaps before a token.
NONE, BLANK, WIDE, LINE = range(4)

MAX_TOKENS, MAX_BYTES, MAX_CHUNK, WRAPPED = 160, 768, 256, 60
CAPACITY = MAX_TOKENS + MAX_CHUNK
BEHIND = WRAPPED + 4
M32 = 0xFFFFFFFF


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Words that keep the dot behind them, by their folded letters.
DOTTED = _words(
    "mr mrs ms dr prof st jr sr inc corp ltd co llc plc cie bros mt ft gen col sgt capt lt "
    "rev hon sen rep gov pres messrs mme mlle ave blvd rd vs dept univ assn est ph esq mfg "
    "intl natl gmbh pvt sp no"
)


def hashed(word: str) -> int:
    """The hash that a token of these folded characters has."""
    value = 0x811C9DC5
    for char in word:
        value = ((value ^ ord(char)) * 0x01000193) & M32
    return value


@part
def gap_at(
    data: NDArray[Any], at: int, end: int, row: int, classes: NDArray[Any]
) -> tuple[int, int]:
    """Where the white space from `at` ends, at most 256 bytes on, and what gap it is; 4 cuts."""
    place, lines, line, behind, wide = at, 0, 0, 0, 0
    while place < end and place - at < 256:
        size = length(data[place])
        if class_of(code_at(data, place, size), classes) != 0:
            break
        byte = data[place]
        if byte == 10 or byte == 12:
            lines += 2 if byte == 12 else 1
            line, behind = place, 0
        else:
            behind += 1
            if byte == 9:
                wide = 1
        place += size
    if place - at >= 256 or lines > 1:
        return place, 4
    if lines == 1:
        if behind >= 8 or line - 60 < row:
            return place, 4
        for back in range(line - 60, line):
            if data[back] == 10 or data[back] == 12:
                return place, 4
        return place, 3
    if place == at:
        return place, 0
    return place, 2 if wide == 1 or place - at >= 3 else 1


@part
def segment_at(
    data: NDArray[Any],
    at: int,
    end: int,
    row: int,
    classes: NDArray[Any],
    folded: NDArray[Any],
    dotted: NDArray[Any],
    tokens: NDArray[Any],
) -> tuple[int, int, int]:
    """The segment at or behind `at`: where the next begins, its tokens, whether it is closed.

    Args:
        data: UTF-8; `at` is the row's start or was a segment's end.
        end: of the row, or of what is known of it.
        row: its start, or of what is known of it (BEHIND bytes before `at` are enough).
        tokens: filled, at most CAPACITY rows.
    """
    place, gap = gap_at(data, at, end, row, classes)
    if place - at >= 256:
        return place, 0, 1
    count, first, ended, gap = 0, place, False, 0
    while place < end:
        size = length(data[place])
        kind = class_of(code_at(data, place, size), classes)
        if count > 0 and (
            gap == 4
            or (ended and kind != 1 and gap != 0)
            or (gap == 3 and kind != 1 and kind != 2 and kind != 3)
            or count >= 160
            or place - first >= 768
        ):
            return place, count, 1
        stop = place
        link = False
        while stop < end and stop - place < 253:
            size = length(data[stop])
            byte = data[stop]
            if class_of(code_at(data, stop, size), classes) == 0:
                break
            link = link or byte == 64 or (byte == 47 and stop > place and data[stop - 1] == 47)
            stop += size
        count, ended = _chunk(
            data, place, stop, gap, link, ended, classes, folded, dotted, tokens, count
        )
        place, gap = gap_at(data, stop, end, row, classes)
        if place - stop >= 256:
            return place, count, 1
    return place, count, 0


@part
def _chunk(
    data: NDArray[Any],
    at: int,
    stop: int,
    gap: int,
    link: bool,
    ended: bool,
    classes: NDArray[Any],
    folded: NDArray[Any],
    dotted: NDArray[Any],
    tokens: NDArray[Any],
    count: int,
) -> tuple[int, bool]:
    """Adds the tokens of a chunk; how many there are now, and whether a sentence ended."""
    fresh = link
    while at < stop:
        size = length(data[at])
        code = code_at(data, at, size)
        kind = class_of(code, classes)
        token = tokens[count]
        token[GAP] = gap
        token[START] = at
        gap = 0
        if fresh and kind != 4:
            tail = _link(data, at, stop)
            if tail > at:
                _plain(token, tail, 7, 0)
                count, at, fresh, ended = count + 1, tail, False, False
                continue
            fresh = False
        if (code == 64 or code == 35) and at + 1 < stop and _name_byte(data[at + 1]):
            tail = at + 1
            while tail < stop and _name_byte(data[tail]):
                tail += 1
            _plain(token, tail, 8, 0)
            ended = False
        elif kind == 1 or kind == 2 or kind == 3:
            tail = _word(data, at, stop, kind, classes, folded, dotted, token)
            ended = False
        elif kind == 5:
            tail = at
            while tail < stop:
                size = length(data[tail])
                found = class_of(code_at(data, tail, size), classes)
                if found != 5 and found != 6:
                    break
                tail += size
            _plain(token, tail, 9, 0)
            ended = False
        else:
            tail = at + size
            while tail < stop and data[tail] == data[at] and size == 1:
                tail += 1
            if (code == 39 or code == 0x2019) and tail < stop and _possessive(data, tail, stop):
                tail += 1
            _plain(token, tail, 6, code)
            if code == 46 or code == 33 or code == 63 or code == 0x2026:
                ended = True
            elif not (
                code == 34
                or code == 39
                or code == 41
                or code == 93
                or code == 0x201D
                or code == 0x2019
            ):
                ended = False
            fresh = link
        count, at = count + 1, tail
    return count, ended


@part
def _plain(token: NDArray[Any], end: int, kind: int, code: int) -> None:
    token[END], token[KIND], token[WORD] = end, kind, (kind * 0x10001 + code * 31) & M32
    token[HEAD], token[TAIL], token[SHAPE] = code, code, kind
    token[SIZE] = 1


@part
def _name_byte(byte: int) -> bool:
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95 or byte >= 0x80


@part
def _link(data: NDArray[Any], at: int, stop: int) -> int:
    """Where the address that begins here ends; `at` if none does."""
    tail, found = at, False
    while tail < stop:
        byte = data[tail]
        if (
            byte == 44 or byte == 59 or byte == 124 or byte == 60 or byte == 62
            or byte == 40 or byte == 41 or byte == 34 or byte == 39 or byte == 61
        ):  # fmt: skip
            break
        if byte == 64 and tail > at:
            found = True
        if byte == 47 and tail > at and data[tail - 1] == 47:
            found = True
        tail += 1
    if not found:
        return at
    while tail > at and (data[tail - 1] == 46 or data[tail - 1] == 58 or data[tail - 1] == 33):
        tail -= 1
    return tail


@part
def _word(
    data: NDArray[Any],
    at: int,
    stop: int,
    kind: int,
    classes: NDArray[Any],
    folded: NDArray[Any],
    dotted: NDArray[Any],
    token: NDArray[Any],
) -> int:
    """Reads the word or number at `at` into `token`; where it ends."""
    value, head, tail, shape, size = 0x811C9DC5, 0, 0, 0, 0
    uppers, lowers, digits, last, place, number = 0, 0, 0, 0, at, kind == 3
    while place < stop:
        step = length(data[place])
        code = code_at(data, place, step)
        found = class_of(code, classes)
        if found == 4:
            after = 4
            if place + step < stop:
                after = class_of(code_at(data, place + step, length(data[place + step])), classes)
            if code == 39 or code == 0x2019:
                if number or (after != 1 and after != 2) or _possessive(data, place + step, stop):
                    break
            elif code == 95:
                if after == 4:
                    break
            elif number and lowers + uppers == 0:
                if after != 3 or not (45 <= code <= 47 or code == 44 or code == 58):
                    break
            else:
                break
        elif found == 0 or found == 5:
            break
        if found != 6:
            letter = folded_of(code, folded)
            value = ((value ^ letter) * 0x01000193) & M32
            if size < 4:
                head = head << 8 | letter & 0xFF
            tail = (tail << 8 | letter & 0xFF) & M32
            size += 1
            uppers += 1 if found == 2 else 0
            lowers += 1 if found == 1 else 0
            digits += 1 if found == 3 else 0
            if found != last and shape < 0x1000:
                shape = shape * 8 + found
            last = found
        place += step
    token[WORD], token[HEAD], token[TAIL], token[SIZE] = value, head, tail, size
    name = 0
    if uppers == 0:
        name = 5 if digits > 0 else 0
    elif lowers == 0:
        name = 2
    else:
        first = kind == 2
        name = 1 if first and uppers == 1 else 3
    if place < stop and data[place] == 46 and digits == 0:
        if size == 1:
            place = _initials(data, place, stop, token)
            name = 4 if uppers == 1 else 0
            shape = shape * 8 + 7
        else:
            for index in range(len(dotted)):
                if dotted[index] == value:
                    place += 1
                    break
    token[END], token[KIND], token[SHAPE] = place, name, shape
    return place


@part
def _initials(data: NDArray[Any], dot: int, stop: int, token: NDArray[Any]) -> int:
    """Behind the dot of `J.` or the last of `U.S.A.`; the letters go into the token's hash."""
    place = dot + 1
    while (
        place + 1 < stop
        and data[place + 1] == 46
        and (65 <= data[place] <= 90 or 97 <= data[place] <= 122)
    ):
        letter = int(data[place]) | 32
        token[WORD] = ((token[WORD] ^ letter) * 0x01000193) & M32
        token[TAIL] = (token[TAIL] << 8 | letter) & M32
        token[SIZE] += 1
        place += 2
    return place


@part
def _possessive(data: NDArray[Any], at: int, stop: int) -> bool:
    """Whether an s that ends the word stands here."""
    if data[at] != 115 and data[at] != 83:
        return False
    return at + 1 == stop or not _name_byte(data[at + 1])
