"""Phone numbers, confirmed by libphonenumber; dates, decimals and rows of a table are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from halocline_governance.detect.kinds import labels, numbering
from halocline_governance.detect.kinds.national import WORDS
from halocline_governance.detect.kinds.shape import NO_DIGITS, NOT_AFTER, Hit, Shape, digits
from halocline_governance.detect.kinds.words import Words, denied

CALL = Words(*labels.CALL)
_SURE = Words(*labels.PHONE)
_OTHERS = Words(*labels.OTHERS, *(phrase for words in WORDS for phrase in words.phrases))
_COUNTRIES = (
    "US GB DE FR IT ES NL CH AT BE IN AU SG PL IE SE NO DK FI PT CZ GR BR MX JP CN HK NZ ZA IL TR"
    " KR"
)
_REGIONS = tuple(_COUNTRIES.split())
_DIALLED = "GB DE FR IT NL CH AT BE IN AU IE SE FI ZA NZ JP IL TR"
_TRUNK = tuple(_DIALLED.split())
_DATES = re.compile(
    r"(?:\d{1,2}([-/. ])\d{1,2}\1\d{2,4}|\d{4}([-/. ])\d{1,2}\2\d{1,2}|\d+\.\d+|\d{3}-\d\d-\d{4}"
    r"|\d{5}-\d{4}|\d{4} ?- ?\d{4})\Z"
)
_id_words = re.compile(
    r"(?:\b[A-Za-z]{0,12}(?:no|nr|num|number|id|code|sin|ssn|tfn|ref|isbn|order|invoice|#)[.:]?"
    r"|\d)[ :#]{0,3}\Z",
    re.IGNORECASE,
)
_ID_ENDS = (
    "no",
    "nr",
    "num",
    "number",
    "id",
    "code",
    "sin",
    "ssn",
    "tfn",
    "ref",
    "isbn",
    "order",
    "invoice",
    *"0123456789",
)
_years = re.compile(r"\b(?:19|20)\d\d\b")
_GAP = r"(?:\)?[ ./-]{0,2}\(0\)[ .-]?| ?\(|\)[ .-]?| ?- ?|[ ./]|\)/| ?/ ?)"
_NEXT = rf"(?:\d|{_GAP}\d)"
_EXTENSION = r"(?P<x>(?:,? ?(?:x|ext\.?:?|extn\.?|extension|poste|durchwahl|int\.) ?|#)\d{1,6})?"


_PLAIN = re.compile(r"[\d ()+./-]+\Z")


def _valid(number: str, regions: tuple[str | None, ...], possible: bool = False) -> bool:
    if not _PLAIN.match(number) or "+" in number.lstrip("( +"):
        return _parsed(number, regions, possible)
    plain = ("+" if "+" in number else "") + number.translate(NO_DIGITS)
    return any(numbering.valid(plain, region, possible) for region in regions)


@lru_cache(maxsize=4096)
def _parsed(number: str, regions: tuple[str | None, ...], possible: bool) -> bool:
    """As libphonenumber reads it, with its extension."""
    import phonenumbers

    for region in regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return True
        if possible and phonenumbers.is_possible_number(parsed):
            return True
    return False


def _core(match: re.Match[str]) -> str:
    """Without its extension."""
    end = match.start("x")
    return match[0] if end < 0 else match[0][: end - match.start()]


def _belongs(match: re.Match[str], near: float) -> bool:
    """Whether a word for a national id, a card or an account stands nearer than one for a phone."""
    return _OTHERS.near(match) > max(near, 0.62)


def _international(match: re.Match[str]) -> float:
    core = _core(match).replace("(0)", "")
    if core.startswith("00"):
        core = "+" + core[2:].lstrip(" .-")
    if denied(match):
        return 0.0
    if _valid(core, (None,)):
        return 0.95 if CALL.near(match) else 0.9
    sure = CALL.near(match) or match[0].startswith(("+", "(+"))
    return 0.6 if sure and _valid(core, (None,), possible=True) else 0.0


_area = re.compile(r"(?:1([-.]))?[2-9]\d\d([-.])[2-9]\d\d\2\d{4}\Z")
_spaced = re.compile(r"\d{3} \d{3} \d{4}\Z")
_dashed = re.compile(r"\d{3}-\d{3}-\d{4}\Z")


def _written(core: str) -> bool:
    """Whether area and exchange code could be ones, in a form with dashes or dots throughout."""
    return _area.match(core) is not None


def _american(match: re.Match[str]) -> float:
    core = _core(match)
    near = CALL.near(match)
    if denied(match) or ("." in core and "-" in core and not near):
        return 0.0
    if _belongs(match, near):
        return 0.0
    if _valid(core, ("US",)):
        return 0.95 if near else 0.85
    if not near and _spaced.match(core):
        return 0.0
    sure = near or core.startswith("(") or core != match[0] or _written(core)
    if sure and _valid(core, ("US",), possible=True):
        return 0.6
    return 0.55 if near > 0.9 or _dashed.match(core) else 0.0


def _numbered(match: re.Match[str]) -> bool:
    """Whether a word for another kind of number, or another number, stands right before it."""
    start = match.start()
    low = max(0, start - 24)
    left = match.string[low:start]
    ended = left.rstrip(" .:#").lower().endswith(_ID_ENDS) or "#" in left
    return ended and _id_words.search(match.string, low, start) is not None


def _national(match: re.Match[str]) -> float:
    if _DATES.match(match[0]) or denied(match):
        return 0.0
    near = CALL.near(match)
    if _belongs(match, near) or (not near and (match[0].isdigit() or _numbered(match))):
        return 0.0
    if _valid(match[0], _REGIONS if near else _TRUNK):
        return 0.85 if near else 0.65
    return 0.6 if _SURE.near(match) > 0.85 else 0.0


def _beside_a_word(match: re.Match[str]) -> float:
    near = CALL.near(match)
    if not near or _DATES.match(match[0]) or len(_years.findall(match[0])) > 1 or denied(match):
        return 0.0
    if _belongs(match, near):
        return 0.0
    if _valid(match[0], _REGIONS):
        return 0.8
    count = len(digits(match))
    return 0.6 if _SURE.near(match) > 0.85 and 7 <= count <= 14 else 0.0


def _local(match: re.Match[str]) -> float:
    return 0.6 if _SURE.near(match) > 0.85 or CALL.near(match) > 0.93 else 0.0


def _indian(match: re.Match[str]) -> float:
    if denied(match) or _numbered(match):
        return 0.0
    return 0.6 if _valid(match[0], ("IN",)) else 0.0


_unspaced = re.compile(r"\x01[: ]{0,2}\Z")


def _chinese(match: re.Match[str]) -> float:
    """A mobile number right behind a script that writes no blanks."""
    start = match.start()
    if _unspaced.search(match.string, max(0, start - 3), start) is None:
        return 0.0
    return 0.6 if _valid(match[0], ("CN",)) else 0.0


PREFIXED = (
    Shape(
        "phone",
        re.compile(
            rf"(?:\((?=\+\d{{1,3}}\))\+|\+ ?|00[ -]?)"
            rf"[1-9]{_NEXT}{{6,14}}{_EXTENSION}{NOT_AFTER}",
            re.I,
        ),
        _international,
        first="0+(",
    ),
    Shape(
        "phone",
        re.compile(
            r"(?:\+?(?:00)?1[ .-]?)?(?:\(\d{3}\)[ .-]{0,2}|\d{3}([-. ]))\d{3}[-. ]\d{4}"
            rf"{_EXTENSION}{NOT_AFTER}",
            re.I,
        ),
        _american,
        (1, 3, 4, 6),
        "0123456789+(",
    ),
    Shape(
        "phone",
        re.compile(rf"\(?0\d{_NEXT}{{6,11}}{_EXTENSION}{NOT_AFTER}", re.I),
        _national,
        first="0(",
    ),
    Shape(
        "phone",
        re.compile(rf"\(?\d{_NEXT}{{7,14}}{_EXTENSION}{NOT_AFTER}", re.I),
        _beside_a_word,
        first="0123456789(",
        words=CALL,
    ),
    Shape(
        "phone",
        re.compile(rf"\d{{3}}[-. ]\d{{4}}{_EXTENSION}{NOT_AFTER}", re.I),
        _local,
        (3,),
        words=CALL,
    ),
    Shape("phone", re.compile(rf"1[3-9]\d{{9}}{NOT_AFTER}"), _chinese, (11,), "1"),
    Shape("phone", re.compile(rf"[6-9]\d{{4}}[ -]\d{{5}}{NOT_AFTER}"), _indian, (5,), "6789"),
)

_VANITY = re.compile(
    r"(?:\+?1[-. ])?\(?8(?:00|33|44|55|66|77"
    r"|88)\)?[-. ](?=[A-Z0-9-]*[A-Z]{3})[A-Z0-9](?:-?[A-Z0-9]){6,9}(?![\w-])"
)


def vanity(text: str, at: int) -> Iterator[Hit]:
    """A toll-free number spelt in letters, such as 1-800-FLOWERS."""
    if at >= 2 and text[at - 2] == "1":
        at -= 2
    match = _VANITY.match(text, at)
    if match is not None:
        yield Hit(match.start(), match.end(), "phone", 0.8)
