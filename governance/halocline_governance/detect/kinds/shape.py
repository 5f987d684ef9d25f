"""The vocabulary of a rule: a shape matched at a place, a check that scores it, words beside it.

A rule sees a window of folded text: one byte a character, LEFT before the place that an anchor
or a number gave it and REACH behind. What it says depends on nothing else, which is why batch,
text and stream agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

LEFT = 112
NEAR = 64
RIGHT = 32
REACH = 640
STRETCH = 192
NUMBER = 144
"""No number is longer: a phone's 15 digits with all that may stand between, and its extension."""
WRAP = 40

NOT_AFTER = r"(?!\w|[-./]\d|(?<!\d{4}),\d)"

ALL = (1 << 63) - 1
"""The bits of all groups of words."""

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


def tried_at(shapes: Iterable[Shape], text: str, at: int) -> Iterator[Hit]:
    """What these find here; one whose words are nowhere near is not tried."""
    groups = _beside(text).groups
    for shape in shapes:
        if shape.words is not None and not groups & shape.words.bit:
            continue
        match = shape.pattern.match(text, at)
        if match is not None and (hit := shape.judge(match)) is not None:
            yield hit


def led(shapes: Iterable[Shape], first: str, run: int) -> tuple[Shape, ...]:
    """Those that may match where so many digits start, or a sign (a run of 0), with this byte."""
    return tuple(
        shape
        for shape in shapes
        if first in shape.first and (run == 0 or not shape.runs or run in shape.runs)
    )


_BEFORE = r"(?:(?<![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
_BEHIND = r"(?:(?![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
_starts = re.compile(rf"{_BEFORE}(?=([A-Za-z]{{1,3}}))")

Word = tuple[int, str]
"""Where a word starts, and its first letters, three at most, in lower case."""


class _Beside:
    """The words beside the places of one window, read once for all groups of words.

    `groups` has the bit of each group of which a word may be near the value in the window.
    """

    __slots__ = ("groups", "left", "right", "text")

    def __init__(self, text: str, groups: int = ALL) -> None:
        self.text = text
        self.groups = groups
        self.left: dict[int, tuple[frozenset[str], list[Word]]] = {}
        self.right: dict[int, tuple[frozenset[str], list[Word], int]] = {}

    def before(self, start: int) -> tuple[frozenset[str], list[Word]]:
        found = self.left.get(start)
        if found is None:
            words = _words(self.text, max(0, start - NEAR), start)
            found = self.left[start] = (_keys(words), words)
        return found

    def behind(self, end: int) -> tuple[frozenset[str], list[Word], int]:
        """Also where the line ends, or what is near."""
        found = self.right.get(end)
        if found is None:
            line = self.text.find("\n", end, end + RIGHT)
            high = line if line >= 0 else end + RIGHT
            words = _words(self.text, end, high)
            found = self.right[end] = (_keys(words), words, high)
        return found


_latest = _Beside("")


def _beside(text: str) -> _Beside:
    """That of the window in hand: a rule asks of one window many times."""
    global _latest
    latest = _latest
    if latest.text is not text:
        _latest = latest = _Beside(text)
    return latest


def open_window(text: str, groups: int) -> None:
    """The window that rules will ask about next; `groups` as `token_kernel.named` found them."""
    global _latest
    _latest = _Beside(text, groups)


def open_unwrapped(text: str, wrapped: str) -> None:
    """The same window with a line end in it written as a blank."""
    open_window(text, _beside(wrapped).groups)


def _words(text: str, low: int, high: int) -> list[Word]:
    return [(word.start(), word[1].lower()) for word in _starts.finditer(text, low, high)]


def _keys(words: list[Word]) -> frozenset[str]:
    return frozenset([key for _, key in words] + [key[:2] for _, key in words if len(key) > 2])


def keys(words: Iterable[str]) -> frozenset[str]:
    """With which letters these words start: three, or fewer where a word has no more."""
    return frozenset(re.match("[a-z]{1,3}", word)[0] for word in words)  # type: ignore[index]


GROUPS: list[frozenset[str]] = []
"""The keys of all groups of words that rules ask for, by the place of their bit."""
_MOST = 63


def _bit(words: frozenset[str]) -> int:
    """A bit for a group; beyond the last one all of them, so that it is always asked."""
    if len(GROUPS) >= _MOST:
        return ALL
    GROUPS.append(words)
    return 1 << (len(GROUPS) - 1)


