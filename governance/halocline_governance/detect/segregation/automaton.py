"""Many words sought at once in texts' form: the automaton of Aho and Corasick (1975), compiled.

It runs over codes, so neither marks nor spaces count; what stands between the letters of a hit is
judged here too. A long name is sought by its halves: if one letter differs, one half is whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.segregation.compiled import Bytes, Mask, Places
    from halocline_governance.detect.segregation.form import Form
    from halocline_governance.detect.segregation.restricted import Pattern

    Steps = NDArray[np.int32]

WHOLE, HEAD, TAIL = 0, 1, 2
_SPACED, _LOOSE = 3, 7


@dataclass(frozen=True, slots=True)
class Automaton:
    """`steps[state + symbol[code]]` is the next state; those from `begun` on have outputs,
    `outputs[ends[row]:ends[row + 1]]` for row `state // width`, each `pattern * 3 + part`."""

    symbol: Bytes
    steps: Steps
    width: int
    begun: int
    ends: Places
    outputs: Places
    codes: Bytes
    limits: Places
    begins: NDArray[np.bool_]
    longest: int

    @classmethod
    def of(cls, patterns: Sequence[Pattern]) -> Automaton:
        sought = [(p.codes, n * 3 + WHOLE) for n, p in enumerate(patterns)]
        for n, p in enumerate(patterns):
            if p.fuzzy:
                half = len(p.codes) // 2
                sought += [(p.codes[:half], n * 3 + HEAD), (p.codes[half:], n * 3 + TAIL)]
        symbol = np.zeros(256, dtype=np.uint8)
        used = sorted({code for word, _ in sought for code in word})
        symbol[used] = np.arange(1, len(used) + 1)
        width = len(used) + 1
        steps, out, begun = _grown([([int(symbol[c]) for c in w], n) for w, n in sought], width)
        limits = np.cumsum([0, *(len(p.codes) for p in patterns)]).astype(np.int64)
        begins = np.zeros(int(limits[-1]), dtype=np.bool_)
        for number, pattern in enumerate(patterns):
            begins[limits[number] + np.array(pattern.begins, dtype=np.int64)] = True
        return cls(
            symbol,
            steps,
            width,
            begun,
            np.cumsum([0, *map(len, out)]).astype(np.int64),
            np.array([n for row in out for n in row], dtype=np.int64),
            np.frombuffer(b"".join(p.codes for p in patterns), dtype=np.uint8),
            limits,
            begins,
            max((len(p.codes) for p in patterns), default=0) + 1,
        )

    def hits(self, data: Bytes, form: Form) -> tuple[Places, Places, Places]:
        """Patterns, and the codes from which and up to which each stands; word borders and what
        stands between the letters are seen to."""
        met = self._met(form)
        room = 1024
        while True:
            out = tuple(np.empty(room, dtype=np.int64) for _ in range(3))
            count = _hits(
                (data, form.codes, form.where, form.firsts),
                (self.ends, self.outputs, self.limits, self.width),
                met,
                (self.codes, self.begins),
                (out[0], out[1], out[2]),
            )
            if count <= room:
                return out[0][:count], out[1][:count], out[2][:count]
            room = count

    def _met(self, form: Form) -> tuple[Places, Steps]:
        """Where something ends that is sought, and the state there."""
        room = 1024 + len(form) // 16
        while True:
            places, states = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int32)
            table = (self.steps, self.begun, self.longest)
            count = _met(form.codes, self.symbol, table, (places, states))
            if count <= room:
                return places[:count], states[:count]
            room = count


def _grown(
    words: Sequence[tuple[list[int], int]], width: int
) -> tuple[Steps, list[list[int]], int]:
    """The complete table of steps, each state's outputs, and the first state that has any: those
    come last. A state is the place of its row in the table."""
    nexts: list[dict[int, int]] = [{}]
    out: list[list[int]] = [[]]
    for word, number in words:
        state = 0
        for step in word:
            if step not in nexts[state]:
                nexts[state][step] = len(nexts)
                nexts.append({})
                out.append([])
            state = nexts[state][step]
        out[state].append(number)
    steps = np.zeros((len(nexts), width), dtype=np.int64)
    fails = [0] * len(nexts)
    queue = deque([0])
    while queue:
        state = queue.popleft()
        steps[state] = steps[fails[state]] if state else 0
        for step, target in nexts[state].items():
            fails[target] = int(steps[state, step]) if state else 0
            steps[state, step] = target
            queue.append(target)
        out[state] = out[state] + (out[fails[state]] if state else [])
    order = sorted(range(len(nexts)), key=lambda state: bool(out[state]))
    place = np.empty(len(nexts), dtype=np.int64)
    place[order] = np.arange(len(nexts))
    told = [out[state] for state in order]
    begun = next((at for at, some in enumerate(told) if some), len(told))
    return (place[steps[order]] * width).astype(np.int32).reshape(-1), told, begun * width


@kernel
def _met(
    codes: Bytes, symbol: Bytes, table: tuple[Steps, int, int], out: tuple[Places, Steps]
) -> int:
    """Where a state that has outputs is reached, and which; in no order, across stretches too.

    Each step waits for the one before it, so four parts of the text are gone through at once. Each
    part begins `longest` codes early: by then its state is what it would be from the start.
    """
    steps, begun, longest = table
    size = len(codes) // 4
    size = size if size >= longest else 0
    places, states = out
    last = len(places) - 1
    s0 = s1 = s2 = s3 = np.int32(0)
    if size:
        for at in range(size - longest, size):
            s1 = steps[s1 + np.int32(symbol[codes[at]])]
            s2 = steps[s2 + np.int32(symbol[codes[at + size]])]
            s3 = steps[s3 + np.int32(symbol[codes[at + 2 * size]])]
    count = 0
    for at in range(size):
        s0 = steps[s0 + np.int32(symbol[codes[at]])]
        s1 = steps[s1 + np.int32(symbol[codes[at + size]])]
        s2 = steps[s2 + np.int32(symbol[codes[at + 2 * size]])]
        s3 = steps[s3 + np.int32(symbol[codes[at + 3 * size]])]
        if (s0 >= begun) | (s1 >= begun) | (s2 >= begun) | (s3 >= begun):
            # As many as there is room for, or more, which the caller sees by the count.
            for part, state in enumerate((s0, s1, s2, s3)):
                if state >= begun:
                    places[min(count, last)], states[min(count, last)] = at + part * size, state
                    count += 1
    for at in range(4 * size, len(codes)):
        s3 = steps[s3 + np.int32(symbol[codes[at]])]
        if s3 >= begun:
            places[min(count, last)], states[min(count, last)] = at, s3
            count += 1
    return count


@kernel
def _hits(
    text: tuple[Bytes, Bytes, Places, Places],
    graph: tuple[Places, Places, Places, int],
    met: tuple[Places, Steps],
    words: tuple[Bytes, NDArray[np.bool_]],
    out: tuple[Places, Places, Places],
) -> int:
    where, firsts = text[2], text[3]
    ends, outputs, limits, width = graph
    count = 0
    opens = np.zeros(len(where) + 1, dtype=np.bool_)
    for first in firsts:
        opens[first] = True
    for number in range(len(met[0])):
        at, row = met[0][number], met[1][number] // width
        for entry in range(ends[row], ends[row + 1]):
            pattern, part = outputs[entry] // 3, outputs[entry] % 3
            low, high = limits[pattern], limits[pattern + 1]
            size = high - low
            begins = at + 1 - (size // 2 if part == HEAD else size)
            # Most stand within a word: neither what begins nor what ends there is at a border.
            if part != TAIL and (begins < 0 or _inner(where, opens, begins)):
                continue
            if part != HEAD and _inner(where, opens, at + 1):
                continue
            stretch = _stretch(firsts, at)
            spread = 0 if part == WHOLE else 1
            for length in range(size - spread, size + spread + 1):
                start = begins if part == HEAD else at + 1 - length
                border = (int(firsts[stretch]), int(firsts[stretch + 1]), start, start + length)
                word = (words[0][low:high], words[1][low:high])
                if _stands(text, word, part, border):
                    if count < len(out[0]):
                        out[0][count], out[1][count] = pattern, start
                        out[2][count] = start + length
                    count += 1
    return count


@kernel
def _stretch(firsts: Places, at: int) -> int:
    """The stretch that this code stands in."""
    low, high = 0, len(firsts) - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if firsts[middle] <= at:
            low = middle
        else:
            high = middle
    return low


@kernel
def _inner(where: Places, opens: Mask, at: int) -> bool:
    """Whether nothing at all stands before this code but the code before it, of one byte. Rows
    follow on each other without a byte between, so a stretch's start is looked up."""
    return bool(at < len(where) and not opens[at] and where[at] - where[at - 1] <= 1)


