"""Makers of further national numbers and a check for each, from the published rules.

As `identifiers`, which holds the kinds that the set began with. A check takes the bare value.
"""

import random
import string

from bench.detecting.identifiers import born, digits, letters, luhn, weighted

_EIN = (
    *range(1, 7),
    *range(10, 17),
    *range(20, 28),
    *range(30, 49),
    *range(50, 69),
    *range(71, 78),
)
_MBI = "ACDEFGHJKMNPQRTUVWXY"


def ein(rng: random.Random) -> str:
    """An employer's number: no check, but prefixes that the IRS gives out."""
    return f"{rng.choice(_EIN):02}{digits(rng, 7, string.digits)}"


def mbi(rng: random.Random) -> str:
    """A Medicare beneficiary's: digits and letters by position (CMS)."""
    kinds = {"C": "123456789", "A": _MBI, "N": string.digits, "E": _MBI + string.digits}
    return "".join(letters(rng, 1, kinds[form]) for form in "CAENAENAANN")


def utr(rng: random.Random) -> str:
    body = digits(rng, 9)
    return utr_check(body) + body


def utr_check(body: str) -> str:
    return "21987654321"[weighted(body, (6, 7, 8, 9, 10, 5, 4, 3, 2)) % 11]


def utr_holds(value: str) -> bool:
    return utr_check(value[1:]) == value[0]


def bsn(rng: random.Random) -> str:
    while True:
        value = digits(rng, 9)
        if bsn_holds(value):
            return value


def bsn_holds(value: str) -> bool:
    return weighted(value, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def personnummer(rng: random.Random) -> str:
    day = born(rng)
    return luhn(f"{day:%y%m%d}{digits(rng, 3, string.digits)}")


def personnummer_holds(value: str) -> bool:
    return luhn(value[:-1]) == value


def ahv(rng: random.Random) -> str:
    body = "756" + digits(rng, 9, string.digits)
    return body + ean_check(body)


def ean_check(body: str) -> str:
    return str(-weighted(body, (1, 3) * 6) % 10)


def ahv_holds(value: str) -> bool:
    return value.startswith("756") and ean_check(value[:-1]) == value[-1]


def cpf(rng: random.Random) -> str:
    body = digits(rng, 9)
    return body + cpf_check(body)


def cpf_check(body: str) -> str:
    one = -weighted(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    two = -weighted(body + str(one), (11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11 % 10
    return f"{one}{two}"


def cpf_holds(value: str) -> bool:
    return cpf_check(value[:9]) == value[9:]


def abn(rng: random.Random) -> str:
    while True:
        value = digits(rng, 11)
        if value[:2] != "10" and abn_holds(value):
            return value


def abn_holds(value: str) -> bool:
    less = str(int(value[0]) - 1) + value[1:] if value[0] != "0" else value
    return weighted(less, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) % 89 == 0


def medicare(rng: random.Random) -> str:
    """An Australian card's: eight digits, their check, the issue."""
    body = digits(rng, 8, "23456")
    return f"{body}{medicare_check(body)}{rng.randrange(1, 6)}"


def medicare_check(body: str) -> str:
    return str(weighted(body, (1, 3, 7, 9, 1, 3, 7, 9)) % 10)


def medicare_holds(value: str) -> bool:
    return medicare_check(value[:8]) == value[8]
