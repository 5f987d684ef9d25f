"""The quick canonical JSON is RFC 8785's, byte for byte, or refuses what that refuses."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any, cast

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from halocline_governance.journal import canonical


class Word(StrEnum):
    ONE = "one"


class Number(IntEnum):
    ONE = 1


TEXT = st.text(st.characters(codec=None), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.floats()
    | TEXT
    | st.sampled_from([Word.ONE, Number.ONE, 2**53 - 1, 2**53, -(2**53), b"bytes", -0.0])
)
KEYS = TEXT | st.sampled_from([Word.ONE, 1, None, True, 1.5, "\ufffd", "\U0001f600", "\ud7ff"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=12,
)


@given(VALUES)
@example({"\ufffd": 1, "\U0001f600": 2})
@example({"a": {"b": [1, "\ud800"]}})
@example({1: "a", "1": "b"})
@example({'\x7f\x00\x1f"\\/\u2028': "\b\f\n\r\t"})
def test_it_is_rfc8785_or_both_refuse(value: Any) -> None:
    try:
        expected = rfc8785.dumps(value)
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            canonical.encode(value)
    else:
        if is_beyond(value):
            with pytest.raises(ValueError, match="a number"):
                canonical.encode(value)
        else:
            assert canonical.encode(value) == expected


def is_beyond(value: Any) -> bool:
    """Whether it holds a float that would be written as, or is larger than, no JSON integer is."""
    if isinstance(value, dict):
        return any(map(is_beyond, cast("dict[Any, Any]", value).values()))
    if isinstance(value, list | tuple):
        return any(map(is_beyond, cast("list[Any]", value)))
    return isinstance(value, float) and abs(value) >= 2**53


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_what_is_nested_too_deep_is_refused(kind: Any) -> None:
    def nested(depth: int) -> Any:
        value: list[Any] = [kind()]
        for _ in range(depth - 1):
            value = [kind([("a", value[0])] if kind is dict else value)]
        return value[0]

    assert canonical.encode(nested(64)) == rfc8785.dumps(nested(64))
    for deep in (nested(65), {"x": 0.5, "y": nested(64)}):
        with pytest.raises(ValueError, match="nested"):
            canonical.encode(deep)


def test_what_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    for value in (loop, {"deep": deep}):
        with pytest.raises(ValueError, match="nested"):
            canonical.encode(value)
    while deep:  # so that it is freed level by level
        deep = deep.pop()