@kernel
def _stands(
    text: tuple[Bytes, Bytes, Places, Places],
    word: tuple[Bytes, NDArray[np.bool_]],
    part: int,
    border: tuple[int, int, int, int],
) -> bool:
    """Whether the codes between the borders, of which `part` was met, are the word in its place."""
    first, stop, start, end = border
    if start < first or end > stop:
        return False
    if start > first and _gap(text, start) == 0:
        return False
    if end < stop and _gap(text, end) == 0:
        return False
    if part == WHOLE:
        return _set(text, word[1], start)
    return _close(text[1][start:end], word[0]) and _joined(text, word[1], start, end)


@kernel
def _set(text: tuple[Bytes, Bytes, Places, Places], begins: NDArray[np.bool_], start: int) -> bool:
    """Whether what stands between the letters may stand there: between words anything; within
    words nothing, or something everywhere, or in long names marks, or a line's hyphen."""
    marks = spaces = breaks = inner = 0
    for at in range(1, len(begins)):
        if not begins[at]:
            inner += 1
            gap = _gap(text, start + at)
            marks += gap == 1
            spaces += gap == 2
            breaks += gap == 3
    if marks + spaces + breaks == 0 or (spaces == 0 and marks == 0 and breaks == 1):
        return True
    if marks + spaces + breaks == inner and len(begins) >= _SPACED:
        return True
    return spaces == 0 and len(begins) >= _LOOSE


