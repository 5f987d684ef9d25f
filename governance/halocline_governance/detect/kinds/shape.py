"""The vocabulary of a rule: a shape matched at a place, a check that scores it, words beside it.

A rule sees a window of folded text: one byte a character, LEFT before the place that an anchor
or a number gave it and REACH behind. What it says depends on nothing else, which is why batch,
text and stream agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LEFT = 112
NEAR = 64
RIGHT = 32
REACH = 640
STRETCH = 192
WRAP = 40

NOT_AFTER = r"(?!\w|[-./]\d|(?<!\d{4}),\d)"

Check = Callable[["re.Match[str]"], float]


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate that passed its check; places in the window."""

    start: int
    end: int
    kind: str
    score: float


Rule = Callable[[str, int], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern tried at a place. A group `v`, if any, is the span; a score of 0 rejects."""

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


def tried(*shapes: Shape) -> Rule:
    """The rule that tries these shapes where it is called."""

    def rule(text: str, at: int) -> Iterator[Hit]:
        for shape in shapes:
            hit = shape.at(text, at)
            if hit is not None:
                yield hit

    return rule


_BEFORE = r"(?:(?<![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
_BEHIND = r"(?:(?![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"


class Words:
    """Words that name a kind, in several languages. `*` stands for letters, a blank for `_` too."""

    def __init__(self, *phrases: str) -> None:
        self.phrases = phrases
        parts = [re.escape(p).replace(r"\ ", r"[\s_.-]{0,2}") for p in phrases]
        parts = [p.replace(r"\*", r"[^\W\d_]{0,24}") for p in parts]
        self.pattern = re.compile(rf"{_BEFORE}(?:{'|'.join(parts)}){_BEHIND}", re.IGNORECASE)

    def near(self, match: re.Match[str], group: str | int = 0) -> float:
        """0 if none stands close by, else up to 1: the closer the surer."""
        text, (start, end) = match.string, match.span(group)
        low = max(0, start - NEAR)
        distance = None
        for word in self.pattern.finditer(text, low, start):
            if text.count("\n", word.end(), start) <= 2:
                distance = start - word.end()
        line = text.find("\n", end, end + RIGHT)
        word = self.pattern.search(text, end, line if line >= 0 else end + RIGHT)
        if word is not None and (distance is None or word.start() - end < distance / 2):
            distance = word.start() - end
        return 0.0 if distance is None else 1 - distance / 100


_denied = re.compile(
    r"(?<![^\W\d_])(?:(?:sales|purchase|work)[ _-]?)?(?:orders?|invoices?|inv|isbn(?:-1[03])?"
    r"|issn|isin"
    r"|cusip|sedol|lei|doi|track(?:ing)?|parcel|shipment|sku|ref|reference|case|ticket|serial|s/n"
    r"|sn"
    r"|part|model|versions?|build|commit|po|p/o|receipt|batch|lot|items?|products?|article|upc"
    r"|ean|gtin"
    r"|asin|barcode|transaction|txn|trace|docket|patent|page|rev|revision|confirmation|booking"
    r"|flight|issue|bug|errors?|rechnung\w*|bestell\w*|auftrag\w*|commande|facture|pedido|factura"
    r"|fattura|ordine|zamowieni\w*|faktura|factuur\w*|bestelling|timestamp|epoch|unix|price|total"
    r"|quantity|qty|amount)"
    r"(?:[ _-]?(?:number|numbers|num|no|nr|id|code|ref|key|time|nummer|numero))?[.]?"
    r"[\s:#=\"'(\[>-]{0,5}(?:(?:is|was|of|n)\s)?[#\s]{0,2}\Z",
    re.IGNORECASE,
)


def denied(match: re.Match[str], group: str | int = 0) -> bool:
    """Whether a word for another kind of number, such as an order's, stands right before it."""
    start = match.start(group)
    return _denied.search(match.string, max(0, start - 40), start) is not None


def digits(match: re.Match[str]) -> str:
    """The match's digits only."""
    return "".join(filter(str.isdigit, match[0]))


def compact(text: str) -> str:
    """The text without separators, in upper case."""
    return "".join(filter(str.isalnum, text)).upper()
