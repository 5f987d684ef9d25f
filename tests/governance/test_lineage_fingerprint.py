"""The laws of the multiset fingerprint."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.lineage import fingerprint
from halocline_governance.lineage.fingerprint import Fingerprint

ROW = st.tuples(st.integers(0, 2**63 - 1), st.text("0123456789abcdef", min_size=64, max_size=64))
ROWS = st.lists(ROW, max_size=30)
# A table's columns have one type each.
WHOLE = st.fixed_dictionaries(
    {
        "name": st.none() | st.text(max_size=5),
        "count": st.integers(-(2**63), 2**63 - 1),
        "keys": st.lists(st.text(max_size=2), max_size=3),
        "body": st.none() | st.binary(max_size=4),
    }
)


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows: list[tuple[int, str]], rng: random.Random) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)

    assert fingerprint.of(shuffled) == fingerprint.of(rows)


@given(ROWS, ROWS)
def test_removing_gives_what_hashing_the_rest_gives(
    kept: list[tuple[int, str]], dropped: list[tuple[int, str]]
) -> None:
    running = Fingerprint()
    for row in [*dropped, *kept]:
        running.add(*row)
    for row in dropped:
        running.remove(*row)

    assert running.hex() == fingerprint.of(kept)


@given(ROWS, ROWS)
def test_merging_is_hashing_both(left: list[tuple[int, str]], right: list[tuple[int, str]]) -> None:
    parts = [Fingerprint(), Fingerprint()]
    for part, rows in zip(parts, (left, right), strict=True):
        for row in rows:
            part.add(*row)

    assert parts[0].merge(parts[1]).hex() == fingerprint.of(left + right)
    assert parts[1].merge(parts[0]).hex() == fingerprint.of(left + right)


@given(ROWS, ROW)
def test_one_more_row_is_another_fingerprint(
    rows: list[tuple[int, str]], extra: tuple[int, str]
) -> None:
    assert fingerprint.of([*rows, extra]) != fingerprint.of(rows)


@given(ROWS)
def test_it_goes_on_from_a_kept_state(rows: list[tuple[int, str]]) -> None:
    running = Fingerprint()
    for row in rows:
        running.add(*row)

    again = fingerprint.resume(running.num_rows, running.state())

    assert again == running


@given(ROWS)
def test_many_at_once_are_what_they_are_one_by_one(rows: list[tuple[int, str]]) -> None:
    running, batch = Fingerprint(), Fingerprint()
    for row in rows:
        running.add(*row)
    batch.add_all(rows)

    assert batch == running


@given(st.lists(WHOLE, max_size=8), st.lists(WHOLE, max_size=8))
def test_whole_rows_are_a_multiset_too(left: list[Any], right: list[Any]) -> None:
    parts = [Fingerprint(), Fingerprint(), Fingerprint()]
    parts[0].add_whole(left)
    parts[1].add_whole(right)
    parts[2].add_whole([*right, *left])

    assert parts[0].merge(parts[1]) == parts[2]


@given(WHOLE, WHOLE)
def test_rows_that_differ_have_other_bytes(left: Any, right: Any) -> None:
    same = {k: v for k, v in left.items() if v is not None} == {
        k: v for k, v in right.items() if v is not None
    }

    assert (fingerprint.whole(left) == fingerprint.whole(right)) == same


def test_the_form_of_a_whole_row_does_not_drift() -> None:
    row = {
        "z": 1 << 62,
        "a": 'q"\u00e9\n',
        "d": 1.5,
        "b": b"\x00\xff",
        "n": None,
        "l": [{"y": 2, "x": None}, "t"],
    }

    assert fingerprint.whole(row) == (
        b'{"a":"q\\"\xc3\xa9\\n","b":"00ff","d":"3ff8000000000000",'
        b'"l":[{"y":"2"},"t"],"z":"4611686018427387904"}'
    )


def test_a_row_is_its_id_and_its_content() -> None:
    rows = [(1, "a" * 64), (2, "b" * 64)]
    swapped = [(1, "b" * 64), (2, "a" * 64)]

    assert fingerprint.of(rows) != fingerprint.of(swapped)


def test_a_repeated_row_counts_even_where_the_sum_wraps() -> None:
    once = [(7, "c" * 64)]

    assert fingerprint.of(once * 65536) != fingerprint.of([])


def test_the_format_does_not_drift() -> None:
    assert fingerprint.of([]) == EMPTY
    assert fingerprint.of([(1, "a" * 64), (2, "b" * 64)]) == TWO


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2048 bytes"):
        fingerprint.resume(0, b"\x00")


EMPTY = "cad280eb7830a02ce45084d37f2017c5eda59b4f577a58b6b722c2ba91d6b7d7"
TWO = "33d970c95766ce85229fca1a24b26ef5675c1b5d188fd5d78a8dcac4b9d3ef0a"
