"""What a gate is told, what is remembered of its answers, and what never is."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.control_room import ControlRoom
from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, PolicyUnavailable, StateUnavailable
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import PUBLIC, Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.remembered import LIFETIME_S, Remembered
from halocline_governance.state import Crossings, Facts, History, Store
from tests.governance.crossing_world import BOTH, NOW, open_crossing
from tests.governance.kept_events import Kept

BEA = Principal("bea", ("banker",), Label("confidential", ("buy",), ("alpha", "beta")))
READ = {"table": "curated.documents", "compartment": "buy", "columns": ["row_uid", "text"]}


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Watched:
    """A real engine; `amid` is called in the middle of each question."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.revision = engine.revision
        self.amid: Callable[[], None] = lambda: None
        self.edit: Callable[[Decision], Decision] = lambda decision: decision
        self.num_asked = 0

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        self.num_asked += 1
        decision = self.engine.decide(gate, input)
        self.amid()
        return self.edit(decision)


class Door:
    """Gates on a store, with clocks that a test can move."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self.store = store
        self.engine = Watched(engine)
        self.wall, self.steady, self.kept = Clock(NOW), Clock(5.0), Kept()
        facts = Facts(store, Crossings(store), History(store))
        self.gates = Gates(self.engine, self.kept, self.wall, facts, self.steady)

    def read(self, principal: Principal = BEA, **changed: Any) -> Decision:
        return self.gates.ask(Gate.READ, principal, Purpose.ANALYSIS, {**READ, **changed})

    def change(self) -> None:
        with self.store.change():
            pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
    yield store
    store.close()


@pytest.fixture(params=["embedded", "served"])
def door(request: pytest.FixtureRequest, store: Store) -> Door:
    return Door(request.getfixturevalue(request.param), store)


def test_the_same_question_gets_the_same_decision_recorded_once(door: Door) -> None:
    first = door.read()
    assert first.allow

    assert door.read() == first
    assert door.read(replace(BEA, token_id="another token")) == first
    assert door.engine.num_asked == len(door.kept.events) == 1
    asked = door.kept.events[0].object["input"]["context"]
    assert asked == {"now": NOW, "crossings": [], "history": []}


OTHERS: list[Callable[[Door], Decision]] = [
    lambda door: door.read(replace(BEA, subject="dan")),
    lambda door: door.read(replace(BEA, roles=("banker", "analyst"))),
    lambda door: door.read(replace(BEA, clearance=Label("restricted", ("buy",)))),
    lambda door: door.read(columns=["row_uid"]),
    lambda door: door.read(columns=["text", "row_uid"]),
    lambda door: door.read(compartment="public"),
    lambda door: door.gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, READ, {"ticket": "7"}),
    lambda door: door.gates.ask(Gate.READ, BEA, Purpose.TRAINING, READ),
    lambda door: door.gates.ask(Gate.SERVE, BEA, Purpose.ANALYSIS, READ),
]


@pytest.mark.parametrize("other", OTHERS)
def test_another_question_is_asked(door: Door, other: Callable[[Door], Decision]) -> None:
    first = door.read()
    assert other(door).id != first.id
    assert door.engine.num_asked == 2


def test_any_change_of_state_or_policy_is_asked_about(door: Door) -> None:
    first = door.read()
    door.change()
    second = door.read()
    assert second.id != first.id
    door.engine.revision = "sha256:other"
    assert door.read().id != second.id


def test_a_change_amid_the_decision_leaves_nothing_behind(door: Door) -> None:
    door.engine.amid = door.change
    first = door.read()
    door.engine.amid = lambda: None

    assert door.read().id != first.id
    assert door.engine.num_asked == 2


def test_denials_are_decided_and_recorded_each_time(door: Door) -> None:
    nobody = replace(BEA, roles=("operator",))
    ids = {door.read(nobody).id for _ in range(3)}
    assert len(ids) == len(door.kept.events) == door.engine.num_asked == 3
    with pytest.raises(Denied):
        door.gates.require(Gate.READ, nobody, Purpose.ANALYSIS, READ)


def test_nothing_is_remembered_for_longer_than_a_minute(door: Door) -> None:
    first = door.read()
    door.steady.now += LIFETIME_S - 0.01
    door.wall.now -= 86_400  # set back, and it gains nothing
    assert door.read().id == first.id
    door.steady.now += 0.01
    assert door.read().id != first.id


def test_an_until_is_kept_by_the_wall_clock(door: Door) -> None:
    door.engine.edit = lambda made: replace(
        made, obligations={**made.obligations, "until": NOW + 10}
    )
    first = door.read()
    door.wall.now = NOW + 9.9
    assert door.read().id == first.id
    door.wall.now = NOW + 10
    assert door.read().id != first.id


def test_time_that_passes_while_it_is_decided_counts(door: Door) -> None:
    def slow() -> None:
        door.steady.now += LIFETIME_S

    door.engine.amid = slow
    assert door.read().id != door.read().id


def test_no_caller_can_change_what_the_next_one_gets(door: Door) -> None:
    door.read()
    obligations: Any = door.read().obligations
    obligations["bound"]["sides"].append("sell")
    obligations["columns"].append("subject_keys")

    assert door.read().obligations["bound"]["sides"] == ["buy"]
    assert door.read().obligations["columns"] == ["row_uid", "text"]


def test_other_gates_remember_nothing(door: Door, questions: dict[str, Any]) -> None:
    for gate in set(Gate) - {Gate.READ, Gate.SERVE}:
        asked = questions[gate]
        held = asked["principal"]["clearance"]
        cleared = Label(held["sensitivity"], *(tuple(held[axis]) for axis in list(held)[1:]))
        who = Principal(asked["principal"]["subject"], tuple(asked["principal"]["roles"]), cleared)
        extra = {key: val for key, val in asked["context"].items() if key != "now"}

        def ask(
            gate: Gate = gate, who: Principal = who, asked: Any = asked, extra: Any = extra
        ) -> Decision:
            return door.gates.ask(gate, who, Purpose(asked["purpose"]), asked["resource"], extra)

        first, second = ask(), ask()
        assert first.allow, (gate, first.reasons)
        assert first.id != second.id


def test_no_caller_can_say_the_facts(door: Door) -> None:
    lie: dict[str, Any] = {"now": 1, "history": ["x"], "crossings": [{}]}
    assert door.gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, READ, lie).allow
    told = door.kept.events[-1].object["input"]["context"]
    assert told == {"now": NOW, "crossings": [], "history": []}


@pytest.mark.parametrize(
    "obligation",
    [{"touches": "alpha"}, {"touches": [1]}, {"until": "later"}, {"until": True}, {"touches": {}}],
)
def test_an_answer_with_malformed_state_is_none(door: Door, obligation: dict[str, Any]) -> None:
    door.engine.edit = lambda made: replace(made, obligations={**made.obligations, **obligation})
    with pytest.raises(PolicyUnavailable):
        door.read()
    assert door.kept.events[-1].object["answer"] == {"allow": False, "reasons": ["unavailable"]}
    assert History(door.store).of("bea") == ()


def test_without_its_state_a_gate_denies_and_says_so_in_the_record(
    door: Door, tmp_path: Path
) -> None:
    assert door.read().allow
    (tmp_path / "state/governance.sqlite").rename(tmp_path / "gone")
    with pytest.raises(StateUnavailable):
        door.read()
    assert door.kept.events[-1].object["answer"] == {"allow": False, "reasons": ["unavailable"]}


def test_without_facts_nothing_is_remembered_and_no_history_is_pretended(
    embedded: Engine,
) -> None:
    kept = Kept()
    gates = Gates(embedded, kept)
    ids = {gates.ask(Gate.READ, BEA, Purpose.ANALYSIS, READ).id for _ in range(2)}
    assert len(ids) == len(kept.events) == 2
    model = {
        "name": "house",
        "version": 2,
        "weights_sha256": "a" * 64,
        "label": Label("internal", ("buy",), ("alpha",)).as_json(),
        "alias": "champion",
    }
    resource = {
        "endpoint": "/v1/chat/completions",
        "model": model,
        "context_label": PUBLIC.as_json(),
    }
    with pytest.raises(StateUnavailable):
        gates.ask(Gate.SERVE, BEA, Purpose.INFERENCE, resource)
    assert kept.events[-1].object["answer"]["allow"] is False


def test_the_store_of_decisions_is_bounded_and_forgets_the_oldest() -> None:
    clock = Clock(0.0)
    store = Remembered(clock, clock, max_entries=3)
    made = {name: Decision(True, (), {}, "r", name) for name in "abcd"}
    for name in "abc":
        store.put(name, made[name], None, 0.0)
    assert store.get("a") is not None
    store.put("d", made["d"], None, 0.0)

    assert len(store) == 3
    assert store.get("b") is None
    assert store.get("a") is not None
    store.put("e", Decision(False, (), {}, "r", "e"), None, 0.0)
    assert store.get("e") is None
    store.put("f", Decision(True, (), {"label_ids": ["x" * 33] * 2000}, "r", "f"), None, 0.0)
    assert store.get("f") is None


def test_a_forked_child_begins_with_nothing_and_does_not_hang() -> None:
    clock = Clock(0.0)
    store = Remembered(clock, clock)
    store.put("a", Decision(True, (), {}, "r", "a"), None, 0.0)
    with store._lock:  # pyright: ignore[reportPrivateUsage] - held by a thread the child lacks
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(0 if store.get("a") is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.get("a") is not None


def granted(door: Door, **changed: Any) -> ControlRoom:
    """A control room in which bea was let through to the sell side."""
    room = ControlRoom(Crossings(door.store), door.gates, door.wall)
    open_crossing(
        room,
        Principal("mia", ("banker",), BOTH),
        "deal-7",
        subjects=("bea",),
        purpose=Purpose.ANALYSIS,
        sides=("sell",),
        **{"not_before": NOW, "expires": NOW + 30, **changed},
    )
    return room


def test_a_crossing_is_read_through_from_the_next_call_to_its_end(door: Door) -> None:
    assert door.read(compartment="sell").obligations.get("bound", {"sides": []})["sides"] == []
    granted(door)

    through = door.read(compartment="sell")

    assert through.obligations["bound"]["sides"] == ["sell"]
    assert through.obligations["crossings"] == ["deal-7"]
    assert through.obligations["until"] == NOW + 30
    assert door.read(compartment="sell").id == through.id
    assert "crossings" not in door.read(compartment="buy").obligations
    door.wall.now = NOW + 30
    assert door.read(compartment="sell").obligations.get("bound", {"sides": []})["sides"] == []


def test_a_revocation_is_the_next_read_s_denial(door: Door) -> None:
    room = granted(door)
    assert door.read(compartment="sell").obligations["bound"]["sides"] == ["sell"]
    room.revoke(Principal("bea", ("banker",), BEA.clearance), "deal-7")
    assert door.read(compartment="sell").obligations.get("bound", {"sides": []})["sides"] == []


def test_reading_a_tenant_closes_its_competitor(door: Door) -> None:
    first = door.read(compartment="buy.alpha")
    assert first.obligations["touches"] == ["alpha"]
    again = door.read(compartment="buy.alpha")
    assert again.id != first.id
    assert "touches" not in again.obligations
    assert door.read(compartment="buy.alpha").id == again.id

    assert not door.read(compartment="buy.beta").allow

    assert door.read(compartment="buy").allow
    assert History(door.store).of("bea") == ("alpha",)
