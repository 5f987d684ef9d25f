"""E-mail addresses, phone numbers, and URLs that carry credentials.

Phone numbers are confirmed by libphonenumber; dates, decimals and rows of a table are not phones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.shape import (
    NOT_AFTER,
    Family,
    Hit,
    Shape,
    context,
    occurrences,
)

_LOCAL = r"[\w.!#$%&'*+/=?^`{|}~-]"
_local = re.compile(rf"{_LOCAL}{{1,64}}\Z")
_domain = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})(?![\w-])"
)
_SUFFIXES = (
    "png jpg jpeg gif svg webp ico css js ts json html htm xml yaml yml toml py rb go rs php"
    " txt md pdf zip gz tar whl"
)
_FILES = frozenset(_SUFFIXES.split())
_REMOTE = frozenset(("git", "hg", "svn"))
_TRIM = "!#$%&'*+/=?^`{|}~-."


def emails(text: str, lowered: str) -> Iterator[Hit]:
    """Read to both sides of each @. `git@host:path` is a remote, `icon@2x.png` a file."""
    for at in occurrences(text, "@"):
        hit = _email(text, at)
        if hit is not None:
            yield hit
    if any(f"at{gap}{close}" in lowered for gap in ("", " ") for close in "])}"):
        yield from _spelt(text)


def _email(text: str, at: int) -> Hit | None:
    domain = _domain.match(text, at + 1, at + 256)
    local = _local.search(text, max(0, at - 64), at)
    if domain is None or local is None:
        return None
    name = local[0].lstrip(_TRIM)
    tld = domain[0].rpartition(".")[2].lower()
    if not name or name.endswith(".") or ".." in name or tld in _FILES:
        return None
    if name.lower() in _REMOTE and text[domain.end() : domain.end() + 1] in (":", "/"):
        return None
    return Hit(at - len(name), domain.end(), "email", 0.98)


_SPELT = re.compile(
    r"(?<![\w.])[\w.+-]{1,64} ?[\[({] ?at ?[\])}] ?[\w-]{1,63}"
    r"(?: ?(?:[\[({] ?dot ?[\])}]|\.) ?[\w-]{2,63}){1,4}",
    re.IGNORECASE,
)


def _spelt(text: str) -> Iterator[Hit]:
    for match in _SPELT.finditer(text):
        yield Hit(match.start(), match.end(), "email", 0.85)


_CALL = (
    r"phones?|telephones?|tel|telefon\w{0,3}|t[eé]l[eé]phone|t[eé]l|tel[eé]fono|mobiles?|mobil|cell"
    r"|fax|call|dial|text|sms|whatsapp|hotline|handy|rufnummer|contact|reach|ph|pager"
)
_call = context(_CALL)
_REGIONS = (
    "US",
    "GB",
    "DE",
    "FR",
    "IT",
    "ES",
    "NL",
    "CH",
    "AT",
    "BE",
    "IN",
    "AU",
    "SG",
    "PL",
    "IE",
)
_TRUNK = tuple(region for region in _REGIONS if region not in ("US", "ES", "SG", "PL"))
_DATES = re.compile(
    r"(?:\d{1,2}([-/. ])\d{1,2}\1\d{2,4}|\d{4}([-/. ])\d{1,2}\2\d{1,2}|\d+\.\d+|\d{3}-\d\d-\d{4}"
    r"|\d{5}-\d{4})\Z"
)
_id_words = re.compile(
    r"(?:\b[A-Za-z]{0,12}(?:no|nr|num|number|id|code|sin|ssn|tfn|ref|isbn|order|invoice|#)[.:]?"
    r"|\d)[ :#]{0,3}\Z",
    re.IGNORECASE,
)
_years = re.compile(r"\b(?:19|20)\d\d\b")
_GAP = r"(?: ?\(|\)[ .-]?| ?- ?|[ ./])?"
_EXTENSION = r"(?:,? ?(?:x|ext\.?|extension) ?\d{1,6})?"


def _valid(number: str, regions: tuple[str | None, ...], possible: bool = False) -> bool:
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
    return re.split(r",? ?[xe]", match[0], maxsplit=1)[0]


def _international(match: re.Match[str]) -> float:
    core = re.sub(r"\(0\)", "", _core(match))
    if core.startswith("00"):
        core = "+" + core[2:].lstrip(" .-")
    if _valid(core, (None,)):
        return 0.95 if _call(match) else 0.9
    sure = _call(match) or match[0].startswith("+") or "-" in core
    return 0.6 if sure and _valid(core, (None,), possible=True) else 0.0


def _written(core: str) -> bool:
    """Whether area and exchange code could be ones, in a form with dashes or dots throughout."""
    return bool(re.fullmatch(r"(?:1([-.]))?[2-9]\d\d([-.])[2-9]\d\d\2\d{4}", core))


def _american(match: re.Match[str]) -> float:
    core = _core(match)
    if "." in core and "-" in core and not _call(match):
        return 0.0
    if _valid(core, ("US",)):
        return 0.95 if _call(match) else 0.85
    sure = _call(match) or core.startswith("(") or core != match[0] or _written(core)
    return 0.6 if sure and _valid(core, ("US",), possible=True) else 0.0


def _numbered(match: re.Match[str]) -> bool:
    """Whether a word for another kind of number, or another number, stands right before it."""
    left = match.string[max(0, match.start() - 24) : match.start()]
    return bool(_id_words.search(left))


def _national(match: re.Match[str]) -> float:
    if _DATES.match(match[0]):
        return 0.0
    near = _call(match)
    if not near and (match[0].isdigit() or _numbered(match)):
        return 0.0
    regions = _REGIONS if near else _TRUNK
    return (0.85 if near else 0.65) if _valid(match[0], regions) else 0.0


def _beside_a_word(match: re.Match[str]) -> float:
    if _DATES.match(match[0]) or len(_years.findall(match[0])) > 1 or not _call(match):
        return 0.0
    return 0.8 if _valid(match[0], _REGIONS) else 0.0


PHONES = (
    Shape(
        "phone",
        re.compile(rf"(?:\+|00[ -]?)[1-9](?:{_GAP}\d){{6,14}}{_EXTENSION}{NOT_AFTER}"),
        _international,
    ),
    Shape(
        "phone",
        re.compile(
            r"(?:\+?1[ .-]?)?(?:\(\d{3}\)[ -]?|\d{3}([-. ]))\d{3}[-. ]\d{4}"
            rf"{_EXTENSION}{NOT_AFTER}"
        ),
        _american,
    ),
    Shape("phone", re.compile(rf"\(?0\d(?:{_GAP}\d){{6,11}}{NOT_AFTER}"), _national),
    Shape("phone", re.compile(rf"\d(?:{_GAP}\d){{7,14}}{NOT_AFTER}"), _beside_a_word),
)

_PLACEHOLDER = re.compile(
    r"(?:[*x.]+|\$.*|%.*|pass(?:word|wd)?|pwd|pw|secret|token|your.*|my.*|example|changeme|key)\Z",
    re.IGNORECASE,
)


def _credentials(match: re.Match[str]) -> float:
    return 0.0 if _PLACEHOLDER.match(match["password"]) else 0.95


URLS = Family(
    ("://",),
    (
        Shape(
            "url_credentials",
            re.compile(
                r"://[^\s/:@<>\"'`{}\[\]]{0,64}:(?P<password>[^\s/@<>\"'`{}\[\]]{1,128})@[\w.-]{1,128}"
                r"(?::\d{1,5})?(?:[/?#][^\s\"'<>`)\]]{0,200})?"
            ),
            _credentials,
        ),
    ),
)


def urls(text: str, lowered: str) -> Iterator[Hit]:
    """URLs with a user and a password, from their scheme on."""
    for hit in URLS.hits(text, lowered):
        scheme = re.search(
            r"[A-Za-z][A-Za-z0-9+.-]{0,20}\Z", text[max(0, hit.start - 21) : hit.start]
        )
        yield Hit(hit.start - len(scheme[0]) if scheme else hit.start, hit.end, hit.kind, hit.score)
