"""Explaining tells what counted then: crossings that held, the directory's entry, the time."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest

from halocline_governance.label import parse_compact
from halocline_governance.policy import Engine
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.counted import entry_at
from halocline_governance.policy.explain import explain
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.state.directory import Entry

BUY, BOTH = parse_compact("confidential sides=buy"), parse_compact("restricted sides=buy,sell")
ADA, BEN = ("ada", "approver"), ("ben", "compliance")


def crossing(asked: dict[str, Any], ident: str, **changes: object) -> dict[str, Any]:
    """One that holds for the question, unless it is changed."""
    now = asked["context"]["now"]
    made: dict[str, Any] = {
        "id": ident,
        "requester": "rex",
        "subjects": [asked["principal"]["subject"]],
        "purpose": asked["purpose"],
        "sides": ["sell"],
        "tenants": [],
        "reason": "a reason that is long enough for anybody",
        "not_before": now - 10,
        "expires": now + 3600,
        "approvers": [
            Principal(name, (role,), BOTH).as_json() for name, role in (ADA, BEN)
        ],
    }  # fmt: skip
    return {**made, **changes}


@pytest.fixture
def asked(questions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A caller of the buy side asks for a model of the sell side."""
    made = copy.deepcopy(questions["serve"])
    made["principal"]["clearance"] = BUY.as_json()
    made["resource"]["model"]["label"] = parse_compact("confidential sides=sell").as_json()
    made["resource"]["context_label"] = parse_compact("public").as_json()
    made["context"]["crossings"] = []
    return made


def recorded(engine: Engine, asked: dict[str, Any]) -> dict[str, Any]:
    answer = engine.decide("serve", asked).as_json()
    told = {"gate": "serve", "input": asked, "answer": answer}
    return AuditEvent(
        Kind.DECISION, asked["principal"]["subject"], asked["purpose"], told
    ).as_json()


def test_a_crossing_that_widened_is_part_of_what_counted(
    bundle: Bundle, served: Engine, asked: dict[str, Any]
) -> None:
    """Compared with the caller's own clearance, an allow would be told as out of reach."""
    denied = explain(recorded(served, asked), bundle)
    assert denied.answer["allow"] is False
    assert [(one.axis, one.needs, one.has) for one in denied.axes] == [("sides", ["sell"], ["buy"])]
    assert denied.counted == denied.held == BUY.as_json()

    asked["context"]["crossings"] = [
        crossing(asked, "c-used"),
        crossing(asked, "c-spare", sides=["research"]),
    ]
    told = explain(recorded(served, asked), bundle)
    assert told.answer["allow"] is True
    assert told.reproduced
    assert told.axes == ()
    assert (told.held, told.counted) == (
        BUY.as_json(),
        parse_compact("confidential sides=buy,research,sell").as_json(),
    )
    assert [(one.id, one.state) for one in told.crossings] == [
        ("c-used", "used"),
        ("c-spare", "held"),
    ]


NOT_HELD: list[tuple[dict[str, object], str]] = [
    ({"purpose": "audit"}, "another purpose"),
    ({"subjects": ["zoe"]}, "not name the caller"),
    ({"approvers": []}, "approved"),
    ({"requester": "ada"}, "approved"),
]


@pytest.mark.parametrize(("change", "why"), NOT_HELD, ids=str)
def test_a_crossing_that_did_not_hold_is_told_with_the_reason(
    bundle: Bundle, served: Engine, asked: dict[str, Any], change: dict[str, object], why: str
) -> None:
    asked["context"]["crossings"] = [crossing(asked, "c-one", **change)]
    told = explain(recorded(served, asked), bundle)

    assert told.answer["allow"] is False
    (one,) = told.crossings
    assert one.state == "not held"
    assert why in one.why
    assert [axis.axis for axis in told.axes] == ["sides"]


@pytest.mark.parametrize(("begins", "ends", "why"), [(-99, 0, "expired"), (1, 99, "not begun")])
def test_the_time_is_that_of_the_decision(
    bundle: Bundle, served: Engine, asked: dict[str, Any], begins: int, ends: int, why: str
) -> None:
    now = asked["context"]["now"]
    asked["context"]["crossings"] = [
        crossing(asked, "c-one", not_before=now + begins, expires=now + ends)
    ]
    told = explain(recorded(served, asked), bundle)
    assert [one.why for one in told.crossings] == [f"it had {why}"]
    asked["context"]["now"] = now + begins
    assert explain(recorded(served, asked), bundle).answer["allow"] is True