class Words:
    """Words that name a kind, in several languages. `*` stands for letters, a blank for `_` too."""

    def __init__(self, *phrases: str) -> None:
        self.phrases = phrases
        parts = [re.escape(p).replace(r"\ ", r"[\s_.-]{0,2}") for p in phrases]
        parts = [p.replace(r"\*", r"[^\W\d_]{0,24}") for p in parts]
        self.pattern = re.compile(rf"{_BEFORE}(?:{'|'.join(parts)}){_BEHIND}", re.IGNORECASE)
        self.keys = keys(phrases)
        self.bit = _bit(self.keys)

    def near(self, match: re.Match[str], group: str | int = 0) -> float:
        """0 if none stands close by, else up to 1: the closer the surer."""
        text = match.string
        beside = _beside(text)
        if not beside.groups & self.bit:
            return 0.0
        start, end = match.span(group)
        distance = None
        for _, to in self.before(text, start):
            if text.count("\n", to, start) <= 2:
                distance = start - to
        found, words, high = beside.behind(end)
        if not self.keys.isdisjoint(found):
            for at, key in words:
                if key in self.keys or key[:2] in self.keys:
                    word = self.pattern.match(text, at, high)
                    if word is not None:
                        if distance is None or at - end < distance / 2:
                            distance = at - end
                        break
        return 0.0 if distance is None else 1 - distance / 100

    def before(self, text: str, start: int, reach: int = NEAR) -> list[tuple[int, int]]:
        """Where words of it stand, at most `reach` before the place, and end there or before."""
        beside = _beside(text)
        if not beside.groups & self.bit:
            return []
        found, words = beside.before(start)
        if self.keys.isdisjoint(found):
            return []
        places: list[tuple[int, int]] = []
        end = start - reach
        for at, key in words:
            if at >= end and (key in self.keys or key[:2] in self.keys):
                word = self.pattern.match(text, at, start)
                if word is not None:
                    end = word.end()
                    places.append((at, end))
        return places


_DENIED = (
    "orders?",
    "invoices?",
    "inv",
    "isbn(?:-1[03])?",
    "issn",
    "isin",
    "cusip",
    "sedol",
    "lei",
    "doi",
    "track(?:ing)?",
    "parcel",
    "shipment",
    "sku",
    "ref",
    "reference",
    "case",
    "ticket",
    "serial",
    "s/n",
    "sn",
    "part",
    "model",
    "versions?",
    "build",
    "commit",
    "po",
    "p/o",
    "receipt",
    "batch",
    "lot",
    "items?",
    "products?",
    "article",
    "upc",
    "ean",
    "gtin",
    "asin",
    "barcode",
    "transaction",
    "txn",
    "trace",
    "docket",
    "patent",
    "page",
    "rev",
    "revision",
    "confirmation",
    "booking",
    "flight",
    "issue",
    "bug",
    "errors?",
    r"rechnung\w*",
    r"bestell\w*",
    r"auftrag\w*",
    "commande",
    "facture",
    "pedido",
    "factura",
    "fattura",
    "ordine",
    r"zamowieni\w*",
    "faktura",
    r"factuur\w*",
    "bestelling",
    "timestamp",
    "epoch",
    "unix",
    "price",
    "total",
    "quantity",
    "qty",
    "amount",
)
_SALES = ("sales", "purchase", "work")
_denied = re.compile(
    rf"(?<![^\W\d_])(?:(?:{'|'.join(_SALES)})[ _-]?)?(?:{'|'.join(_DENIED)})"
    r"(?:[ _-]?(?:number|numbers|num|no|nr|id|code|ref|key|time|nummer|numero))?[.]?"
    r"[\s:#=\"'(\[>-]{0,5}(?:(?:is|was|of|n)\s)?[#\s]{0,2}\Z",
    re.IGNORECASE,
)
_denied_keys = keys((*_DENIED, *_SALES))
_denied_bit = _bit(_denied_keys)


def denied(match: re.Match[str], group: str | int = 0) -> bool:
    """Whether a word for another kind of number, such as an order's, stands right before it."""
    text = match.string
    beside = _beside(text)
    if not beside.groups & _denied_bit:
        return False
    start = match.start(group)
    found, words = beside.before(start)
    return not _denied_keys.isdisjoint(found) and any(
        _denied.match(text, at, start) is not None
        for at, key in words
        if at >= start - 40 and (key in _denied_keys or key[:2] in _denied_keys)
    )


NO_DIGITS = str.maketrans("", "", "".join(chr(c) for c in range(256) if not 48 <= c <= 57))
"""For `translate`: folded text without all that is no digit."""


def digits(match: re.Match[str]) -> str:
    """The match's digits only."""
    return match[0].translate(NO_DIGITS)


def compact(text: str) -> str:
    """The text without separators, in upper case."""
    return "".join(filter(str.isalnum, text)).upper()
