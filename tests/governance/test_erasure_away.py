"""What is away is not certified to be gone: a folder that was moved comes back with its rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.finding import CURATED, OUTPUTS, RAW
from halocline_governance.errors import Refused, StorageUnavailable
from halocline_governance.journal import Journal
from halocline_governance.label import parse_compact
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind
from tests.governance.erasure_world import ALL, CLEO, LABELS, OMAR, World, key

SELLOFF = Principal("selloff", ("compliance",), parse_compact("restricted sides=sell"))


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(tmp_path, rng)
    made.fill(12, num_commits=1)
    return made


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    with world.open_journal() as journal:
        for compartment in LABELS:
            for table in ALL:
                what = {"compartment": compartment, "table": table, "version": 0}
                journal.append(AuditEvent(Kind.FINGERPRINT, "svc", "audit", what))
        yield journal


def order(what: What, *names: str) -> Order:
    return Order("e-0123456789", what, names, "request 118", CLEO.subject)


def away(world: World, compartment: str, table: str) -> tuple[Path, Path]:
    """A table's folder, moved out of the lake; returns where it is and where it was."""
    here, there = world.lake.path(compartment, table), world.root / f"{compartment}-{table}"
    here.rename(there)
    return there, here


@pytest.mark.parametrize(
    ("what", "name", "table"),
    [(What.SUBJECT, key(3), RAW), (What.SOURCE, "", CURATED), (What.OUTPUT, "req-010003", OUTPUTS)],
)
def test_no_step_is_taken_while_a_table_is_away(
    world: World, journal: Journal, what: What, name: str, table: str
) -> None:
    room = world.room(journal)
    asked = order(what, name or world.made[("buy", RAW)][0]["source"])
    told = r"1 tables .* \(buy:" + table

    there, here = away(world, "buy", table)
    for first in (room.look, room.request):
        with pytest.raises(Refused, match=told):
            first(CLEO, asked)
    there.rename(here)
    room.request(CLEO, asked)
    here.rename(there)
    with pytest.raises(Refused, match=told):
        room.approve(OMAR, asked.id)
    there.rename(here)
    room.approve(OMAR, asked.id)
    here.rename(there)
    with pytest.raises(Refused, match=told):
        room.run(OMAR, asked.id)
    assert room.one(asked.id).state == "approved"
    assert not here.exists()
    there.rename(here)

    assert room.run(OMAR, asked.id)["state"] == "done"
    for compartment in LABELS:
        kept = world.wanted(compartment, table, asked)
        assert len(world.rows(compartment, table)) == len(kept)


def test_a_table_that_goes_away_meanwhile_ends_the_run(world: World, journal: Journal) -> None:
    """Once after it was looked for and before the leases, once after rows were removed."""
    asked = order(What.SOURCE, world.made[("buy", RAW)][0]["source"])
    moved = list[tuple[Path, Path]]()

    def withdraw(_names: Sequence[str], _by: Principal) -> None:
        moved.append(away(world, "public", RAW))

    def renew(compartment: str) -> None:
        moved.append(away(world, compartment, CURATED))

    before, after = world.room(journal, withdraw=withdraw), world.room(journal, renew=renew)
    after.request(CLEO, asked)
    after.approve(OMAR, asked.id)
    for room, state in ((before, "approved"), (after, "begun")):
        with pytest.raises(Refused, match="are not here"):
            room.run(OMAR, asked.id)
        assert room.one(asked.id).state == state
        while moved:
            there, here = moved.pop()
            there.rename(here)

    assert world.room(journal).run(OMAR, asked.id)["state"] == "done"


def test_what_an_order_has_begun_with_must_be_there(world: World, journal: Journal) -> None:
    """The journal knows it by the order itself."""
    asked = order(What.SOURCE, world.made[("buy", RAW)][0]["source"])
    world.write("nova", RAW, [world.made[("buy", RAW)][0]])
    world.lake.intern(LABELS["buy"], "nova")
    nova = Principal("nora", ("compliance",), parse_compact("restricted sides=buy,sell,nova"))

    def stopped(_compartment: str) -> object:
        raise Refused("stopped")

    asked = Order(asked.id, asked.what, asked.names, asked.reason, nova.subject)
    world.room(journal).request(nova, asked)
    second = Principal("ned", nova.roles, nova.clearance)
    room = world.room(journal, renew=stopped)
    room.approve(second, asked.id)
    with pytest.raises(Refused, match="stopped"):
        room.run(second, asked.id)
    away(world, "nova", RAW)

    with pytest.raises(Refused, match=r"nova:raw\.documents"):
        world.room(journal).run(second, asked.id)


def test_who_is_not_cleared_is_told_no_name(world: World, journal: Journal) -> None:
    away(world, "buy", RAW)
    away(world, "public", OUTPUTS)
    mine = Order("e-0123456789", What.SUBJECT, (key(3),), "request 118", "selloff")

    with pytest.raises(Refused, match=r"1 tables .* are not here: ") as refused:
        world.room(journal).look(SELLOFF, mine)

    assert "buy" not in str(refused.value)


@pytest.mark.parametrize("table", [RAW, OUTPUTS])
@pytest.mark.parametrize("lost", ["_delta_log/*.json", "_delta_log/*0.json", "*.parquet"])
def test_a_table_that_cannot_be_read_is_named_and_nothing_is_done(
    world: World, journal: Journal, table: str, lost: str
) -> None:
    """Of its log, or of its files."""
    asked = order(What.OUTPUT, "req-010003") if table == OUTPUTS else order(What.SUBJECT, key(3))
    room = world.room(journal)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    # Two versions: the second file of the log alone is no table either.
    world.write("buy", table, [world.made[("buy", table)][0]])
    for file in world.lake.path("buy", table).glob(lost):
        file.unlink()

    for step in (room.look, room.request):
        with pytest.raises(StorageUnavailable, match=f"buy:{table} is there and cannot be read"):
            step(CLEO, asked)
    with pytest.raises(StorageUnavailable, match=f"buy:{table} is there and cannot be read"):
        room.run(OMAR, asked.id)
    with pytest.raises(StorageUnavailable, match=f"a table {table} is there") as told:
        room.look(SELLOFF, asked)
    assert "buy" not in str(told.value)
    assert room.one(asked.id).state == "approved"
    assert len(world.rows("public", table)) == len(world.made[("public", table)])
