"""What only the word before it makes personal: passports, licences, births, postcodes, BICs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halocline_governance.detect.kinds.national import numbers
from halocline_governance.detect.kinds.shape import Hit, Shape, tried

_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|okt|dez|mai|mei|maa|fev|avr|juin|juil|aou"
    r"|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|sty|lut|kwi|maj|cze|lip|sie|wrz|paz|lis|gru)"
    r"[a-z]{0,9}\.?"
)
_DATE = (
    r"(?:\d{1,2}(?P<a>[-/. ]|\. | / )\n?\d{1,2}(?P=a)\n?(?:19|20)?\d{2}"
    r"|\d{1,2}[ \n]\d{1,2}[ \n](?:19|20)\d{2}"
    r"|(?:19|20)\d{2}(?P<b>[-/. ])\n?\d{1,2}(?P=b)\n?\d{1,2}"
    r"|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
    rf"|\d{{1,2}}{_MONTH}(?:19|20)?\d{{2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)?[-/. \n](?:(?:of|de)[ \n])?{_MONTH}"
    r"(?:,| de| del)?[-/. \n]{1,2}"
    r"(?:(?:19|20)\d{2}|'?\d{2})"
    rf"|{_MONTH}[-/ \n]\d{{1,2}}(?:st|nd|rd|th)?(?:,[ \n]?|[-/ \n])(?:(?:19|20)\d{{2}}|'?\d{{2}}))"
    r"(?=T\d|(?!\w|[-/.]\d))"
)
_BORN = (
    r"(?:births?|born|d\.? ?o\.? ?b\b\.?|b-?day|geboren|geboortedatum|geb\b\.?|geburtsdat\w{0,2}"
    r"|geburtstag"
    r"|n[e]e? le|ne\(e\) le|naissance|nacimiento|nac\b\.?|nacid[oa]|nacio|nascimento"
    r"|naiss\b|nasc\b|d/o/b|b/d|nascita|nat[oa]|urodz\w{0,8}|ur\."
    r"|data nasc\b|date de naiss\b|ddn\b|fodelsedatum|fodselsdato|fodd|fodt|syntymaaika|syntynyt"
    r"|b\. ?(?=\d)|(?<=\()b\. |(?<=, )b\. |cumpleanos|compleanno|anniversaire|verjaardag)"
)
_WITHIN = (
    r"(?:(?![.;!]\s+[A-Z])[^\d\n]){0,44}?(?:\n(?:(?![.;!]\s+[A-Z])[^\d\n]){0,24}?)?(?<![^\W_])"
)
_dates = re.compile(rf"(?<![\w./-]){_DATE}", re.IGNORECASE)
_leads = re.compile(
    r"[ ,]?[(\[]|, |[ ,]{1,2}(?:is|was|as)(?: (?:my|her|his|their|the|your|date|day|of|patient's"
    r"|client's)){0,4} "
)


def _always(match: re.Match[str]) -> float:
    """A value is wrapped once over a line at most."""
    return 0.9 if match["v"].count("\n") <= 1 else 0.0


BIRTH = tried(
    Shape(
        "date_of_birth",
        re.compile(rf"{_BORN}{_WITHIN}(?P<v>{_DATE})", re.IGNORECASE),
        _always,
    ),
    Shape(
        "date_of_birth",
        re.compile(
            rf"{_BORN}\w*[\"']?(?: ?[,;|\t][^\n]{{0,80}})?\n(?:[|:+= -]{{3,40}}\n)?"
            r"(?:[^\n]{0,80}?[,;|\t] ?[\"']?)?"
            rf"(?P<v>{_DATE})"
            r"(?=[\"']?(?: ?[,;|\t\r\n]|\Z))",
            re.IGNORECASE,
        ),
        _always,
    ),
)


_starred = re.compile(r"\*(?P<v>\d{1,2}\.\d{1,2}\.(?:19|20)\d\d)(?![\w*]|[-/.]\d)")


def born(text: str, at: int) -> Iterator[Hit]:
    """The date behind a word for birth, else the one right before it."""
    starred = _starred.match(text, at)
    if starred is not None:  # as genealogists write it: *12.03.1980
        yield Hit(*starred.span("v"), "date_of_birth", 0.8)
    hits = list(BIRTH(text, at))
    yield from hits or born_behind(text, at)


def born_behind(text: str, at: int) -> Iterator[Hit]:
    """A date right before the word for birth: `12/03/1980 (DOB)`, `12/03/1980 is her birthday`."""
    found = None
    for match in _dates.finditer(text, max(0, at - 48), at):
        found = match
    if found is not None and _leads.fullmatch(text, found.end(), at):
        yield Hit(found.start(), found.end(), "date_of_birth", 0.85)


_FILL = r"(?:[^\w\n]{0,4}[\n ]?\b[A-Za-z]{1,12}\b){0,5}?"
_GAP = r"[^\w\n]{0,6}\n?[^\w\n]{0,6}"
_VALUE = (
    r"(?P<v>(?-i:[A-Z]{1,3}[ -]?\d{5,9}[A-Z]{0,2}|\d{6,10}[A-Z]{0,2}"
    r"|\d{2} ?[A-Z]{2} ?\d{5}"
    r"|(?=[A-Z0-9]{0,9}\d)[A-Z0-9]{8,10})|[a-z]{1,3}\d{6,9}|\d{2} \d{2} \d{6}|\d{3} \d{3} \d{3})"
)
_END = r"(?!\w|[-./]\d)"


_german = re.compile(r"[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}")
"""Personalausweisverordnung: no vowels, and nothing that is like a digit."""


def _papers(match: re.Match[str]) -> float:
    value = match["v"]
    count = sum(map(str.isdigit, value))
    if count < 2 and not _german.fullmatch(value):
        return 0.0
    if re.fullmatch(r"(?:19|20)\d{6}", value):
        return 0.0
    return 0.85 if value.upper() == value or count >= 6 else 0.0


PASSPORT = tried(
    Shape(
        "passport",
        re.compile(
            r"(?:passports?|travel documents?|passeport"
            r"|reisepas\w{0,12}|pasaporte|passaporto|paszport\w{0,3}"
            r"|paspoort\w{0,8}|pas(?:s|nummer|nr)(?=\W{0,3}n(?:umme)?r)|passn(?:umme)?r|ppt)"
            rf"(?:[-_]?(?:number|num|no|nr|nummer|id))?{_FILL}{_GAP}{_VALUE}{_END}",
            re.IGNORECASE,
        ),
        _papers,
    )
)
_before = re.compile(
    r"(?<![\w./-])(?P<v>[A-Z]{1,3}\d{5,9}[A-Z]{0,2}|\d{8,9}|\d{2}[A-Z]{2}\d{5}"
    r"|(?=[A-Z]{0,8}\d)[A-Z0-9]{8,9})[ ,]?[(\[]\Z"
)


def passport(text: str, at: int) -> Iterator[Hit]:
    """The value behind the word, else the one right before it in brackets."""
    hits = list(PASSPORT(text, at))
    yield from hits
    before = _before.search(text, max(0, at - 16), at)
    if not hits and before is not None:
        yield Hit(*before.span("v"), "passport", 0.8)


_not_driving = re.compile(
    r"(?:software|product|business|liquor|patent|state|broker\w*|medical|nurs\w+|bank\w*|commercial"
    r"|export|import|fcc|gaming|contractor\w*|professional|bar) {1,2}\Z",
    re.IGNORECASE,
)


def _licence(match: re.Match[str]) -> float:
    if _not_driving.search(match.string, max(0, match.start() - 24), match.start()):
        return 0.0
    value = match["v"]
    count = sum(map(str.isdigit, value))
    sure = count >= 4 or (count == 3 and value.startswith("WDL"))
    if match.string[match.start("v") - 1] == "-" or _dates.search(value):
        return 0.0
    return 0.85 if sure and value.upper() == value else 0.0


LICENCE = tried(
    Shape(
        "driver_license",
        re.compile(
            r"(?:driv(?:er'?s?|ing)[ _-]?licen[cs]es?|licen[cs]e|dl|fuhrerschein\w{0,8}"
            r"|permis de conduire"
            r"|patente(?: di guida)?|(?:permiso|carnet|licencia) de conducir|de conducir"
            r"|rijbewijs\w{0,8}"
            r"|prawo jazdy)"
            rf"(?:[-_ ]?(?:number|num|no|nr|nummer|id|#))?{_FILL}{_GAP}"
            rf"(?P<v>(?-i:(?=[A-Z0-9]{{0,8}}[ -]?[A-Z0-9]*\d)[A-Z0-9](?:[A-Z0-9]{{5,19}}"
            rf"|[A-Z0-9]{{0,4}}(?:[ -][A-Z0-9]{{2,6}}){{1,4}}(?:-\d)?)|\d{{5}}/\d\d/\d{{4}}))"
            rf"{_END}",
            re.IGNORECASE,
        ),
        _licence,
    )
)

_NO_CODE = (
    r"(?<=[a-z])[ _](?:files?|archives?|folders?|drives?|lines?|ties|workers?|services?|savings"
    r"|employees|of|violations|stocks?)\b|\.\w|(?<=[Cc][AaPp])[ ][a-z]|(?<=[Aa][Pp])[ ][a-z]"
)
"""What makes of a zip a file, of a cap a limit and of a post its staff."""
_UK = r"[A-Z]{1,2}\d[A-Z\d]?[ \n]?\d[A-Z]{2}"
POSTCODE = tried(
    Shape(
        "postcode",
        re.compile(
            r"(?:zip|post[ _-]?code|c\.p\.|(?-i:CP|Cp)|cp(?=:)"
            r"|postal|plz|postleitzahl|codice[ _]postale|(?-i:CAP)|cap(?=:)|kod[ _]pocztowy"
            r"|code[ _]postal|codigo[ _]postal|postnummer)(?:[ _-]?code)?s?(?:\+4)?"
            rf"(?!{_NO_CODE}){_FILL}{_GAP}"
            rf"(?P<v>\d{{5}}-\n?\d{{4}}|{_UK}|[A-Z]\d[A-Z][ \n]?\d[A-Z]\d"
            rf"|\d{{4}}[ \n]?[A-Z]{{2}}|\d{{2}}-\n?\d{{3}}|\d{{4,6}}){_END}",
            re.IGNORECASE,
        ),
        lambda match: 0.85,
    ),
    Shape(
        "postcode",
        re.compile(
            rf"(?:pin ?code|eircode|postnr|postkod){_FILL}{_GAP}"
            rf"(?P<v>[1-9]\d{{2}} ?\d{{3}}|[A-Z]\d[\dW] ?[A-Z0-9]{{4}}|\d{{3}} ?\d{{2}}){_END}",
            re.IGNORECASE,
        ),
        lambda match: 0.8,
    ),
    Shape(
        "postcode",
        re.compile(
            r"singapore[ ,]{1,2}\(?s?\(?(?P<v>(?:0[1-9]|[1-7]\d|8[0-2])\d{4})(?![\w,]|[ ]?%|\.\d)"
            r"(?! (?:shares|units|people|employees|sgd|dollars))",
            re.IGNORECASE,
        ),
        lambda match: 0.7,
    ),
)


_CAPITALS = (
    "BENEFICIARY|INSTITUTION|INSTRUCTION|INFORMATION|CONCERTS|CUSTOMER|DOCUMENT|MESSAGES|CHANNELS"
    "|REFERENCE|STANDARD|OPERATIONS|RESPONSE|DELIVERY|REQUIRED|TRANSFER|INTERNATIONAL|COMPLETE"
)
"""Words whose fifth and sixth letters name a country."""


def _bic(match: re.Match[str]) -> float:
    value = match["v"].upper()
    sure = match["v"].isupper() or any(map(str.isdigit, value))
    return 0.9 if sure and numbers("bic").is_valid(value) else 0.0


_BIC = tried(
    Shape(
        "bic",
        re.compile(
            r"(?:bic(?:fi)?|swift|identifier)(?:[ /_-]{0,3}(?:bic|swift))?"
            r"(?:[ _-]?(?:code|number|no|id))?"
            rf"{_FILL}{_GAP}(?P<v>(?-i:(?!(?:{_CAPITALS})(?!\w))"
            r"[A-Z]{4} ?[A-Z]{2} ?[A-Z0-9]{2}(?: ?[A-Z0-9]{3})?)"
            r"|[a-z]{6}(?=[a-z0-9]{0,4}\d)[a-z0-9]{2}(?:[a-z0-9]{3})?)(?!\w)",
            re.IGNORECASE,
        ),
        _bic,
    )
)


_bic_before = re.compile(r"(?<!\w)(?P<v>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?) ?[(\[]\Z")


def bic(text: str, at: int) -> Iterator[Hit]:
    """The code behind the word, else the one right before it in brackets."""
    hits = list(_BIC(text, at))
    yield from hits
    before = _bic_before.search(text, max(0, at - 16), at)
    if not hits and before is not None and numbers("bic").is_valid(before["v"]):
        yield Hit(*before.span("v"), "bic", 0.8)
