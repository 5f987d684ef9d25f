"""The vocabulary of a rule: a shape matched at a place, and a check that scores it.

A rule sees a window of folded text: one byte a character, LEFT before the place that an anchor
or a number gave it and REACH behind. What it says depends on nothing else, which is why batch,
text and stream agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from halocline_governance.detect.kinds.words import Words

LEFT = 112
NEAR = 64
RIGHT = 32
REACH = 640
AHEAD = 224
"""How far behind its anchor a value may start."""
SHORT = 64
"""The same of a number or an id: a BIC stands behind an IBAN."""
BEHIND = AHEAD + LEFT + 8
STRETCH = 192
NUMBER = 144
"""No number is longer: a phone's 15 digits with all that may stand between, and its extension."""
WRAP = 40

NOT_AFTER = r"(?!\w|[-./]\d|(?<!\d{4}),\d)"

Check = Callable[["re.Match[str]"], float]


class Hit(NamedTuple):
    """A candidate that passed its check; places in the window."""

    start: int
    end: int
    kind: str
    score: float


Rule = Callable[[str, int], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern tried at a place. A group `v`, if any, is the span; a score of 0 rejects.

    Where it can start only with a run of so many digits, `runs` says so; `first` are the bytes
    that it can start with if it is a number's, so that most shapes need not be tried. With
    `words`, its check scores nothing unless one of them stands near.
    """

    kind: str
    pattern: re.Pattern[str]
    check: Check
    runs: tuple[int, ...] = ()
    first: str = "0123456789"
    words: Words | None = None

    def at(self, text: str, position: int) -> Hit | None:
        """What it finds where it starts at this place."""
        match = self.pattern.match(text, position)
        return None if match is None else self.judge(match)

    def judge(self, match: re.Match[str]) -> Hit | None:
        score = self.check(match)
        if score <= 0:
            return None
        start, end = match.span("v") if "v" in self.pattern.groupindex else match.span()
        return Hit(start, end, self.kind, score)


def tried(*shapes: Shape) -> Rule:
    """The rule that tries these shapes where it is called."""

    def rule(text: str, at: int) -> Iterator[Hit]:
        for shape in shapes:
            hit = shape.at(text, at)
            if hit is not None:
                yield hit

    return rule


NO_DIGITS = str.maketrans("", "", "".join(chr(c) for c in range(256) if not 48 <= c <= 57))
"""For `translate`: folded text without all that is no digit."""


def digits(match: re.Match[str]) -> str:
    """The match's digits only."""
    return match[0].translate(NO_DIGITS)


def compact(text: str) -> str:
    """The text without separators, in upper case."""
    return "".join(filter(str.isalnum, text)).upper()
