"""Which stretch of time a report is about, from what somebody types."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from halocline_governance.errors import Refused
from halocline_governance.report.register import Period

_MONTH = re.compile(r"(\d{4})-(\d{2})\Z", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])\Z", re.ASCII)
_YEAR = re.compile(r"(\d{4})\Z", re.ASCII)
_LAST = re.compile(r"last-(\d{1,4})d\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_HELP = "a period is 2026-11, 2026-Q4, 2026, 2026-11-01..2026-11-30 (both days with it) or last-30d"


def parse(text: str, today: date | None = None) -> Period:
    """A period of whole days in UTC.

    Args:
        text: a month, a quarter, a year, two days with `..` between, one day, or `last-Nd`: the
            N days that end with today.
        today: in UTC; taken from the clock when left out.

    Raises:
        Refused: none of these, or a period that ends before it begins.
    """
    try:
        first, last = _days(text, today or datetime.now(UTC).date())
        after = last + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise Refused(f"{text!r} is no period: {_HELP}") from error
    if last < first:
        raise Refused(f"{text!r} ends before it begins")
    return Period(_midnight(first), _midnight(after))


def _days(text: str, today: date) -> tuple[date, date]:
    if found := _MONTH.match(text):
        return _months(int(found[1]), int(found[2]), 1)
    if found := _QUARTER.match(text):
        return _months(int(found[1]), 3 * int(found[2]) - 2, 3)
    if found := _YEAR.match(text):
        return _months(int(found[1]), 1, 12)
    if found := _LAST.match(text):
        return today - timedelta(days=int(found[1]) - 1), today
    first, dots, last = text.partition("..")
    return _day(first), _day(last if dots else first)


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    past = month - 1 + count
    return date(year, month, 1), date(year + past // 12, past % 12 + 1, 1) - timedelta(days=1)


def _day(text: str) -> date:
    if not _DAY.match(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000000Z"
