"""Each kind in the forms in which it is written, its near misses, and what surrounds a value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.engines.anchor import ENGINES
from halocline_governance.detect.pii import KINDS, PERSONAL, PiiDetector

VECTORS = Path(__file__).parent / "vectors"
PII = PiiDetector()
MARKED = [
    (kind, text)
    for kind, texts in json.loads((VECTORS / "pii_golden.json").read_text()).items()
    for text in texts
]
NEAR_MISSES = [
    text
    for texts in json.loads((VECTORS / "pii_near_misses.json").read_text()).values()
    for text in texts
]


def read(marked: str) -> tuple[str, str]:
    """The text, and the value marked in it by braces."""
    value = marked[marked.index("{") + 1 : marked.rindex("}")]
    return marked.replace("{" + value + "}", value), value


def found(text: str) -> list[tuple[str, str]]:
    data = text.encode()
    return [(span.kind, data[span.start : span.end].decode()) for span in PII.scan(text).spans]


def test_every_kind_has_vectors() -> None:
    assert {kind for kind, _ in MARKED} == set(KINDS)
    assert set(KINDS) - PERSONAL == {"bic", "url", "us_routing_number", "es_cif"}


@pytest.mark.parametrize(("kind", "marked"), MARKED)
def test_a_value_is_found_as_it_is_written(kind: str, marked: str) -> None:
    text, value = read(marked)

    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("SSN 536-90-4399, passport 533401234", ["us_ssn", "passport"]),
        ("ssn 536904399 passport 533401234", ["us_ssn", "passport"]),
        ("IBAN: DE89 3704 0044 0532 0130 00, COBADEFFXXX", ["iban", "bic"]),
        ("IBAN: DE89 3704 0044 0532 0130 00, BNPAFRPPXXX", ["iban"]),
        ("Jane Doe,456 Oak Avenue,Denver,80203", ["street_address", "postcode"]),
        ("about 1,456 Oak Avenue shops", []),
        ("Sort code 20-00-00, account 55779911", ["bank_account"]),
    ],
)
def test_the_title_right_before_a_value_names_it(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in found(text)] == kinds


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_a_near_miss_is_none(text: str) -> None:
    assert found(text) == []


AROUND = [
    '"%s"', "(%s)", "<td>%s</td>", "[%s]", "%s.", "%s,", "'%s'", "| %s |", '{"x": "%s"}', "\t%s\t",
    "\u201c%s\u201d", "- %s", "\u200f%s\u200e",
]  # fmt: skip
FIRM = [
    ("email", "jo@example.org"),
    ("phone", "+44 20 7946 0958"),
    ("credit_card", "4111 1111 1111 1111"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("us_ssn", "536-90-4399"),
    ("uk_nino", "JG103759A"),
    ("es_nif", "12345678Z"),
    ("it_codice_fiscale", "RSSMRA85T10A562S"),
    ("ip", "205.153.142.108"),
    ("mac", "00:1A:2B:3C:4D:5E"),
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("kind", "value"), FIRM)
def test_what_stands_around_a_value_does_not_hide_it(kind: str, value: str, around: str) -> None:
    assert found(around % value) == [(kind, value)]


WIDE = str.maketrans({chr(48 + n): chr(0xFF10 + n) for n in range(10)})
ARABIC = str.maketrans({chr(48 + n): chr(0x0660 + n) for n in range(10)})


def wide(value: str) -> str:
    return value.translate(WIDE)


def arabic(value: str) -> str:
    return value.translate(ARABIC)


def unbroken(value: str) -> str:
    return value.replace(" ", "\u00a0").replace("-", "\u2011")


def thin(value: str) -> str:
    return value.replace(" ", "\u2009").replace("-", "\u2013")


def hidden(value: str) -> str:
    return value[:3] + "\u200b" + value[3:]


@pytest.mark.parametrize("change", [wide, arabic, unbroken, thin, hidden])
@pytest.mark.parametrize(("kind", "value"), [pair for pair in FIRM if pair[0] != "email"])
def test_digits_dashes_and_blanks_of_any_script_are_read(
    kind: str, value: str, change: Callable[[str], str]
) -> None:
    written = change(value)

    assert found(f"see {written} there") == [(kind, written)]


def test_three_engines_say_the_same() -> None:
    texts = Texts.of([read(marked)[0] for _, marked in MARKED] + NEAR_MISSES + ["", "\0", "\n"])

    verdicts = [list(PiiDetector(engine=name).scan_batch(texts)) for name in ENGINES]

    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert sum(len(verdict.spans) for verdict in verdicts[0]) >= len(MARKED)


def test_a_url_gives_way_to_what_stands_in_it() -> None:
    assert found("https://example.com/?mail=jo@example.org") == [("email", "jo@example.org")]


def test_rows_do_not_lend_each_other_words() -> None:
    """What a row says must not depend on its neighbours in the buffer."""
    alone = PII.scan("123456782")
    rows = Texts.of(["TFN", "123456782", "TFN 123456782", "TFN"])

    verdicts = list(PII.scan_batch(rows))

    assert [verdict.findings for verdict in verdicts] == [{}, {}, {"au_tfn": 1}, {}]
    assert verdicts[1] == alone


@pytest.mark.parametrize("count", [10_001, 1_000_000])
def test_question_marks_switch_nothing_off(count: int) -> None:
    """A peer skips all detection in such a text, and says nothing."""
    assert PII.scan("?" * count + " jo@example.org").findings == {"email": 1}


def test_many_rows_are_one_scan() -> None:
    """A peer's batch has a size of one: its cost grows with the rows. Ours takes them at once."""
    verdicts = PII.scan_batch(Texts.of([""] * 200_000 + ["jo@example.org"]))

    assert verdicts.count() == 1
    assert verdicts.rows.tolist() == [200_000]
    assert not verdicts.reasons


