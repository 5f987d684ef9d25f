"""Payment cards, IBANs, bank accounts and routing numbers.

Checks: Luhn with issuers' prefixes and lengths (ISO/IEC 7812-1), ISO 7064 mod 97-10, ABA's weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from halocline_governance.detect.kinds import labels
from halocline_governance.detect.kinds.national import numbers
from halocline_governance.detect.kinds.shape import NOT_AFTER, Hit, Shape, digits
from halocline_governance.detect.kinds.words import Words, denied

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"220[0-4]"), (16, 19)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|309|36|3[89]"), (14, 16)),
    (re.compile(r"6011|64[4-9]|65|60|508[5-9]|81|82"), (16, 19)),
    (re.compile(r"35"), (16, 19)),
    (re.compile(r"2131|1800"), (15,)),
    (re.compile(r"62"), (16, 17, 18, 19)),
    (re.compile(r"9792"), (16,)),
    (re.compile(r"50(?:18|20|38)|5[678]|63(?:04|90)|67|0604"), tuple(range(12, 20))),
)
CARD_WORDS = Words(*labels.PAYMENT)


def luhn(number: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    odd = sum(map(int, number[::-2]))
    return (odd + sum(_DOUBLED[int(digit)] for digit in number[-2::-2])) % 10 == 0


def _issued(number: str) -> bool:
    return any(prefix.match(number) and len(number) in sizes for prefix, sizes in _ISSUERS)


def _card(match: re.Match[str]) -> float:
    number = digits(match)
    if len(set(number)) < 2 or not _issued(number) or not luhn(number):
        return 0.0
    near = CARD_WORDS.near(match)
    if near > 0.8 or (near and not denied(match)):
        return 0.98
    if denied(match):
        return 0.0
    return 0.9 if not match[0].isdigit() or len(number) in (15, 16) else 0.6


CARD = Shape(
    "credit_card",
    re.compile(
        r"(?:\d{12,19}|\d{4}([ .-]|  | - )\d{4}\1\d{4}(?:\1\d{1,4}(?:\1\d{1,3})?)?"
        r"|\d{4}([ .-])\d{6}\2\d{4,5})(?!\w|[-.]\d|(?<!\d{4}),\d)"
    ),
    _card,
    (4, *range(12, 20)),
)


@cache
def _iban_lengths() -> dict[str, int]:
    """ISO 13616 registry: the countries with an IBAN and its length."""
    table = (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27"
        " DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28"
        " IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22"
        " MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24"
        " SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
    )
    return {entry[:2]: int(entry[2:]) for entry in table.split()}


COUNTRIES = tuple(_iban_lengths())


_VALUES = {ord(char): str(int(char, 36)) for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def mod97(value: str) -> bool:
    """ISO 7064 MOD 97-10 over an IBAN's rearranged form."""
    return int((value[4:] + value[:4]).translate(_VALUES)) % 97 == 1


def iban_end(text: str, start: int) -> int | None:
    """Where the IBAN that starts here ends, by its country's length; None if its check fails."""
    length = _iban_lengths().get(text[start : start + 2].upper())
    if length is None:
        return None
    value, at = "", start
    while len(value) < length and at < len(text):
        char = text[at]
        if char.isascii() and char.isalnum():
            value += char.upper()
        elif char not in " -." or text[at - 1] in " -.":
            return None
        at += 1
    if len(value) < length or (at < len(text) and (text[at].isalnum() or text[at] == "_")):
        return None
    return at if mod97(value) else None


_bank = re.compile(r"[\s,;/|]{1,3}[\"'(]?(?P<v>[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)(?!\w)")


def iban(text: str, at: int) -> Iterator[Hit]:
    """An IBAN's end follows from its country's length, not from a pattern; a BIC may follow it."""
    end = iban_end(text, at)
    if end is None:
        return
    yield Hit(at, end, "iban", 0.97)
    bank = _bank.match(text, end)
    same = bank is not None and bank["v"][4:6] == text[at : at + 2].upper()
    if bank is not None and same and numbers("bic").is_valid(bank["v"]):
        yield Hit(*bank.span("v"), "bic", 0.8)


ACCOUNT_WORDS = Words(*labels.BANKING)
_label = Words(*labels.ACCOUNT)
ROUTING = Words("routing*", "aba", "rtn", "transit*", "fedwire", "routing/transit")
_not_account = re.compile(
    r"(?:accounts? (?:receivable|payable|for)|accounting|account(?:s|ed)|deposits?)\W{0,3}\Z",
    re.IGNORECASE,
)
_other = re.compile(
    r"(?<![^\W\d_])(?:phone|tel|call|card|order|invoice|ref|reference|case|ticket|pin|sort|iban"
    r"|bic|swift|zip"
    r"|postcode|customer|client|invoice|code|routing|aba|blz|bank code|amount|balance|usd|eur|gbp"
    r"|fax"
    r"|mobile|born|dob|since|on|from|until|total|paid|page|tracking|ssn|tax|id number"
    r"|passport)(?![^\W\d_])",
    re.IGNORECASE,
)
_no_account = re.compile(
    r"(?:(?:19|20)\d\d-\d\d|\d{3}-\d{3}|\d\d(?:-\d\d){2}|(?:(?:19|20)\d\d ?)+)\Z"
)
_dated = re.compile(r"(?:(?:19|20)\d\d([ /.-]?)\d\d\1\d\d|\d\d([/.-])\d\d\2(?:\d\d){1,2})\Z")
_asked = re.compile(r"\?\s{1,2}\w{1,12}:(?=\s)")
"""Who answers a question."""
_apart = re.compile(r"[.;]\s+[A-Z]|\d")


def _account(match: re.Match[str]) -> float:
    start = match.start()
    named = _label.before(match.string, start, 48)
    if not named and _label.near(match) < 0.9:
        return 0.0
    if not 6 <= len(digits(match)) <= 26 or _no_account.match(match[0]) or denied(match):
        return 0.0
    if not named:
        return 0.65
    between = _asked.sub("", match.string[named[-1][1] : start])
    if between.count("\n") > 1 or _apart.search(between) or _other.search(between):
        return 0.0
    if _dated.match(match[0]):
        return 0.0
    if _not_account.search(match.string, max(0, start - 24), start):
        return 0.0
    return 0.8 - len(between) / 400


def _routing(match: re.Match[str]) -> float:
    near = ROUTING.near(match)
    if not near or not numbers("us.rtn").is_valid(digits(match)):
        return 0.0
    return 0.91 + near / 20


ACCOUNTS = (
    CARD,
    Shape("us_routing_number", re.compile(rf"\d{{9}}{NOT_AFTER}"), _routing, (9,), words=ROUTING),
    Shape(
        "bank_account", re.compile(rf"\d(?:[ .-]?\d){{5,25}}{NOT_AFTER}"), _account, words=_label
    ),
    Shape(
        "bank_account",
        re.compile(rf"\d{{6,26}}{NOT_AFTER}"),
        _account,
        tuple(range(6, 27)),
        words=_label,
    ),
)
