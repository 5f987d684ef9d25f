"""The forms of surrogates: where nobody's values lie, and where in them the check stands.

`odds` of a form: of so many values that are written like a surrogate, one is taken for one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from halocline_governance.scrub.birth import Birth

MAX_LENGTH = 64
"""Bytes; every surrogate is shorter."""

Check = Callable[[str, int], int]
"""(payload, odds) -> a number below odds that only the key tells."""

_FIRST = (
    "Ada", "Alma", "Amir", "Anton", "Bela", "Carla", "Dario", "Edith", "Elias", "Emil",
    "Farah", "Felix", "Greta", "Hana", "Hugo", "Ines", "Ivo", "Jonas", "Karim", "Lena",
    "Lucia", "Marek", "Mina", "Nadia", "Nora", "Oskar", "Petra", "Ravi", "Selma", "Tomas",
    "Vera", "Yara",
)  # fmt: skip
_ROADS = ("Street", "Road", "Avenue", "Lane")
_FIRMS = ("Holdings", "Partners", "Industries", "Logistics")
_AREAS = (
    "201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215",
    "216", "217", "218", "219", "224", "225", "228", "229", "231", "234", "239", "240", "248",
    "251", "252", "253", "254", "256", "260", "262", "267", "269", "270", "276", "281", "301",
    "302", "303", "304", "305", "307", "308", "309",
)  # fmt: skip
_SYLLABLES = tuple(f"{c}{v}" for c in "bdfgklmnprstvzhj" for v in "aeio")
_CENTURY = date(1800, 1, 1).toordinal()
_NUM_DAYS = date(1900, 1, 1).toordinal() - _CENTURY
_TRIES = 64
_LETTERS = r"[a-z]{10}"


class Draw:
    """Choices, one after the other, from one large number."""

    def __init__(self, number: int) -> None:
        self._left = number

    def below(self, bound: int) -> int:
        self._left, chosen = divmod(self._left, bound)
        return chosen


@dataclass(frozen=True, slots=True)
class Form(ABC):
    """One way to write a surrogate.

    Args:
        name: of the form, as a group in a regular expression.
        kinds: which it stands for.
        pattern: all that is written like it, as a regular expression without groups.
    """

    name: str
    kinds: tuple[str, ...]
    pattern: str

    def subject(self, value: str) -> str | None:
        """What of a value the surrogate is drawn from; None when it has none."""
        return value

    @abstractmethod
    def make(self, value: str, draw: Draw, check: Check) -> str | None:
        """The surrogate; None where there is none for this value."""

    @abstractmethod
    def is_own(self, text: str, check: Check) -> bool:
        """Whether what is written like a surrogate has the check of one."""


class Named(Form):
    """An invented word of five syllables, three of which are the check: odds 262,144. The rest of
    the form is checked with it."""

    __slots__ = ()

    def make(self, value: str, draw: Draw, check: Check) -> str:
        before, after = self._around(draw)
        stem = _word(draw.below(64**2), 2)
        return f"{before}{self._cased(stem + self._tail(before, stem, after, check))}{after}"

    def is_own(self, text: str, check: Check) -> bool:
        at = self._at(text)
        before, word, after = text[:at], text[at : at + 10].lower(), text[at + 10 :]
        return word[4:] == self._tail(before, word[:4], after, check)

    def _tail(self, before: str, stem: str, after: str, check: Check) -> str:
        return _word(check(f"{before}|{stem}|{after}", 64**3), 3)

    @abstractmethod
    def _around(self, draw: Draw) -> tuple[str, str]: ...

    @abstractmethod
    def _at(self, text: str) -> int: ...

    def _cased(self, word: str) -> str:
        return word.capitalize()


class Email(Named):
    """A mailbox under a domain that is reserved for documentation (RFC 2606)."""

    __slots__ = ()

    def _around(self, draw: Draw) -> tuple[str, str]:
        first = _FIRST[draw.below(len(_FIRST))].lower()
        return f"{first}.", f"@example.{('com', 'net', 'org')[draw.below(3)]}"

    def _at(self, text: str) -> int:
        return text.index("@") - 10

    def _cased(self, word: str) -> str:
        return word


class Url(Named):
    """A page under a domain that is reserved for documentation (RFC 2606)."""

    __slots__ = ()

    def _around(self, draw: Draw) -> tuple[str, str]:
        return "https://www.example.org/", ""

    def _at(self, text: str) -> int:
        return len(text) - 10

    def _cased(self, word: str) -> str:
        return word


class Person(Named):
    """A first name from a list and an invented last name."""

    __slots__ = ()

    def _around(self, draw: Draw) -> tuple[str, str]:
        return f"{_FIRST[draw.below(len(_FIRST))]} ", ""

    def _at(self, text: str) -> int:
        return len(text) - 10


class Organization(Named):
    """An invented name and what firms call themselves."""

    __slots__ = ()

    def _around(self, draw: Draw) -> tuple[str, str]:
        return "", f" {_FIRMS[draw.below(len(_FIRMS))]}"

    def _at(self, text: str) -> int:
        return 0


class Street(Named):
    """A house number and an invented road."""

    __slots__ = ()

    def _around(self, draw: Draw) -> tuple[str, str]:
        return f"{1 + draw.below(900)} ", f" {_ROADS[draw.below(len(_ROADS))]}"

    def _at(self, text: str) -> int:
        return text.index(" ") + 1


class Numbered(Form):
    """Digits: a fixed head, drawn ones, then the check, then what a checksum adds."""

    __slots__ = ()
    _head = ""
    _drawn = 5
    _checked = 4

    def make(self, value: str, draw: Draw, check: Check) -> str:
        head = self._head + f"{draw.below(10**self._drawn):0{self._drawn}d}"
        return self._written(self._summed(head + self._tail(head, check)), value)

    def is_own(self, text: str, check: Check) -> bool:
        digits = "".join(filter(str.isalnum, text))
        body = self._body(digits)
        head, tail = body[: -self._checked], body[-self._checked :]
        return tail == self._tail(head, check) and self._summed(body) == digits

    def _tail(self, head: str, check: Check) -> str:
        return f"{check(head, 10**self._checked):0{self._checked}d}"

    def _body(self, digits: str) -> str:
        """What is left without the checksum."""
        return digits

    def _summed(self, body: str) -> str:
        return body

    def _written(self, digits: str, value: str) -> str:
        return digits


class Card(Numbered):
    """4000 00…, with which processors' test cards begin; no range is reserved by ISO/IEC 7812.
    Passes Luhn. Odds 10,000 among cards that begin so."""

    __slots__ = ()
    _head = "400000"

    def _body(self, digits: str) -> str:
        return digits[:-1]

    def _summed(self, body: str) -> str:
        return body + _luhn(body)

    def _written(self, digits: str, value: str) -> str:
        return _grouped(digits, 4) if " " in value or "-" in value else digits


class Iban(Numbered):
    """A German account at bank code 00000000; no bank code begins with 0. Passes mod 97. Odds
    10,000 among accounts of that bank."""

    __slots__ = ()
    _head = "0" * 8
    _drawn = 6

    def _body(self, digits: str) -> str:
        return digits[4:]

    def _summed(self, body: str) -> str:
        return f"DE{98 - int(body + '131400') % 97:02d}{body}"

    def _written(self, digits: str, value: str) -> str:
        return _grouped(digits, 4) if " " in value else digits


class Ssn(Numbered):
    """9xx-0x-xxxx, which is neither given out as a number of social security nor as an ITIN.
    Odds 10,000 among them."""

    __slots__ = ()
    _head = "9"
    _drawn = 2

    def make(self, value: str, draw: Draw, check: Check) -> str:
        head = f"9{draw.below(100):02d}0{1 + draw.below(9)}"
        return self._written(head + self._tail(head, check), value)

    def _written(self, digits: str, value: str) -> str:
        return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"


class Phone(Numbered):
    """A North American number that is reserved for fiction (555-0100 to 555-0199 of each area,
    NANPA). Odds 10 among those."""

    __slots__ = ()
    _checked = 1

    def make(self, value: str, draw: Draw, check: Check) -> str:
        head = f"{_AREAS[draw.below(len(_AREAS))]}55501{draw.below(10)}"
        digits = head + self._tail(head, check)
        return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


class Listed(Form):
    """One of few that are reserved, of which every eighth under the key is a surrogate: odds 8."""

    __slots__ = ()

    def make(self, value: str, draw: Draw, check: Check) -> str:
        at = draw.below(2**16)
        while not self.is_own(self._nth(at), check):
            at += 1
        return self._nth(at)

    def is_own(self, text: str, check: Check) -> bool:
        return check(text.lower(), 8) == 0

    @abstractmethod
    def _nth(self, at: int) -> str: ...


class Ip(Listed):
    """Reserved for documentation: RFC 5737."""

    __slots__ = ()

    def _nth(self, at: int) -> str:
        return ("192.0.2.", "198.51.100.", "203.0.113.")[at // 256 % 3] + str(at % 256)


class Mac(Listed):
    """Reserved for documentation: RFC 7042, section 2.1.2."""

    __slots__ = ()

    def _nth(self, at: int) -> str:
        return f"00:00:5e:00:53:{at % 256:02x}"


class Date(Form):
    """A day of the nineteenth century, in the form of the value: nobody who lives was born then, so
    it needs no check. Which one tells nothing of the value: all are as likely."""

    __slots__ = ()

    def subject(self, value: str) -> str | None:
        birth = Birth.parse(value)
        return birth.day.isoformat() if birth is not None else None

    def make(self, value: str, draw: Draw, check: Check) -> str | None:
        birth = Birth.parse(value)
        if birth is None:
            return None
        # Of days 1 to 12 some are read with day and month the other way round; a value that may be
        # meant so gets one of them, which is a day for either reader.
        for _ in range(_TRIES):
            other = birth.on(_CENTURY + draw.below(_NUM_DAYS))
            if other.is_plain and (other.reads_both_ways or not birth.reads_both_ways):
                return str(other)
        return None

    def is_own(self, text: str, check: Check) -> bool:
        return Birth.parse(text) is not None


def _word(number: int, num_syllables: int) -> str:
    return "".join(_SYLLABLES[number >> 6 * n & 63] for n in range(num_syllables))


def _grouped(digits: str, size: int) -> str:
    return " ".join(digits[at : at + size] for at in range(0, len(digits), size))


def _luhn(body: str) -> str:
    """The check digit (ISO/IEC 7812-1, annex B)."""
    total = sum(sum(divmod(int(d) * (2 - n % 2), 10)) for n, d in enumerate(reversed(body)))
    return str(-total % 10)


FORMS: tuple[Form, ...] = (
    Email("email", ("email",), rf"[a-z]+\.{_LETTERS}@example\.(?:com|net|org)"),
    Url("url", ("url",), rf"https://www\.example\.org/{_LETTERS}"),
    Card("card", ("credit_card",), r"4000 00\d\d \d{4} \d{4}|400000\d{10}"),
    Iban("iban", ("iban",), r"DE\d\d(?: 0000){2}(?: \d{4}){2} \d\d|DE\d\d0{8}\d{10}"),
    Ssn("ssn", ("us_ssn",), r"9\d\d-0[1-9]-\d{4}"),
    Phone("phone", ("phone",), r"\(\d{3}\) 555-01\d\d"),
    Ip("ip", ("ip",), r"(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}(?!\d)"),
    Mac("mac", ("mac",), r"00:00:5e:00:53:[0-9a-f]{2}"),
    Street("street", ("street_address",), r"\d{1,3} [A-Z][a-z]{9} (?:Street|Road|Avenue|Lane)"),
    Organization(
        "organization",
        ("organization",),
        r"[A-Z][a-z]{9} (?:Holdings|Partners|Industries|Logistics)",
    ),
    Person("person", ("person",), r"[A-Z][a-z]{2,4} [A-Z][a-z]{9}(?![a-z])"),
    Date("date", ("date_of_birth",), Birth.LONG_AGO),
)
