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
    """Shapes tried wherever the anchor stands: a pattern, or any of these lower-case words."""

    anchor: re.Pattern[str] | tuple[str, ...]
    shapes: tuple[Shape, ...]

    def hits(self, text: str, lowered: str) -> Iterator[Hit]:
        for position in self._places(text, lowered):
            for shape in self.shapes:
                hit = shape.at(text, position)
                if hit is not None:
                    yield hit

    def _places(self, text: str, lowered: str) -> Iterator[int]:
        if isinstance(self.anchor, re.Pattern):
            for match in self.anchor.finditer(text):
                yield match.start()
        else:
            for word in self.anchor:
                yield from occurrences(lowered, word)


def occurrences(text: str, word: str) -> Iterator[int]:
    """Every place of the word, overlapping ones too."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


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
