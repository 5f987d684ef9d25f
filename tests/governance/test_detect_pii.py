"""Structured personal data: each kind found, its near misses not, and the peers' known defects."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.kinds.keccak import keccak256
from halocline_governance.detect.kinds.money import luhn
from halocline_governance.detect.names import NamesDetector
from halocline_governance.detect.pii import KINDS, PERSONAL, PiiDetector

PII = PiiDetector()

GOLDEN = [
    ("email", "write to {} today", "jo.doe+x@mail.example.co.uk"),
    ("email", "{}", "a@b.de"),
    ("email", "mail {}!", "jos\u00e9@ex\u00e4mple.de"),
    ("email", "mail {} please", "jane [at] example [dot] com"),
    ("email", "<{}>", "o'neil@example.org"),
    ("phone", "call {} now", "(212) 555-0123"),
    ("phone", "office {}.", "+49 30 901820"),
    ("phone", "Tel: {}", "01 42 68 53 00"),
    ("phone", "fax {},", "020 7946 0958"),
    ("phone", "or {} (New York)", "212-834-4533"),
    ("phone", "or {} at once", "+1 (415) 973-1000 ext. 12"),
    ("ip", "host {} is down", "8.8.8.8"),
    ("ip", "from {} at noon", "192.168.17.4"),
    ("ip", "from {} at noon", "2001:db8::8a2e:370:7334"),
    ("ip", "from {} at noon", "fe80::1ff:fe23:4567:890a"),
    ("mac", "device {} joined", "00:1A:2B:3C:4D:5E"),
    ("mac", "device {} joined", "00-1a-2b-3c-4d-5e"),
    ("credit_card", "paid with {} today", "4111 1111 1111 1111"),
    ("credit_card", "paid with {} today", "5500-0055-5555-5559"),
    ("credit_card", "paid with {}.", "378282246310005"),
    ("credit_card", "card {}", "3782 822463 10005"),
    ("credit_card", "card {}", "6011000990139424"),
    ("credit_card", "card {}", "30569309025904"),
    ("iban", "to {} please", "DE89 3704 0044 0532 0130 00"),
    ("iban", "to {} please", "GB82WEST12345698765432"),
    ("iban", "to {}.", "NL91ABNA0417164300"),
    ("us_ssn", "SSN {}", "536-90-4399"),
    ("us_ssn", "her social security number is {}", "536904399"),
    ("uk_nino", "NI number {}", "AB 12 34 56 C"),
    ("uk_nino", "with {} on file", "JG103759A"),
    ("de_tax_id", "Steuer-ID {}", "86095742719"),
    ("es_nif", "DNI {}", "12345678Z"),
    ("es_nif", "NIE {}", "X1234567L"),
    ("fr_nir", "NIR {}", "2 55 08 14 168 025 38"),
    ("it_codice_fiscale", "CF {}", "RSSMRA85T10A562S"),
    ("pl_pesel", "PESEL {}", "44051401359"),
    ("in_aadhaar", "Aadhaar {}", "2341 2341 2346"),
    ("au_tfn", "TFN {}", "123 456 782"),
    ("ca_sin", "SIN {}", "130 692 544"),
    ("sg_nric", "NRIC {}", "S1234567D"),
    ("date_of_birth", "born on {} in Rome", "12/03/1980"),
    ("date_of_birth", "DOB: {}", "1 May 1972"),
    ("date_of_birth", "Date of birth: {}", "1980-03-12"),
    ("date_of_birth", "geboren am {}", "12.03.1980"),
    ("url_credentials", "use {} here", "postgres://bob:hunter2@db.example.com:5432/x"),
    ("crypto_address", "send to {}", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("crypto_address", "send to {}", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("crypto_address", "send to {}", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ("bank_account", "Account number: {}", "12345678901"),
    ("passport", "passport no. {}", "X12345678"),
    ("passport", "Passport Number: {}", "533380006"),
    ("street_address", "lives at {}, Springfield.", "12 Main Street"),
    ("street_address", "to {} today", "P.O. Box 1234"),
]

NEAR_MISSES = [
    "git clone git@github.com:org/repo.git",
    "see icon@2x.png and sprite@3x.svg",
    "a @property, user@host, @mention, foo@ bar.com",
    "released v1.2.3.4 and version 10.11.12.13, torch==2.1.0.1",
    "127.0.0.1 and 0.0.0.0 and 255.255.255.0",
    "address 300.1.2.3 and 1.2.3.4.5",
    "1.2.3.4 Liquidity and capital resources",
    "std::dead and a::b and ::1 at 12:30:45",
    "sha fingerprint 00:1A:2B:3C:4D:5E:6F:70",
    "card 4111 1111 1111 1112",
    "card 4111111111111111111111",
    "0.4111111111111111",
    "IBAN DE89 3704 0044 0532 0130 01",
    "IBAN GB82WEST1234569876543",
    "SSN 000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000, 078-05-1120",
    "NI number BG123456A and QQ123456C",
    "Steuer-ID 86095742718, or 86095742719000",
    "DNI 12345678A, NIE X1234567A",
    "NIR 2 55 08 14 168 025 39",
    "CF RSSMRA85T10A562T",
    "PESEL 44051401358",
    "Aadhaar 2341 2341 2347",
    "columns 2019 2018 2017 and 2021 2020 2019 2018",
    "TFN 123 456 789",
    "SIN 130 692 545",
    "NRIC S1234567A",
    "filed on 12/03/1980 and 1 May 1972",
    "https://<user>:<password>@host/ and https://user:password@host/",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdr",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeE",
    "commission file 001-36042, exhibit 95-4405754",
    "(1,234) (5,678) 12,345,678 $1,234,567.89 (2,345)",
    "ISBN 978-3-16-148410-0, order 1234567890, invoice 20210331-17",
    "2021-03-31 10:22:33, 01.02.2019, 31/12/2020, 0.12345678",
    "commit 9bd16790b1c84fcd2f3e8b5f7a6c1d2e3f4a5b6c",
    "text 135  28  668 and phones  737  498  239  48.0",
    "phone at -68.562286",
    "DFARS clause 252.227-7013",
    "the 2021 Brazil Supreme Court ruling",
    "no passport control, account holders 2020",
]


@pytest.mark.parametrize(("kind", "around", "value"), GOLDEN)
def test_golden(kind: str, around: str, value: str) -> None:
    text = around.format(value)

    verdict = PII.scan(text)

    found = [(s.kind, text.encode()[s.start : s.end].decode()) for s in verdict.spans]
    assert found == [(kind, value)]


def test_every_kind_has_a_golden_example() -> None:
    assert {kind for kind, _, _ in GOLDEN} <= set(KINDS)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_miss(text: str) -> None:
    assert PII.scan(text).findings == {}


@given(st.sampled_from([g for g in GOLDEN if g[0] in ("credit_card", "iban")]), st.data())
def test_one_changed_digit_breaks_the_checksum(
    golden: tuple[str, str, str], data: st.DataObject
) -> None:
    kind, around, value = golden
    at = data.draw(st.sampled_from([n for n, char in enumerate(value) if char.isdigit()]))
    other = data.draw(st.sampled_from(sorted(set("0123456789") - {value[at]})))

    verdict = PII.scan(around.format(value[:at] + other + value[at + 1 :]))

    assert kind not in verdict.findings


def test_digits_of_any_script_and_wide_letters_are_read() -> None:
    wide = "4111 1111 1111 1111".translate({48 + n: 0xFF10 + n for n in range(10)})
    arabic = "536-90-4399".translate({48 + n: 0x0660 + n for n in range(10)})

    assert PII.scan(f"card {wide}").findings == {"credit_card": 1}
    assert PII.scan(f"SSN {arabic}").findings == {"us_ssn": 1}


def test_overlapping_hits_are_one_finding_of_the_longest_kind() -> None:
    text = "https://bob:hunter2@mail.example.com/x"

    (span,) = PII.scan(text).spans

    assert (span.kind, span.start, span.end) == ("url_credentials", 0, len(text))


def test_only_the_kinds_asked_for_are_found() -> None:
    text = "jo@example.org 4111 1111 1111 1111"

    assert PiiDetector(frozenset({"email"})).scan(text).findings == {"email": 1}


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kinds: emial"):
        PiiDetector(frozenset({"emial"}))


def test_detectors_with_other_answers_have_other_ids() -> None:
    """And what a policy requires by the name `pii` is satisfied by no part of it."""
    parts = [frozenset({kind}) for kind in KINDS] + [PERSONAL, frozenset(KINDS), frozenset()]

    ids = [PiiDetector(part).id for part in parts]

    assert len(set(ids)) == len(parts)
    assert [one for one in ids if one.partition("@")[0] == "pii"] == [PII.id]
    assert PiiDetector(frozenset(KINDS), engine="stdlib").id == PII.id
    names = [NamesDetector(least=least).id for least in (0.0, 0.7, 0.7000001, 0.70000011)]
    assert len(set(names)) == len(names)


def test_ten_thousand_question_marks_switch_nothing_off() -> None:
    """A peer skips all detection in such a text."""
    assert PII.scan("?" * 10_001 + " jo@example.org").findings == {"email": 1}


@pytest.mark.parametrize("after", ["", ".", ",", ")", "\n", ">", '"', ";", " "])
def test_nothing_needs_to_follow_an_address(after: str) -> None:
    """A peer's rule needs trailing white space and misses 30 of 49 addresses."""
    assert PII.scan("mail jo@example.org" + after).findings == {"email": 1}