def test_no_kind_has_a_rule_that_can_never_fire() -> None:
    """A peer's rule holds a backspace for a word border: here every kind has found something."""
    fired = {kind for _, marked in MARKED for kind, _ in found(read(marked)[0])}

    assert fired == set(KINDS)
    assert not any(re.search("[\b]", marked) for _, marked in MARKED)


@pytest.mark.parametrize(
    ("text", "values"),
    [("ip.addr==203.0.113.45", ["203.0.113.45"]), ("to 10.0.0.7-", ["10.0.0.7"]),
     ("10.0.0.7 - - [10/Oct/2000:13:55:36 -0700]", ["10.0.0.7"]),
     ("lease 10.0.0.5-10.0.0.9 given", ["10.0.0.5", "10.0.0.9"]),
     ("from node/192.168.4.20 came", ["192.168.4.20"]),
     ("route to 10.0.0.0/8", ["10.0.0.0"]),
     ("seen at 203[dot]0[dot]113[dot]9", ["203[dot]0[dot]113[dot]9"]),
     ("\uff1a2001:db8::7 up", ["2001:db8::7"]),
     ("agent version 10.0.1.2 and libfoo-1.2.3.4", []), ("nginx/1.2.3.4", []),
     ("1.2.3.4 Scope of work", []), ("package==1.2.3.4", []), ("v203.0.113.4", [])],
)  # fmt: skip
def test_an_address_is_one_wherever_it_stands_and_a_version_is_none(
    text: str, values: list[str]
) -> None:
    spans = PiiDetector(engine="stdlib").scan(text).spans
    raw = text.encode()
    assert [raw[s.start : s.end].decode() for s in spans if s.kind == "ip"] == values


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("Anna Berg (*12.03.1980)", "date_of_birth", "12.03.1980"),
     ("Ann Lee (b. March 12, 1980)", "date_of_birth", "March 12, 1980"),
     ("D.O.B. March 12, 1980", "date_of_birth", "March 12, 1980"),
     ("born on 12.03.\n1980 in", "date_of_birth", "12.03.\n1980"),
     ("*12.03.1980*", "date_of_birth", ""), ("* 12.03.1980 Meeting", "date_of_birth", ""),
     ("Pincode 560001", "postcode", "560001"), ("pin code 1234", "postcode", ""),
     ("Travel document AB1234567", "passport", "AB1234567")],
)  # fmt: skip
def test_forms_in_which_people_write_births_and_papers(text: str, kind: str, value: str) -> None:
    spans = PiiDetector(engine="stdlib").scan(text).spans
    found = [text.encode()[s.start : s.end].decode() for s in spans if s.kind == kind]
    assert found == ([value] if value else [])
