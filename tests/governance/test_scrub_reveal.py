"""Revealing: decided, on record before it is given, and a denial that tells nothing."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.decision import Decision
from halocline_governance.errors import HaloclineError, JournalUnavailable, Refused
from halocline_governance.gates import Gates
from halocline_governance.label import Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.scrub import Mode
from halocline_governance.scrub.custody import Custody
from halocline_governance.scrub.pseudonym import Pseudonyms
from halocline_governance.scrub.reveal import Door
from halocline_governance.scrub.ring import Ring
from halocline_governance.scrub.vault import Vault
from tests.governance.forking import in_a_child
from tests.governance.kept_events import Kept
from tests.governance.scrub_world import scrubber, vault

CLEO = Principal("cleo", ("compliance",), Label("restricted", ("buy", "sell")))
OMAR = replace(CLEO, subject="omar")
VALUE = "jo@corp.example"
FORGED = "<email:r1:abcdefghijklmnopqrstuvwxya>"
WHY = "request 118"


class World:
    """A vault with a value on each of two sides, a door to it, and what the journal heard."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.vault: Vault = vault(folder)
        self.kept = Kept()
        self.door = Door(self.vault, Gates(engine, self.kept))
        self.pseudonyms = Pseudonyms(Ring(folder / "pseudonyms", crossings=True))
        self.custody = Custody(self.vault, self.kept, self.pseudonyms)
        self.token = self.sealed("buy")
        self.there = self.sealed("sell")

    def sealed(self, compartment: str, value: str = VALUE) -> str:
        sealing = self.vault.sealing(compartment)
        token = sealing.token("email", value)
        sealing.commit()
        return token

    def refused(self, who: Principal, token: str, purpose: Purpose = Purpose.AUDIT) -> str:
        """What is said, without the number of the record."""
        with pytest.raises(Refused) as error:
            self.door.reveal(who, purpose, token, WHY)
        return re.sub(r"record [-0-9a-f]+", "record", str(error.value))

    def told(self) -> list[AuditEvent]:
        return [event for event in self.kept.events if event.kind is Kind.VAULT]


class Edited:
    """A real engine whose obligations are changed; `again` gives its last answer once more."""

    def __init__(self, engine: Engine, obligations: Mapping[str, Any]) -> None:
        self.revision = engine.revision
        self.again = False
        self._engine, self._obligations = engine, obligations
        self._last: Decision | None = None

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision:
        if self._last is None or not self.again:
            told = self._engine.decide(gate, input)
            self._last = replace(told, obligations={**told.obligations, **self._obligations})
        return self._last


@pytest.fixture
def world(tmp_path: Path, embedded: Engine) -> World:
    return World(tmp_path, embedded)


def test_a_value_is_given_to_whoever_may_have_it_and_the_record_names_no_value(
    world: World,
) -> None:
    assert world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY) == VALUE

    decision, told = world.kept.events
    assert decision.kind is Kind.DECISION
    assert decision.object["input"]["resource"]["table"] == "vault.values"
    (one,) = told.object["tokens"]
    assert (told.kind, told.subject, told.object["reason"]) == (Kind.VAULT, "cleo", WHY)
    assert (one["outcome"], one["compartment"], one["key"]) == ("given", "buy", 1)
    assert one["decision_id"] == decision.object["answer"]["id"]
    written = json.dumps([event.as_json() for event in world.kept.events])
    assert VALUE not in written
    assert world.token not in written


@pytest.mark.parametrize(
    "who",
    [
        replace(CLEO, roles=("analyst",)),
        replace(CLEO, roles=("service",)),
        replace(CLEO, clearance=Label("restricted", ("sell",))),
        replace(CLEO, clearance=Label("confidential", ("buy", "sell"))),
        replace(CLEO, clearance=Label("restricted")),
    ],
)
def test_who_may_not_is_told_what_a_token_that_was_never_made_is_told(
    world: World, who: Principal
) -> None:
    said = world.refused(who, world.token)

    assert said == world.refused(who, FORGED) == world.refused(CLEO, FORGED)
    outcomes = [event.object["tokens"][0]["outcome"] for event in world.told()]
    assert outcomes == ["denied", "denied", "nothing"]


