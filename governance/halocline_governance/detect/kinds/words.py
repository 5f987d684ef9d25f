"""Words beside a value, which name its kind or deny it.

A rule asks of many groups of words whether one stands near. Words are read once: each has a bit for
every group that has a word which starts like it, and only there a group's own pattern is tried.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from halocline_governance.detect.kinds.shape import NEAR, RIGHT

ALL = (1 << 63) - 1
"""The bits of all groups of words."""
GROUPS: list[frozenset[str]] = []
"""How the words of each group start, by the place of its bit."""
_MOST = 63
_BEFORE = r"(?:(?<![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
_BEHIND = r"(?:(?![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"
_letters = re.compile(r"[A-Za-z\xff]+")
_humps = re.compile(r"(?<=[a-z])[A-Z]")

Word = tuple[int, int]
"""Where a word starts, and the bits of the groups that it may be of."""


class _Bits(dict[str, int]):
    """By the first three letters of a word, or all of a shorter one; filled as words are met."""

    def __missing__(self, key: str) -> int:
        start = key.partition("\xff")[0].lower()
        keys = {start, start[:2]} if len(start) > 1 else {start}
        bits = sum(1 << n for n, group in enumerate(GROUPS) if not keys.isdisjoint(group))
        self[key] = bits
        return bits


_bits = _Bits()


class Read:
    """The words of a buffer around the numbers in it, as `token_kernel.named` found them.

    What is known of them is kept, as one word stands near several numbers: in `ends` where the word
    of a group (its bit) ends that starts at a place, 0 if none does; in `standing`, by a word's
    number, of which groups it is; and in `covered` the place of the last sure finding of a kind.
    """

    __slots__ = ("bits", "covered", "ends", "standing", "starts")

    def __init__(self, starts: Sequence[int] | None = None, bits: Sequence[int] = ()) -> None:
        self.starts = starts
        self.bits = bits
        self.ends: dict[Word, int] = {}
        self.standing: dict[int, int] = {}
        self.covered: dict[str, Word] = {}


class Beside:
    """The words beside the places of one window, which starts at `low` in a buffer.

    Args:
        groups: the bit of each group of which a word may be near the value in the window.
        read: the buffer's words; without them they are read when they are asked for.
        words: the number of the first of them that is near the value, and of the first behind.
    """

    __slots__ = ("_asked", "_standing", "groups", "low", "read", "text", "words")

    def __init__(
        self,
        text: str,
        low: int = 0,
        read: Read | None = None,
        groups: int = ALL,
        words: tuple[int, int] = (0, 0),
    ) -> None:
        self.text = text
        self.low = low
        self.read = Read() if read is None else read
        self.groups = groups
        self.words = words
        self._asked: dict[int, list[Word]] = {}
        self._standing = -1

    def before(self, start: int) -> list[Word]:
        found = self._asked.get(start)
        if found is None:
            found = self._asked[start] = self._words(max(0, start - NEAR), start)
        return found

    def behind(self, end: int) -> tuple[list[Word], int]:
        """Also where the line ends, or what is near."""
        line = self.text.find("\n", end, end + RIGHT)
        high = line if line >= 0 else end + RIGHT
        found = self._asked.get(~end)
        if found is None:
            found = self._asked[~end] = self._words(end, min(high, len(self.text)))
        return found, high

    def _words(self, start: int, end: int) -> list[Word]:
        low, starts, bits = self.low, self.read.starts, self.read.bits
        if starts is None:
            return _words(self.text, start, end)
        first = bisect_left(starts, start + low)
        last = bisect_left(starts, end + low, first)
        return [(starts[n] - low, bits[n]) for n in range(first, last)]

    @property
    def standing(self) -> int:
        """The bits of the groups in `gate` of which a word stands near the value, if it is known;
        else all."""
        if self._standing < 0:
            starts = self.read.starts
            self._standing = ALL if starts is None else self._stand(starts)
        return self._standing

    def _stand(self, starts: Sequence[int]) -> int:
        found, low, high = 0, self.low, self.low + len(self.text)
        known = self.read.standing
        for number in range(*self.words):
            bits = known.get(number)
            if bits is None:
                at = starts[number]
                if not low <= at < high:
                    continue
                bits = known[number] = _of(self.text, at - low, self.read.bits[number])
            found |= bits
        return found

    def joined(self, text: str) -> None:
        """Opens the same window with a line's end in it as a blank."""
        read = Read(self.read.starts, self.read.bits)
        read.ends, read.standing = self.read.ends, self.read.standing
        open_window(Beside(text, self.low, read, self.groups, self.words))


def _of(text: str, at: int, bits: int) -> int:
    """Those of the bits whose group has a word here."""
    found = 0
    bits &= _gated
    while bits:
        bit = bits & -bits
        bits ^= bit
        if _patterns[bit].match(text, at):
            found |= bit
    return found


