"""A stream's verdict is the whole text's, and nothing of a finding leaves before it is found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.detect import Detector, Verdict
from halocline_governance.detect.canary import CanaryDetector, mint
from halocline_governance.detect.holdback import Holdback
from halocline_governance.detect.pii import PiiDetector
from halocline_governance.detect.secrets import SecretDetector
from halocline_governance.detect.segregation import FingerprintIndex, SegregationDetector
from halocline_governance.detect.toxicity import ToxicityDetector
from halocline_governance.detect.verdict import concluded, sha256
from halocline_governance.errors import Refused

KEY = b"t" * 32
CANARY = mint(3, 1, "buy")[0].text
DEAL = (
    "the committee agreed on the fourteenth that the price would be raised by eleven percent once"
    " the northern plant has been sold to its present tenants and the pension gap is closed"
)
DETECTORS: list[Detector] = [
    PiiDetector(),
    SecretDetector(),
    CanaryDetector.of(mint(3, 1, "buy"), KEY),
    SegregationDetector([FingerprintIndex.build("sell", [DEAL], KEY, ["Initech"])], KEY),
    ToxicityDetector(),
]
FINDINGS = [
    "jo@example.org",
    "4111 1111 1111 1111",
    "536-90-4399",
    "DE89 3704 0044 0532 0130 00",
    "(212) 555-0123",
    "AKIA" + "QYLPMN5HXJ3ABCDE",
    "Initech",
    CANARY,
    DEAL,
    "Shut up, you stupid moron, you disgusting piece of garbage. ",
]
PLAIN = [
    "All is well. ",
    "The price rose by 3.2 percent in 2021.\n",
    " and so on",
    "\n\n",
    "\u00e9t\u00e9 ",
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(FINDINGS), st.sampled_from(PLAIN * 3), st.text(max_size=8)),
    max_size=8,
).map("".join)


def chunks(text: str, cuts: list[int]) -> list[str]:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(ends)]


@settings(max_examples=250)
@given(TEXTS, st.lists(st.integers(0, 600), max_size=12))
def test_stream_is_whole_text_at_any_split(text: str, cuts: list[int]) -> None:
    stream = Holdback(DETECTORS)
    whole = [detector.scan(text) for detector in DETECTORS]

    released = "".join(map(stream.feed, chunks(text, cuts))) + stream.finish()

    clean = all(verdict.status == "clean" for verdict in whole)
    assert stream.stopped is not clean
    assert stream.verdicts == whole
    first = min(
        (span.start for verdict in whole if verdict.status != "clean" for span in verdict.spans),
        default=len(text.encode()),
    )
    assert text.encode().startswith(released.encode())
    assert len(released.encode()) <= first
    assert released == text or not clean


@pytest.mark.parametrize("finding", FINDINGS)
def test_nothing_of_a_finding_leaves_character_by_character(finding: str) -> None:
    text = "All is well so far, he said.\n\n" * 8 + finding + "\n\n" + "And so on it went. " * 40
    stream = Holdback(DETECTORS)

    released = "".join(map(stream.feed, text))

    assert stream.stopped
    assert "All is well" in released
    assert finding[:4] not in released
    assert stream.feed("more") == ""
    assert stream.finish() == ""


def test_clean_text_flows_before_the_end_and_in_whole_words() -> None:
    text = "The committee met on Monday. It found nothing to say.\n\n" * 20
    stream = Holdback(DETECTORS)

    parts = [stream.feed(text[at : at + 7]) for at in range(0, len(text), 7)]

    assert len("".join(parts)) > len(text) / 2
    assert all(part[-1].isspace() for part in parts if part)
    assert "".join(parts) + stream.finish() == text


def test_a_verdict_that_does_not_block_lets_the_finding_pass() -> None:
    def blocks(verdicts: Sequence[Verdict]) -> bool:
        return any("credit_card" in v.findings or v.status == "unscanned" for v in verdicts)

    stream = Holdback([PiiDetector()], blocks)
    text = "mail jo@example.org today"

    assert stream.feed(text) + stream.finish() == text
    assert stream.verdicts[0].findings == {"email": 1}


def test_what_was_not_scanned_is_not_released() -> None:
    stream = Holdback([PiiDetector()])

    assert stream.feed("fine so far\n\n and then \ud800 ") == ""
    assert stream.finish() == ""
    assert [verdict.status for verdict in stream.verdicts] == ["unscanned"]


def test_a_finished_stream_takes_no_more() -> None:
    stream = Holdback([])
    assert stream.feed("some words ") == "some words "
    assert stream.finish() == ""

    with pytest.raises(Refused, match="finished"):
        stream.feed("more")


@pytest.mark.parametrize(
    ("finding", "more"),
    [
        ("SSN 536-90-4399", "12345"),
        ("4111 1111 1111 1111", "7"),
        ("Initech", "nology"),
        ("8.8.8.8", ".8"),
    ],
)
def test_what_more_text_takes_back_stops_nothing(finding: str, more: str) -> None:
    text = f"see {finding}{more} there"
    assert any(detector.scan(f"see {finding}").status == "found" for detector in DETECTORS)
    stream = Holdback(DETECTORS)

    assert "".join(map(stream.feed, text)) + stream.finish() == text
    assert not stream.stopped


@given(TEXTS, st.lists(st.integers(0, 600), max_size=12))
def test_each_look_says_what_its_streams_found_so_far(text: str, cuts: list[int]) -> None:
    looks: list[Sequence[Verdict]] = []

    def passes(verdicts: Sequence[Verdict]) -> bool:
        looks.append(verdicts)
        return False

    gate = Holdback(DETECTORS, passes)
    streams = [detector.stream() for detector in DETECTORS]
    out = ""
    for chunk in chunks(text, cuts):
        out += gate.feed(chunk)
        cut = min(stream.feed(chunk.encode()) for stream in streams)
        for at, told in ((cut, looks[-1]), (len(out.encode()), gate.verdicts)):
            digest = sha256(text.encode()[:at])
            found = [stream.findings(at) for stream in streams]
            assert told == [
                concluded(detector.id, digest, finding)
                for detector, finding in zip(DETECTORS, found, strict=True)
            ]
            ends = [span.end for verdict in gate.verdicts for span in verdict.spans]
            assert max(ends, default=0) <= len(out.encode()), "a finding leaves in one piece"
    assert out + gate.finish() == text
