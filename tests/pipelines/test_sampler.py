"""The laws of the sampler and of the permutation below it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance.errors import Refused
from halocline_pipelines.mixture import Mixture, MixtureSource, Sampler
from halocline_pipelines.mixture.permutation import Permutation
from halocline_pipelines.mixture.sampler import schedule

weights = st.lists(st.integers(1, 40), min_size=1, max_size=7)


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    sources = [
        MixtureSource(f"s{i}", f"d{i}", weight, draw(st.integers(1, 30)))
        for i, weight in enumerate(draw(weights))
    ]
    return Mixture(tuple(sources), draw(st.integers(0, 2**53 - 1)), 64)


@given(weights)
def test_no_prefix_is_a_whole_sequence_off(weights: list[int]) -> None:
    order, cycle = schedule(weights), sum(weights)

    for source, weight in enumerate(weights):
        drawn = np.cumsum(order == source) * cycle
        exact = np.arange(1, cycle + 1) * weight
        assert np.abs(drawn - exact).max() < cycle


def test_weights_that_break_the_largest_deficit() -> None:
    order = schedule([1, 1, 1, 7, 7, 7])

    for source, weight in enumerate([1, 1, 1, 7, 7, 7]):
        drawn = np.cumsum(order == source)
        assert np.abs(drawn - np.arange(1, 25) * weight / 24).max() < 1


@given(st.integers(1, 3000), st.integers(0, 99))
def test_a_permutation_is_one_and_can_be_undone(size: int, key: int) -> None:
    order = Permutation.keyed(size, key)
    index = np.arange(size, dtype=np.uint64)
    out = order.forward(index)

    assert np.array_equal(np.sort(out), index)
    assert np.array_equal(order.inverse(out), index)


@given(st.integers(2**32, 2**53), st.integers(0, 99), st.integers(0, 2**32 - 1))
def test_sizes_beyond_memory(size: int, key: int, at: int) -> None:
    order = Permutation.keyed(size, key)
    index = np.array([at, size - 1], dtype=np.uint64)

    assert (order.forward(index) < size).all()
    assert np.array_equal(order.inverse(order.forward(index)), index)


def test_a_permutation_spreads() -> None:
    """Neighbours land far apart, and another key gives another order."""
    index = np.arange(10_000, dtype=np.uint64)
    one, other = (Permutation.keyed(10_000, key).forward(index) for key in (1, 2))
    steps = np.abs(np.diff(one.astype(np.int64)))

    assert 3_000 < steps.mean() < 3_700  # a third, as for independent positions
    assert np.count_nonzero(one == other) < 20


@settings(deadline=None)
@given(mixtures(), st.integers(0, 400))
def test_a_position_can_be_found_again(mixture: Mixture, position: int) -> None:
    sampler = Sampler(mixture)
    drawn = sampler.at(np.array([position]))
    name = mixture.sources[int(drawn.source[0])].name

    assert sampler.position_of(name, int(drawn.seq_no[0]), int(drawn.epoch[0])) == position


@settings(deadline=None)
@given(mixtures(), st.integers(0, 300))
def test_every_epoch_has_every_sequence_once(mixture: Mixture, length: int) -> None:
    sampler = Sampler(mixture)
    drawn = sampler.at(np.arange(length))

    for number, source in enumerate(mixture.sources):
        mine = drawn.source == number
        assert int(mine.sum()) == sampler.num_drawn(source.name, length)
        seen = list(zip(drawn.epoch[mine], drawn.seq_no[mine], strict=True))
        assert len(set(seen)) == len(seen)
        assert len(set(drawn.seq_no[mine])) == sampler.num_consumed(source.name, length)


@settings(deadline=None)
@given(mixtures(), st.integers(0, 500), st.integers(1, 64), st.sampled_from([1, 2, 3, 4, 8]))
def test_any_number_of_ranks_sees_the_same_stream(
    mixture: Mixture, start: int, size: int, world: int
) -> None:
    sampler = Sampler(mixture)
    whole = sampler.batch(start, size)
    together = np.full(size, -1)
    for rank in range(world):
        together[rank::world] = sampler.batch(start, size, rank, world).seq_no

    assert np.array_equal(together, whole.seq_no)


@settings(deadline=None)
@given(mixtures(), st.integers(0, 200), st.integers(0, 200))
def test_a_resumed_stream_goes_on(mixture: Mixture, first: int, second: int) -> None:
    whole = Sampler(mixture).batch(0, first + second)
    resumed = Sampler(mixture).batch(first, second)

    assert np.array_equal(whole.seq_no[first:], resumed.seq_no)
    assert np.array_equal(whole.source[first:], resumed.source)


def test_another_source_leaves_the_order_of_the_first() -> None:
    first = MixtureSource("b", "d", 1, 50)
    alone = Sampler(Mixture((first,), 3, 64))
    joined = Sampler(Mixture((MixtureSource("a", "e", 2, 9), first), 3, 64))
    drawn = joined.at(np.arange(150))

    assert np.array_equal(drawn.seq_no[drawn.source == 1], alone.at(np.arange(50)).seq_no)


def test_what_does_not_exist_is_refused() -> None:
    sampler = Sampler(Mixture((MixtureSource("a", "d", 1, 5),), 3, 64))

    with pytest.raises(Refused, match="no source b"):
        sampler.position_of("b", 0)
    with pytest.raises(Refused, match="0 to 4"):
        sampler.position_of("a", 5)
    with pytest.raises(Refused, match="not negative"):
        sampler.at(np.array([-1]))
    with pytest.raises(Refused, match="rank"):
        sampler.batch(0, 4, rank=2, world=2)
