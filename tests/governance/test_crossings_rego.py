"""Crossings and conflict classes in Rego, on both engines, against an oracle in Python."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.label import Label
from halocline_governance.policy import Engine

NOW = 1_700_000_000
DAY = 86_400
PAIRS = [("alpha", "beta"), ("beta", "gamma")]  # as in conftest's firm
PEOPLE = st.sampled_from(["ada", "ben", "bea", "mia"])
TENANTS = st.sampled_from(["alpha", "beta", "delta", "gamma"])

_sides = st.sampled_from([[], ["buy"], ["buy"], ["sell"]])
_tenants = st.sampled_from([[], [], *([name] for name in ("alpha", "beta", "delta", "gamma"))])
_approver = st.fixed_dictionaries(
    {
        "subject": PEOPLE,
        "roles": st.lists(st.sampled_from(["approver", "banker", "compliance"]), max_size=2),
    }
)
_walls: dict[str, Any] = {
    "sides": st.lists(st.sampled_from(["buy", "sell"]), unique=True).map(sorted),
    "tenants": st.lists(TENANTS, unique=True, max_size=2).map(sorted),
}
# One that holds, and at most two ways in which it may not.
_good: dict[str, Any] = {
    "id": "deal-7",
    "requester": "eve",
    "subjects": ["bea", "mia"],
    "approvers": [
        {"subject": "ada", "roles": ["approver"]},
        {"subject": "ben", "roles": ["banker", "compliance"]},
    ],
    "reason": "fairness opinion for the merger",
    "purpose": "inference",
    "not_before": NOW - DAY,
    "expires": NOW + DAY,
}
_changes: dict[str, st.SearchStrategy[Any]] = {
    "id": st.sampled_from(["deal-8", "deal-9"]),
    "requester": PEOPLE,
    "subjects": st.lists(PEOPLE, min_size=1, max_size=2),
    "approvers": st.lists(_approver, max_size=4),
    "purpose": st.just("analysis"),
    "not_before": st.sampled_from([NOW - 5 * DAY, NOW, NOW + 1]),
    "expires": st.sampled_from([NOW, NOW + 1]),
}


@st.composite
def _crossing(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(_changes)), unique=True, max_size=2))
    walls = {axis: draw(names_of) for axis, names_of in _walls.items()}
    return {**_good, **walls, **{name: draw(_changes[name]) for name in names}}


def holds(one: dict[str, Any], caller: str, purpose: str) -> bool:
    counted = {
        approver["subject"]
        for approver in one["approvers"]
        if {"approver", "compliance"} & set(approver["roles"])
    }
    barred = {one["requester"], *one["subjects"]}
    return (
        one["purpose"] == purpose
        and caller in one["subjects"]
        and one["not_before"] <= NOW < one["expires"]
        and one["expires"] - one["not_before"] <= 5 * DAY
        and not barred & {approver["subject"] for approver in one["approvers"]}
        and len(counted) >= 2
    )


def expected(question: dict[str, Any]) -> dict[str, Any] | None:
    """The obligations that crossings and history add to an allow; None for a denial."""
    principal, context = question["principal"], question["context"]
    thing = question["resource"]["model"]["label"]
    caller, purpose = principal["subject"], question["purpose"]
    held = [one for one in context["crossings"] if holds(one, caller, purpose)]
    lacked = {
        axis: set(thing[axis]) - set(principal["clearance"][axis]) for axis in ("sides", "tenants")
    }
    for axis, names in lacked.items():
        if names - {name for one in held for name in one[axis]}:
            return None
    if thing["tenants"] and not thing["sides"]:
        return None
    more: dict[str, Any] = {}
    used = [one for one in held if any(lacked[axis] & set(one[axis]) for axis in lacked)]
    if used:
        more["until"] = min(one["expires"] for one in used)
        more["crossings"] = sorted({one["id"] for one in used})
    if "compliance" in principal["roles"]:
        return more
    met = {*context["history"], *thing["tenants"]}
    touched = set(thing["tenants"])
    both = PAIRS + [(b, a) for a, b in PAIRS]
    if any(a in touched and b in met for a, b in both):
        return None
    if new := sorted({a for a, _ in both if a in touched} - set(context["history"])):
        more["touches"] = new
    return more


@given(
    st.sampled_from(["bea", "mia"]),
    st.sampled_from([["analyst"], ["analyst"], ["compliance"]]),
    _sides,
    _tenants,
    _sides,
    _tenants,
    st.lists(_crossing(), max_size=3),
    st.lists(TENANTS, unique=True, max_size=2).map(sorted),
)
def test_both_engines_answer_as_the_oracle(
    embedded: Engine,
    served: Engine,
    caller: str,
    roles: list[str],
    held_sides: list[str],
    held_tenants: list[str],
    sides: list[str],
    tenants: list[str],
    crossings: list[dict[str, Any]],
    history: list[str],
) -> None:
    crossings = [one for one in crossings if one["sides"] or one["tenants"]]
    held = Label("confidential", tuple(held_sides), tuple(held_tenants))
    label = {**Label("internal").as_json(), "sides": sides, "tenants": tenants}
    model = {"name": "house", "version": 2, "weights_sha256": "a" * 64, "label": label}
    question: dict[str, Any] = {
        "principal": {"subject": caller, "roles": roles, "clearance": held.as_json()},
        "purpose": "inference",
        "resource": {
            "endpoint": "/v1/chat/completions",
            "model": {**model, "alias": "champion"},
            "context_label": Label("public").as_json(),
        },
        "context": {"now": NOW, "crossings": crossings, "history": history},
    }
    wanted = expected(question)
    for engine in (embedded, served):
        answer = engine.decide("serve", question)
        assert answer.allow is (wanted is not None), (engine.name, answer.reasons)
        if wanted is not None:
            told = dict(answer.obligations)
            del told["label"], told["release_checks"]
            assert told == wanted, engine.name
