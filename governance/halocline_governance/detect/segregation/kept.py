"""How much of an unfinished text is decided, and how much of it must be kept for what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.form import GAP
from halocline_governance.detect.segregation.naming import AROUND

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes
    from halocline_governance.detect.segregation.form import Form

_CODES = 160
"""Codes before a place that what is found from there on can depend on, and some to spare: the
windows that are chosen (four spans and a window: 38), the names around it (twice 65)."""


def closed(data: Bytes, form: Form, ended: bool) -> bool:
    """Whether the last stretch can't go on."""
    return ended or not len(form) or len(data) - int(form.where[-1]) > GAP


def names(data: Bytes, form: Form, longest: int, floor: int, ended: bool) -> int:
    """The byte before which every name that begins is known, with all that stands beside it."""
    if ended or not longest:
        return len(data)
    decided = len(data) - AROUND
    if not closed(data, form, ended):
        first = max(int(form.firsts[-2]), len(form) - longest - 1)
        decided = min(decided, int(form.where[first]))
    return max(floor, _begin(data, max(decided, 0)))


def start(data: Bytes, form: Form, floor: int) -> int:
    """The byte from which on the text is needed, if nothing before `floor` is asked any more."""
    place = int(np.searchsorted(form.where, floor))
    needed = floor - GAP
    if place < len(form):
        stretch = int(np.searchsorted(form.firsts, place, side="right")) - 1
        first = int(form.firsts[stretch])
        back = place - _CODES
        needed = min(needed, int(form.where[max(back, first)]) - (GAP if back < first else 0))
    return _begin(data, max(needed, 0))


def _begin(data: Bytes, at: int) -> int:
    """This place, or the start of the character that it lies in."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at
