"""Two engines that must agree: one answer in all three faces, or none."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect.agreed import DISAGREE, Agreed
from halocline_governance.detect.batch import Texts
from halocline_governance.errors import Refused
from tests.governance.detect_rules import Other, Rule

WORDS = st.sampled_from(["jo ", "hello ", "miss ", "\u00e9 ", "jo", ". ", "\n", "do:raise "])
TEXTS = st.lists(WORDS, max_size=12).map("".join)
BOTH = Agreed(Rule(), Other())


@given(texts=st.lists(TEXTS, max_size=6), seed=st.integers(0, 2**32))
def test_where_they_agree_it_is_the_first_ones_answer(texts: list[str], seed: int) -> None:
    rng = random.Random(seed)
    expected = [Rule().scan(text) for text in texts]
    for row, text in enumerate(texts):
        if expected[row].reason is None and Other().scan(text) != expected[row]:
            expected[row] = replace(
                expected[row],
                status="unscanned", reason=DISAGREE, spans=(), score=None, findings={},
            )  # fmt: skip
    assert [BOTH.scan(text) for text in texts] == expected
    assert list(BOTH.scan_batch(Texts.of(texts))) == expected
    for row, text in enumerate(texts):
        stream, data = BOTH.stream(), text.encode()
        while data:
            cut = rng.randint(1, len(data))
            settled = stream.feed(data[:cut])
            found = stream.findings(settled).spans
            if stream.reason is None and expected[row].reason is None:
                assert found == tuple(s for s in expected[row].spans if s.start < settled)
            data = data[cut:]
        assert stream.finish() == expected[row]


def test_no_byte_behind_a_disagreement_is_settled() -> None:
    stream = BOTH.stream()
    stream.feed(b"jo . ")
    before = stream.settled
    stream.feed(b"miss jo . ")
    assert before > 0
    assert stream.reason == DISAGREE
    assert stream.settled == before


def test_two_detectors_are_no_engines_of_one() -> None:
    with pytest.raises(Refused):
        Agreed(Rule(), Rule(id="rule@2"))
    with pytest.raises(Refused):
        Agreed(Rule(), Rule(kinds=frozenset(("other",))))
