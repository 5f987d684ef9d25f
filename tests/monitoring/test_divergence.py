"""Distances between fixed-bin histograms, and how often they cry wolf."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_monitoring import histogram
from halocline_monitoring.drift import divergence

BINS = st.lists(st.integers(0, 50), min_size=4, max_size=4).map(tuple)


def drawn(rng: random.Random, count: int, shift: float = 0.0) -> tuple[int, ...]:
    counts = list(histogram.empty("mean_entropy"))
    for _ in range(count):
        counts[histogram.place("mean_entropy", max(0.0, rng.gauss(4 + shift, 1)))] += 1
    return tuple(counts)


@given(BINS, BINS)
def test_distance_and_psi_are_symmetric_and_zero_only_for_the_same(
    left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    assert divergence.distance(left, right) == pytest.approx(divergence.distance(right, left))
    assert divergence.psi(left, right) == pytest.approx(divergence.psi(right, left))
    assert divergence.psi(left, right) >= 0
    assert divergence.distance(left, left) == 0
    assert divergence.psi(left, left) == 0


@given(BINS, BINS, st.integers(2, 5))
def test_more_of_the_same_is_the_same_distance(
    left: tuple[int, ...], right: tuple[int, ...], times: int
) -> None:
    more = tuple(count * times for count in left)

    assert divergence.distance(more, right) == pytest.approx(divergence.distance(left, right))


@pytest.mark.parametrize(("n", "m"), [(20, 20), (50, 500), (300, 100)])
def test_no_drift_is_rarely_called_drift(n: int, m: int) -> None:
    rng = random.Random(7)
    level, runs = 0.2, 400

    alarms = sum(
        divergence.compare("mean_entropy", drawn(rng, n), drawn(rng, m)).p_value <= level
        for _ in range(runs)
    )

    assert alarms <= level * runs


def test_a_shift_is_found() -> None:
    rng = random.Random(7)

    shift = divergence.compare("mean_entropy", drawn(rng, 400), drawn(rng, 400, 1.0))

    assert shift.p_value < 1e-6
    assert shift.psi > 0.2


def test_nothing_on_one_side_says_nothing() -> None:
    empty = histogram.empty("mean_entropy")

    shift = divergence.compare("mean_entropy", empty, drawn(random.Random(1), 10))

    assert (shift.distance, shift.p_value) == (0.0, 1.0)


def test_values_without_a_number_have_a_bin_of_their_own() -> None:
    last = len(histogram.empty("mean_logprob")) - 1

    assert histogram.place("mean_logprob", None) == last
    assert histogram.place("mean_logprob", float("nan")) == last
    assert histogram.place("mean_logprob", 99.0) == last - 1
    assert histogram.place("mean_logprob", float("-inf")) == 0
