"""Into a crossing's compartment, and out of it: both engines against an oracle in Python."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from halocline_governance.errors import NoCompartment
from halocline_governance.label import Label, parse
from halocline_governance.policy import Engine

NOW = 1_700_000_000
DAY = 86_400
PLACES = ["x.c-merger", "x.c-other", "buy", "buy.delta", "public"]

_sides = st.lists(st.sampled_from(["buy", "sell"]), unique=True).map(sorted)
_tenants = st.lists(st.sampled_from(["delta", "zeta"]), unique=True).map(sorted)  # no competitors
_walls: dict[str, Any] = {"sides": _sides, "tenants": _tenants}
_GOOD: dict[str, Any] = {
    "id": "c-merger",
    "requester": "mia",
    "subjects": ["bea"],
    "approvers": [
        {"subject": "ada", "roles": ["approver"]},
        {"subject": "ben", "roles": ["compliance"]},
    ],
    "reason": "fairness opinion for the merger",
    "purpose": "curation",
    "sides": ["buy", "sell"],
    "tenants": [],
    "not_before": NOW - DAY,
    "expires": NOW + DAY,
}
# One that holds, and each way in which it may not.
_FAULTS: list[dict[str, Any]] = [
    {"subjects": ["dan"]},
    {"purpose": "analysis"},
    {"requester": "ada"},
    {"approvers": _GOOD["approvers"][:1]},
    {"approvers": [_GOOD["approvers"][0], {"subject": "ben", "roles": ["banker"]}]},
    {"not_before": NOW + 1},
    {"not_before": NOW - 5 * DAY},
    {"expires": NOW},
]


@st.composite
def _crossing(draw: st.DrawFn, ident: str) -> tuple[dict[str, Any], bool]:
    """One, and whether it holds."""
    fault = draw(st.sampled_from([{}, {}, {}, *_FAULTS]))
    walls = {axis: draw(names) for axis, names in _walls.items()}
    sooner = {"expires": draw(st.sampled_from([NOW + 1, NOW + DAY]))}
    return {**_GOOD, "id": ident, **walls, **sooner, **fault}, not fault


_crossings = st.tuples(_crossing("c-merger"), _crossing("c-other")).flatmap(
    lambda both: st.sampled_from([[], [both[0]], [both[1]], [*both]])
)
_labels = st.builds(
    Label,
    st.sampled_from(["internal", "restricted"]),
    _sides.map(tuple),
    _tenants.map(tuple),
)


def _within(names: tuple[str, ...], *lists: Any) -> bool:
    return set(names) <= {name for some in lists for name in some}


def _lies_at(label: Label, place: str, held: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The crossing that opens the place to what spans walls, {} where none is needed, or None."""
    try:
        return {} if label.compartment == place else None
    except NoCompartment:
        named = [one for one in held if f"x.{one['id']}" == place and label.sides]
    fits = [
        one
        for one in named
        if _within(label.sides, one["sides"]) and _within(label.tenants, one["tenants"])
    ]
    return fits[0] if fits else None


def entered(label: Label, place: str, own: Label, held: list[dict[str, Any]]) -> Any:
    """What an allow obliges to beside the licence; None for a denial."""
    through = _lies_at(label, place, held)
    axes = ("sides", "tenants")
    open_to = {axis: [name for one in held for name in one[axis]] for axis in axes}
    if (
        through is None
        or label.sensitivity == "restricted"
        or not _within(label.sides, own.sides, open_to["sides"])
        or not _within(label.tenants, own.tenants, open_to["tenants"])
    ):
        return None
    lacked = {axis: set(getattr(label, axis)) - set(getattr(own, axis)) for axis in axes}
    used = [one for one in held if one is through or any(lacked[a] & set(one[a]) for a in axes)]
    if not used:
        return {"compartment": place}
    return {
        "compartment": place,
        "until": min(one["expires"] for one in used),
        "crossings": sorted(one["id"] for one in used),
    }


@given(_crossings, _labels, st.sampled_from(PLACES), _sides, _tenants)
@example([(_GOOD, True)], Label("internal", ("buy", "sell")), "x.c-merger", ["buy"], [])
@example([(_GOOD, True)], Label("internal", ("buy", "sell")), "x.c-merger", ["buy", "sell"], [])
def test_what_enters_a_crossing_s_compartment(
    embedded: Engine,
    served: Engine,
    crossings: list[tuple[dict[str, Any], bool]],
    label: Label,
    place: str,
    sides: list[str],
    tenants: list[str],
) -> None:
    own = Label("confidential", tuple(sides), tuple(tenants))
    question = {
        "principal": {"subject": "bea", "roles": ["data-engineer"], "clearance": own.as_json()},
        "purpose": "curation",
        "resource": {
            "source": "merger",
            "licence": {"expression": "MIT", "choices": [["MIT"]]},
            "label": label.as_json(),
            "compartment": place,
        },
        "context": {"now": NOW, "crossings": [one for one, _ in crossings]},
    }
    wanted = entered(label, place, own, [one for one, is_good in crossings if is_good])
    for engine in (embedded, served):
        answer = engine.decide("ingest", question)
        assert answer.allow is (wanted is not None), (engine.name, answer.reasons)
        if wanted is not None:
            assert dict(answer.obligations) == {"licence": ["MIT"], **wanted}, engine.name


@given(_crossings, _labels, _sides, _tenants)
def test_nobody_reads_there_what_neither_clearance_nor_crossings_open(
    embedded: Engine,
    served: Engine,
    crossings: list[tuple[dict[str, Any], bool]],
    label: Label,
    sides: list[str],
    tenants: list[str],
) -> None:
    """Whichever crossing brought it in: the label alone says what it takes."""
    own = Label("confidential", tuple(sides), tuple(tenants))
    question = {
        "principal": {"subject": "bea", "roles": ["data-engineer"], "clearance": own.as_json()},
        "purpose": "curation",
        "resource": {
            "table": "raw.documents",
            "compartment": "x.c-merger",
            "columns": ["text"],
            "labels": {"l1": label.as_json()},
        },
        "context": {"now": NOW, "crossings": [one for one, _ in crossings]},
    }
    held = [one for one, is_good in crossings if is_good]
    open_to = [Label("public", tuple(one["sides"]), tuple(one["tenants"])) for one in held]
    widened = own
    for walls in open_to:
        widened |= walls
    named = [walls for one, walls in zip(held, open_to, strict=True) if one["id"] == "c-merger"]
    cut = named[0] if named else widened
    bound = Label(
        "confidential",
        tuple(sorted({*cut.sides} & {*widened.sides})),
        tuple(sorted({*cut.tenants} & {*widened.tenants})),
    )
    for engine in (embedded, served):
        answer = engine.decide("read", question)
        assert answer.allow is (label <= bound), (engine.name, answer.reasons)
        if answer.allow:
            assert parse(answer.obligations["bound"]) == bound <= widened, engine.name