def test_a_token_of_no_key_is_asked_about_like_any_other(world: World) -> None:
    unknown = FORGED.replace(":r1:", ":r999:")
    outcomes: list[str] = []
    for who in (CLEO, replace(CLEO, roles=("analyst",))):
        assert world.refused(who, unknown) == world.refused(who, FORGED)
        decision, told = world.kept.events[:2]
        assert (decision.kind, told.kind) == (Kind.DECISION, Kind.VAULT)
        outcomes.append(told.object["tokens"][0]["outcome"])
        world.kept.events.clear()
    assert outcomes == ["nothing", "denied"]


def test_a_denial_looks_nothing_up(world: World) -> None:
    (world.vault.folder / "buy.sqlite").write_bytes(b"whoever opens this fails" * 1000)

    assert world.refused(replace(CLEO, roles=("analyst",)), world.token)
    with pytest.raises(HaloclineError, match="vault of buy"):
        world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY)


def test_another_purpose_opens_nothing(world: World) -> None:
    for purpose in set(Purpose) - {Purpose.AUDIT}:
        world.refused(CLEO, world.token, purpose)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "\u202e", "x" * 2001])
def test_a_reason_is_one_line(world: World, reason: str) -> None:
    with pytest.raises(Refused, match="reason"):
        world.door.reveal(CLEO, Purpose.AUDIT, world.token, reason)
    assert world.kept.events == []


def test_without_a_record_there_is_no_value(world: World) -> None:
    for kind in (Kind.DECISION, Kind.VAULT):
        world.kept.fails = lambda event, kind=kind: event.kind is kind
        with pytest.raises(JournalUnavailable):
            world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY)
        with pytest.raises(JournalUnavailable):
            world.door.restore(CLEO, Purpose.AUDIT, world.token, WHY)


@pytest.mark.parametrize("kind", [Kind.DECISION, Kind.VAULT])
def test_killed_before_the_record_it_has_said_nothing(
    world: World, embedded: Engine, kind: Kind
) -> None:
    engine = Edited(embedded, {})
    gates = Gates(engine, world.kept)
    assert Door(world.vault, gates).reveal(CLEO, Purpose.AUDIT, world.token, WHY) == VALUE
    engine.again = True  # an engine's threads do not live on in a child

    def child() -> str:
        return Door(world.vault, gates).reveal(CLEO, Purpose.AUDIT, world.token, WHY)

    def killed(event: AuditEvent) -> bool:
        return event.kind is kind and os.kill(os.getpid(), signal.SIGKILL) is None

    assert in_a_child(child) == VALUE
    world.kept.fails = killed
    with pytest.raises(AssertionError, match="died"):
        in_a_child(child)


def test_a_text_is_restored_as_far_as_one_may(world: World) -> None:
    text = f"{world.token} and {world.there}, {FORGED}, {world.token} <email>"
    buyer = replace(CLEO, clearance=Label("restricted", ("buy",)))

    done = world.door.restore(buyer, Purpose.AUDIT, text, WHY)

    assert done.text == f"{VALUE} and {world.there}, {FORGED}, {VALUE} <email>"
    assert done.count == 2
    (event,) = world.told()
    assert done.record == event.event_id
    assert sorted(one["outcome"] for one in event.object["tokens"]) == [
        "denied", "given", "nothing",
    ]  # fmt: skip


def test_a_policy_that_masks_the_value_gives_none(world: World, embedded: Engine) -> None:
    masks = Edited(embedded, {"transforms": {"value": "last4"}})
    door = Door(world.vault, Gates(masks, world.kept))
    with pytest.raises(Refused, match="nothing that you may see"):
        door.reveal(CLEO, Purpose.AUDIT, world.token, WHY)
    assert world.told()[-1].object["tokens"][0]["outcome"] == "denied"


def test_rotation_keeps_and_destruction_ends(world: World) -> None:
    assert world.custody.rotate(CLEO, "buy", WHY) == 3
    later = world.sealed("buy")
    assert later.startswith("<email:r3:")
    for token in (world.token, later):
        assert world.door.reveal(CLEO, Purpose.AUDIT, token, WHY) == VALUE

    assert world.custody.destroy(CLEO, OMAR, "buy", WHY) == [1, 3]

    for token in (world.token, later):
        world.refused(CLEO, token)
    assert world.door.reveal(CLEO, Purpose.AUDIT, world.there, WHY) == VALUE
    assert [one["key"] for one in world.custody.holds(CLEO)] == [2]
    steps = [event.object["step"] for event in world.told()]
    assert [step for step in steps if step != "reveal"] == ["rotate", "destroy"]


