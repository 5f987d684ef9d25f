"""Where a form may start: every place where its lead matches. Two engines, one answer.

Hyperscan reads the text once for all forms; without it, the standard library reads it once per
form. What either returns is only where to look: `Form.at` decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, cast

from halocline_governance.detect.scratch import by_thread
from halocline_governance.detect.secrets.format import Form

Anchors = Callable[[bytes], list[tuple[int, int]]]
"""The (place, number of the form) pairs of a text, sorted, each once."""


def engine(forms: Sequence[Form], name: str | None = None) -> Anchors:
    """`hyperscan` or `stdlib`; without a name, hyperscan where it is installed."""
    if name != "stdlib":
        try:
            return _hyperscan(tuple(forms))
        except ImportError:
            if name is not None:
                raise
    return lambda data: sorted(set(_found(tuple(forms), data)))


def _found(forms: tuple[Form, ...], data: bytes) -> Iterator[tuple[int, int]]:
    for number, (form, pattern) in enumerate(zip(forms, _patterns(forms), strict=True)):
        if pattern is not None:
            for match in pattern.finditer(data):
                yield match.end(), number
        for literal in form.literals:
            at = data.find(literal)
            while at >= 0:
                if at >= form.back:
                    yield at - form.back, number
                at = data.find(literal, at + 1)


@cache
def _patterns(forms: tuple[Form, ...]) -> list[re.Pattern[bytes] | None]:
    return [
        None if form.literals else re.compile(form.left + b"(?=" + form.lead + b")")
        for form in forms
    ]


@cache
def _hyperscan(forms: tuple[Form, ...]) -> Anchors:
    import hyperscan

    module = cast(Any, hyperscan)
    database = module.Database()
    database.compile(
        expressions=[form.left + form.lead for form in forms],
        ids=list(range(len(forms))),
        elements=len(forms),
        flags=[0] * len(forms),
    )
    scan = by_thread(database)
    widths = [form.width for form in forms]

    def anchors(data: bytes) -> list[tuple[int, int]]:
        found: set[tuple[int, int]] = set()

        def seen(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.add((end - widths[number], number))

        scan(data, seen)
        return sorted(found)

    return anchors
