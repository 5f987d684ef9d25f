"""Makers of national numbers and their near misses, from the published rules, by plain arithmetic.

Knows no detector and no text. A maker takes a `random.Random` and gives the bare value; makers of
near misses give the same form with a check that fails. Tests hold both to python-stdnum.
"""

import random
import string
from collections.abc import Callable
from datetime import date, timedelta

Maker = Callable[[random.Random], str]

_VERHOEFF_P = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_NRIC = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}
_NIF = "TRWAGMYFPDXBNJZSQVHLCKE"
_CF_MONTHS = "ABCDEHLMPRST"
_CF_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25)
_CF_ODD_LETTERS = (*_CF_ODD, 24, 23)


def digits(rng: random.Random, count: int, first: str = "123456789") -> str:
    rest = "".join(rng.choice(string.digits) for _ in range(count - 1))
    return rng.choice(first) + rest


def letters(rng: random.Random, count: int, of: str = string.ascii_uppercase) -> str:
    return "".join(rng.choice(of) for _ in range(count))


def born(rng: random.Random) -> date:
    """A day of birth of somebody who works."""
    return date(1945, 1, 1) + timedelta(days=rng.randrange(365 * 60))


def luhn(body: str) -> str:
    """The body with its check digit (ISO/IEC 7812-1)."""
    total = 0
    for at, char in enumerate(reversed(body)):
        twice = int(char) * (2 if at % 2 == 0 else 1)
        total += twice - 9 if twice > 9 else twice
    return body + str(-total % 10)


def weighted(body: str, weights: tuple[int, ...]) -> int:
    return sum(int(char) * weight for char, weight in zip(body, weights, strict=True))


def ssn(rng: random.Random) -> str:
    area = rng.choice([rng.randrange(1, 666), rng.randrange(667, 900)])
    return f"{area:03}{rng.randrange(1, 100):02}{rng.randrange(1, 10000):04}"


def bad_ssn(rng: random.Random) -> str:
    good = ssn(rng)
    area = rng.choice(["000", "666"])
    return rng.choice([area + good[3:], good[:3] + "00" + good[5:], good[:5] + "0000"])


def itin(rng: random.Random) -> str:
    group = rng.choice([*range(70, 89), 90, 91, 92, *range(94, 100)])
    return f"9{rng.randrange(100):02}{group}{rng.randrange(1, 10000):04}"


def nino(rng: random.Random) -> str:
    while True:
        prefix = rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if prefix not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
            return prefix + digits(rng, 6, string.digits) + rng.choice("ABCD")


def bad_nino(rng: random.Random) -> str:
    good = nino(rng)
    prefix = rng.choice(["QQ", "DD", "FA", "GB", "NT", "VO", "AU"])
    return rng.choice([prefix + good[2:], good[:-1] + rng.choice("EFGHXYZ")])


