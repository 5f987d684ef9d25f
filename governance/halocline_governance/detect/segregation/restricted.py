"""Restricted names: what a compartment's list says, and the patterns that follow from it.

A list is YAML, read strictly:

    names:
      - name: Acme Corporation
        aliases: [Acme Laboratories]
        tickers: [ACM]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from halocline_governance import strict_yaml
from halocline_governance.detect.segregation.folding import letters
from halocline_governance.detect.segregation.form import form
from halocline_governance.errors import Refused

LONGEST = 64
"""Letters and digits of a name, at most."""
FUZZY = 8
"""From this many letters on, one letter may be missing, added or another."""
BARE = 4
"""A lone word of fewer letters that the list gives with a legal form counts only with one."""
_FORMS = (
    "ab ag as asa bv co company corp corporation gmbh inc incorporated kg kgaa kk lc limited llc"
    " llp lp ltd ltda nv oy oyj plc pte pty pvt sa sarl sas se spa srl"
)
LEGAL_FORMS = frozenset(_FORMS.split())
_FIELDS = {"name", "aliases", "tickers"}


@dataclass(frozen=True, slots=True, order=True)
class Restricted:
    """One name with what else it is called by. It is a secret, so its repr shows nothing of it."""

    name: str
    aliases: tuple[str, ...] = ()
    tickers: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Restricted(…)"

    @classmethod
    def read(cls, entry: object) -> Restricted:
        """From a name, or a mapping with `name`, `aliases`, `tickers`. Raises `Refused`."""
        if isinstance(entry, Restricted):
            made = entry
        elif isinstance(entry, str):
            made = cls(entry)
        elif isinstance(entry, dict) and set(cast("dict[str, Any]", entry)) <= _FIELDS:
            fields = cast("dict[str, Any]", entry)
            name, aliases = fields.get("name"), _texts(fields.get("aliases", []))
            if not isinstance(name, str):
                raise Refused("restricted name: `name` is missing or no text")
            made = cls(name, aliases, _texts(fields.get("tickers", [])))
        else:
            raise Refused("restricted name: give a text, or name, aliases and tickers")
        list(patterns(made))
        return made

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "aliases": list(self.aliases), "tickers": list(self.tickers)}


@dataclass(frozen=True, slots=True, order=True)
class Pattern:
    """What the scan looks for: codes, where words begin in them, and what must hold beside.

    `exact` is set where the codes may stand for other letters too. `bare` says that without a legal
    form behind it, it must begin with a capital; `closed` that it never stands without one.
    """

    codes: bytes
    begins: tuple[int, ...]
    exact: str = ""
    ticker: str = ""
    bare: bool = False
    closed: bool = False

    @property
    def fuzzy(self) -> bool:
        return not self.ticker and not self.exact and len(self.codes) >= FUZZY


def listed(content: bytes | str) -> tuple[Restricted, ...]:
    """A compartment's list. Raises `Refused`, quoting nothing of it."""
    try:
        told = strict_yaml.loads(content)
    except ValueError as error:
        raise Refused(f"restricted names: {error}") from None
    if not isinstance(told, dict) or set(cast("dict[str, Any]", told)) != {"names"}:
        raise Refused("restricted names: give one key, `names`")
    entries: object = cast("dict[str, Any]", told)["names"]
    if not isinstance(entries, list):
        raise Refused("restricted names: `names` is no list")
    return tuple(Restricted.read(entry) for entry in cast("list[object]", entries))


def patterns(restricted: Restricted) -> Iterator[Pattern]:
    """Everything that counts as this name. Raises `Refused` if a phrase has no use."""
    for phrase in (restricted.name, *restricted.aliases):
        yield _phrase(phrase)
    for ticker in restricted.tickers:
        made = _words(ticker)
        if not ticker.isascii() or not ticker.isalnum() or len(ticker) > 12:
            raise Refused("restricted name: a ticker is 1 to 12 Latin letters and digits")
        yield Pattern(made[0], (0,), ticker=ticker.upper())


def _phrase(phrase: str) -> Pattern:
    words = _words(phrase)
    base = list(words)
    while len(base) > 1 and (form_words := _legal(base)):
        del base[-form_words:]
    codes = b"".join(base)
    if not 2 <= len(codes) <= LONGEST:
        raise Refused(f"restricted name: give 2 to {LONGEST} letters and digits")
    begins = tuple(int(at) for at in np.cumsum([0, *map(len, base[:-1])]))
    exact = letters(phrase)[: len(codes)] if max(codes) >= 128 else ""
    lone = len(base) == 1 and len(words) > 1
    return Pattern(codes, begins, exact, bare=lone, closed=lone and len(codes) < BARE)


def _legal(words: list[bytes]) -> int:
    """How many words at the end are a legal form; `S.A.` is two."""
    for count in range(min(4, len(words) - 1), 0, -1):
        tail = words[-count:]
        dotted = count == 1 or all(len(word) == 1 for word in tail)
        if dotted and b"".join(tail).decode("latin-1") in LEGAL_FORMS:
            return count
    return 0


def _words(phrase: str) -> list[bytes]:
    """The codes of each word."""
    split = "".join(char if letters(char) or _joins(char) else " " for char in phrase).split()
    found: list[bytes] = []
    for word in split:
        data = np.frombuffer(word.encode(), dtype=np.uint8)
        made = form(data, np.array([0, len(data)], dtype=np.int64))
        if len(made):
            found.append(made.codes.tobytes())
    return found


def _joins(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char) in ("Mn", "Me", "Cf")


def _texts(value: object) -> tuple[str, ...]:
    entries = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (None,)
    found = tuple(entry for entry in entries if isinstance(entry, str))
    if len(found) != len(list(cast("Any", value or ()))):
        raise Refused("restricted name: aliases and tickers are lists of texts")
    return found
