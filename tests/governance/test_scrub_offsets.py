"""Places of a text in its rewrite and back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from halocline_governance.detect import Span
from halocline_governance.scrub.offsets import OffsetMap

_CUTS = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4), st.integers(0, 6)), max_size=6)


def rewrite(size: int, cuts: list[tuple[int, int, int]]) -> OffsetMap:
    """Replacements that fit a text of this size, from (gap, length, new length)."""
    replaced: list[tuple[int, int, int]] = []
    at = 0
    for gap, length, new in cuts:
        start = at + gap
        if start + length <= size:
            replaced.append((start, start + length, new))
            at = start + length
    return OffsetMap.of(replaced)


def length_after(size: int, map_: OffsetMap) -> int:
    return size + sum(e.new_end - e.new_start - (e.old_end - e.old_start) for e in map_.edits)


def applied(text: list[int], map_: OffsetMap, fresh: int) -> list[int]:
    """The text, as numbers that tell each old place, with replacements that no place has."""
    result, at = list[int](), 0
    for edit in map_.edits:
        result += text[at : edit.old_start] + [fresh] * (edit.new_end - edit.new_start)
        at = edit.old_end
    return result + text[at:]


@given(st.integers(0, 40), _CUTS)
def test_each_kept_place_is_found_in_both_directions(
    size: int, cuts: list[tuple[int, int, int]]
) -> None:
    map_ = rewrite(size, cuts)
    new = applied(list(range(size)), map_, -1)

    assert len(new) == length_after(size, map_)
    for old, length in ((at, n) for at, _, n in map_.kept(size)):
        for at in range(old, old + length):
            assert new[map_.new(at)] == at
            assert map_.old(map_.new(at)) == at
            assert map_.new(at + 1, end=True) == map_.new(at) + 1
            assert map_.old(map_.new(at) + 1, end=True) == at + 1


@given(st.integers(0, 40), _CUTS, st.booleans())
def test_places_keep_their_order_and_the_ends_are_ends(
    size: int, cuts: list[tuple[int, int, int]], end: bool
) -> None:
    map_ = rewrite(size, cuts)
    places = [map_.new(at, end=end) for at in range(size + 1)]

    assert places == sorted(places)
    assert map_.new(0, end=True) == 0
    assert map_.new(size) == length_after(size, map_)


@given(st.integers(1, 40), _CUTS, st.data())
def test_a_span_holds_what_it_held(
    size: int, cuts: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    map_ = rewrite(size, cuts)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    new = applied(list(range(size)), map_, -1)

    span = map_.span(Span(start, end, "a", 1.0))

    assert [at for at in new[span.start : span.end] if at >= 0] == [
        at for at in new if start <= at < end
    ]


@given(st.integers(0, 40), _CUTS, _CUTS)
@example(3, [(1, 1, 0)], [(0, 1, 2), (0, 1, 0)])
def test_two_rewrites_are_one(
    size: int, first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]
) -> None:
    one = rewrite(size, first)
    two = rewrite(length_after(size, one), second)
    both = one.then(two)

    new = applied(applied(list(range(size)), one, -1), two, -2)
    assert length_after(size, both) == len(new)
    for old, at, length in both.kept(size):
        assert new[at : at + length] == list(range(old, old + length))
    kept = {at for old, _, n in both.kept(size) for at in range(old, old + n)}
    assert kept == {at for at in new if at >= 0}


def test_nothing_replaced_is_the_identity() -> None:
    assert [OffsetMap().new(at) for at in range(5)] == list(range(5))
    assert OffsetMap().then(OffsetMap()) == OffsetMap()
