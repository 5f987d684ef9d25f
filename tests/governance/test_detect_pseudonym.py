"""Keyed pseudonyms: consistent under one key, unlinkable across keys, and scrubbing is final."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect import Span, Verdict
from halocline_governance.detect.pii import KINDS, PiiDetector
from halocline_governance.detect.pseudonym import TOKEN, PseudonymKey, scrub, scrub_clean
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.verdict import Finding, judged
from halocline_governance.errors import Refused

MASTER = bytes(range(32))
KEY = PseudonymKey.derive(MASTER, "buy")
PII = PiiDetector()
VALUES = st.sampled_from(
    [
        "jo@example.org",
        "(212) 555-0123",
        "2125550123",
        "4111 1111 1111 1111",
        "536-90-4399",
        "DE89 3704 0044 0532 0130 00",
        "8.8.8.8",
        "call",
        "phone",
        "account no 12345678901",
        "passport X12345678",
        "12 Main Street",
        "postgres://bob:hunter2@db.example.com/x",
        "03/12/1980",
        "born",
    ]
)
GLUE = st.sampled_from(["", " ", "\n", ",", "-", ":", "x", "7", "\u00e9", "<", ">"])
SOUP = st.lists(st.one_of(VALUES, GLUE, st.text(max_size=6)), max_size=12).map("".join)


def test_one_value_has_one_token_however_it_is_written() -> None:
    text = "Jo@Example.org or jo@example.org, (212) 555-0123 or 212-555-0123"

    scrubbed, count = scrub_clean(PII, text, KEY)

    tokens = re.findall(r"<[^>]+>", scrubbed)
    assert count == 4
    assert tokens[0] == tokens[1]
    assert tokens[2] == tokens[3]
    assert all(TOKEN.fullmatch(token) for token in tokens)
    assert tokens[0].startswith("<email:v1:")


def test_tokens_do_not_join_across_compartments_versions_kinds_or_masters() -> None:
    keys = [
        KEY,
        PseudonymKey.derive(MASTER, "sell"),
        PseudonymKey.derive(MASTER, "sell.acme"),
        PseudonymKey.derive(MASTER, "buy", 2),
        PseudonymKey.derive(MASTER[::-1], "buy"),
    ]
    codes = {key.token("email", "jo@example.org").split(":")[2] for key in keys}

    assert len(codes) == len(keys)
    assert (
        KEY.token("phone", "1234567").split(":")[2] != KEY.token("us_ssn", "1234567").split(":")[2]
    )


def test_a_key_is_derived_the_same_every_time() -> None:
    assert PseudonymKey.derive(MASTER, "buy") == KEY
    assert KEY.subject_key("Jo@Example.org") == KEY.subject_key("jo@example.org ")


def test_neither_key_nor_value_shows() -> None:
    scrubbed, _ = scrub_clean(PII, "mail jo@example.org", KEY)

    assert "jo@" not in scrubbed
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)


def test_a_short_master_key_is_refused() -> None:
    with pytest.raises(Refused, match="at least 32"):
        PseudonymKey.derive(b"short", "buy")


def test_byte_offsets_are_kept_in_text_beyond_ascii() -> None:
    scrubbed, count = scrub_clean(PII, "\u00fc\U0001f600 jo@example.org \u00e9nd", KEY)

    assert count == 1
    assert re.fullmatch(r"\u00fc\U0001f600 <email:v1:\w{16}> \u00e9nd", scrubbed)


@pytest.mark.parametrize("spans", [[(0, 5), (3, 8)], [(3, 3)], [(0, 99)]])
def test_spans_that_do_not_fit_are_refused(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(Refused):
        scrub("some text here", [Span(a, b, "email", 1.0) for a, b in spans], KEY)


def test_text_that_could_not_be_scanned_is_not_passed_on() -> None:
    with pytest.raises(Refused, match="undecodable"):
        scrub_clean(PII, "\ud800", KEY)


def test_a_detector_that_never_comes_clean_is_refused() -> None:
    class Insatiable:
        id = "insatiable@1"

        def scan(self, text: str) -> Verdict:
            return judged(self.id, text, lambda _: Finding((Span(0, 1, "email", 1.0),)))

        def holdback(self, text: str) -> int:
            return 0

    with pytest.raises(Refused, match="rounds"):
        scrub_clean(Insatiable(), "text", KEY)


@settings(max_examples=300)
@given(SOUP)
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    scrubbed, _ = scrub_clean(PII, text, KEY)

    assert PII.scan(scrubbed).status == "clean"
    assert scrub_clean(PII, scrubbed, KEY) == (scrubbed, 0)


@given(st.sampled_from(sorted(KINDS)), st.text(max_size=20), GLUE, GLUE)
def test_no_detector_finds_anything_in_a_token(kind: str, value: str, a: str, b: str) -> None:
    token = KEY.token(kind, value)

    assert PII.scan(a + token + b).findings == {}
    assert SecretDetector().scan(a + token + b).findings == {}


@given(SOUP)
def test_text_outside_the_spans_is_untouched(text: str) -> None:
    spans = PII.scan(text).spans
    scrubbed, count = scrub(text, spans, KEY)

    rest, at = b"", 0
    for span in spans:
        rest, at = rest + text.encode()[at : span.start], span.end
    assert count == len(spans)
    tokens = [KEY.token(s.kind, text.encode()[s.start : s.end].decode()) for s in spans]
    for token in tokens:
        scrubbed = scrubbed.replace(token, "", 1)
    assert scrubbed.encode() == rest + text.encode()[at:]
