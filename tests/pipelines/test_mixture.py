"""A mixture is named by what it is made of, in lowest terms and in any order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from halocline_governance.errors import Refused
from halocline_pipelines.mixture.mixture import Mixture, MixtureSource, integer_weights

A = MixtureSource("a", "d1", 2, 10)
B = MixtureSource("b", "d2", 4, 20)
MIXTURE = Mixture((A, B), seed=7, sequence_length=64)


def test_order_and_scale_do_not_name_a_mixture() -> None:
    doubled = (replace(B, weight=8), replace(A, weight=4))

    assert Mixture(doubled, 7, 64).sha256 == MIXTURE.sha256
    assert [source.weight for source in MIXTURE.sources] == [1, 2]


@pytest.mark.parametrize(
    "other",
    [
        Mixture((A, B), 8, 64),
        Mixture((A, B), 7, 128),
        Mixture((replace(A, dsv_id="d3"), B), 7, 64),
        Mixture((replace(A, weight=3), B), 7, 64),
        Mixture((replace(A, num_sequences=11), B), 7, 64),
    ],
)
def test_everything_else_does(other: Mixture) -> None:
    assert other.sha256 != MIXTURE.sha256


def test_what_is_no_mixture_is_refused() -> None:
    with pytest.raises(Refused, match="distinct"):
        Mixture((A, A), 7, 64)
    with pytest.raises(Refused, match="distinct"):
        Mixture((), 7, 64)
    with pytest.raises(Refused, match="at least 1"):
        replace(A, weight=0)
    with pytest.raises(Refused, match="round them"):
        Mixture((replace(A, weight=1 << 20), replace(B, weight=1)), 7, 64)


def test_shares_become_integers() -> None:
    shares = {"a": Fraction(1, 3), "b": Fraction(1, 2), "c": 2}

    assert integer_weights(shares) == {"a": 2, "b": 3, "c": 12}
    with pytest.raises(Refused):
        integer_weights({"a": 0, "b": 1})