def test_url_with_credentials_is_recognised_at_a_word_boundary() -> None:
    """A peer's URL rule holds a backspace where it means a word boundary, and never fires."""
    assert PII.scan("see https://a:b7@x.com/y now").findings == {"url_credentials": 1}


ADVERSARIAL = [
    "1" * 200_000,
    "1 " * 100_000,
    "+" * 200_000,
    "(" * 200_000,
    "a" * 200_000,
    "a." * 100_000 + "@",
    "@" * 200_000,
    "a@" * 100_000,
    "A1" * 100_000,
    "0-" * 100_000,
    ":" * 200_000,
    "ab:" * 66_000,
    "1." * 100_000,
    "://" * 66_000,
    "passport no " * 16_000,
    "born on " * 25_000,
    "12 Main " * 25_000,
    "?" * 200_000,
    "eyJ" * 66_000,
    "\u0661" * 100_000,
]


@pytest.mark.parametrize("text", ADVERSARIAL, ids=lambda text: repr(text[:12]))
def test_cost_stays_linear_on_adversarial_text(text: str) -> None:
    def seconds(part: str) -> float:
        start = time.process_time()
        PII.scan(part)
        return time.process_time() - start

    quarter = min(seconds(text[: len(text) // 4]) for _ in range(2))
    assert seconds(text) <= 12 * quarter + 0.25


PIECES = st.sampled_from([g[2] for g in GOLDEN] + [g[1].format(g[2]) for g in GOLDEN] + NEAR_MISSES)
SOUP = st.lists(
    st.one_of(PIECES, st.sampled_from([" ", "\n", "-", ".", "@", "1", "x", "\u00e9"]), st.text()),
    max_size=8,
).map("".join)


@given(SOUP)
def test_spans_do_not_overlap_and_lie_on_character_borders(text: str) -> None:
    data, end = text.encode(), 0
    for span in PII.scan(text).spans:
        assert end <= span.start < span.end
        data[span.start : span.end].decode()
        end = span.end


def test_published_vectors() -> None:
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert keccak256(b"abc" * 100) != keccak256(b"abc" * 99)
    assert luhn("79927398713")
    assert not any(luhn(f"7992739871{n}") for n in range(10) if n != 3)
