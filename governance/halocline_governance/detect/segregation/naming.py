"""Restricted names of several compartments in texts: hits of the automaton, judged in their place.

A ticker counts only as one: behind `$` or an exchange, before a market's code, or in capitals near
a word of trading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.segregation.automaton import Automaton
from halocline_governance.detect.segregation.folding import letters
from halocline_governance.detect.segregation.form import end_of
from halocline_governance.detect.segregation.restricted import (
    LEGAL_FORMS,
    Pattern,
    Restricted,
    patterns,
)

if TYPE_CHECKING:
    from halocline_governance.detect.segregation.compiled import Bytes, Places
    from halocline_governance.detect.segregation.form import Form

AROUND = 64
"""Bytes on each side of a hit that are looked at."""

_EXCHANGE = re.compile(
    rb"(?:nyse(?:[ -]?(?:arca|american))?|nasdaq|amex|cboe|lse|lon|tsxv?|asx|sgx|hkex|hkg|tse|tyo"
    rb"|fra|etr|xetra|epa|euronext|bme|bit|six|swx|nse|bse|otc(?:qx|qb|mkts)?)\s{0,3}:\s{0,3}$",
    re.IGNORECASE,
)
_MARKET = re.compile(
    rb"(?: (?:US|UN|UW|LN|GR|GY|FP|IM|SM|SW|NA|BB|JP|JT|HK|AU|CN|CT|IN|SP)(?: Equity)?"
    rb"|\.(?:N|O|OQ|L|DE|PA|MI|MC|AS|BR|T|HK|AX|TO|NS|BO|SI|SW))(?![0-9A-Za-z])"
)
_TRADING = re.compile(
    rb"\b(?:shares?|stocks?|ticker|symbol|equit(?:y|ies)|traded?s?|trading|buy|sell|bought|sold"
    rb"|long|short|hold|position|overweight|underweight|outperform|upgraded?|downgraded?|listed"
    rb"|price target|calls|puts|options?|bonds?|earnings|eps|dividends?|rall(?:y|ied)|volume)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\W_]*([^\W_](?:[^\W_]|\.(?=[^\W_]))*)")


@dataclass(frozen=True, slots=True)
class Naming:
    """What is sought, and whose it is. `kinds` are `name:<compartment>`."""

    patterns: tuple[Pattern, ...] = field(repr=False)
    owners: tuple[tuple[str, ...], ...]
    automaton: Automaton | None = field(repr=False)

    @classmethod
    def of(cls, barred: Mapping[str, Iterable[Restricted]], free: Iterable[Restricted]) -> Naming:
        """Names of barred compartments that no allowed one has too."""
        allowed = {pattern for name in free for pattern in patterns(name)}
        owners: dict[Pattern, set[str]] = {}
        for compartment, names in barred.items():
            for pattern in {p for name in names for p in patterns(name)} - allowed:
                owners.setdefault(pattern, set()).add(compartment)
        sought = tuple(sorted(owners))
        return cls(
            sought,
            tuple(tuple(sorted(owners[pattern])) for pattern in sought),
            Automaton.of(sought) if sought else None,
        )

    @property
    def longest(self) -> int:
        """The codes that a hit can have."""
        return self.automaton.longest if self.automaton is not None else 0

    def found(self, data: Bytes, offsets: Places, form: Form) -> list[tuple[int, int, str]]:
        """Start, end, compartment; none lies within another of its compartment. Sorted."""
        if self.automaton is None:
            return []
        spans: dict[str, set[tuple[int, int]]] = {}
        for hit in zip(*self.automaton.hits(data, form), strict=True):
            number, first, behind = map(int, hit)
            start, end = int(form.where[first]), end_of(data, int(form.where[behind - 1]))
            if self.patterns[number].ticker and _is_word(data, start):
                continue
            row = int(np.searchsorted(offsets, start, side="right"))
            text = data[offsets[row - 1] : offsets[row]]
            begun = int(offsets[row - 1])
            if _stands(text, self.patterns[number], start - begun, end - begun):
                for owner in self.owners[number]:
                    spans.setdefault(owner, set()).add((start, end))
        return sorted(
            (start, end, owner) for owner, made in spans.items() for start, end in _outer(made)
        )


def _stands(data: Bytes, pattern: Pattern, start: int, end: int) -> bool:
    """Whether what stands at a hit, and beside it in its row, is what the pattern asks for."""
    raw = data[start:end].tobytes()
    if pattern.exact:
        return letters(raw.decode()) == pattern.exact
    behind = data[end : end + AROUND].tobytes()
    if pattern.ticker:
        before = data[max(0, start - AROUND) : start].tobytes()
        return _is_ticker(raw, pattern.ticker.encode(), before, behind)
    if not pattern.bare:
        return True
    capital = raw.decode()[0]
    if not pattern.closed and capital != capital.lower():
        return True
    word = _WORD.match(behind.decode("utf-8", "ignore").partition("\n")[0])
    return word is not None and letters(word[1]) in LEGAL_FORMS


def _is_word(data: Bytes, at: int) -> bool:
    """Whether this is no ticker at first sight: small letters, and neither `$` nor blank before."""
    small = 97 <= int(data[at]) <= 122
    return small and (at == 0 or int(data[at - 1]) not in b"$: \t\n")


def _is_ticker(raw: bytes, ticker: bytes, before: bytes, behind: bytes) -> bool:
    if raw.upper() != ticker:
        return False
    if before.endswith(b"$") or _EXCHANGE.search(before):
        return True
    if raw != ticker:
        return False
    return bool(_MARKET.match(behind) or _TRADING.search(before) or _TRADING.search(behind))


def _outer(spans: set[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Those that lie in no other."""
    reached = -1
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if end > reached:
            yield start, end
            reached = end
