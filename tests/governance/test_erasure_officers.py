"""Two officers who are cleared for what goes, and who are two: nobody else erases anything."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.finding import OUTPUTS, RAW
from halocline_governance.errors import Refused
from halocline_governance.journal import Journal, read
from halocline_governance.label import parse_compact
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind
from tests.governance.erasure_world import CLEO, OMAR, World

SELL = [
    Principal(name, ("compliance",), parse_compact("restricted sides=sell"))
    for name in ("selloff", "seline")
]


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(tmp_path, rng)
    made.fill(6, num_commits=1)
    return made


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    with world.open_journal() as journal:
        yield journal


def order(world: World, requester: str = CLEO.subject) -> Order:
    """One source that lies on the buy side."""
    source = world.made[("buy", RAW)][0]["source"]
    return Order("e-0123456789", What.SOURCE, (source,), "request 118", requester)


def test_two_officers_of_one_side_do_not_erase_the_other(world: World, journal: Journal) -> None:
    room, num = world.room(journal), len(world.rows("buy", RAW))
    first, second = SELL
    for what, name in ((What.SOURCE, order(world).names[0]), (What.OUTPUT, "req-010000")):
        theirs = Order("e-0123456789", what, (name,), "request 118", first.subject)
        for step in (room.request, room.look):
            with pytest.raises(Refused, match="not every name"):
                step(first, theirs)
    room.request(CLEO, order(world))
    for step in (room.approve, room.withdraw, room.certificate):
        with pytest.raises(Refused, match="not cleared"):
            step(second, "e-0123456789")
    room.approve(OMAR, "e-0123456789")
    with pytest.raises(Refused, match="not cleared"):
        room.run(second, "e-0123456789")
    assert len(world.rows("buy", RAW)) == num
    assert not [e for _, _, e in read(world.root / "journal") if e["subject"] == first.subject]
    assert [room.sees(one, room.one("e-0123456789")) for one in (*SELL, OMAR)] == [
        False,
        False,
        True,
    ]


def test_who_is_cleared_for_the_side_and_not_for_the_label_does_not_erase_it(
    world: World, journal: Journal
) -> None:
    junior = Principal("juno", ("compliance",), parse_compact("internal sides=buy,sell"))

    with pytest.raises(Refused, match="not every name"):
        world.room(journal).request(junior, order(world, "juno"))


@pytest.mark.parametrize("other", ["Cleo", "CLEO", "ｃｌｅｏ", "cleo"])
def test_two_accounts_of_one_person_are_one_person(
    world: World, journal: Journal, other: str
) -> None:
    room = world.room(journal)
    room.request(CLEO, order(world))

    with pytest.raises(Refused, match="another person"):
        room.approve(Principal(other, CLEO.roles, CLEO.clearance), "e-0123456789")

    assert room.one("e-0123456789").state == "requested"


@pytest.mark.parametrize("who", [CLEO, OMAR])
def test_an_order_ends_when_it_is_taken_back_or_refused(
    world: World, journal: Journal, who: Principal
) -> None:
    room, num = world.room(journal), len(world.rows("buy", RAW))
    room.request(CLEO, order(world))
    room.approve(OMAR, "e-0123456789")

    assert room.withdraw(who, "e-0123456789").state == "withdrawn"

    for step in (room.approve, room.run):
        with pytest.raises(Refused, match="withdrawn"):
            step(OMAR, "e-0123456789")
    assert len(world.rows("buy", RAW)) == num
    assert room.certificate(CLEO, "e-0123456789")["state"] == "withdrawn"


def test_an_order_that_is_withdrawn_while_it_waits_removes_nothing(
    world: World, journal: Journal
) -> None:
    """Here: while it says that the source must not come back, just before it takes the leases."""
    other = world.room(journal)
    names = (world.made[("buy", RAW)][0]["source"],)
    asked = Order("e-0123456789", What.SOURCE, names, "request 118", CLEO.subject)

    def meanwhile(_names: Sequence[str], _by: Principal) -> object:
        return other.withdraw(CLEO, asked.id)

    room = world.room(journal, withdraw=meanwhile)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    before = world.lake.version("buy", RAW)

    with pytest.raises(Refused, match="withdrawn"):
        room.run(OMAR, asked.id)

    assert room.one(asked.id).state == "withdrawn"
    assert world.lake.version("buy", RAW) == before


def test_an_approval_under_ones_own_other_name_does_not_count(
    world: World, journal: Journal
) -> None:
    """However it came into the journal."""
    asked = order(world)
    room = world.room(journal)
    room.request(CLEO, asked)
    told = {"order": asked.as_json(), "step": "approve"}
    journal.append(AuditEvent(Kind.ERASE, CLEO.subject.upper(), "audit", told))

    assert not room.one(asked.id).is_approved
    with pytest.raises(Refused, match="not approved"):
        room.run(OMAR, asked.id)


def test_what_was_begun_is_not_taken_back(world: World, journal: Journal) -> None:
    room = world.room(journal)
    room.request(CLEO, order(world))
    room.approve(OMAR, "e-0123456789")
    room.run(OMAR, "e-0123456789")

    with pytest.raises(Refused, match="finish it"):
        room.withdraw(CLEO, "e-0123456789")

    assert room.one("e-0123456789").state == "done"


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (What.SOURCE, "no-such-source"),
        (What.OUTPUT, "req-999999"),
        (What.SUBJECT, "subject:v1:zzzzzzzzzzzzzzzz"),
    ],
)
def test_nothing_is_ordered_of_what_nothing_has(
    world: World, journal: Journal, what: What, name: str
) -> None:
    known = world.made[("buy", OUTPUTS)][0]["request_id"] if what is What.OUTPUT else name
    asked = Order("e-0123456789", what, tuple({known, name}), "request 118", CLEO.subject)

    with pytest.raises(Refused, match="nothing has it"):
        world.room(journal).request(CLEO, asked)

    assert world.room(journal).all() == []


@pytest.mark.parametrize("what", list(What))
def test_what_is_hidden_is_answered_as_what_is_not_there(
    world: World, journal: Journal, what: What
) -> None:
    """By preview and by request, alone and beside a name that the caller may erase; an answer that
    lies in a spool is as hidden as one in its table."""
    hidden = {**world.made[("buy", RAW)][0], "source": "their-deal", "row_uid": 1}
    shown = {**world.made[("public", RAW)][0], "source": "handbook", "row_uid": 2}
    keys = [f"subject:v1:zzzzzzzzzzzzzzz{letter}" for letter in "abc"]
    for at, row, its in (("buy", hidden, keys[0]), ("public", shown, keys[1])):
        world.write(at, RAW, [{**row, "subject_keys": [its]}])
    spool = world.lake.work("buy", "spool") / "one"
    spool.mkdir()
    (spool / "0").write_bytes(b"req-spooled")
    theirs, mine, nobodys = {
        What.SUBJECT: ([keys[0]], keys[1], keys[2]),
        What.SOURCE: (["their-deal"], "handbook", "no-deal"),
        What.OUTPUT: (["req-010000", "req-spooled"], "req-000000", "req-999999"),
    }[what]
    room, officer = world.room(journal), SELL[0]

    def answers(name: str) -> set[str]:
        told = set[str]()
        for names in ((name,), tuple(sorted((name, mine)))):
            asked = Order("e-0123456789", what, names, "request 118", officer.subject)
            for step in (room.look, room.request):
                with pytest.raises(Refused) as refused:
                    step(officer, asked)
                told.add(str(refused.value))
        return told

    assert len(answers(nobodys)) == 1
    for name in theirs:
        assert answers(name) == answers(nobodys)
    assert room.look(officer, Order("e-0123456789", what, (mine,), "r", officer.subject))["rows"]
    assert room.all() == []
