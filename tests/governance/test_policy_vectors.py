"""One set of decisions, both engines: `vectors/<gate>.json` says what each must answer.

A case changes the gate's base input at dotted paths; `{"$gone": true}` takes a key away, and
`$whole` replaces the input.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.errors import PolicyUnavailable
from halocline_governance.gates import Gate
from halocline_governance.policy import Engine

_FOLDER = Path(__file__).with_name("vectors")
_DOCS: dict[str, Any] = {
    gate.value: json.loads((_FOLDER / f"{gate.value}.json").read_text()) for gate in Gate
}
_CASES = [(gate, case) for gate, doc in sorted(_DOCS.items()) for case in doc["cases"]]
_NAMES = [f"{gate}: {case['name']}" for gate, case in _CASES]


def changed(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The input of a case."""
    made = copy.deepcopy(base)
    for path, value in change.items():
        if path == "$whole":
            made = copy.deepcopy(value)
            continue
        *parents, last = path.split(".")
        at: Any = made
        for key in parents:
            at = at[key]
        if value == {"$gone": True}:
            del at[last]
        else:
            at[last] = value
    return made


def test_every_gate_has_vectors() -> None:
    assert set(_DOCS) == set(Gate)
    for doc in _DOCS.values():
        assert len(doc["cases"]) >= 8
        assert {case["allow"] for case in doc["cases"]} == {True, False}


@pytest.mark.parametrize(("gate", "case"), _CASES, ids=_NAMES)
def test_both_engines_decide_as_written(
    gate: str, case: dict[str, Any], embedded: Engine, served: Engine
) -> None:
    asked = changed(_DOCS[gate]["input"], case["change"])

    for engine in (embedded, served):
        decision = engine.decide(gate, asked)

        assert decision.allow is case["allow"], engine.name
        assert list(decision.reasons) == case.get("reasons", []), engine.name
        assert dict(decision.obligations) == case.get("obligations", {}), engine.name
        assert decision.revision == embedded.revision


def test_engines_of_the_same_policies_have_the_same_revision(
    embedded: Engine, served: Engine
) -> None:
    assert embedded.revision == served.revision
    assert embedded.revision.startswith("sha256:")


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2.0**53), 2.0**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["public", "buy", "initech", "service", "champion", "a" * 64]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of a JSON value and of all that is inside it."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    return [at, *(path for key, item in items for path in _paths(item, (*at, key)))]


@given(st.data())
def test_engines_agree_on_any_damage(embedded: Engine, served: Engine, data: st.DataObject) -> None:
    """Whatever one value of an allowed input becomes, both engines say the same."""
    gate = data.draw(st.sampled_from(sorted(_DOCS)))
    asked: Any = copy.deepcopy(_DOCS[gate]["input"])
    path = data.draw(st.sampled_from(_paths(asked)[1:]))
    at = asked
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = data.draw(_JSON)

    ours, theirs = embedded.decide(gate, asked), served.decide(gate, asked)

    assert ours.as_json() | {"id": ""} == theirs.as_json() | {"id": ""}


@pytest.mark.parametrize("gate", list(Gate))
def test_every_value_of_an_allowed_input_is_needed_or_free(
    gate: Gate, embedded: Engine, served: Engine
) -> None:
    """Without any one key, both engines agree; without any of the four parts, both deny."""
    base = _DOCS[gate]["input"]
    for path in _paths(base)[1:]:
        if isinstance(path[-1], int):
            continue
        asked: Any = copy.deepcopy(base)
        at = asked
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]

        ours, theirs = embedded.decide(gate, asked), served.decide(gate, asked)

        assert (ours.allow, ours.reasons) == (theirs.allow, theirs.reasons), path
        assert not (ours.allow and len(path) == 1), path


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 1e300, float("nan"), float("inf")])
def test_numbers_that_readers_of_json_disagree_on_are_not_asked(
    number: float, embedded: Engine, served: Engine
) -> None:
    asked = changed(_DOCS["release"]["input"], {})
    asked["resource"]["verdicts"][3]["score"] = number

    for engine in (embedded, served):
        with pytest.raises(PolicyUnavailable):
            engine.decide("release", asked)
