"""From windows that a compartment holds to the runs that are reported.

A chain is chosen windows, one behind the other, all of which the compartment holds. The windows
around it that it does not hold bound how long the run in common can be. A chain is reported unless
that bound is below `RUN` characters: so no run of RUN is ever missed, and a phrase that is provably
shorter is not reported. One longer than `CAP` codes is cut, so that a stream need not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.compiled import kernel
from halocline_governance.detect.segregation.form import GAP, Form
from halocline_governance.detect.segregation.windows import SPAN, WIDTH

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Mask, Places
    from halocline_governance.detect.segregation.windows import Windows

    # Buffer, rows' offsets, bytes of the codes, first codes and rows of the stretches.
    World = tuple[Bytes, Places, Places, Places, Places]
    # Of the chosen windows: places, stretches, seen, whether held, whether allowed.
    Chosen = tuple[Places, Places, Places, Mask, Mask]

RUN, ENOUGH, CAP = 50, 36, 1024
# Why a chain ends: a window that is not held, the end of its stretch, or its length.
MISS, LAST, CUT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Chains:
    """What is reported: rows and byte places in the buffer; and where the next may begin."""

    rows: Places
    starts: Places
    ends: Places
    floor: int


def chains(
    text: tuple[Bytes, Places],
    form: Form,
    windows: Windows,
    held: tuple[Mask, Mask],
    bounds: tuple[int, bool],
) -> Chains:
    """The runs in common with a compartment.

    Args:
        text: the buffer and the rows' offsets.
        held: by window, whether the compartment holds it, and whether an allowed one does too.
        bounds: the byte from which on a run may begin, and whether the last row has ended.
    """
    floor, ended = bounds
    size = int(text[1][-1])
    open_ = not ended and len(form) > 0 and size - int(form.where[-1]) <= GAP
    starts, ends, rows = (np.empty(len(windows) + 1, dtype=np.int64) for _ in range(3))
    world = (*text, form.where, form.firsts, form.rows)
    chosen = (windows.places, windows.stretches, windows.seen, *held)
    count, floor = _chains(world, chosen, (rows, starts, ends), (floor, open_))
    if not open_ and not ended:
        floor = size
    return Chains(rows[:count], starts[:count], ends[:count], floor)


@kernel
def _chains(
    world: World, chosen: Chosen, out: tuple[Places, Places, Places], bounds: tuple[int, bool]
) -> tuple[int, int]:
    _, _, where, firsts, _ = world
    places, stretches, _, hit, _ = chosen
    floor, open_ = bounds
    count, first = 0, -1
    for number in range(len(places)):
        if first >= 0:
            alike = stretches[first] == stretches[number]
            if alike and hit[number]:
                if places[number] - places[first] <= CAP - WIDTH:
                    continue
                count = _report(world, chosen, out, (first, number, count, CUT))
                floor = _end(world[0], int(where[places[number - 1] + WIDTH - 1]))
            else:
                count = _report(world, chosen, out, (first, number, count, MISS if alike else LAST))
            first = -1
        if hit[number] and where[places[number]] >= floor:
            first = number
    last = len(firsts) - 2
    if first >= 0:
        if open_ and stretches[first] == last:
            return count, int(where[places[first]])
        count = _report(world, chosen, out, (first, len(places), count, LAST))
    if open_:
        begun = firsts[last]
        if len(places) and stretches[-1] == last:
            begun = places[-1] + 1
        floor = max(floor, int(where[begun]))
    return count, floor


@kernel
def _report(
    world: World,
    chosen: Chosen,
    out: tuple[Places, Places, Places],
    chain: tuple[int, int, int, int],
) -> int:
    """Write the chain down if it may be long enough and not all of it is allowed; the new count."""
    data, _, where, _, rows = world
    places, stretches, _, _, free = chosen
    first, behind, count, why = chain
    if why != CUT and not _long(
        world, _low(world, chosen, first), _high(world, chosen, behind, why)
    ):
        return count
    last = behind - 1
    while first < behind and free[first]:
        first += 1
    while last > first and free[last]:
        last -= 1
    if first < behind:
        out[0][count] = rows[stretches[first]]
        out[1][count] = where[places[first]]
        out[2][count] = _end(data, int(where[places[last] + WIDTH - 1]))
        count += 1
    return count


@kernel
def _low(world: World, chosen: Chosen, first: int) -> int:
    """The byte before which the run that this window is the first of can't begin: had it all the
    windows among which the one before was chosen, that one would be held too."""
    data, offsets, where, firsts, rows = world
    places, stretches, seen, hit, _ = chosen
    stretch = stretches[first]
    if first > 0 and stretches[first - 1] == stretch:
        if hit[first - 1]:
            return int(where[places[first - 1]])
        return _end(data, int(where[seen[first] - SPAN]))
    if stretch > 0 and rows[stretch - 1] == rows[stretch]:
        return _end(data, int(where[firsts[stretch] - 1]))
    return int(offsets[rows[stretch]])


@kernel
def _high(world: World, chosen: Chosen, behind: int, why: int) -> int:
    """The byte at which the run before this window has ended."""
    _, offsets, where, firsts, rows = world
    _, stretches, seen, _, _ = chosen
    if why == MISS:
        return int(where[seen[behind] + WIDTH - 1])
    stretch = stretches[behind - 1]
    if stretch + 1 < len(rows) and rows[stretch + 1] == rows[stretch]:
        return int(where[firsts[stretch + 1]])
    return int(offsets[rows[stretch] + 1])


@kernel
def _long(world: World, low: int, high: int) -> bool:
    """Whether RUN characters lie there, or ENOUGH letters and digits."""
    data, _, where, _, _ = world
    if np.searchsorted(where, high) - np.searchsorted(where, low) >= ENOUGH:
        return True
    count = 0
    for at in range(low, high):
        count += (int(data[at]) & 0xC0) != 0x80
        if count >= RUN:
            return True
    return False


@kernel
def _end(data: Bytes, at: int) -> int:
    """Where the character that begins here ends."""
    at += 1
    while at < len(data) and (int(data[at]) & 0xC0) == 0x80:
        at += 1
    return at
