"""National, tax and health numbers that are digits alone. Checks: python-stdnum, and words.

A number whose check one random number in ten passes counts only in its own grouping or beside a
word that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from halocline_governance.detect.kinds import labels
from halocline_governance.detect.kinds.shape import NOT_AFTER, Check, Shape, digits
from halocline_governance.detect.kinds.words import Words, denied

Valid = Callable[[str], bool]


class _Numbers(Protocol):
    def is_valid(self, number: str) -> bool: ...


@cache
def numbers(module: str) -> _Numbers:
    """python-stdnum's module of this name."""
    return cast(_Numbers, import_module(f"stdnum.{module}"))


def checked(module: str) -> Valid:
    """Whether python-stdnum's module calls it valid."""
    return lambda value: numbers(module).is_valid(value)


SSN = Words(
    "ssn", "ssns", "soc* sec*", "social", "taxpayer*", "tax payer*", "tin", "ss no", "ss num*"
)
ITIN = Words("itin", "individual taxpayer*", "taxpayer*", "tax id", "tax ident*", "tin")
EIN = Words(
    "ein",
    "fein",
    "employer id",
    "employer ident*",
    "federal tax*",
    "tax id",
    "tax ident*",
    "tin",
    "irs*",
)
NHS = Words("nhs", "national health*")
UTR = Words("utr", "unique taxpayer*", "self assessment", "tax reference", "taxpayer ref*")
IDNR = Words(
    "steuer*",
    "idnr",
    "id nr",
    "tax id",
    "tax ident*",
    "tin",
    "tax number",
    "tax no",
    "taxpayer*",
    "stidnr",
)
NIR = Words("nir", "securite soc*", "insee", "numero de secu", "secu", "carte vitale")
PESEL = Words("pesel", "nr ewidencyjny", "national id", "national ident*", "numer pesel")
BSN = Words("bsn", "burgerservicenummer", "burger service*", "sofi*", "citizen service*")
PERSONNUMMER = Words(
    "personnummer", "personnr", "pnr", "personn*", "person nr", "samordningsnummer"
)
AHV = Words("ahv*", "avs", "navs*", "ahvn*", "sozialvers*", "oasi")
CPF = Words("cpf", "cadastro*", "contribuinte")
AADHAAR = Words("aadhaar*", "aadhar*", "adhaar*", "adhar*", "uidai", "uid")
TFN = Words("tfn", "tax file*")
ABN = Words("abn", "australian business*", "business num*")
MEDICARE_AU = Words("medicare*")
SIN = Words("sin", "social insurance*", "numero d'assurance*", "assurance sociale", "nas")

_titles = Words(*labels.TITLES, *SIN.phrases)
_apart = re.compile(r"[^\d\n]{0,14}\Z")


def _titled_otherwise(match: re.Match[str], words: Words) -> bool:
    """Whether the title right before it, on its line, is another kind's."""
    text, start = match.string, match.start()
    titles = _titles.before(text, start, 32)
    if not titles or not _apart.match(text, titles[-1][1], start):
        return False
    own = words.before(text, start, 32)
    return not own or own[-1][1] < titles[-1][1]


_SSN_VOID = {"078051120", "219099999", "123456789", "987654321"}


def _ssn(match: re.Match[str]) -> float:
    number = digits(match)
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return 0.0
    if number in _SSN_VOID or len(set(number)) == 1:
        return 0.0
    near = SSN.near(match)
    if near and not _titled_otherwise(match, SSN):
        return 0.91 + near / 20
    return 0.8 if match[1] == "-" and not denied(match) else 0.0


_itin_form = re.compile(r"9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])")


def _itin(match: re.Match[str]) -> float:
    if not _itin_form.match(digits(match)):
        return 0.0
    near = max(ITIN.near(match), SSN.near(match))
    if near and not _titled_otherwise(match, ITIN):
        return 0.91 + near / 20
    return 0.8 if match[1] == "-" and not denied(match) else 0.0


_grouped = re.compile(r"\d[ -]\Z")
_YEARS = re.compile(r"(?:(?:19|20)\d\d[ -]?){3}\Z")


def beside(words: Words, valid: Valid, alone: float = 0.0, grouped: float = 0.0) -> Check:
    """Valid, and beside one of the words; `alone` and `grouped` score it without such a word."""

    def check(match: re.Match[str]) -> float:
        near = words.near(match)
        if not near and not (alone if match[0].isdigit() else alone or grouped):
            return 0.0
        if not valid(digits(match)):
            return 0.0
        near = 0.0 if near and _titled_otherwise(match, words) else near
        if near and (near > 0.85 or not denied(match)):
            return 0.91 + near / 20
        start = match.start()
        if denied(match) or _YEARS.match(match[0]) or _grouped.search(match.string, 0, start):
            return 0.0
        return alone if match[0].isdigit() else max(alone, grouped)

    return check