def test_the_directorys_entry_of_then_is_named_where_it_lacks_what_was_needed(
    bundle: Bundle, served: Engine, asked: dict[str, Any]
) -> None:
    asked["resource"]["context_label"] = parse_compact("restricted ndas=n1").as_json()
    event = recorded(served, asked)
    without = explain(event, bundle)
    assert without.entry is None
    assert {one.axis for one in without.axes} == {"sensitivity", "sides", "ndas"}
    assert not any(one.entry for one in without.axes)

    entry = Entry("ana", ("analyst",), parse_compact("restricted sides=buy ndas=n1")).as_json()
    told = explain(event, bundle, entry)
    assert {one.axis: one.entry for one in told.axes} == {
        "sensitivity": False,
        "sides": True,
        "ndas": False,
    }


def label(text: str) -> dict[str, Any]:
    return parse_compact(text).as_json()


# What to change of a read that is allowed, and what the officer then finds: axes or a fact.
DENIED_READS: dict[str, tuple[dict[str, Any], set[tuple[str, str, str]], str]] = {
    "side": ({"compartment": "sell", "labels": {}}, {("compartment", "sides", "sell")}, "labels"),
    "tenant": (
        {"compartment": "sell.acme", "labels": {}},
        {("compartment", "sides", "sell"), ("compartment", "tenants", "acme")},
        "labels",
    ),
    "nda": (
        {"labels": {"l": label("public sides=buy ndas=nda-9")}},
        {("labels.l", "ndas", "nda-9")},
        "labels",
    ),
    "issuer": (
        {"labels": {"l": label("public sides=buy issuers=initech")}},
        {("labels.l", "issuers", "initech")},
        "labels",
    ),
    "sensitivity": (
        {"labels": {"l": label("restricted sides=buy")}},
        {("labels.l", "sensitivity", "restricted")},
        "labels",
    ),
    "column": ({"columns": ["no_such"]}, set(), "columns"),
    "purpose": ({"purpose": "training"}, set(), "role"),
}


@pytest.mark.parametrize("what", DENIED_READS)
def test_a_denied_read_is_told_by_what_it_lacked(
    bundle: Bundle, served: Engine, questions: dict[str, dict[str, Any]], what: str
) -> None:
    change, axes, fact = DENIED_READS[what]
    asked = copy.deepcopy(questions["read"])
    asked["principal"]["clearance"] = BUY.as_json()
    asked["resource"] |= {"compartment": "buy", "labels": {"l": label("public sides=buy")}}
    assert served.decide("read", asked).allow
    asked["purpose"] = change.get("purpose", asked["purpose"])
    asked["resource"] |= {key: val for key, val in change.items() if key != "purpose"}

    answer = served.decide("read", asked).as_json()
    event = {"gate": "read", "input": asked, "answer": answer}
    told = explain(AuditEvent(Kind.DECISION, "bea", asked["purpose"], event).as_json(), bundle)
    assert told.answer["allow"] is False
    assert {
        (one.label.removeprefix("resource."), one.axis, name)
        for one in told.axes
        for name in ([one.needs] if isinstance(one.needs, str) else cast("list[str]", one.needs))
    } == axes
    missing = [one for one in told.facts if not one.proven]
    assert fact in {one.name for one in missing}
    assert all(one.told for one in missing)


def changed(ts: str, before: object, after: object, outcome: str = "changed") -> Any:
    told = {"outcome": outcome, "before": before, "after": after}
    return "log", 0, AuditEvent(Kind.DIRECTORY, "cleo", "audit", told, ts=ts).as_json()


def test_the_entry_is_that_of_then(bundle: Bundle) -> None:
    first = Entry("ana", ("analyst",), BUY).as_json()
    second = Entry("ana", (), BUY).as_json()
    other = Entry("bob", (), BUY).as_json()
    events = [
        changed("2026-01-03", first, second),
        changed("2026-01-01", None, first),
        changed("2026-01-02", first, second, outcome="refused"),
        changed("2026-01-02", None, other),
        changed("2026-01-05", second, None),
        ("log", 9, AuditEvent(Kind.READ, "ana", "audit", ts="2026-01-02").as_json()),
    ]
    days = {"2025-12-31": None, "2026-01-01": first, "2026-01-02": first, "2026-01-03": second,
            "2026-01-04": second, "2026-01-05": None}  # fmt: skip
    for day, meant in days.items():
        assert entry_at(events, "ana", day) == meant, day
        assert entry_at(reversed(events), "ana", day) == meant, day
