"""A stream of personal data is the whole text at every cut, and holds back no more than it must."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.verdict import Span

VECTORS = Path(__file__).parent / "vectors"
PII = PiiDetector()
GOLDEN = [
    text.replace("{", "").replace("}", "")
    for texts in json.loads((VECTORS / "pii_golden.json").read_text()).values()
    for text in texts
]
NEAR = [
    text
    for texts in json.loads((VECTORS / "pii_near_misses.json").read_text()).values()
    for text in texts
]
GLUE = [" "] * 5 + [
    "\n",
    "-",
    ".",
    "@",
    "1",
    "x",
    "\u00e9",
    ", ",
    "/",
    "  ",
    "\u200b",
    "(",
    "the ",
    "of ",
    "\u96fb\u8a71",
    "\u3002",
]
SOUP = st.lists(
    st.one_of(
        st.sampled_from(GOLDEN), st.sampled_from(NEAR), st.sampled_from(GLUE), st.text(max_size=4)
    ),
    max_size=7,
).map("".join)


def before(spans: tuple[Span, ...], place: int) -> list[Span]:
    return [span for span in spans if span.start < place]


@settings(max_examples=120, deadline=None)
@given(SOUP, st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_stream_is_the_text_and_settled_findings_stay(text: str, sizes: list[int]) -> None:
    data, whole, stream, at, turn = text.encode(), PII.scan(text), PII.stream(), 0, 0

    while at < len(data):
        size = sizes[turn % len(sizes)]
        settled = stream.feed(data[at : at + size])
        known = list(stream.findings(settled).spans)
        assert known == before(whole.spans, settled)
        assert all(span.end <= settled for span in known)
        at, turn = at + size, turn + 1

    assert stream.finish() == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(SOUP, max_size=5))
def test_a_row_of_a_batch_is_the_text_alone(texts: list[str]) -> None:
    verdicts = PII.scan_batch(Texts.of(texts))

    assert list(verdicts) == [PII.scan(text) for text in texts]


def test_an_id_that_starts_right_behind_a_sign_is_held() -> None:
    """Once lost: its two letters ended a word that looked closed."""
    data, stream = "\u00e9:AB 12 34 56 C".encode(), PII.stream()

    for at in range(len(data)):
        stream.feed(data[at : at + 1])

    assert stream.finish().findings == {"uk_nino": 1}


PROSE = (
    "the committee met again in the afternoon and found, after a short talk, that nothing was left"
    " to say about the matter; so they went home by the river and were glad of it. "
)


def test_prose_is_held_back_by_a_word_or_two() -> None:
    stream = PII.stream()
    text = PROSE * 6
    held: list[int] = []
    for at in range(0, len(text), 7):
        settled = stream.feed(text[at : at + 7].encode())
        held.append(min(at + 7, len(text)) - settled)

    assert sum(held) / len(held) < 16
    assert max(held) < 48


UNSPACED = "\u59d4\u54e1\u4f1a\u306f\u5348\u5f8c\u306b\u518d\u3073\u96c6\u307e\u3063\u305f\u3002"


def test_text_without_blanks_flows() -> None:
    """A number in it is held while words behind it may name it, and nothing for longer."""
    stream = PII.stream()
    held: list[int] = []
    for part in [UNSPACED] * 20 + ["2019"] + [UNSPACED] * 20 + ["13800138000"] + [UNSPACED] * 20:
        settled = stream.feed(part.encode())
        held.append((stream.fed - settled) // 3)

    assert held.count(0) > len(held) * 3 / 4
    assert max(held) < 112
    assert stream.finish().findings == {"phone": 1}


@pytest.mark.parametrize(
    "text",
    [
        "we saw 12 Elm Bend, another former home",
        "12 old elm street within another former address",
        "Am Bach 12 remains another address",
        "SW1A 2AA remains another residence",
        "via Zoom 10 (SWIFT)\u4e2d\u6587of to P.O. Box 1234 today",
        "DOB 12\nMarch\n1980, Hi",
        "lease 10.0.0.1-10.0.0.9 ok",
        "born 12.03.\n1980 in",
    ],
)
def test_a_wrapped_or_paired_value_is_the_same_however_it_is_fed(text: str) -> None:
    detector = PiiDetector()
    whole = detector.scan(text)
    for size in (1, 3, 7):
        stream = detector.stream()
        raw = text.encode()
        for at in range(0, len(raw), size):
            settled = stream.feed(raw[at : at + size])
            seen = {(span.start, span.kind) for span in stream.findings(settled).spans}
            assert seen == {(s.start, s.kind) for s in whole.spans if s.start < settled}
        assert stream.finish() == whole
