"""The edges of a crossing: who may ask, and what counts as an act through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from halocline_governance.control_room import uses
from halocline_governance.errors import Refused
from halocline_governance.policy import Engine
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.state import Store
from halocline_governance.state.crossings import Request
from tests.governance.crossing_world import ADA, BEA, MIA, NOW, World


@pytest.fixture
def world(tmp_path: Path, embedded: Engine) -> Iterator[World]:
    store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
    yield World(embedded, store)
    store.close()


def asked(requester: str, expires: int = NOW + 60) -> Request:
    return Request(
        "deal-9", requester, ("bea",), Purpose.INFERENCE, ("sell",), (), "why", NOW, expires
    )


def test_nobody_asks_in_anothers_name(world: World) -> None:
    for other in (ADA, BEA):
        with pytest.raises(Refused, match="own name"):
            world.room.request(other, asked("mia"))
    assert world.kept.events == []
    assert world.crossings.all() == ()
    assert world.room.request(MIA, asked("mia")).request.requester == "mia"


@pytest.mark.parametrize("expires", [NOW - 1, NOW])
def test_what_is_over_already_is_not_asked_for(world: World, expires: int) -> None:
    world.clock.now = NOW
    with pytest.raises(Refused):
        world.room.request(MIA, asked("mia", expires))
    assert world.crossings.all() == ()


def test_an_act_counts_once_for_each_event_that_names_its_decision(world: World) -> None:
    world.opened()
    through, other = world.crosses(), world.crosses(ADA)
    acts = (
        {"decision_id": through.id},
        {"rows": [{"serve": through.id}, {"serve": through.id}]},
        {"decisions": [other.id, "0" * 36]},
        {through.id: "a name is no mention"},
    )
    for act in acts:
        world.kept.append(AuditEvent(Kind.GENERATE, "bea", "inference", act))

    (use,) = uses([event.as_json() for event in world.kept.events], "deal-7")
    assert (use.decision_id, use.num_acts) == (through.id, 2)
