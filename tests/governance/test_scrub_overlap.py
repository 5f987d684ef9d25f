"""Findings that overlap become one, whoever found them and in whatever order."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.detect import Span
from halocline_governance.scrub.overlap import resolve
from tests.governance.scrub_world import SPANS


def covered(spans: list[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end)}


@given(SPANS, st.randoms())
def test_resolved_spans_cover_the_same_and_do_not_overlap(
    spans: list[Span], rng: random.Random
) -> None:
    found = resolve(spans)

    assert covered(found) == covered(spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    shuffled = [*spans, *spans[:2]]
    rng.shuffle(shuffled)
    assert resolve(shuffled) == found == resolve(found)


@given(SPANS)
def test_the_longest_decides_then_the_surest_then_the_name(spans: list[Span]) -> None:
    for one in resolve(spans):
        within = [span for span in spans if one.start <= span.start < one.end]
        longest = max(span.end - span.start for span in within)
        rivals = [span for span in within if span.end - span.start == longest]
        surest = max(span.score for span in rivals)
        assert one.score == surest
        assert one.kind == min(span.kind for span in rivals if span.score == surest)


def test_spans_that_only_touch_stay_two() -> None:
    assert len(resolve([Span(0, 3, "a", 1.0), Span(3, 5, "a", 1.0)])) == 2
