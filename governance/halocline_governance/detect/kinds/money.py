"""Payment cards, IBANs, bank accounts in context, crypto addresses.

Checks: Luhn with issuer prefixes and lengths, ISO 7064 mod 97, base58check and bech32 (stdnum),
EIP-55.
"""

from __future__ import annotations

import re
from functools import cache

from halocline_governance.detect.kinds.keccak import keccak256
from halocline_governance.detect.kinds.shape import NOT_AFTER, Family, Hit, Shape, context, digits

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|309|36|3[89]"), (14, 16)),
    (re.compile(r"6011|64[4-9]|65"), (16, 19)),
    (re.compile(r"35"), (16, 19)),
    (re.compile(r"2131|1800"), (15,)),
    (re.compile(r"62"), (16, 17, 18, 19)),
    (re.compile(r"50(?:18|20|38)|5[678]|63(?:04|90)|67|0604"), tuple(range(12, 20))),
)
_card_words = context(
    r"(?:credit|debit|payment|bank|visa|master|charge) ?cards?|card|visa|mastercard|amex"
    r"|american express|maestro|discover|diners|jcb|pan|cc|cvv|cvc|expir\w{0,6}|exp"
)


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
    if _card_words(match):
        return 0.98
    return 0.9 if not match[0].isdigit() or len(number) in (15, 16) else 0.6


CARD = Shape(
    "credit_card",
    re.compile(
        rf"(?:\d{{12,19}}|\d{{4}}([ -])\d{{4}}\1\d{{4}}(?:\1\d{{1,4}}(?:\1\d{{1,3}})?)?"
        rf"|\d{{4}}([ -])\d{{6}}\2\d{{4,5}}){NOT_AFTER}"
    ),
    _card,
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


def mod97(value: str) -> bool:
    """ISO 7064 MOD 97-10 over an IBAN's rearranged form."""
    return int("".join(str(int(char, 36)) for char in value[4:] + value[:4])) % 97 == 1


def iban_end(text: str, start: int) -> int | None:
    """Where the IBAN that starts here ends, by its country's length; None if its check fails."""
    length = _iban_lengths().get(text[start : start + 2])
    if length is None:
        return None
    value, at = "", start
    while len(value) < length and at < len(text):
        char = text[at]
        if char.isascii() and (char.isdigit() or char.isupper()):
            value += char
        elif char not in " -" or text[at - 1] in " -":
            return None
        at += 1
    if len(value) < length or (at < len(text) and (text[at].isalnum() or text[at] == "_")):
        return None
    return at if mod97(value) else None


class _Iban(Shape):
    """An IBAN's end follows from its country's length, not from a pattern."""

    __slots__ = ()

    def judge(self, match: re.Match[str]) -> Hit | None:
        end = iban_end(match.string, match.start())
        return None if end is None else Hit(match.start(), end, self.kind, 0.97)


IBAN = _Iban("iban", re.compile(r"[A-Z]{2}\d{2}"), lambda match: 1.0)


def _account(match: re.Match[str]) -> float:
    count = sum(map(str.isdigit, match["v"]))
    if not 6 <= count <= 17 or (match["v"][:2] in ("19", "20") and count <= 8):
        return 0.0
    return 0.75


ACCOUNT = Family(
    ("account", "acct", "a/c", "konto", "compte", "cuenta", "routing", "aba", "sort code"),
    (
        Shape(
            "bank_account",
            re.compile(
                r"(?<![^\W_])"
                r"(?i:acc(?:oun)?t|a/c|konto(?:nummer)?|compte|cuenta|routing|aba|sort code)"
                r"(?i:[ -]?(?:transit ?)?(?:number|num|no|nr|#|id|n[°º]))?\.?"
                r"(?:[ \t]{0,3}[:#=]|[ \t](?i:is|was|of))?[ \t]{0,3}"
                rf"(?P<v>\d(?:[ -]?\d){{5,16}}){NOT_AFTER}"
            ),
            _account,
        ),
    ),
)


def _bitcoin(match: re.Match[str]) -> float:
    from stdnum import bitcoin

    return 0.97 if bitcoin.is_valid(match[0]) else 0.0


def _ethereum(match: re.Match[str]) -> float:
    body = match[0][2:]
    if len(set(body.lower())) < 6:
        return 0.0
    if body in (body.lower(), body.upper()):
        return 0.6
    seen = keccak256(body.lower().encode()).hex()
    cased = "".join(
        c.upper() if int(n, 16) > 7 else c for c, n in zip(body.lower(), seen, strict=False)
    )
    return 0.97 if cased == body else 0.0


CRYPTO = Family(
    re.compile(r"(?:bc1[a-z0-9]|0x[0-9a-fA-F]{8}|[13][1-9A-HJ-NP-Za-km-z]{25})"),
    (
        Shape("crypto_address", re.compile(r"(?<!\w)0x[0-9a-fA-F]{40}(?!\w)"), _ethereum),
        Shape("crypto_address", re.compile(r"(?<!\w)bc1[ac-hj-np-z02-9]{11,87}(?!\w)"), _bitcoin),
        Shape(
            "crypto_address", re.compile(r"(?<!\w)[13][1-9A-HJ-NP-Za-km-z]{25,34}(?!\w)"), _bitcoin
        ),
    ),
)
