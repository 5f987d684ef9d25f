"""The vocabulary of a rule: a shape matched at an anchor, and a check that scores it.

Every shape is bounded (no more than REACH characters from its start) and never crosses a line
end, so a hit depends on nothing beyond its line or its reach: that is what streaming rests on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

REACH = 640
LEFT = 48
RIGHT = 24

NOT_AFTER = r"(?!\w|[-.,/:]\d)"

Check = Callable[["re.Match[str]"], float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate that passed its check; character offsets."""

    start: int
    end: int
    kind: str
    score: float


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern tried at an anchor. A group `v`, if any, is the span; a score of 0 rejects."""

    kind: str
    pattern: re.Pattern[str]
    check: Check

    def at(self, text: str, position: int) -> Hit | None:
        match = self.pattern.match(text, position)
        return None if match is None else self.judge(match)

    def judge(self, match: re.Match[str]) -> Hit | None:
        score = self.check(match)
        if score <= 0:
            return None
        start, end = match.span("v" if "v" in self.pattern.groupindex else 0)
        return Hit(start, end, self.kind, score)


@dataclass(frozen=True, slots=True)
class Family:
    """Shapes that share an anchor; `needs` are literals without one of which nothing can match."""

    anchor: re.Pattern[str]
    shapes: tuple[Shape, ...]
    needs: tuple[str, ...] = ()

    def hits(self, text: str, lowered: str) -> Iterator[Hit]:
        if self.needs and not any(word in lowered for word in self.needs):
            return
        for found in self.anchor.finditer(text):
            for shape in self.shapes:
                hit = shape.at(text, found.start())
                if hit is not None:
                    yield hit


def context(words: str) -> Callable[[re.Match[str]], bool]:
    """Whether one of these words stands close by: on the left, or on the right in the same line."""
    pattern = re.compile(rf"(?<![^\W_])(?:{words})(?![^\W_])", re.IGNORECASE)

    def near(match: re.Match[str]) -> bool:
        text = match.string
        start, end = match.span()
        if pattern.search(text[max(0, start - LEFT) : start]):
            return True
        return bool(pattern.search(text[end : end + RIGHT].partition("\n")[0]))

    return near


def digits(match: re.Match[str]) -> str:
    """The match's digits only."""
    return "".join(filter(str.isdigit, match[0]))


def compact(match: re.Match[str]) -> str:
    """The match without separators, in upper case."""
    return "".join(filter(str.isalnum, match[0])).upper()


def letters_and_digits(value: str) -> str:
    return "".join(filter(str.isalnum, value)).upper()