def test_a_forgotten_value_is_opaque_and_on_record_without_it(world: World) -> None:
    other = world.sealed("buy", "al@corp.example")

    assert world.custody.forget(CLEO, OMAR, "buy", VALUE.upper(), WHY) == 1

    world.refused(CLEO, world.token)
    assert world.door.reveal(CLEO, Purpose.AUDIT, other, WHY) == "al@corp.example"
    forgotten = next(one for one in world.told() if one.object["step"] == "forget")
    assert forgotten.object == {
        "step": "forget", "compartment": "buy", "reason": WHY, "second": "omar",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (CLEO, CLEO),
        (CLEO, replace(CLEO, subject="CLEO")),
        (CLEO, replace(OMAR, roles=("approver",))),
        (replace(CLEO, roles=("service",)), OMAR),
        (CLEO, replace(OMAR, clearance=Label("restricted", ("sell",)))),
    ],
)
def test_what_cannot_be_undone_takes_two_cleared_officers(
    world: World, first: Principal, second: Principal
) -> None:
    with pytest.raises(Refused):
        world.custody.destroy(first, second, "buy", WHY)
    with pytest.raises(Refused):
        world.custody.forget(first, second, "buy", VALUE, WHY)
    key = world.pseudonyms.key("buy")
    with pytest.raises(Refused):
        world.custody.sever(first, second, "buy", WHY)
    assert world.pseudonyms.key("buy") == key
    assert world.told() == []
    assert world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY) == VALUE


def test_nothing_is_destroyed_without_a_record(world: World) -> None:
    world.kept.fails = lambda event: event.kind is Kind.VAULT
    key = world.pseudonyms.key("buy")
    for act in (
        lambda: world.custody.sever(CLEO, OMAR, "buy", WHY),
        lambda: world.custody.destroy(CLEO, OMAR, "buy", WHY),
        lambda: world.custody.forget(CLEO, OMAR, "buy", VALUE, WHY),
        lambda: world.custody.rotate(CLEO, "buy", WHY),
    ):
        with pytest.raises(JournalUnavailable):
            act()
    world.kept.fails = lambda _: False
    assert world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY) == VALUE
    assert len(world.custody.holds(CLEO)) == 2
    assert world.pseudonyms.key("buy") == key


def test_a_compartments_pseudonyms_end_with_its_own_key_alone(world: World) -> None:
    """Nothing that is left makes the old tokens again, of any version; others' stay."""
    held = {
        (name, version): world.pseudonyms.key(name, version)
        for name in ("buy", "sell", "sell.acme", "public", "x.c-1")
        for version in (1, 2)
    }
    tokens = {key.token("email", VALUE).split(":")[2] for key in held.values()}
    assert len(tokens) == len(held)
    secret = world.pseudonyms.ring.current("buy").secret

    assert world.custody.sever(CLEO, OMAR, "buy", WHY) == [1]

    files = [path.read_bytes() for path in world.pseudonyms.ring.folder.iterdir()]
    assert not any(secret in file or secret.hex().encode() in file for file in files)
    for (name, version), key in held.items():
        again = Pseudonyms(Ring(world.pseudonyms.ring.folder, crossings=True)).key(name, version)
        assert (again == key) == (name != "buy")
    assert world.door.reveal(CLEO, Purpose.AUDIT, world.token, WHY) == VALUE
    (severed,) = [event for event in world.told() if event.object["step"] == "sever"]
    assert severed.object == {
        "step": "sever", "compartment": "buy", "reason": WHY, "second": "omar",
    }  # fmt: skip
    assert world.custody.sever(CLEO, OMAR, "buy", WHY) == [6]


def test_a_token_in_the_text_that_is_scrubbed_reveals_nothing_more(world: World) -> None:
    """Whoever plants a token of another side in a text gets it back as it was."""
    one = scrubber(Mode.REVERSIBLE, world.vault)

    done = one.scrub(f"{world.there} {FORGED} al@corp.example")

    assert done.text.startswith(f"{world.there} {FORGED} <email:r1:")
    assert done.count == 1