def _medicare(number: str) -> bool:
    """Services Australia: weights 1 3 7 9, modulo 10, over the first eight digits."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    total = sum(w * int(d) for w, d in zip(weights, number, strict=False))
    return number[0] in "23456" and total % 10 == int(number[8])


def _shape(
    kind: str, pattern: str, check: Check, runs: tuple[int, ...], first: str = "0123456789"
) -> Shape:
    return Shape(kind, re.compile(pattern + NOT_AFTER), check, runs, first)


def _worded(
    kind: str,
    pattern: str,
    words: Words,
    valid: Valid,
    runs: tuple[int, ...],
    first: str = "0123456789",
) -> Shape:
    """Counts beside one of the words only."""
    return Shape(kind, re.compile(pattern + NOT_AFTER), beside(words, valid), runs, first, words)


_by_sin = beside(SIN, checked("luhn"))
_sin_alone = beside(SIN, checked("ca.sin"), grouped=0.55)


def _sin(match: re.Match[str]) -> float:
    """No SIN that was issued starts with 0 or 8, but examples do."""
    return _by_sin(match) or _sin_alone(match)


NATIONAL = (
    _shape("us_ssn", r"\d{3}([- .]?)\d{2}\1\d{4}", _ssn, (3, 9)),
    _shape("us_itin", r"9\d{2}([- ]?)\d{2}\1\d{4}", _itin, (3, 9), "9"),
    _worded("us_ein", r"\d{2}-?\d{7}", EIN, checked("us.ein"), (2, 9)),
    _worded("uk_nhs", r"\d{3}([ -]?)\d{3}\1\d{4}", NHS, checked("gb.nhs"), (3, 10)),
    _worded("uk_utr", r"\d{5} ?\d{5}", UTR, checked("gb.utr"), (5, 10)),
    _worded(
        "de_tax_id",
        r"(?:\d{11}|\d{2}([ -])\d{3}\1\d{3}\1\d{3})",
        IDNR,
        checked("de.idnr"),
        (2, 11),
    ),
    _shape(
        "fr_nir",
        r"[12378]([ .-]?)\d{2}\1\d{2}\1\d{2}\1\d{3}\1\d{3}[ .-]?\d{2}",
        beside(NIR, checked("fr.nir"), alone=0.85, grouped=0.85),
        (1, 13, 15),
        "12378",
    ),
    _worded("pl_pesel", r"\d{11}", PESEL, checked("pl.pesel"), (11,)),
    _worded(
        "nl_bsn",
        r"(?:\d{9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3})",
        BSN,
        checked("nl.bsn"),
        (3, 4, 9),
    ),
    _shape(
        "se_personnummer",
        r"(?:19|20)?\d{6}[-+]?\d{4}",
        beside(PERSONNUMMER, checked("se.personnummer"), grouped=0.6),
        (6, 8, 10, 12),
    ),
    _shape(
        "ch_ahv",
        r"756([. ]?)\d{4}\1\d{4}\1\d{2}",
        beside(AHV, checked("ch.ssn"), alone=0.6, grouped=0.9),
        (3, 13),
        "7",
    ),
    _shape(
        "br_cpf",
        r"(?:\d{11}|\d{3}\.\d{3}\.\d{3}-\d{2})",
        beside(CPF, checked("br.cpf"), grouped=0.9),
        (3, 11),
    ),
    _shape(
        "in_aadhaar",
        r"[2-9]\d{3}([ -]?)\d{4}\1\d{4}(?![ -]\d{4})",
        beside(AADHAAR, checked("in_.aadhaar"), grouped=0.6),
        (4, 12),
        "23456789",
    ),
    _worded("au_tfn", r"\d{3}([ -]?)\d{3}\1\d{2,3}", TFN, checked("au.tfn"), (3, 8, 9)),
    _worded("au_abn", r"(?:\d{11}|\d{2} \d{3} \d{3} \d{3})", ABN, checked("au.abn"), (2, 11)),
    _worded(
        "au_medicare",
        r"[2-6]\d{3}([ -]?)\d{5}\1\d(?:[ /-]\d)?",
        MEDICARE_AU,
        _medicare,
        (4, 10),
        "23456",
    ),
    _shape("ca_sin", r"\d{3}([- ]?)\d{3}\1\d{3}", _sin, (3, 9)),
)
WORDS = (
    SSN,
    ITIN,
    EIN,
    NHS,
    UTR,
    IDNR,
    NIR,
    PESEL,
    BSN,
    PERSONNUMMER,
    AHV,
    CPF,
    AADHAAR,
    TFN,
    ABN,
    MEDICARE_AU,
    SIN,
)
