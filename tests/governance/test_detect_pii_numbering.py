"""What makes numbers cheap changes no answer: numbering plans, shapes not tried, words not read."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.engines.fold import Folded
from halocline_governance.detect.kinds import (
    money,
    national,
    network,
    numbering,
    phone,
    sift,
    token_kernel,
)
from halocline_governance.detect.kinds.words import GROUPS, Beside, Read, Words, denied, open_window

REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "BR", "AU", "JP", "IN", "FI", "HU", "MX", "CN")
SHAPES = (*phone.PREFIXED, *money.ACCOUNTS, *national.NATIONAL, network.IPV4)


def parsed(number: str, region: str | None, possible: bool) -> bool:
    try:
        told = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if phonenumbers.is_valid_number(told):
        return True
    return possible and phonenumbers.is_possible_number(told)


def dialled(rng: random.Random) -> tuple[str, str | None]:
    """A number near a valid one, as dialled from a region, or with its country's code."""
    region = rng.choice(REGIONS)
    example = phonenumbers.example_number_for_type(region, rng.randint(0, 10))
    example = example or phonenumbers.example_number(region)
    assert example is not None
    whole = phonenumbers.national_significant_number(example)
    if rng.random() < 0.3:
        whole = "".join(rng.choices("0123456789", k=rng.randint(6, 12)))
    digits = list(whole)
    for _ in range(rng.randint(0, 2)):
        digits[rng.randrange(len(digits))] = rng.choice("0123456789")
    body, code = "".join(digits), str(example.country_code)
    if rng.random() < 0.4:
        country = rng.choice(
            (code, str(rng.choice(list(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))))
        )
        return "+" + country + rng.choice(("", "0")) + body, None
    return rng.choice(("", "0", "1", "00" + code, "011" + code, code, "06", "9")) + body, region


def test_a_plan_says_what_libphonenumber_says(
    rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    told = {True: 0, False: 0}
    for _ in range(scale(4_000, 400_000)):
        number, region = dialled(rng)
        if not 7 <= len(number.lstrip("+")) <= 17:
            continue
        possible = rng.random() < 0.3
        want = parsed(number, region, possible)
        told[want] += 1
        assert numbering.valid(number, region, possible) == want, "they differ"
    assert min(told.values()) > 500


NUMBERS = st.one_of(
    st.from_regex(re.compile(r"\d{1,15}([ ./()-]{0,2}\d{1,6}){0,5}", re.ASCII), fullmatch=True),
    st.sampled_from(SHAPES).flatmap(
        lambda shape: st.from_regex(re.compile(shape.pattern.pattern, re.ASCII))
    ),
)


@settings(max_examples=400, deadline=None)
@given(NUMBERS)
def test_a_shape_that_is_not_tried_would_not_match(text: str) -> None:
    text = text.encode("ascii", "ignore").decode()
    run = len(re.match("[0-9]*", text)[0])  # type: ignore[index]
    for shape in SHAPES:
        match = shape.pattern.match(text)
        if match is not None:
            assert text[0] in shape.first
            assert not shape.runs or run == 0 or run in shape.runs


PHRASES = sorted(
    {p for words in (phone.CALL, *national.WORDS, money.CARD_WORDS) for p in words.phrases}
)
WORDED = st.lists(
    st.one_of(
        st.sampled_from(PHRASES).map(lambda phrase: phrase.replace("*", "")),
        st.sampled_from(["Order no", "myPhone", "x", "\xff", "\n", "_", "-", "the", "ISBN", "12"]),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(WORDED, WORDED, st.sampled_from([" ", "", ": ", "\n"]))
def test_words_read_at_their_starts_are_all_words(
    left: list[str], right: list[str], gap: str
) -> None:
    text = gap.join(left) + gap + "123456789" + gap + gap.join(right)
    at = text.rindex("123456789")
    match = re.compile("123456789").match(text, at)
    assert match is not None

    for words in (phone.CALL, *national.WORDS):
        assert words.near(match) == plainly_near(words, match)
    data = np.frombuffer(b"\0" + text.encode("latin-1") + b"\0" * 17, dtype=np.uint8)
    starts, bits, near_it = token_kernel.named(
        data, np.array([at + 1], dtype=np.int64), sift.group_table(), 68, 176
    )
    groups, first, last = near_it[0].tolist()
    read = Read((starts - 1).tolist(), bits.tolist())
    gated = sum({shape.words.bit for shape in SHAPES if shape.words is not None})
    window = open_window(Beside(text, 0, read, groups, (first, last)))
    for words in (phone.CALL, *national.WORDS):
        near = plainly_near(words, match)
        assert words.near(match) == near
        assert not near or groups & (window.standing | ~gated) & words.bit


def plainly_near(words: Words, match: re.Match[str]) -> float:
    """By a search at every place."""
    text, (start, end) = match.string, match.span()
    distance = None
    for word in words.pattern.finditer(text, max(0, start - 64), start):
        if text.count("\n", word.end(), start) <= 2:
            distance = start - word.end()
    line = text.find("\n", end, end + 32)
    high = line if line >= 0 else end + 32
    word = words.pattern.search(text, end, high)
    if word is not None and word.end() == high and text[high - 1 : high + 1].isalpha():
        word = words.pattern.search(text, word.start() + 1, high - 1)
    if word is not None and (distance is None or word.start() - end < distance / 2):
        distance = word.start() - end
    return 0.0 if distance is None else 1 - distance / 100


@pytest.mark.parametrize(
    ("text", "is_denied"),
    [("order 12345", True), ("purchase order no. 12345", True), ("s/n 12345", True),
     ("reorder 12345", False), ("order of the day 12345", False), ("PO12345", True),
     ("phone 12345", False), ("Rechnungsnummer: 12345", True)],
)  # fmt: skip
def test_a_word_for_another_number_right_before_it_denies_it(text: str, is_denied: bool) -> None:
    match = re.compile("12345").search(text)
    assert match is not None
    assert denied(match) is is_denied


def test_every_group_of_words_has_a_bit_of_its_own() -> None:
    """Beyond 63 a group would be asked always, which is slow."""
    assert len(GROUPS) <= 60
    texts = Texts.of(["call 0151 23456789"])
    rules, places = sift.sieve("stdlib").candidates(Folded.of(texts))
    assert len(rules) == len(places) > 0
