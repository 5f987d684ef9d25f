"""A control room and gates on one store, and who works there."""

from __future__ import annotations

from typing import Any

from halocline_governance.control_room import ControlRoom
from halocline_governance.decision import Decision
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.label import PUBLIC, Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store
from halocline_governance.state.crossings import Request, State
from tests.governance.kept_events import Kept

NOW = 1_700_000_000
BOTH = Label("restricted", ("buy", "sell"), ("acme",))
BEA = Principal("bea", ("analyst",), Label("confidential", ("buy",)))
MIA = Principal("mia", ("banker",), Label("confidential", ("buy",)))
ADA = Principal("ada", ("approver",), BOTH)
BEN = Principal("ben", ("compliance",), BOTH)
CORA = Principal("cora", ("compliance",), BOTH)


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


class World:
    """A control room and gates on one store and one clock."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self.clock = Clock()
        self.kept = Kept()
        self.crossings = Crossings(store)
        facts = Facts(store, self.crossings, History(store))
        self.gates = Gates(engine, self.kept, self.clock, facts)
        self.room = ControlRoom(self.crossings, self.gates, self.clock)

    def request(self, ident: str = "deal-7", **changed: Any) -> None:
        asked: dict[str, Any] = {
            "subjects": ("bea",),
            "purpose": Purpose.INFERENCE,
            "sides": ("sell",),
            "tenants": (),
            "reason": "fairness opinion for the merger",
            "not_before": NOW,
            "expires": NOW + 3600,
            **changed,
        }
        self.room.request(MIA, Request(ident, "mia", **asked))

    def opened(self, ident: str = "deal-7", **changed: Any) -> None:
        self.request(ident, **changed)
        approve(self.room, ident)

    def opened_and_revoked(self) -> None:
        self.opened()
        self.room.revoke(MIA, "deal-7")

    def steps(self) -> list[tuple[str, str]]:
        crossed = [one for one in self.kept.events if one.kind.value == "cross"]
        return [(one.object["step"], one.subject) for one in crossed]

    def crosses(self, principal: Principal = BEA) -> Decision:
        label = Label("internal", ("sell",)).as_json()
        model = {"name": "house", "version": 2, "weights_sha256": "a" * 64, "label": label}
        resource = {
            "endpoint": "/v1/chat/completions",
            "model": {**model, "alias": "champion"},
            "context_label": PUBLIC.as_json(),
        }
        return self.gates.ask(Gate.SERVE, principal, Purpose.INFERENCE, resource)


def open_crossing(room: ControlRoom, requester: Principal, ident: str, **asked: Any) -> None:
    told: dict[str, Any] = {"tenants": (), "reason": "fairness opinion for the merger", **asked}
    room.request(requester, Request(ident, requester.subject, **told))
    approve(room, ident)


def approve(room: ControlRoom, ident: str) -> None:
    """As the two who must, from its request to its opening."""
    room.approve(ADA, ident)
    crossing, decision = room.approve(BEN, ident)
    assert crossing.state is State.OPEN, decision


def approve_unless_open(world: World, approver: Principal, ident: str) -> None:
    try:
        world.room.approve(approver, ident)
    except Refused as error:
        if "open already" not in str(error):
            raise
