"""Surrogates: of the same form, nobody's, the same for the same value, and known again."""

from __future__ import annotations

import ipaddress
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from halocline_governance.scrub import Mode
from halocline_governance.scrub.birth import Birth
from halocline_governance.scrub.form import FORMS, MAX_LENGTH
from halocline_governance.scrub.pseudonym import TOKEN, PseudonymKey
from halocline_governance.scrub.surrogate import Surrogates
from tests.governance.scrub_world import KEY, VALUES, scrubber

OWN = Surrogates(KEY)
OTHER = Surrogates(PseudonymKey.derive(bytes(range(32)), "sell"))
KINDS = sorted({kind for form in FORMS for kind in form.kinds})
DATES = st.dates(date(1930, 1, 1), date(2015, 1, 1))


def held(surrogates: Surrogates, text: str) -> bool:
    data = f"\u00e9 {text}, \u00e9".encode()
    return surrogates.holds(data, 3, 3 + len(text.encode()))


@given(st.sampled_from(KINDS), st.text(min_size=1, max_size=20), DATES)
def test_a_surrogate_is_known_again_by_its_own_key(kind: str, value: str, day: date) -> None:
    value = day.isoformat() if kind == "date_of_birth" else value

    made = OWN.of(kind, value)

    assert made is not None
    assert len(made.encode()) < MAX_LENGTH
    assert made.isascii()
    assert held(OWN, made)
    assert OWN.of(kind, value) == made


@pytest.mark.parametrize("kind", KINDS)
def test_another_key_makes_others_and_knows_few(kind: str) -> None:
    """Few, as the odds of its form say: at most 1 in 8."""
    values = [date(1940 + n // 12, 1 + n % 12, 13).isoformat() for n in range(400)]
    made = [one for value in values if (one := OWN.of(kind, value)) is not None]
    num_known = sum(held(OTHER, one) for one in made)

    assert len(made) == 400
    if kind == "date_of_birth":  # a day of that century is nobody's, whoever wrote it
        return
    assert num_known <= 400 * {"ip": 0.25, "mac": 0.25, "phone": 0.2}.get(kind, 0.01)
    assert made != [OTHER.of(kind, value) for value in values]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_value_that_is_none_is_not_taken_for_one(kind: str, value: str) -> None:
    assert not held(OWN, value)


def test_a_surrogate_passes_the_checks_of_its_kind_and_is_nobodys() -> None:
    card = OWN.of("credit_card", "4111 1111 1111 1111") or ""
    account = OWN.of("iban", "GB33BUKB20201555555555") or ""
    address = OWN.of("ip", "8.8.8.8") or ""

    assert luhn.is_valid(card.replace(" ", ""))
    assert card.startswith("4000 00")
    assert iban.is_valid(account)
    assert account[4:12] == "00000000"
    assert not ipaddress.ip_address(address).is_global
    assert re.search(r"@example\.(com|net|org)$", OWN.of("email", "a@corp.example") or "")
    assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", OWN.of("phone", "030 1234567") or "")
    assert re.fullmatch(r"9\d\d-0[1-9]-\d{4}", OWN.of("us_ssn", "536-90-4399") or "")


FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%b %d, %Y"]


@given(DATES, st.sampled_from(FORMATS))
def test_a_date_keeps_its_form_and_goes_where_nobody_who_lives_was_born(
    day: date, form: str
) -> None:
    value = day.strftime(form)

    made = OWN.of("date_of_birth", value) or ""

    assert re.sub(r"\w", "", made) == re.sub(r"\w", "", value)
    assert 1800 <= int((re.search(r"\d{4}", made) or [""])[0]) < 1900


@pytest.mark.parametrize("form", FORMATS)
def test_no_date_of_somebody_who_may_live_is_taken_for_a_surrogate(form: str) -> None:
    """Every single day from 1900 to 2029."""
    days = range(date(1900, 1, 1).toordinal(), date(2030, 1, 1).toordinal())
    texts = [date.fromordinal(day).strftime(form) for day in days]

    assert not any(held(OWN, text) for text in texts[:: 1 + len(texts) // 5000])
    assert not re.search(Birth.LONG_AGO, "; ".join(texts))


def test_scrubbed_dates_of_birth_stay_as_they_are_whoever_scrubs_again() -> None:
    text = "\n".join(
        f"{name}, born {date(1931 + n, 1 + n % 12, 1 + n % 28).strftime(FORMATS[n % 5])}."
        for n, name in enumerate(["Ann"] * 80)
    )
    own = scrubber(Mode.SURROGATE)

    once = own.scrub(text).text

    assert not re.search(r"\b(?:19|20)\d\d\b", once)
    assert TOKEN.search(once) is None
    assert own.scrub(once).text == once


def test_one_date_has_one_surrogate_however_it_is_written() -> None:
    made = {OWN.of("date_of_birth", text) for text in ("1980-12-13", "1980/12/13")}
    assert {re.sub(r"\D", "", one or "") for one in made} == {
        re.sub(r"\D", "", OWN.of("date_of_birth", "1980.12.13") or "")
    }


@pytest.mark.parametrize("day", range(1, 13))
def test_a_date_that_may_be_read_two_ways_gets_one_that_is_a_day_for_both(day: int) -> None:
    for text in (f"{day:02d}/11/1980", f"{day}-3-1971"):
        first, second, _ = map(int, re.findall(r"\d+", OWN.of("date_of_birth", text) or ""))
        assert max(first, second) <= 12
    german = OWN.of("date_of_birth", f"{day:02d}.11.1980") or ""
    assert int(german.split(".")[1]) <= 12
    assert german.count(".") == 2


def test_what_has_no_surrogate_has_a_pseudonym() -> None:
    assert OWN.of("passport", "X12345678") is None
    assert OWN.of("date_of_birth", "in the spring of 1980") is None
    done = scrubber(Mode.SURROGATE).scrub("passport X12345678")
    assert TOKEN.search(done.text)


def test_a_joined_value_keeps_its_join() -> None:
    text = "jo@corp.example wrote; reply to Jo@Corp.example, not to al@corp.example"

    words = scrubber(Mode.SURROGATE).scrub(text).text.replace(",", "").split()

    assert words[0] == words[4] != words[7]
