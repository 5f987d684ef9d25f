"""Which walls were crossed for an output: told from the pinned journal, whatever happened since."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from halocline_governance import report
from halocline_governance.control_room import ControlRoom
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import PUBLIC, Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import Kind
from halocline_governance.report.crossing import used
from halocline_governance.state import Crossings, Facts, History, Store
from halocline_governance.state.crossings import Request

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

HOSTILE = "<script>alert('x')</script>"
BOTH = Label("restricted", ("buy", "sell"))
MIA = Principal("mia", ("banker",), Label("confidential", ("buy",)))
ADA = Principal("ada", ("approver",), BOTH)
BEN = Principal("ben", ("compliance",), BOTH)
SELL = Label("internal", ("sell",)).as_json()


@pytest.fixture
def room(world: World, embedded: Engine) -> Iterator[ControlRoom]:
    """A control room, and the world's gates asking with what is known of the caller."""
    store = Store(f"sqlite:///{world.root}/governance.sqlite")
    crossings = Crossings(store)
    world.gates = Gates(embedded, world.journal, facts=Facts(store, crossings, History(store)))
    yield ControlRoom(crossings, world.gates)
    store.close()


def opened(room: ControlRoom, ident: str = "deal-7", **changed: Any) -> Request:
    now = int(time.time())
    asked: dict[str, Any] = {
        "subjects": ("bea",),
        "purpose": Purpose.INFERENCE,
        "sides": ("sell",),
        "tenants": (),
        "reason": f"fairness opinion {HOSTILE}",
        "not_before": now,
        "expires": now + 3600,
        **changed,
    }
    request = Request(ident, "mia", **asked)
    room.request(MIA, request)
    room.approve(ADA, ident)
    room.approve(BEN, ident)
    return request


def crossed(world: World) -> str:
    """A serve decision about a model of the other side."""
    model = world.questions["serve"]["resource"]["model"]
    return world.ask(Gate.SERVE, model={**model, "label": SELL}, context_label=PUBLIC.as_json())


@pytest.fixture
def told(world: World, room: ControlRoom) -> World:
    world.documents(3)
    world.model()
    opened(room)
    world.answer("req-1", serve_decision_id=crossed(world))
    return world


def test_a_crossing_that_served_is_told_with_everything(told: World) -> None:
    built = told.report()
    passage = built.content["answer"]["passage"]
    (shown,) = passage["crossings"]

    assert built.content["gaps"] == []
    assert passage["num_used"] == 1
    assert (shown["id"], shown["requester"], shown["subjects"]) == ("deal-7", "mia", ["bea"])
    assert (shown["sides"], shown["tenants"]) == (["sell"], [])
    assert [one["subject"] for one in shown["approvers"]] == ["ada", "ben"]
    assert [one["roles"] for one in shown["approvers"]] == [["approver"], ["compliance"]]
    assert [s["step"] for s in shown["steps"]] == ["request", "approve", "approve", "open"]
    assert shown["revoked"] is None
    # It was open at the release gate too, which did not need it.
    assert [(use["gate"], use["used"]) for use in shown["uses"]] == [
        ("serve", True),
        ("release", False),
    ]
    assert "<script" not in built.html
    assert "Crossings of a wall that they used: <b>1</b>" in built.html


def test_no_crossing_is_said_in_so_many_words(world: World, room: ControlRoom) -> None:
    world.documents(3)
    world.model()
    opened(room, subjects=("dan",))
    world.answer("req-1")

    built = world.report()

    passage = built.content["answer"]["passage"]
    assert (passage["num_used"], passage["crossings"]) == (0, [])
    assert passage["num_decisions"] == 3
    assert "Crossings of a wall that they used: <b>none</b>" in built.html


def test_a_crossing_that_trained_is_told(world: World, room: ControlRoom) -> None:
    world.documents(3)
    opened(room, "train-1", subjects=("svc:train",), purpose=Purpose.TRAINING)
    world.model()
    source = {"table": "curated.documents", "compartment": "sell", "version": 3}
    named = world.gates.require(
        Gate.TRAIN,
        Principal("svc:train", ("ml-engineer",), Label("confidential", ("buy",))),
        Purpose.TRAINING,
        {
            "inputs": [{**source, "labels": {"l0": SELL}}],
            "label": SELL,
            "base_model": None,
            "compartment": "sell",
        },
    )
    world.append(Kind.TRAIN, {"run_id": "run-1", "decision_id": named.id})
    world.answer("req-1")

    (shown,) = world.report().content["answer"]["passage"]["crossings"]

    uses = {use["gate"]: use for use in shown["uses"]}
    assert (uses["train"]["id"], uses["train"]["used"]) == (named.id, True)
    assert uses["read"]["used"] is False


def test_what_happens_later_changes_no_byte(told: World, room: ControlRoom) -> None:
    first = told.report()
    room.revoke(MIA, "deal-7")
    crossed(told)

    again = told.report(folder="again", pin=report.parse(first.content["pin"]))

    assert (again.html, again.json) == (first.html, first.json)
    (now,) = told.report(folder="now").content["answer"]["passage"]["crossings"]
    assert now["revoked"]["subject"] == "mia"


def test_the_database_is_not_asked(told: World, embedded: Engine) -> None:
    first = told.report()
    (told.root / "governance.sqlite").unlink()
    told.gates = Gates(embedded, told.journal)

    again = told.report(folder="again", pin=report.parse(first.content["pin"]))

    assert (again.html, again.json) == (first.html, first.json)


def test_steps_that_are_not_on_record_are_told(told: World, embedded: Engine) -> None:
    """A database that was written to behind the journal's back."""
    store = Store(f"sqlite:///{told.root}/other.sqlite")
    crossings = Crossings(store)

    class Nowhere:
        def append(self, event: object) -> None: ...

    opened(ControlRoom(crossings, Gates(embedded, Nowhere())), "ghost")
    told.gates = Gates(embedded, told.journal, facts=Facts(store, crossings, History(store)))
    told.answer("req-2", serve_decision_id=crossed(told))

    content = told.report("req-2").content
    store.close()

    gaps = [gap for gap in content["gaps"] if gap.startswith("crossing ghost")]
    assert [gap.partition(": ")[2] for gap in gaps] == [
        "an approval that a decision counted is not in the journal",
        "its open is not in the journal",
        "its request is not in the journal",
    ]


def test_a_use_outside_its_time_is_told(told: World) -> None:
    """No gate of ours allows that; the record of one that did would say so."""
    old = next(e for e in told.entries() if used(e))
    event = replace_now(dict(old.event), 5)
    decision = event["object"]["answer"]["id"]
    told.append(Kind.DECISION, event["object"])
    told.answer("req-2", serve_decision_id=decision)

    gaps = told.report("req-2").content["gaps"]

    assert any(gap.endswith(f"{decision} used it outside its time") for gap in gaps)


def replace_now(event: dict[str, Any], now: int) -> dict[str, Any]:
    asked = event["object"]["input"]
    answer = {**event["object"]["answer"], "id": "forged"}
    changed = {**asked, "context": {**asked["context"], "now": now}}
    return {**event, "object": {**event["object"], "input": changed, "answer": answer}}
