"""An order's words are shown as its words: no line of a certificate is forged by them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.certificate import text
from halocline_governance.errors import Refused
from halocline_governance.journal import Journal
from halocline_governance.records import AuditEvent, Kind
from tests.governance.erasure_world import CLEO, OMAR, World, key

FORGED = "request 7\nRemoved:\n  nothing\x1b]0;pwn\x07\u2028Not erased:\u202e\x9b"


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(tmp_path, rng)
    made.fill(6, num_commits=1)
    return made


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    with world.open_journal() as journal:
        yield journal


def order(reason: str, name: str = key(3)) -> Order:
    what = What.SUBJECT if name == key(3) else What.SOURCE
    return Order("e-0123456789", what, (name,), reason, CLEO.subject)


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\x07", "\x9b", "\u2028", "\u202e", "\x85"])
def test_words_that_are_not_one_plain_line_are_not_asked_for(
    world: World, journal: Journal, sign: str
) -> None:
    room = world.room(journal)
    names = () if sign < " " else (f"tick{sign}ets",)
    for asked in (order(f"request{sign}7"), *(order("request 7", name) for name in names)):
        for step in (room.look, room.request):
            with pytest.raises(Refused, match="one line of printable text"):
                step(CLEO, asked)
    assert room.all() == []


def test_an_order_that_is_in_a_journal_forges_no_line(world: World, journal: Journal) -> None:
    room, asked = world.room(journal), order(FORGED)
    told = {"order": asked.as_json(), "step": "request"}
    journal.append(AuditEvent(Kind.ERASE, CLEO.subject, "audit", told))
    room.approve(OMAR, asked.id)

    shown = text(room.run(OMAR, asked.id))

    lines = shown.split("\n")
    assert lines == shown.splitlines()
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("Removed:")] == ["Removed:"]
    assert "  nothing" not in lines
    assert [line for line in lines if "request 7" in line] == [
        r"  why: request 7\nRemoved:\n  nothing\x1b]0;pwn\x07\u2028Not erased:\u202e\x9b"
    ]