@kernel
def _joined(
    text: tuple[Bytes, Bytes, Places, Places], begins: NDArray[np.bool_], start: int, end: int
) -> bool:
    """Whether it is one word, or as many as the name, each begun where the name's is, or beside."""
    gaps = 0
    for at in range(1, end - start):
        if _gap(text, start + at) > 0:
            gaps += 1
            if not begins[at - 1 : at + 2].any() or at == 1:
                return False
    return gaps == 0 or gaps == begins.sum() - 1


@kernel
def _close(codes: Bytes, pattern: Bytes) -> bool:
    """Whether exactly one letter is missing, added or another."""
    short, long = len(codes), len(pattern)
    at = 0
    while at < min(short, long) and codes[at] == pattern[at]:
        at += 1
    behind = 0
    while (
        behind < min(short, long) - at and codes[short - 1 - behind] == pattern[long - 1 - behind]
    ):
        behind += 1
    return max(short, long) - at - behind == 1


@kernel
def _gap(text: tuple[Bytes, Bytes, Places, Places], at: int) -> int:
    """What stands before this code: 0 nothing to see, 1 marks, 2 white space too, 3 a hyphen and a
    line's end."""
    data, _, where, _ = text
    place, stop = where[at - 1], where[at]
    if place == stop:
        return 0
    place += 1
    while place < stop and (data[place] & 0xC0) == 0x80:
        place += 1
    kind, hyphen = 0, False
    while place < stop:
        byte = data[place]
        if byte == 10 and hyphen and kind < 2:
            return 3
        hyphen = byte == 45 or (hyphen and byte == 13)
        seen, length = _seen(data, place, stop)
        kind = max(kind, seen)
        place += length
    return kind


@kernel
def _seen(data: Bytes, at: int, stop: int) -> tuple[int, int]:
    """Of a character that has no code: 0 invisible, 1 a mark, 2 white space; and its bytes."""
    byte = int(data[at])
    if byte < 128:
        if byte == 32 or 9 <= byte <= 13:
            return 2, 1
        return (0 if byte < 32 or byte == 127 else 1), 1
    length = 2 + (byte >= 0xE0) + (byte >= 0xF0)
    point = byte & (0x3F >> (length - 1))
    for place in range(at + 1, min(at + length, stop)):
        point = point << 6 | (int(data[place]) & 0x3F)
    if point in (0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000) or 0x2000 <= point <= 0x200A:
        return 2, length
    hidden = point == 0xAD or 0x300 <= point <= 0x36F or 0x200B <= point <= 0x200F
    hidden = hidden or 0x202A <= point <= 0x202E or 0x2060 <= point <= 0x206F
    hidden = hidden or 0xFE00 <= point <= 0xFE0F or point == 0xFEFF or point >= 0xE0000
    return (0 if hidden else 1), length
