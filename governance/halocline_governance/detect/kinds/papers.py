"""What only the word before it makes personal: passports, licences, births, postcodes, BICs."""

from __future__ import annotations

import re

from halocline_governance.detect.kinds.national import numbers
from halocline_governance.detect.kinds.shape import Shape, Words, tried

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|okt|dez|mai|mei|maa|fev|avr|juin|juil|aou"
    r"|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|sty|lut|kwi|maj|cze|lip|sie|wrz|paz|lis|gru)"
    r"[a-z]{0,9}\.?"
)
_DATE = (
    r"(?:\d{1,2}(?P<a>[-/.]|\. | / )\d{1,2}(?P=a)(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}(?P<b>[-/.])\d{1,2}(?P=b)\d{1,2}"
    r"|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)?[ -](?:of |de )?{_MONTH}(?:,| de| del)?[ -](?:(?:19|20)\d{{2}}|\d{{2}})"
    rf"|{_MONTH}[ -]\d{{1,2}}(?:st|nd|rd|th)?(?:, ?|[ -])(?:(?:19|20)\d{{2}}|'?\d{{2}}))"
)
_BORN = (
    r"(?:births?|born|d\.?o\.?b\b|geboren|geboortedatum|geb\b|geburtsdatum|geburtstag|n[e]e? le"
    r"|naissance|nacimiento|nacid[oa]|nascita|nat[oa] il|nat[oa]|urodz\w{0,8}|ur\.|b\. ?(?=\d))"
)
_WITHIN = r"(?:(?![.;!?]\s+[A-Z])[^\d\n]){0,32}?(?:\n[^\w\n]{0,12})?(?<![^\W_])"


def _always(match: re.Match[str]) -> float:
    return 0.9


BIRTH = tried(
    Shape(
        "date_of_birth",
        re.compile(rf"{_BORN}{_WITHIN}(?P<v>{_DATE})(?!\w|[-/.]\d)", re.IGNORECASE),
        _always,
    )
)

_FILL = (
    r"(?:[^\w\n]{0,4}\b(?:number|num|no|nr|n|id|is|was|nummer|numero|numer|book|card|holder|holding"
    r"|issued|de|du|del|della|di|the|my|her|his|with|serial|s|seria|i|has|of|identified|by|as|code)\b"
    r"){0,5}"
)
_GAP = r"[^\w\n]{0,6}\n?[^\w\n]{0,6}"
_VALUE = r"(?P<v>[A-Z]{1,3}[ -]?\d{5,9}[A-Z]{0,2}|\d{6,10}[A-Z]{0,2}|\d{2} ?[A-Z]{2} ?\d{5}|[A-Z0-9]{8,10})"
_END = r"(?!\w|[-./]\d)"


def _papers(match: re.Match[str]) -> float:
    value = match["v"]
    count = sum(map(str.isdigit, value))
    if count < 4 or re.fullmatch(r"(?:19|20)\d{6}", value):
        return 0.0
    return 0.85 if value.upper() == value or count >= 6 else 0.0


PASSPORT = tried(
    Shape(
        "passport",
        re.compile(
            r"(?:passports?|passeport|reisepas\w{0,12}|pasaporte|passaporto|paszport\w{0,3}|paspoort\w{0,8})"
            rf"(?:[-_]?(?:number|num|no|nr|nummer|id))?{_FILL}{_GAP}{_VALUE}{_END}",
            re.IGNORECASE,
        ),
        _papers,
    )
)
_not_driving = re.compile(
    r"(?:software|product|business|liquor|patent|state|broker\w*|medical|nurs\w+|bank\w*|commercial"
    r"|export|import|fcc|gaming|contractor\w*|professional|bar) {1,2}\Z",
    re.IGNORECASE,
)


def _licence(match: re.Match[str]) -> float:
    if _not_driving.search(match.string, max(0, match.start() - 24), match.start()):
        return 0.0
    count = sum(map(str.isdigit, match["v"]))
    return 0.85 if count >= 4 and match["v"].upper() == match["v"] else 0.0


LICENCE = tried(
    Shape(
        "driver_license",
        re.compile(
            r"(?:driv(?:er'?s?|ing)[ _-]?licen[cs]es?|licen[cs]e|dl|fuhrerschein\w{0,8}|permis de conduire"
            r"|patente(?: di guida)?|(?:permiso|carnet|licencia) de conducir|de conducir|rijbewijs\w{0,8}"
            r"|prawo jazdy)"
            rf"(?:[-_ ]?(?:number|num|no|nr|nummer|id|#))?{_FILL}{_GAP}"
            rf"(?P<v>(?-i:[A-Z0-9](?:[A-Z0-9]{{5,19}}|[A-Z0-9]{{0,4}}(?:[ -][A-Z0-9]{{2,6}}){{1,4}}))){_END}",
            re.IGNORECASE,
        ),
        _licence,
    )
)

_UK = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
POSTCODE = tried(
    Shape(
        "postcode",
        re.compile(
            r"(?:zip|post ?code|postal|plz|postleitzahl|codice[ _]postale|cap|kod[ _]pocztowy"
            r"|code[ _]postal|codigo[ _]postal|postnummer)(?:[ _-]?code)?s?"
            rf"{_FILL}{_GAP}(?P<v>\d{{5}}-\d{{4}}|{_UK}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{{4}} ?[A-Z]{{2}}"
            rf"|\d{{2}}-\d{{3}}|\d{{4,6}}){_END}",
            re.IGNORECASE,
        ),
        lambda match: 0.85,
    )
)
_AREAS = frozenset(
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E"
    " EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL"
    " LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM"
    " SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE".split()
)
_lives = Words(
    "address*", "live*", "resid*", "post*", "london", "uk", "street", "road", "zip", "home"
)


def _british(match: re.Match[str]) -> float:
    if match["area"] not in _AREAS:
        return 0.0
    return 0.85 if _lives.near(match) else 0.6


BRITISH = tried(
    Shape(
        "postcode",
        re.compile(r"(?P<area>[A-Z]{1,2})\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}(?!\w)"),
        _british,
    )
)


def _bic(match: re.Match[str]) -> float:
    value = match["v"].upper()
    sure = match["v"].isupper() or any(map(str.isdigit, value))
    return 0.9 if sure and numbers("bic").is_valid(value) else 0.0


BIC = tried(
    Shape(
        "bic",
        re.compile(
            r"(?:bic|swift)(?:[ /_-]{0,3}(?:bic|swift))?(?:[ _-]?(?:code|number|no|id))?"
            rf"{_FILL}{_GAP}(?P<v>[A-Z]{{4}} ?[A-Z]{{2}} ?[A-Z0-9]{{2}}(?: ?[A-Z0-9]{{3}})?)(?!\w)",
            re.IGNORECASE,
        ),
        _bic,
    )
)
