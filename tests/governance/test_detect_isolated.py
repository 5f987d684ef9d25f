"""A detector in its own process: the same answers, and no rule takes more with it than its text."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halocline_governance.detect.batch import Texts
from halocline_governance.detect.isolated import Isolated
from halocline_governance.detect.isolated_process import CRASHED, TIMEOUT
from halocline_governance.detect.verdict import Detector, sha256
from halocline_governance.errors import Refused
from tests.governance.detect_rules import Rule

RULE = "tests.governance.detect_rules:Rule"
BRIEF_S, LONG_S = 0.5, 30.0
WORDS = st.sampled_from(["jo ", "hello ", "\u00e9\u00e8 ", "\U0001f600", "\x00", "jo", ".\n", ""])
FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.lists(WORDS, max_size=12).map("".join)


@pytest.fixture(scope="module")
def root_on_path(root: Path) -> Iterator[None]:
    sys.path.insert(0, str(root))  # the child gets the path of its parent
    yield
    sys.path.remove(str(root))


@pytest.fixture(scope="module")
def far(root_on_path: None) -> Iterator[Isolated]:
    far = Isolated(RULE, timeout_s=LONG_S, memory_bytes=1 << 28)
    yield far
    far.close()


@pytest.fixture(scope="module")
def brief(root_on_path: None) -> Iterator[Isolated]:
    brief = Isolated(RULE, timeout_s=BRIEF_S)
    yield brief
    brief.close()


def test_it_is_the_detector_that_it_holds(far: Isolated) -> None:
    assert (far.id, far.kinds) == (Rule().id, Rule().kinds)


@given(texts=st.lists(TEXTS, max_size=6), seed=st.integers(0, 2**32))
@FEW
def test_all_three_faces_say_what_it_says(far: Isolated, texts: list[str], seed: int) -> None:
    near, rng = Rule(), random.Random(seed)
    assert [far.scan(text) for text in texts] == [near.scan(text) for text in texts]
    assert list(far.scan_batch(Texts.of(texts))) == list(near.scan_batch(Texts.of(texts)))
    for text in texts:
        one, other = far.stream(), near.stream()
        data = text.encode()
        while data:
            cut = rng.randint(1, len(data))
            assert one.feed(data[:cut]) == other.feed(data[:cut])
            assert one.findings(one.settled) == other.findings(other.settled)
            data = data[cut:]
        assert one.finish() == other.finish()


@pytest.mark.parametrize("raw", [b"jo \xff", b"jo \xe2\x82"])
def test_bytes_that_are_no_text_are_unscanned_in_each_face(far: Isolated, raw: bytes) -> None:
    stream, near = far.stream(), Rule().stream()
    for one in (stream, near):
        one.feed(raw)
    assert stream.finish() == near.finish()
    assert stream.reason == near.reason is not None
    assert list(far.scan_batch(Texts.of([raw, b"jo"]))) == list(
        Rule().scan_batch(Texts.of([raw, b"jo"]))
    )
    assert far.scan("\ud800") == Rule().scan("\ud800")


BAD = {
    "do:loop": {TIMEOUT},
    "do:die": {CRASHED},
    "do:exit": {CRASHED},
    "do:eat": {"failed: MemoryError"},
    "do:raise": {"failed: ValueError"},
    "do:tell": {"failed: ValueError"},
}


@pytest.mark.parametrize("word", BAD)
def test_a_rule_that_goes_wrong_costs_its_text_only(
    far: Isolated, brief: Isolated, word: str
) -> None:
    # Only what loops needs its deadline; the others have time, however busy the machine is.
    far = brief if word == "do:loop" else far
    text = f"{word} secret jo"
    begun = time.monotonic()
    assert far.scan(text).reason in BAD[word]
    assert time.monotonic() - begun < LONG_S / 2
    assert far.scan("jo") == Rule().scan("jo")

    verdicts = list(far.scan_batch(Texts.of(["jo", text, ""])))
    assert verdicts[1].status == "unscanned"
    assert verdicts[1].reason in BAD[word]
    assert verdicts[1].sha256 == sha256(text.encode())
    assert [verdicts[0], verdicts[2]] == [Rule().scan("jo"), Rule().scan("")]

    stream = far.stream()
    stream.feed(b"jo " + b" . ")
    settled = stream.settled
    stream.feed(text.encode() + b" . ")
    assert settled > 3
    assert stream.reason in BAD[word]
    assert stream.settled == settled
    assert [span.start for span in stream.findings(settled).spans] in ([], [0])
    assert stream.finish().reason in BAD[word]
    assert far.scan("jo") == Rule().scan("jo")


def test_a_child_that_somebody_kills_is_replaced(far: Isolated) -> None:
    stream = far.stream()
    stream.feed(b"jo")
    pid = far.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert far.scan("jo").reason in (None, CRASHED)
    assert far.scan("jo") == Rule().scan("jo")
    assert far.pid != pid
    stream.feed(b"jo")
    assert stream.finish().reason == CRASHED
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_batch_of_bad_rows_ends(root_on_path: None) -> None:
    far = Isolated(RULE, timeout_s=LONG_S, max_lost=3)
    verdicts = list(far.scan_batch(Texts.of(["do:die"] * 40 + ["jo"])))
    assert {verdict.reason for verdict in verdicts[:40]} <= {CRASHED, TIMEOUT}
    assert all(verdict.status != "clean" for verdict in verdicts)


def test_a_child_left_alone_ends_by_itself(root_on_path: None) -> None:
    far = Isolated(RULE, timeout_s=0.2)
    pid = far.pid
    assert pid is not None
    del far
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "build", ["tests.governance.detect_rules:missing", "tests.nowhere:Rule", "json:nothing"]
)
def test_what_cannot_be_built_is_refused_without_a_value(build: str, root_on_path: None) -> None:
    with pytest.raises(Refused, match="no detector") as refused:
        Isolated(build)
    assert "jo's" not in str(refused.value)


def test_it_keeps_to_the_contract(far: Isolated) -> None:
    detector: Detector = far
    assert detector.scan("jo").detector == "rule@1"
