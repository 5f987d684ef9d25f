"""Secrets in streams and batches: two engines with one answer, little held back, linear cost."""

from __future__ import annotations

import importlib
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.secrets.detector import FORMS
from halocline_governance.detect.secrets.format import BEHIND, LONGEST, TOKEN

FAST, PLAIN = SecretDetector(), SecretDetector("stdlib")
KEY = (
    "-----BEGIN RSA PRIVATE "
    + "KEY-----\n"
    + "MIIEow9Zk3vQ8xLm2Rt7Yp4Wn8s\n" * 4
    + "-----END RSA PRIVATE "
    + "KEY-----"
)
PARTS = [
    "AKIA" + "QYLPMN5HXJ3ABCDE",
    "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9cD4fG6hJ8",
    "password = '" + "Zk3!vQ9xLm2'",
    "api_key=key=token:" + "f3J9kLm2Qx8Zr5Tv1Yw7",
    "token == " + "f3J9kLm2Qx8Zr5Tv1Yw7",
    "Authorization: Basic " + "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "postgres://app:" + "zK4x9Qw2@db.internal/p",
    "machine a login b password " + "zK4x9Qw2",
    "12345678901:AA" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9cD4fG6",
    KEY,
    KEY[:90],
    KEY.replace("\n", "\\n"),
    "-----BEGIN ",
    "-----END RSA PRIVATE ",
    "secret",
    "\u5bc6\u7801",
    "\u00e9 ",
    "=",
    '": "',
    " ",
    "\n",
    "-----",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=4)), max_size=9).map("".join)


@settings(max_examples=60)
@given(st.lists(TEXTS, max_size=4))
def test_both_engines_and_all_faces_agree(texts: list[str]) -> None:
    batch = Texts.of(texts)

    found = list(FAST.scan_batch(batch))

    assert found == list(PLAIN.scan_batch(batch)) == [FAST.scan(text) for text in texts]


@settings(max_examples=60)
@given(TEXTS, st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_a_stream_is_the_whole_text(text: str, cuts: list[int], fast: bool) -> None:
    detector = FAST if fast else PLAIN
    data, whole = text.encode(), detector.scan(text)
    stream = detector.stream()

    for low, high in pairwise(sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})):
        settled = stream.feed(data[low:high])
        early = [span for span in whole.spans if span.start < settled]
        assert list(stream.findings(settled).spans) == early

    assert stream.finish() == whole


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("All is well, and a word", len("word")),
        ("All is well. ", 0),
        ('{"name": "x", "colour": ', 0),
        ("password = ", 0),
        ("password = Zk3vQ9", len("Zk3vQ9")),
        ("see " + KEY[:100], 100),
        ("see -----BEGIN CERTIFICATE-----\nMIIE ", 0),
        (KEY + "\n", 0),
    ],
)
def test_only_an_open_token_or_key_is_held_back(text: str, held: int) -> None:
    stream = FAST.stream()

    assert stream.feed(text.encode()) == len(text.encode()) - held


def test_a_run_without_end_is_not_held_back_for_ever() -> None:
    stream = FAST.stream()

    assert stream.feed(b"a1B2" * 10_000) == 40_000 - LONGEST


def test_forms_keep_to_their_bounds() -> None:
    """What streaming rests on: little before the start, few bytes, and only those of a token."""
    parser = importlib.import_module("re._parser")
    token = {*re.findall(rb"[%s]" % TOKEN, bytes(range(256)))}
    for form in FORMS:
        assert parser.parse(form.lead).getwidth() == (form.width, form.width)
        assert parser.parse(form.pattern.pattern).getwidth()[1] < LONGEST
        if form.left:
            assert parser.parse(form.left).getwidth()[1] < form.reach <= BEHIND
    assert token.isdisjoint({b" ", b"\n", b'"', b"'", b",", b"\x80"})


def test_a_key_cut_off_before_its_end_is_found_and_a_bare_header_is_not() -> None:
    assert FAST.scan(KEY[:140]).findings == {"private_key": 1}
    assert FAST.scan(KEY[:31]).findings == {}


@pytest.mark.parametrize(
    "unit",
    [
        "?",
        "7",
        "key=",
        "-----BEGIN RSA PRIVATE " + "KEY-----\n",
        "eyJ",
        "password: ",
        "a1B2",
        "AA:",
    ],
)
def test_cost_is_linear_on_adversarial_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = Texts.of([unit * (size // len(unit))])
        start = time.process_time()
        FAST.scan_batch(text)
        return time.process_time() - start

    seconds(1_000)
    assert seconds(160_000) < 40 * max(seconds(20_000), 0.002)
