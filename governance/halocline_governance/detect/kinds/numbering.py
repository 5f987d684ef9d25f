"""libphonenumber's answer for a number that is digits alone, from its own metadata.

It says what `phonenumbers.parse` and then `is_valid_number` say, to the last number
(`tests/governance/test_detect_pii_numbering.py`), at a tenth of the cost: patterns are compiled
once, and no object is made on the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata

_LONGEST = 17
_TYPES = (
    "fixed_line mobile toll_free premium_rate shared_cost voip personal_number pager uan voicemail"
)


@dataclass(frozen=True, slots=True)
class _Form:
    """Digits of these lengths (any, if none is named) that match."""

    lengths: frozenset[int]
    pattern: re.Pattern[str]

    def fits(self, number: str) -> bool:
        if self.lengths and len(number) not in self.lengths:
            return False
        return self.pattern.fullmatch(number) is not None


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbering plan of a region."""

    country: int
    general: _Form
    local: frozenset[int]
    types: tuple[_Form, ...]
    leading: re.Pattern[str] | None
    abroad: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    transform: str

    def fits(self, number: str) -> bool:
        return self.general.fits(number) and any(form.fits(number) for form in self.types)

    def matches(self, number: str) -> bool:
        return self.general.pattern.fullmatch(number) is not None

    def long(self, number: str) -> bool:
        size = len(number)
        return size not in self.local and size > max(self.general.lengths)

    def possible(self, number: str) -> bool:
        return len(number) in self.local or len(number) in self.general.lengths

    def stripped(self, number: str) -> str:
        """Without the prefix that is dialled at home, where what remains is a number."""
        match = self.prefix.match(number) if number and self.prefix is not None else None
        if match is None:
            return number
        if not self.transform or (match.lastindex or 0) < match.re.groups:
            rest = number[match.end() :]
        else:
            rest = match.re.sub(self.transform, number, count=1)
        return number if self.matches(number) and not self.matches(rest) else rest


@cache
def _plan(region: str, country: int = 0) -> _Plan:
    from phonenumbers import PhoneMetadata

    metadata = (
        PhoneMetadata.metadata_for_region_or_calling_code(country, region)
        if country
        else PhoneMetadata.metadata_for_region(region)
    )
    if metadata is None or metadata.general_desc is None:
        raise ValueError(f"no numbering plan for region {region}")
    general = metadata.general_desc
    return _Plan(
        metadata.country_code or 0,
        _Form(
            frozenset(n for n in general.possible_length if n > 0),
            re.compile(general.national_number_pattern or r"(?!)"),
        ),
        frozenset(general.possible_length_local_only),
        _types(metadata),
        _compiled(metadata.leading_digits),
        _compiled(metadata.international_prefix),
        _compiled(metadata.national_prefix_for_parsing),
        metadata.national_prefix_transform_rule or "",
    )


def _types(metadata: PhoneMetadata) -> tuple[_Form, ...]:
    forms = [getattr(metadata, name) for name in _TYPES.split()]
    return tuple(
        _Form(frozenset(form.possible_length), re.compile(form.national_number_pattern))
        for form in forms
        if form is not None and form.national_number_pattern
    )


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None


@cache
def _countries() -> dict[str, tuple[str, ...]]:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return {str(code): regions for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}


def _country(number: str) -> tuple[str, str]:
    for size in (1, 2, 3):
        if number[:size] in _countries():
            return number[:size], number[size:]
    return "", number


@lru_cache(maxsize=65536)
def valid(number: str, region: str | None, possible: bool = False) -> bool:
    """Whether it is a valid number, or with `possible` one of a possible length.

    Args:
        number: ASCII digits, at least seven, with a plus before them if it is written so.
        region: where it would be dialled; None if it must be an international one.
    """
    country, rest = "", number
    if number[0] == "+":
        country, rest = _country(number[1:])
        if not country or len(number) <= 3:
            return False
    elif region is None:
        return False
    else:
        home = _plan(region)
        abroad = home.abroad.match(number) if home.abroad is not None else None
        if abroad is not None and number[abroad.end() : abroad.end() + 1] != "0":
            country, rest = _country(number[abroad.end() :])
            if not country or len(number) - abroad.end() <= 2:
                return False
        elif number.startswith(str(home.country)):
            inner = home.stripped(number[len(str(home.country)) :])
            if (not home.matches(number) and home.matches(inner)) or home.long(number):
                country, rest = str(home.country), inner
    return _judged(country, rest, region, possible)


def _judged(country: str, rest: str, region: str | None, possible: bool) -> bool:
    main = _countries()[country][0] if country else region
    if main is None or len(rest) < 2:
        return False
    plan = _plan(main, int(country or 0))
    inner = plan.stripped(rest)
    if len(inner) not in plan.local and (len(inner) in plan.general.lengths or plan.long(inner)):
        rest = inner
    if not 2 <= len(rest) <= _LONGEST:
        return False
    if possible and _plan(_countries()[str(plan.country)][0], plan.country).possible(rest):
        return True
    return _fits(str(plan.country), rest)


def _fits(country: str, rest: str) -> bool:
    """Whether it is a number of the region that these digits belong to."""
    regions = _countries()[country]
    if len(regions) == 1:
        return _plan(regions[0], int(country)).fits(rest)
    for region in regions:
        plan = _plan(region)
        if plan.leading is not None:
            if plan.leading.match(rest):
                return plan.fits(rest)
        elif plan.fits(rest):
            return True
    return False
