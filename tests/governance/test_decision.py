"""A policy's raw result is a decision of exactly one shape, or none."""

from __future__ import annotations

from typing import Any

import pytest

from halocline_governance.decision import Decision, from_result
from halocline_governance.errors import PolicyUnavailable

WHOLE: dict[str, Any] = {"allow": True, "reasons": ["b", "a"], "obligations": {"columns": ["x"]}}


def decided(result: object) -> Decision:
    return from_result(result, revision="r", decision_id="d")


def test_an_allow_obliges_and_a_denial_does_not() -> None:
    """Nobody may act on what a denial says: not even remember that something was touched."""
    assert decided(WHOLE) == Decision(True, ("a", "b"), {"columns": ["x"]}, "r", "d")
    assert decided({**WHOLE, "allow": False}) == Decision(False, ("a", "b"), {}, "r", "d")


WRONG: dict[str, tuple[object, ...]] = {
    "allow": (None, 1, 0, "true", [True]),
    "reasons": (None, "a", {"a": 1}, [1], ["a", None]),
    "obligations": (None, [], "columns", True),
}
RESULTS: list[object] = [
    None,
    True,
    [],
    "allow",
    {},
    {**WHOLE, "more": 1},
    *({name: value for name, value in WHOLE.items() if name != left} for left in WHOLE),
    *({**WHOLE, name: other} for name, others in WRONG.items() for other in others),
]


@pytest.mark.parametrize("result", RESULTS, ids=repr)
def test_any_other_shape_is_no_answer(result: object) -> None:
    with pytest.raises(PolicyUnavailable):
        decided(result)
