"""The rule at a number: every shape that may start there, also where a value is wrapped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from halocline_governance.detect.kinds import money, national, network, phone, towns
from halocline_governance.detect.kinds.shape import (
    WRAP,
    Hit,
    Rule,
    Shape,
)
from halocline_governance.detect.kinds.words import beside, gate

_NOWHERE = (0, -1)
_SURE = 0.8


def tried_at(shapes: tuple[Shape, ...], text: str, at: int) -> Iterator[Hit]:
    """What these find here; one whose words are nowhere near is not tried.

    Nor is a match judged that lies within a sure finding of the same kind, as it would add nothing.
    """
    window = beside(text)
    covered, low = window.read.covered, window.low
    for shape in shapes:
        if shape.words is not None and not window.standing & shape.words.bit:
            continue
        match = shape.pattern.match(text, at)
        if match is None:
            continue
        start, end = covered.get(shape.kind, _NOWHERE)
        if start <= match.start() + low and match.end() + low <= end:
            continue
        hit = shape.judge(match)
        if hit is not None:
            if hit.score >= _SURE:
                covered[hit.kind] = hit.start + low, hit.end + low
            yield hit


def led(shapes: Iterable[Shape], first: str, run: int) -> tuple[Shape, ...]:
    """Those that may match where so many digits start, or a sign (a run of 0), with this byte."""
    return tuple(
        shape
        for shape in shapes
        if first in shape.first and (run == 0 or not shape.runs or run in shape.runs)
    )


def number(text: str, at: int) -> Iterator[Hit]:
    """All that begins with a digit; phones also with the signs before it."""
    signed = at
    while signed > 0 and at - signed < 3 and text[signed - 1] in "(+ ":
        if text[signed - 1] == " " and text[signed - 2 : signed - 1] != "+":
            break
        signed -= 1
    for start in range(signed, at):
        yield from tried_at(_led(text[start], 0), text, start)
    run = _digits.match(text, at)
    size = run.end() - at if run is not None else 0
    yield from tried_at(_led(text[at], size), text, at)
    if size <= 3 and text[at + size : at + size + 1] == ".":
        yield from _range(text, at)
    if size == 5:
        yield from towns.zipped(text, at)


_to = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}[-/](?=(?:\d{1,3}\.){3}\d)")


_last = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)")


def _range(text: str, at: int) -> Iterator[Hit]:
    """The last address of a range or a pair, which starts right behind the first."""
    first = _to.match(text, at)
    if first is None or network.IPV4.at(text, at) is None:
        return
    last = _last.match(text, first.end())
    if last is not None and all(int(octet) < 256 for octet in last[0].split(".")):
        yield Hit(last.start(), last.end(), "ip", 0.85)


_digits = re.compile("[0-9]+")
_NUMBERS = (*phone.PREFIXED, *money.ACCOUNTS, *national.NATIONAL, network.IPV4)
gate(shape.words for shape in _NUMBERS if shape.words is not None)


@cache
def _led(first: str, run: int) -> tuple[Shape, ...]:
    return led(_NUMBERS, first, run)


_UNBROKEN = frozenset(("bank_account", "url", "street_address", "postcode", "ip"))


_begun = re.compile(r"[A-Za-z]{0,3}[0-9 ().+/-]*(?:[A-Z]{1,4}[0-9 .-]*){0,2}\Z")


def broken(rule: Rule) -> Rule:
    """The rule, also for a value that is wrapped once over a line: then only if it is sure."""

    def both(text: str, at: int) -> Iterator[Hit]:
        yield from rule(text, at)
        line = text.find("\n", at, at + WRAP)
        if line < 0 or not text[line + 1 : line + 2].isalnum() or not _begun.match(text, at, line):
            return
        whole = text[:line] + " " + text[line + 1 :]
        beside(text).joined(whole)
        for hit in rule(whole, at):
            sure = hit.score >= 0.85 if hit.kind == "phone" else hit.kind not in _UNBROKEN
            if hit.start < line < hit.end and sure:
                yield hit

    return both
