"""Postcodes that a street line, a state or their own form make sure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.shape import Hit
from halocline_governance.detect.kinds.words import Words

STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY"
    "|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR|VI|GU|AS|MP|AA|AE|AP|FM|MH|PW"
)
_TOWN = (
    r"[A-Z][\w'.-]{1,24}"
    r"(?:[ -](?:[A-Z][\w'.-]{1,24}|of|upon|on|de|la|le|am|an der|im|sur|aan|den)){0,3}"
)
_behind = re.compile(
    r"[ ]?[,;]?\s{0,3}(?:"
    rf"(?:{_TOWN})?,?\s{{0,2}}(?:(?:{STATES})"
    rf"|[A-Z][a-z]{{3,12}}(?: [A-Z][a-z]{{3,9}})?)\.?(?:,?\s{{1,2}}|,)"
    rf"(?P<us>\d{{5}}(?:-\d{{4}})?)(?![\w-])"
    rf"|(?i:[a-z][\w'.-]{{1,24}}(?: [a-z][\w'.-]{{1,24}}){{0,2}},? (?:{STATES})),? "
    rf"(?P<low>\d{{5}}(?:-\d{{4}})?)(?![\w-])"
    rf"|(?:[A-Z]{{1,3}}-)?(?P<eu>\d{{4}} ?[A-Z]{{2}}(?!\w)|\d{{2}}-\d{{3}}|\d{{5}}|\d{{4}}"
    rf"|\d{{3}} \d{{2}})[ ]{{1,2}}[A-Z]\w"
    rf"|(?:{_TOWN},?\s{{1,2}}){{1,3}}(?P<uk>[A-Z]{{1,2}}\d[A-Z\d]?[ \n]\d[ABD-HJLNP-UW-Z]{{2}}"
    rf"|[A-Z]\d[A-Z][ \n]\d[A-Z]\d)(?!\w)"
    rf"|(?:{_TOWN},?\s{{1,2}})(?:NSW|VIC|QLD|TAS|ACT|Singapore),?\s(?P<au>\d{{4}}|\d{{6}})(?!\w)"
    rf"|(?:{_TOWN},?\s{{1,2}}){{1,2}}(?:- )?(?P<zip>\d{{5,6}}(?:-\d{{4}})?)(?![\w-]|[.,]\d)"
    r")"
)


def postcode_behind(match: re.Match[str], same_line: bool = True) -> tuple[int, int] | None:
    """Where the postcode stands that belongs to this street line, if any."""
    end = match.end() + 90
    if same_line:
        line = match.string.find("\n", match.end(), end)
        end = line if line >= 0 else end
    found = _behind.match(match.string, match.end(), end)
    if found is None or found.lastgroup is None:
        return None
    return found.span(found.lastgroup)


_AREA_LETTERS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E"
    " EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL"
    " LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM"
    " SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_AREAS = frozenset(_AREA_LETTERS.split())
_lives = Words(
    "address*", "live*", "resid*", "post*", "london", "uk", "street", "road", "zip", "home"
)
_british = re.compile(r"(?P<area>[A-Z]{1,2})\d[A-Z\d]?[ \n]\d[ABD-HJLNP-UW-Z]{2}(?!\w)")
_canadian = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[A-Z][ \n]\d[A-Z]\d(?!\w)")
_provinces = Words(
    "on",
    "qc",
    "bc",
    "ab",
    "mb",
    "sk",
    "ns",
    "nb",
    "nl",
    "pe",
    "postal*",
    "ontario",
    "quebec",
    "address*",
    "canada",
)


def british(text: str, at: int) -> Iterator[Hit]:
    """A British postcode by its form and area; a Canadian one beside a province or a word."""
    match = _british.match(text, at)
    if match is not None and match["area"] in _AREAS:
        yield Hit(match.start(), match.end(), "postcode", 0.85 if _lives.near(match) else 0.6)
    match = _canadian.match(text, at)
    if match is not None and _provinces.near(match):
        yield Hit(match.start(), match.end(), "postcode", 0.8)


_state = re.compile(rf"(?:[a-z],? |, )(?:{STATES}),? {{1,2}}\Z")
_zip = re.compile(r"\d{5}(?:-\d{4})?(?![\w-]|[.,]\d)")


LIVES_IN = Words(
    "wohn*", "habite*", "vive", "domicili*", "resid*", "lives in", "address*", "adress*",
    "anschrift",
    "indirizzo", "direccion", "adres",
)  # fmt: skip
_before_town = re.compile(r"\d{5}(?= [A-Z][a-z]{2,})")


def zipped(text: str, at: int) -> Iterator[Hit]:
    """A ZIP code behind a town and its state; a postcode before a town, where one lives."""
    match = _zip.match(text, at)
    town = _before_town.match(text, at)
    if town is not None and LIVES_IN.near(town) > 0.6:
        yield Hit(town.start(), town.end(), "postcode", 0.7)
    if match is not None and _state.search(text, max(0, at - 8), at):
        yield Hit(match.start(), match.end(), "postcode", 0.75)
