"""Dates as people write them, and the same form again for another day."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_NAMES = "|".join([*_MONTHS, *(name[:3] for name in _MONTHS if name != "May")])
_FORMS = (
    r"(?P<y>(?:18|19|20)\d\d)(?P<s>[-/.])(?P<a>\d\d)(?P=s)(?P<b>\d\d)(?!\d)",
    r"(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})(?P=s)(?P<y>(?:18|19|20)\d\d)(?!\d)",
    rf"(?P<b>\d{{1,2}}) (?P<m>{_NAMES}) (?P<y>(?:18|19|20)\d\d)(?!\d)",
    rf"(?P<m>{_NAMES}) (?P<b>\d{{1,2}}), (?P<y>(?:18|19|20)\d\d)(?!\d)",
)
_COMPILED = [re.compile(form) for form in _FORMS]


@dataclass(frozen=True, slots=True)
class Birth:
    """A day and how it is written.

    Args:
        day: the day.
        form: which of the forms.
        separator: between numbers.
        day_first: 25/3/1980 rather than 3/25/1980; where both could be, the month comes first but
            before a dot.
        long: whether the month's name is whole.
        padded: whether a number of one digit has a zero before it.
    """

    day: date
    form: int
    separator: str = ""
    day_first: bool = False
    long: bool = True
    padded: bool = False

    LONG_AGO: ClassVar[str] = "|".join(
        (
            r"(?<![\w./-])18\d\d[-/.]\d\d[-/.]\d\d(?!\d)",
            r"(?<![\w./-])\d{1,2}[-/.]\d{1,2}[-/.]18\d\d(?!\d)",
            rf"(?<!\w)\d{{1,2}} (?:{_NAMES}) 18\d\d(?!\d)",
            rf"(?<!\w)(?:{_NAMES}) \d{{1,2}}, 18\d\d(?!\d)",
        )
    )
    """All that is written like one of the nineteenth century, without groups."""

    @classmethod
    def parse(cls, text: str) -> Birth | None:
        """The date that this whole text is; None for what is none, or in another form."""
        for form, pattern in enumerate(_COMPILED):
            if match := pattern.fullmatch(text.strip()):
                return _read(form, match.groupdict())
        return None

    @property
    def reads_both_ways(self) -> bool:
        """Whether its day may be its month for another reader."""
        return self.form == 1 and self.separator != "." and self.day.day <= 12

    @property
    def is_plain(self) -> bool:
        """Whether it is read again as the same day."""
        again = Birth.parse(str(self))
        return again is not None and again.day == self.day

    def on(self, ordinal: int) -> Birth:
        """Another day in the same form; 1 is the first of January of year 1."""
        return replace(self, day=date.fromordinal(ordinal))

    def __str__(self) -> str:
        width = 2 if self.padded or self.form == 0 else 1
        day, month = f"{self.day.day:0{width}d}", f"{self.day.month:0{width}d}"
        year, mark = f"{self.day.year}", self.separator
        if self.form == 0:
            return f"{year}{mark}{month}{mark}{day}"
        if self.form == 1:
            first, second = (day, month) if self.day_first else (month, day)
            return f"{first}{mark}{second}{mark}{year}"
        name = _MONTHS[self.day.month - 1]
        name = name if self.long else name[:3]
        return f"{day} {name} {year}" if self.form == 2 else f"{name} {day}, {year}"


def _read(form: int, part: dict[str, str | None]) -> Birth | None:
    year, b = int(part["y"] or 0), int(part["b"] or 0)
    name, a = part.get("m"), part.get("a")
    padded = (part["b"] or "").startswith("0") or (a or "").startswith("0")
    try:
        if name is not None:
            month = next(n for n, one in enumerate(_MONTHS, 1) if one[:3] == name[:3])
            return Birth(date(year, month, b), form, long=name in _MONTHS, padded=padded)
        number, mark = int(a or 0), part.get("s") or ""
        if form == 1 and (number > 12 or (mark == "." and b <= 12)):
            return Birth(date(year, b, number), form, mark, day_first=True, padded=padded)
        return Birth(date(year, number, b), form, mark, padded=padded)
    except ValueError:
        return None
