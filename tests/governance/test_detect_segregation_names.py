"""Restricted names are found however they are written, and nothing that is another word."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.segregation import (
    FingerprintIndex,
    Restricted,
    SegregationDetector,
    listed,
)
from halocline_governance.errors import Refused
from halocline_governance.label import parse_compact

KEY = b"n" * 32
LIST = """
names:
  - Acme Holdings
  - Initech
  - name: Globex Corporation
    aliases: [Umbrella Labs, "\u0411\u0438\u0440\u044e\u0437\u0430"]
    tickers: [GBX, T]
  - name: HP Inc.
  - name: Soci\u00e9t\u00e9 Nord S.A.
"""


@cache
def detector() -> SegregationDetector:
    return SegregationDetector([FingerprintIndex.build("sell", [], KEY, listed(LIST))], KEY)


@pytest.mark.parametrize(
    "text",
    [
        "ask Acme Holdings.",
        "ACME\n holdings?",
        "(acme-holdings)",
        "\u00e1cme Holdings",
        "INITECH",
        "acmeholdings",
        "a c m e  h o l d i n g s",
        "A.C.M.E. Holdings",
        "I n i t e c h",
        "Init\u200bech",
        "Ini-\ntech",
        "\u0410cm\u0435 H\u03bfldings",
        "\uff21\uff43\uff4d\uff45 Holdings",
        "Initech's plan",
        "I-n-i-t-e-c-h",
        "Globex",
        "GLOBEX Corp.",
        "globex corporation",
        "globex, inc",
        "Globex S.A.",
        "umbrela labs",
        "umbrella labz",
        "Umbrellla Labs",
        "acme holdngs",
        "\u0411\u0438\u0440\u044e\u0437\u0430",
        "hp inc",
        "HP Inc.",
        "Societe Nord",
        "soci\u00e9t\u00e9 nord sa",
        "$GBX",
        "$gbx",
        "NYSE: GBX",
        "(NASDAQ:T)",
        "GBX US",
        "GBX.L",
        "sell GBX now",
        "shares of T rose",
    ],
)
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    for around in ("{}", "so {} it is", "1 {}\n", "\u00fc {}, \u00fc"):
        assert detector().scan(around.format(text)).findings == {"name:sell": 1}
    bound = detector().for_label(parse_compact("internal sides=sell"))
    assert bound.scan(text).findings == {}


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        "Initechs",
        "holdings acme",
        "acme and holdings",
        "acmesthesia",
        "spacme holdings",
        "in it ech",
        "init ech",
        "umb rella labs",
        "umbrella",
        "labs umbrella",
        "umbrxlla lubs",
        "globex",
        "hp",
        "HP sauce",
        "inc",
        "GBX",
        "gbx shares",
        "T",
        "don't sell",
        "AT&T",
        "a T-shirt",
        "GBXX US",
        "\u0411\u0438\u0440\u044e\u0437\u0438",
        "macme holdingsx",
        "mac mehold ings",
    ],
)
def test_another_word_is_no_name(text: str) -> None:
    for around in ("{}", "so {} it is", "1 {}\n"):
        assert detector().scan(around.format(text)).findings == {}


def test_the_span_covers_the_name() -> None:
    text = "\u00fcber \u00c1cme\u200b Holdings\u0301. Then INITECH"

    first, second = detector().scan(text).spans

    raw = text.encode()
    assert raw[first.start : first.end].decode() == "\u00c1cme\u200b Holdings"
    assert raw[second.start : second.end].decode() == "INITECH"


def test_what_stands_in_the_next_row_says_nothing() -> None:
    verdicts = detector().scan_batch(Texts.of(["GBX", " US", "globex", "inc", "Acme", "Holdings"]))

    assert not verdicts.found.any()


def test_two_thousand_names_are_sought_at_once(rng: random.Random) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = ["".join(rng.choices(letters, k=12)) for _ in range(2_000)]
    index = FingerprintIndex.build("sell", [], KEY, names)
    text = " ".join(rng.sample(names, 50)) + " " + "".join(names[7][:-1])

    assert SegregationDetector([index], KEY).scan(text).findings == {"name:sell": 51}


WORDS = st.sampled_from(
    [
        "Acme",
        "Holdings",
        "acme",
        " ",
        " ",
        "\n",
        ".",
        "-",
        "Initech",
        "T",
        "$",
        "US",
        "shares",
        "GBX",
        "NYSE:",
        "Umbrela",
        "Labs",
        "Globex",
        "Corp.",
        "\u200b",
        "\u0301",
        "\u65e5",
        "x",
        "Acm",
        "e",
    ]
)


@given(st.lists(WORDS, max_size=25).map("".join), st.lists(st.integers(1, 30), max_size=5))
def test_stream_is_text(text: str, sizes: list[int]) -> None:
    data, stream, at = text.encode(), detector().stream(), 0
    while at < len(data):
        size = sizes[at % len(sizes)] if sizes else 7
        stream.feed(data[at : at + size])
        at += size

    assert stream.finish() == detector().scan(text)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "names: Acme",
        "names: [3]",
        "names: [{name: 3}]",
        "names: [{alias: [x]}]",
        "nams: []",
        "names: [{name: Acme, tickers: [A-B]}]",
        "names: [x]",
        "names: ['...']",
        "names: [{name: Acme, aliases: x}]",
        "names: [" + "y" * 65 + "]",
        "names: [a, b",
        "names: []\nnames: []",
    ],
)
def test_a_list_that_is_not_exactly_one_is_refused_and_not_quoted(content: str) -> None:
    with pytest.raises(Refused) as refusal:
        listed(content)

    assert "Acme" not in str(refusal.value)


def test_a_name_is_in_no_repr() -> None:
    index = FingerprintIndex.build("sell", [], KEY, [Restricted("Acme Holdings", ("Acme Labs",))])

    assert "acme" not in (repr(index) + repr(SegregationDetector([index], KEY))).lower()


def test_a_name_is_found_wherever_it_stands_in_a_long_text(rng: random.Random) -> None:
    """Also where the scan's four parts of a text meet: at every place around those once."""
    sought = SegregationDetector([FingerprintIndex.build("sell", [], KEY, ["Qxzqvj"])], KEY)
    for length in (40, 41, 43, 150):
        filler = "".join(rng.choices("abcdefghijklmnop \u00e9", k=length))
        for at in range(length + 1):
            text = f"{filler[:at]} Qxzqvj {filler[at:]}"
            start = len(f"{filler[:at]} ".encode())
            (span,) = sought.scan(text).spans
            assert (span.start, span.end) == (start, start + 6)


def test_a_name_fills_its_row_whatever_rows_lie_beside_it() -> None:
    """Rows lie in the buffer without a byte between them."""
    rows = ["the", "Initech", "one", "Initech", "Initech", "inite", "ch", "acme holdngs", "in"]

    verdicts = detector().scan_batch(Texts.of(rows))

    found = [[(span.start, span.end) for span in verdict.spans] for verdict in verdicts]
    assert found == [[], [(0, 7)], [], [(0, 7)], [(0, 7)], [], [], [(0, 12)], []]
