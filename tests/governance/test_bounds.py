"""Exact bounds on rates, held against sums of the binomial distribution."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from halocline_governance import bounds

TRIALS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def exact_tail(hits: int, trials: int, rate: float) -> float:
    return math.fsum(
        math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(hits, trials + 1)
    )


@given(TRIALS, st.floats(0.001, 0.999))
def test_the_tail_is_the_binomial_sum(counts: tuple[int, int], rate: float) -> None:
    assert bounds.tail(*counts, rate) == pytest.approx(exact_tail(*counts, rate), abs=1e-10)


@given(TRIALS, st.sampled_from([0.2, 0.05, 1e-3, 1e-5]))
def test_the_bounds_are_where_the_tails_have_the_error(
    counts: tuple[int, int], error: float
) -> None:
    hits, trials = counts
    low, high = bounds.lower(hits, trials, error), bounds.upper(hits, trials, error)

    assert 0 <= low <= hits / trials <= high <= 1
    if hits:
        assert exact_tail(hits, trials, low) == pytest.approx(error, rel=1e-6)
    if hits < trials:
        assert 1 - exact_tail(hits + 1, trials, high) == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("trials", [1, 20, 1000, 1_000_000])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.35, 0.99])
def test_scipy_agrees(trials: int, share: float) -> None:
    hits = int(trials * share)

    if hits:
        low = float(stats.beta.ppf(0.025, hits, trials - hits + 1))
        assert bounds.lower(hits, trials, 0.025) == pytest.approx(low, rel=1e-8)
    high = float(stats.beta.ppf(0.975, hits + 1, trials - hits))
    assert bounds.upper(hits, trials, 0.025) == pytest.approx(high, rel=1e-8)
