"""What holds of crossings, whichever the database. Each test gives `url` in its own way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.control_room import uses
from halocline_governance.errors import HaloclineError, JournalUnavailable, MalformedLabel, Refused
from halocline_governance.label import Label
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal
from halocline_governance.state import Store
from halocline_governance.state.crossings import Approver, State
from tests.governance.crossing_world import (
    ADA,
    BEA,
    BEN,
    BOTH,
    CORA,
    MIA,
    NOW,
    World,
    approve_unless_open,
)
from tests.governance.stored import Decided

Scale = Callable[[int, int], int]
# Approves what its arguments name, as soon as it is told to.
APPROVING = """
import os, sys
sys.path.insert(0, os.environ["ROOT"])
from halocline_governance.policy import open_engine
from halocline_governance.state import Store
from tests.governance.crossing_world import ADA, BEN, World, approve_unless_open
from tests.governance.stored import FIRM

world = World(open_engine("embedded", None, FIRM), Store(os.environ["URL"]))
print("ready", flush=True)
sys.stdin.readline()
for ident in sys.argv[2:]:
    approve_unless_open(world, {"ada": ADA, "ben": BEN}[sys.argv[1]], ident)
"""


def wide(name: str) -> str:
    """In full-width letters."""
    return "".join(chr(ord(char) + 0xFEE0) for char in name)


def seen_the_same(name: str) -> str:
    """With a sign that shows nothing, which a name may have."""
    return name[0] + "\N{VARIATION SELECTOR-16}" + name[1:]


def accented(name: str) -> str:
    return unicodedata.normalize("NFC", name + "\N{COMBINING ACUTE ACCENT}")


def spaced(name: str) -> str:
    return f"{name[0]} {name[1:]}"


class CrossingLaws(Decided):
    @pytest.fixture
    def world(self, engine: Engine, store: Store) -> World:
        return World(engine, store)

    def test_two_approvals_open_it_and_the_next_call_crosses(self, world: World) -> None:
        assert not world.crosses().allow
        world.request()
        assert not world.crosses().allow
        crossing, decision = world.room.approve(ADA, "deal-7")
        assert crossing.state is State.REQUESTED
        assert decision is not None
        assert not decision.allow
        assert not world.crosses().allow
        crossing, _ = world.room.approve(BEN, "deal-7")
        assert crossing.state is State.OPEN

        through = world.crosses()

        assert through.allow
        assert through.obligations["crossings"] == ["deal-7"]
        assert through.obligations["until"] == NOW + 3600
        assert not world.crosses(MIA).allow
        assert world.steps() == [
            ("request", "mia"), ("approve", "ada"), ("approve", "ben"), ("open", "ben"),
        ]  # fmt: skip

    def test_it_ends_when_it_expires_cached_or_not(self, world: World) -> None:
        world.opened(expires=NOW + 30)
        first = world.crosses()
        assert world.crosses().id == first.id
        world.clock.now = NOW + 29.9
        assert world.crosses().id == first.id

        world.clock.now = NOW + 30

        assert not world.crosses().allow
        assert world.crossings.one("deal-7").standing(world.clock.now) == "expired"

    def test_it_begins_when_it_begins(self, world: World) -> None:
        world.opened(not_before=NOW + 10)
        assert not world.crosses().allow
        world.clock.now = NOW + 10
        assert world.crosses().allow
        world.clock.now = NOW + 9  # a clock that is set back
        assert not world.crosses().allow

    def test_revoked_it_ends_at_the_next_call(self, world: World) -> None:
        world.opened()
        assert world.crosses().allow

        world.room.revoke(MIA, "deal-7")

        assert not world.crosses().allow
        with pytest.raises(Refused, match="over"):
            world.room.approve(CORA, "deal-7")
        with pytest.raises(Refused, match="already"):
            world.room.revoke(BEN, "deal-7")

    def test_nobody_approves_for_themselves_twice_or_without_clearance(self, world: World) -> None:
        world.request()
        for who, roles in (("mia", ("approver",)), ("bea", ("compliance",))):
            with pytest.raises(Refused, match="cannot approve"):
                world.room.approve(Principal(who, roles, BOTH), "deal-7")
        with pytest.raises(Refused, match="cleared"):
            world.room.approve(Principal("eve", ("approver",), Label("restricted")), "deal-7")
        for _ in range(3):
            _, decision = world.room.approve(ADA, "deal-7")
            assert decision is not None
            assert not decision.allow
        assert [one.subject for one in world.crossings.one("deal-7").approvers] == ["ada"]
        assert not world.crosses().allow
        with pytest.raises(Refused, match="no such"):
            world.room.approve(Principal("tom", ("banker",), BOTH), "deal-7")

    @pytest.mark.parametrize("spelt", [str.upper, wide, seen_the_same, accented, spaced])
    def test_nobody_approves_under_another_spelling_of_a_name(
        self, world: World, spelt: Callable[[str], str]
    ) -> None:
        """Hers who asked, hers who crosses, or once more her own."""
        world.request()
        for name, says in (("mia", "asked for"), ("bea", "who crosses")):
            other = Principal(spelt(name), ("approver",), BOTH)
            with pytest.raises(Refused, match=says):
                world.room.approve(other, "deal-7")
        for name in ("ada", spelt("ada")):
            crossing, _ = world.room.approve(Principal(name, ("approver",), BOTH), "deal-7")

        assert [one.subject for one in crossing.approvers] == ["ada"]
        assert crossing.state is State.REQUESTED
        assert world.steps() == [("request", "mia"), ("approve", "ada")]
        assert world.room.approve(BEN, "deal-7")[0].state is State.OPEN

    def test_an_approval_planted_under_another_spelling_counts_for_nothing(
        self, world: World
    ) -> None:
        """By who writes to the database, past the control room."""
        world.request()
        for name in ("ada", "ADA", "Mia", "béa"):
            with world.crossings.store.change() as connection:
                crossing = world.crossings.get(connection, "deal-7")
                planted = Approver(name, ("compliance",), BOTH)
                world.crossings.add_approval(connection, crossing, planted)

        again, decision = world.room.approve(ADA, "deal-7")

        assert [one.subject for one in again.approvers] == ["ada"]
        assert decision is not None
        assert (decision.allow, again.state) == (False, State.REQUESTED)

    def test_two_spellings_that_race_are_one_approval(self, world: World) -> None:
        world.request()
        two = [Principal(name, ("approver",), BOTH) for name in ("ada", "Ada")]
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(world.room.approve, who, "deal-7") for who in two]
        for one in done:
            if error := one.exception():
                assert isinstance(error, Refused)
        assert len(world.crossings.one("deal-7").approvers) == 1

    def test_an_approver_out_of_role_does_not_count(self, world: World) -> None:
        world.request(subjects=("bea", "dan"))
        world.room.approve(ADA, "deal-7")
        sam = Principal("sam", ("operator",), BOTH)
        with pytest.raises(Refused):
            world.room.approve(sam, "deal-7")
        assert not world.crosses().allow

    def test_expired_while_it_is_approved(self, world: World) -> None:
        world.request(expires=NOW + 30)
        world.room.approve(ADA, "deal-7")
        world.clock.now = NOW + 30
        with pytest.raises(Refused, match="expired"):
            world.room.approve(BEN, "deal-7")
        assert world.crossings.one("deal-7").state is State.REQUESTED

    @pytest.mark.parametrize("step", ["request", "approve", "open", "revoke"])
    def test_a_step_that_cannot_be_recorded_is_not_taken(self, world: World, step: str) -> None:
        world.kept.fails = lambda event: event.object.get("step") == step
        with pytest.raises(JournalUnavailable):
            world.opened_and_revoked()
        world.kept.fails = lambda _: False
        if step == "request":
            assert world.crossings.all() == ()
            return
        standing = world.crossings.one("deal-7")
        assert standing.state is (State.OPEN if step == "revoke" else State.REQUESTED)
        assert len(standing.approvers) == (0 if step == "approve" else 2)
        # What was left undone is done by doing it again.
        if step == "open":
            assert world.room.approve(BEN, "deal-7")[0].state is State.OPEN

    @pytest.mark.parametrize(
        "changed",
        [
            {"subjects": ()}, {"subjects": ("dan", "bea")}, {"subjects": (" ",)}, {"reason": " "},
            {"sides": ()}, {"sides": ("Sell",)}, {"expires": NOW}, {"not_before": -1},
        ],
    )  # fmt: skip
    def test_what_is_no_request_is_refused(self, world: World, changed: dict[str, Any]) -> None:
        with pytest.raises((Refused, MalformedLabel)):
            world.request(**changed)
        assert world.crossings.all() == ()

    def test_an_id_is_taken_once(self, world: World) -> None:
        world.request()
        with pytest.raises(Refused, match="already"):
            world.request()

    def test_only_its_parties_and_overseers_see_it(self, world: World) -> None:
        world.opened()
        eve = Principal("eve", ("banker",), BOTH)
        assert world.room.seen_by(eve) == ()
        for call in (world.room.one, world.room.revoke):
            with pytest.raises(Refused, match="no such"):
                call(eve, "deal-7")
        assert len(world.room.seen_by(BEA)) == len(world.room.seen_by(CORA)) == 1

    def test_its_uses_are_told_from_the_journal(self, world: World) -> None:
        world.opened()
        through = world.crosses()
        world.crosses(ADA)  # cleared without it

        (use,) = uses([event.as_json() for event in world.kept.events], "deal-7")

        assert (use.decision_id, use.subject, use.gate) == (through.id, "bea", "serve")
        assert use.num_acts == 0

    def test_approvals_that_race_open_it_once(
        self, engine: Engine, store: Store, scale: Scale
    ) -> None:
        world = World(engine, store)
        for number in range(scale(10, 200)):
            ident = f"deal-{number}"
            world.request(ident)
            barrier = threading.Barrier(6)

            def approve(
                who: Principal, ident: str = ident, barrier: threading.Barrier = barrier
            ) -> None:
                barrier.wait()
                approve_unless_open(world, who, ident)

            with ThreadPoolExecutor(6) as pool:
                list(pool.map(approve, [ADA, BEN, CORA, ADA, BEN, CORA]))

            standing = world.crossings.one(ident)
            assert standing.state is State.OPEN
            names = [one.subject for one in standing.approvers]
            assert len(names) == len(set(names)) >= 2
        opens = [step for step, _ in world.steps() if step == "open"]
        assert len(opens) == len(world.crossings.all())

    def test_a_revocation_that_races_with_the_approval_wins_in_the_end(
        self, engine: Engine, store: Store, scale: Scale
    ) -> None:
        world = World(engine, store)
        for number in range(scale(10, 200)):
            ident = f"deal-{number}"
            world.request(ident)
            world.room.approve(ADA, ident)
            barrier = threading.Barrier(2)

            def approve(ident: str = ident, barrier: threading.Barrier = barrier) -> str:
                barrier.wait()
                try:
                    return world.room.approve(BEN, ident)[0].state.value
                except Refused:
                    return "refused"

            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(approve)
                barrier.wait()
                try:
                    world.room.revoke(MIA, ident)
                except HaloclineError as error:
                    pytest.fail(str(error))
                assert not world.crosses().allow
                answer.result()
            assert world.crossings.one(ident).state is State.REVOKED
            assert not world.crosses().allow

    def test_who_asks_after_the_revocation_never_crosses(
        self, engine: Engine, store: Store, scale: Scale
    ) -> None:
        """Threads ask all the time, cached or not; a question begun after it is denied."""
        worlds = [World(engine, store) for _ in range(3)]
        for number in range(scale(5, 100)):
            ident = f"deal-{number}"
            worlds[0].opened(ident)
            gone, stop = threading.Event(), threading.Event()

            def ask(
                world: World, gone: threading.Event = gone, stop: threading.Event = stop
            ) -> tuple[int, int]:
                before = late = 0
                while not stop.is_set():
                    is_late = gone.is_set()
                    if world.crosses().allow:
                        late += is_late
                        before += not is_late
                return before, late

            with ThreadPoolExecutor(3) as pool:
                asking = [pool.submit(ask, world) for world in worlds]
                threading.Event().wait(0.05)
                worlds[0].room.revoke(MIA, ident)
                gone.set()
                threading.Event().wait(0.05)
                stop.set()
                told = [one.result() for one in asking]
            assert sum(before for before, _ in told) > 0
            assert sum(late for _, late in told) == 0

    def test_processes_that_approve_at_once_open_each_once(
        self, engine: Engine, store: Store, url: str, scale: Scale
    ) -> None:
        world = World(engine, store)
        idents = [f"deal-{number}" for number in range(scale(8, 100))]
        for ident in idents:
            world.request(ident, not_before=NOW, expires=2**33)
        root = str(Path(__file__).parents[2])
        running = [
            subprocess.Popen(
                [sys.executable, "-c", APPROVING, who, *idents],
                env={**os.environ, "URL": url, "ROOT": root},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for who in ("ada", "ben", "ada", "ben")
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.communicate("go\n", timeout=120)
        assert [process.returncode for process in running] == [0] * 4

        for ident in idents:
            standing = world.crossings.one(ident)
            assert {one.subject for one in standing.approvers} == {"ada", "ben"}
            assert len(standing.approvers) == 2
