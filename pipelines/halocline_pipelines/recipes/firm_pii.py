"""Personal values that pass their checks, values that only look like them, and sentences for both.

E-mail addresses lie under example.com and .example, telephone numbers in ranges kept for fiction,
cards in the card schemes' test prefixes.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from halocline_pipelines.recipes.firm_words import words


@dataclass(frozen=True, slots=True)
class Person:
    first: str
    last: str
    employer: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def email(self) -> str:
        local = unicodedata.normalize("NFKD", f"{self.first}.{self.last}".lower())
        plain = local.encode("ascii", "ignore").decode()
        host = "".join(filter(str.isalnum, self.employer.lower()))
        return f"{plain}@{host}.example"


@dataclass(frozen=True, slots=True)
class Mention:
    """A sentence that holds one value. `start` and `end` are character positions in it."""

    sentence: str
    start: int
    end: int
    kind: str

    @property
    def value(self) -> str:
        return self.sentence[self.start : self.end]


def person(rng: random.Random, employer: str) -> Person:
    return Person(rng.choice(words("first_name")), rng.choice(words("last_name")), employer)


def mention(rng: random.Random, who: Person) -> Mention:
    """A sentence with a real personal value about somebody."""
    kind = rng.choice(_KINDS)
    return _told(rng, kind, _VALUES[kind](rng, who), _SENTENCES[kind], who)


def near_miss(rng: random.Random, who: Person) -> Mention:
    """A sentence with a value that looks like one and is none: no finding is the right answer."""
    kind = rng.choice(tuple(_MISSES))
    return _told(rng, kind, _MISSES[kind](rng), _MISS_SENTENCES[kind], who)


def luhn_digit(number: str) -> str:
    """The digit that makes `number` pass ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def iban(country: str, account: str) -> str:
    """The IBAN of a national account number, with its check digits by ISO 7064 mod 97-10."""
    rearranged = "".join(str(int(char, 36)) for char in account + country + "00")
    return f"{country}{98 - int(rearranged) % 97:02d}{account}"


def _told(
    rng: random.Random, kind: str, value: str, sentences: tuple[str, ...], who: Person
) -> Mention:
    before, after = rng.choice(sentences).format(name=who.name, value="\0").split("\0")
    return Mention(before + value + after, len(before), len(before) + len(value), kind)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _email(rng: random.Random, who: Person) -> str:
    return (
        who.email if rng.random() < 0.8 else f"{who.first[0].lower()}{_digits(rng, 3)}@example.com"
    )


def _phone(rng: random.Random, who: Person) -> str:
    area = rng.choice(("212", "415", "617", "206", "303"))
    style = rng.randrange(4)
    if style == 0:
        return f"+1 {area} 555 01{_digits(rng, 2)}"
    if style == 1:
        return f"({area}) 555-01{_digits(rng, 2)}"
    if style == 2:
        return f"{area}-555-01{_digits(rng, 2)}"
    return f"+44 20 7946 0{_digits(rng, 3)}"


def _card(rng: random.Random, who: Person) -> str:
    number = rng.choice(("424242", "411111", "555555", "510510")) + _digits(rng, 9)
    number += luhn_digit(number)
    return " ".join(number[at : at + 4] for at in range(0, 16, 4)) if rng.random() < 0.6 else number


def _iban(rng: random.Random, who: Person) -> str:
    value = rng.choice(
        (
            iban("DE", "99999999" + _digits(rng, 10)),
            iban("GB", "TEST" + _digits(rng, 14)),
            iban("NL", "TEST" + _digits(rng, 10)),
        )
    )
    if rng.random() < 0.5:
        return value
    return " ".join(value[at : at + 4] for at in range(0, len(value), 4))


def _ssn(rng: random.Random, who: Person) -> str:
    return f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"


def _ip(rng: random.Random, who: Person) -> str:
    net = rng.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{net}.{rng.randint(30, 254)}"


def _birth(rng: random.Random, who: Person) -> str:
    return f"{rng.randint(1950, 2001)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


_VALUES: Mapping[str, Callable[[random.Random, Person], str]] = MappingProxyType(
    {
        "email": _email,
        "phone": _phone,
        "credit_card": _card,
        "iban": _iban,
        "us_ssn": _ssn,
        "ip": _ip,
        "date_of_birth": _birth,
    }
)
# Drawn with the shares at which such values are met in business letters: contacts first.
_KINDS = (
    ("email",) * 6
    + ("phone",) * 5
    + ("iban", "credit_card") * 2
    + (
        "us_ssn",
        "ip",
        "date_of_birth",
    )
)

_SENTENCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "email": (
            "Please send the signed copy to {name} at {value} before the end of the week.",
            "Questions about this note go to {name}, {value}, who keeps the file.",
            "The contact on their side is {name} ({value}) and nobody else.",
        ),
        "phone": (
            "{name} can be reached by phone on {value} until six in the evening.",
            "Call {name} on {value} if the answer is urgent.",
            "The mobile number of {name} is {value} and the office knows it too.",
        ),
        "credit_card": (
            "{name} paid for the trip with the credit card {value} and asks to be repaid.",
            "The card on file for {name} is {value}, which was charged twice.",
        ),
        "iban": (
            "The refund for {name} goes to the account {value} as usual.",
            "{name} asked us to use the IBAN {value} from now on.",
        ),
        "us_ssn": (
            "For the tax form {name} gave the social security number {value} by letter.",
            "The SSN of {name} is {value} and must not be copied.",
        ),
        "ip": (
            "The last login of {name} came from the address {value} at night.",
            "{name} works from the host {value} when travelling.",
        ),
        "date_of_birth": (
            "{name}, date of birth {value}, has signed the form.",
            "The file says that {name} was born on {value} in another country.",
        ),
    }
)


def _bad_card(rng: random.Random) -> str:
    number = "424242" + _digits(rng, 9)
    right = int(luhn_digit(number))
    number += str((right + rng.randint(1, 9)) % 10)
    return " ".join(number[at : at + 4] for at in range(0, 16, 4))


def _bad_iban(rng: random.Random) -> str:
    good = iban("DE", "99999999" + _digits(rng, 10))
    check = (int(good[2:4]) - 2 + rng.randint(1, 96)) % 97 + 2
    return f"DE{check:02d}{good[4:]}"


_MISSES: Mapping[str, Callable[[random.Random], str]] = MappingProxyType(
    {
        "credit_card": _bad_card,
        "iban": _bad_iban,
        "ip": lambda rng: (
            f"{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}.{rng.randint(0, 9)}"
        ),
        "email": lambda rng: f"@depot{rng.randint(1, 99)}",
        "crypto_address": lambda rng: "".join(rng.choices("0123456789abcdef", k=40)),
    }
)
_MISS_SENTENCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "credit_card": (
            "The consignment number {value} belongs to {name} and to no one else.",
            "In the old ledger {name} is listed under {value} on the second page.",
        ),
        "iban": ("The archive of {name} keeps the reference {value} from the migration.",),
        "ip": ("{name} still runs version {value} of the client on the laptop.",),
        "email": ("Write to the channel {value} and {name} will see it.",),
        "crypto_address": ("The change by {name} is in commit {value} of the release.",),
    }
)