_patterns: dict[int, re.Pattern[str]] = {}
_gated = 0


def gate(groups: Iterable[Words]) -> None:
    """Of these groups `standing` tells."""
    global _gated
    for group in groups:
        _gated |= group.bit
        _patterns[group.bit] = group.pattern


_latest = Beside("")


def beside(text: str) -> Beside:
    """That of the window in hand: a rule asks of one window many times."""
    latest = _latest
    return latest if latest.text is text else open_window(Beside(text))


def open_window(window: Beside) -> Beside:
    """The window that rules ask about next.

    A memo of one: a thread that loses the race reads its window anew.
    """
    global _latest
    _latest = window
    return window


def _words(text: str, low: int, high: int) -> list[Word]:
    """Those that may be of a group, in order; `oneTwo` are two."""
    found: list[Word] = []
    for match in _letters.finditer(text, low, high):
        at, end = match.span()
        word = match[0]
        if at > low or not low or not _letters.match(text, low - 1, low) or _humps.match(text, at):
            bits = _bits[word[:3]]
            if bits:
                found.append((at, bits))
        if not (word.islower() or word.isupper() or word[1:].islower()):
            for hump in _humps.finditer(text, at + 1, end):
                bits = _bits[text[hump.start() : min(hump.start() + 3, end)]]
                if bits:
                    found.append((hump.start(), bits))
    return found


def keys(words: Iterable[str]) -> frozenset[str]:
    """With which letters these words start: three, or fewer where a word has no more."""
    return frozenset(re.match("[a-z]{1,3}", word)[0] for word in words)  # type: ignore[index]


def _bit(words: frozenset[str]) -> int:
    if len(GROUPS) >= _MOST:
        raise ValueError(f"more than {_MOST} groups of words")
    GROUPS.append(words)
    _bits.clear()
    return 1 << (len(GROUPS) - 1)


class Words:
    """Words that name a kind, in several languages. `*` stands for letters, a blank for `_` too."""

    def __init__(self, *phrases: str) -> None:
        self.phrases = phrases
        parts = [re.escape(p).replace(r"\ ", r"[\s_.-]{0,2}") for p in phrases]
        parts = [p.replace(r"\*", r"[^\W\d_]{0,24}") for p in parts]
        self.pattern = re.compile(rf"{_BEFORE}(?:{'|'.join(parts)}){_BEHIND}", re.IGNORECASE)
        self.bit = _bit(keys(phrases))

    def near(self, match: re.Match[str], group: str | int = 0) -> float:
        """0 if none stands close by, else up to 1: the closer the surer."""
        text = match.string
        window = beside(text)
        if not window.groups & self.bit:
            return 0.0
        start, end = match.span(group)
        distance = None
        named = self._before(window, start, NEAR)
        if named and text.count("\n", named[-1][1], start) <= 2:
            distance = start - named[-1][1]
        words, high = window.behind(end)
        for at, bits in words:
            if bits & self.bit and self._end(window, at, high):
                if distance is None or at - end < distance / 2:
                    distance = at - end
                break
        return 0.0 if distance is None else 1 - distance / 100

    def before(self, text: str, start: int, reach: int = NEAR) -> list[tuple[int, int]]:
        """Where words of it stand, at most `reach` before the place, and end there or before."""
        window = beside(text)
        return self._before(window, start, reach) if window.groups & self.bit else []

    def _before(self, window: Beside, start: int, reach: int) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []
        end = start - reach
        for at, bits in window.before(start):
            if bits & self.bit and at >= end:
                to = self._end(window, at, start)
                if to:
                    end = to
                    places.append((at, end))
        return places

    def _end(self, window: Beside, at: int, limit: int) -> int:
        """Where a word of it ends that starts here, at the limit or before; 0 if none does."""
        text, low = window.text, window.low
        key = (self.bit, at + low)
        end = window.read.ends.get(key)
        if end is None:
            match = self.pattern.match(text, at)
            end = window.read.ends[key] = 0 if match is None else match.end() + low
        if end - low <= limit:
            return end - low if end else 0
        match = self.pattern.match(text, at, limit)
        if match is None or (match.end() == limit and text[limit - 1 : limit + 1].isalpha()):
            return 0
        return match.end()


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
_denied_bit = _bit(keys((*_DENIED, *_SALES)))


def denied(match: re.Match[str], group: str | int = 0) -> bool:
    """Whether a word for another kind of number, such as an order's, stands right before it."""
    text = match.string
    window = beside(text)
    if not window.groups & _denied_bit:
        return False
    start = match.start(group)
    return any(
        _denied.match(text, at, start) is not None
        for at, bits in window.before(start)
        if bits & _denied_bit and at >= start - 40
    )