def nhs(rng: random.Random) -> str:
    while True:
        body = digits(rng, 9, "4679")
        check = -weighted(body, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return body + str(check)


def de_tax_id(rng: random.Random) -> str:
    """Ten digits of which exactly one stands twice, then ISO 7064 mod 11,10."""
    while True:
        chosen = rng.sample(string.digits, 9)
        body = [*chosen, rng.choice(chosen)]
        rng.shuffle(body)
        if body[0] != "0":
            break
    carry = 10
    for char in body:
        carry = (carry + int(char)) % 10 or 10
        carry = carry * 2 % 11
    return "".join(body) + str((11 - carry) % 10)


def es_nif(rng: random.Random) -> str:
    number = rng.randrange(100_000, 99_999_999)
    if rng.random() < 0.3:
        head = rng.randrange(3)
        tail = rng.randrange(10_000_000)
        return f"{'XYZ'[head]}{tail:07}{_NIF[(head * 10_000_000 + tail) % 23]}"
    return f"{number:08}{_NIF[number % 23]}"


def bad_es_nif(rng: random.Random) -> str:
    good = es_nif(rng)
    return good[:-1] + rng.choice([char for char in _NIF if char != good[-1]])


def fr_nir(rng: random.Random) -> str:
    day = born(rng)
    place = f"{rng.randrange(1, 96):02}"
    while place == "20":
        place = f"{rng.randrange(1, 96):02}"
    commune, order = rng.randrange(1, 900), rng.randrange(1, 1000)
    body = f"{rng.choice('12')}{day:%y%m}{place}{commune:03}{order:03}"
    return f"{body}{97 - int(body) % 97:02}"


def codice_fiscale(rng: random.Random) -> str:
    day, sex = born(rng), rng.choice((0, 40))
    name = letters(rng, 6, "BCDFGLMNPRSTV")
    place = rng.choice("ABCDEFGHIL") + f"{rng.randrange(1, 999):03}"
    body = f"{name}{day:%y}{_CF_MONTHS[day.month - 1]}{day.day + sex:02}{place}"
    return body + cf_check(body)


def cf_check(body: str) -> str:
    total = 0
    for at, char in enumerate(body):
        value = int(char) if char.isdigit() else ord(char) - ord("A")
        total += _CF_ODD_LETTERS[value] if at % 2 == 0 else value
    return string.ascii_uppercase[total % 26]


def pesel(rng: random.Random) -> str:
    day = born(rng)
    body = f"{day:%y}{day.month + (20 if day.year >= 2000 else 0):02}{day:%d}{digits(rng, 4)}"
    return body + str(-weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def aadhaar(rng: random.Random) -> str:
    while True:
        body = digits(rng, 11, "23456789")
        value = body + verhoeff(body)
        if value != value[::-1]:
            return value


def verhoeff(body: str) -> str:
    """The check digit by products in the dihedral group D5 (Verhoeff 1969)."""
    check = 0
    for at, char in enumerate(reversed(body)):
        value = int(char)
        for _ in range((at + 1) % 8):
            value = _VERHOEFF_P[value]
        check = dihedral(check, value)
    return next(char for char in string.digits if dihedral(check, int(char)) == 0)


def dihedral(one: int, other: int) -> int:
    """The product of two elements of D5: 0 to 4 are turns, 5 to 9 mirrors."""
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other - 5) % 5
    return 5 + (one - 5 - other) % 5 if other < 5 else (one - other) % 5


def pan(rng: random.Random) -> str:
    return f"{letters(rng, 3)}P{letters(rng, 1)}{rng.randrange(1, 10000):04}{letters(rng, 1)}"


def bad_pan(rng: random.Random) -> str:
    good = pan(rng)
    return good[:3] + rng.choice("DIMQSUVWXYZ") + good[4:]


def tfn(rng: random.Random) -> str:
    while True:
        body = digits(rng, 9)
        if weighted(body, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0:
            return body


def sin(rng: random.Random) -> str:
    return luhn(digits(rng, 8, "1234567"))


def nric(rng: random.Random) -> str:
    head, body = rng.choice("STFGM"), digits(rng, 7, string.digits)
    return head + body + nric_letter(head, body)


def licence_uk(rng: random.Random) -> str:
    """Sixteen characters of the DVLA: surname, day of birth, initials, a check that is secret."""
    day = born(rng)
    name = (letters(rng, rng.choice([3, 4, 5]), "ABCDEGHILMNOPRST") + "99")[:5]
    month = day.month + rng.choice((0, 50))
    decade, year = divmod(day.year % 100, 10)
    initials = rng.choice(string.ascii_uppercase) + rng.choice("9ABCEJMRS")
    tail = f"{initials}{rng.randrange(2, 10)}{letters(rng, 2)}"
    return f"{name}{decade}{month:02}{day:%d}{year}{tail}"


def licence_us(rng: random.Random) -> str:
    """California, New York, Florida, Illinois; New Jersey's is a letter and fourteen digits."""
    form = rng.randrange(4)
    if form == 0:
        return letters(rng, 1) + digits(rng, 7)
    if form == 1:
        return digits(rng, 9)
    return letters(rng, 1) + digits(rng, 12 if form == 2 else 14)


def passport(rng: random.Random, locale: str) -> str:
    """As the country numbers them: digits, or letters before them; none has a public check."""
    if locale == "de_DE":
        return rng.choice("CFGHJK") + letters(rng, 8, "CFGHJKLMNPRTVWXYZ0123456789")
    if locale == "fr_FR":
        return f"{rng.randrange(10, 25)}{letters(rng, 2)}{digits(rng, 5)}"
    if locale in ("en_US", "en_GB"):
        old = locale == "en_GB" or rng.random() < 0.5
        return digits(rng, 9) if old else letters(rng, 1) + digits(rng, 8)
    heads, tail = {"es_ES": (3, 6), "en_IN": (1, 7)}.get(locale, (2, 7))
    return letters(rng, heads) + digits(rng, tail)


def changed_digit(make: Maker, checks: Callable[[str], bool]) -> Maker:
    """A maker of near misses: one digit of a good value changed until `checks` says no."""

    def near(rng: random.Random) -> str:
        while True:
            value = make(rng)
            at = rng.choice([at for at, char in enumerate(value) if char.isdigit()][1:])
            other = rng.choice([char for char in string.digits if char != value[at]])
            wrong = value[:at] + other + value[at + 1 :]
            if not checks(wrong):
                return wrong

    return near


def nric_holds(value: str) -> bool:
    """Whether the letter of a Singapore number is right."""
    return nric_letter(value[0], value[1:8]) == value[8]


def nric_letter(head: str, body: str) -> str:
    total = weighted(body, (2, 7, 6, 5, 4, 3, 2))
    if head == "M":
        return "KLJNPQRTUWX"[10 - (total + 3) % 11]
    return _NRIC[head][(total + (4 if head in "TG" else 0)) % 11]
