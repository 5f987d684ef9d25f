"""After an erasure no file has what was erased, and everything else is there exactly once."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.certificate import text
from halocline_governance.erasure.finding import CURATED, DECISIONS, RAW
from halocline_governance.errors import LeaseHeld, Refused, StorageUnavailable
from halocline_governance.journal import Journal, read, verify
from halocline_governance.journal import proof as proof_of_record
from halocline_governance.journal.proof import prove
from halocline_governance.label import Label
from halocline_governance.lineage import packed
from halocline_governance.principal import Principal
from halocline_governance.records import timestamp
from halocline_governance.refs import DatasetRef, ModelRef
from tests.governance.erasure_world import (
    ALL,
    CLEO,
    LABELS,
    OMAR,
    SOURCES,
    World,
    everything,
    key,
    word,
)


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(tmp_path, rng)
    made.fill(24)
    return made


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    with world.open_journal() as journal:
        yield journal


def order(what: What, *names: str, ident: str = "e-0123456789") -> Order:
    return Order(ident, what, tuple(sorted(names)), "request 118", CLEO.subject)


def erased(world: World, journal: Journal, asked: Order) -> dict[str, Any]:
    room = world.room(journal)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    return room.run(OMAR, asked.id)


def by_id(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True, default=repr) for row in rows)


def check(world: World, asked: Order) -> dict[tuple[str, str], int]:
    """Everything that must stay is there once, and nothing else in any file; returns how many
    rows are gone, by place."""
    gone = dict[tuple[str, str], int]()
    for (compartment, table), made in world.made.items():
        wanted = world.wanted(compartment, table, asked)
        assert by_id(world.rows(compartment, table)) == by_id(wanted), (compartment, table)
        gone[(compartment, table)] = len(made) - len(wanted)
        # Types that pyarrow cannot filter on would make a table unreadable to the guard.
        place = world.lake.location(compartment, table).delta()
        assert not [f for f in place.file_uris() if "view" in str(pq.read_schema(f).types)]
        assert place.schema() == world.lake.location(compartment, table).delta(0).schema()
    stays = {
        number
        for compartment in LABELS
        for row in world.wanted(compartment, RAW, asked)
        for number in [row["row_uid"]]
    }
    words = {word(row["row_uid"]).encode() for c in LABELS for row in world.made[(c, RAW)]}
    kept = {word(number).encode() for number in stays}
    if asked.what is not What.OUTPUT:
        # Outputs have words of their own numbers too: they stay.
        folders = [world.lake.path(c, t) for c in LABELS for t in ALL[:-1]]
        for folder in folders:
            for file, data in everything(folder):
                assert not [one for one in words - kept if one in data], file
    return gone


@pytest.mark.parametrize("what", [What.SUBJECT, What.SOURCE])
def test_what_an_order_names_is_gone_from_every_file(
    world: World, journal: Journal, what: What, rng: random.Random
) -> None:
    names = [key(3), key(7)] if what is What.SUBJECT else [rng.choice(["tickets", "memos"])]
    asked = order(what, *names)
    before = {place: len(rows) for place, rows in world.made.items()}
    journal.seal()
    proofs = [
        prove(world.root / "journal", log, seq) for log, seq, _ in read(world.root / "journal")
    ]

    told = erased(world, journal, asked)

    gone = check(world, asked)
    assert 0 < gone[("buy", RAW)] < before[("buy", RAW)]
    found = {(row["compartment"], row["table"]): row["rows"] for row in told["removed"]}
    assert found == {place: num for place, num in gone.items() if num}
    assert told["state"] == "done"
    assert verify(world.root / "journal", world.signer.trust).ok
    for proof in proofs:
        assert proof_of_record.check(proof, world.signer.trust)


def test_an_output_is_gone_from_every_file(world: World, journal: Journal) -> None:
    asked = order(What.OUTPUT, "req-000003", "req-010004")

    told = erased(world, journal, asked)

    check(world, asked)
    assert sum(row["rows"] for row in told["removed"]) == 2
    for compartment, number in (("public", 3), ("buy", 10_004)):
        folder = world.lake.path(compartment, "serving.outputs")
        assert not [file for file, data in everything(folder) if word(number).encode() in data]


def test_what_a_killed_writer_left_goes_too(world: World, journal: Journal) -> None:
    secret = word(424_242)
    table = world.lake.path("buy", RAW)
    (table / "part-0.parquet#1").write_text(secret)
    (table / "_temporary").mkdir()
    (table / "_temporary" / "x").write_text(secret)
    staged = world.lake.work("public", "staging")
    (staged / "run").mkdir()
    (staged / "run" / "documents.parquet").write_text(secret)

    erased(world, journal, order(What.SUBJECT, key(3)))

    for folder in (table, staged):
        assert not [
            f for f in folder.rglob("*") if f.is_file() and secret in f.read_text("latin-1")
        ]


def test_one_person_alone_erases_nothing(world: World, journal: Journal) -> None:
    room, asked = world.room(journal), order(What.SOURCE, "tickets")
    trader = Principal("bea", ("analyst",), Label("restricted"))
    for step in (lambda: room.request(trader, asked), lambda: room.request(OMAR, asked)):
        with pytest.raises(Refused):
            step()
    room.request(CLEO, asked)
    for step in (
        lambda: room.approve(CLEO, asked.id),
        lambda: room.approve(trader, asked.id),
        lambda: room.run(CLEO, asked.id),
    ):
        with pytest.raises(Refused):
            step()
    check(world, order(What.SOURCE, "nothing"))
    room.approve(OMAR, asked.id)
    with pytest.raises(Refused):
        room.run(trader, asked.id)
    assert room.one(asked.id).state == "approved"


def test_a_request_for_less_is_no_approval_of_more(world: World, journal: Journal) -> None:
    """Somebody asks again under an approved order's id, for another source."""
    room = world.room(journal)
    room.request(CLEO, order(What.SOURCE, "tickets"))
    room.approve(OMAR, "e-0123456789")
    room.request(CLEO, order(What.SOURCE, "memos"))

    room.run(OMAR, "e-0123456789")

    check(world, order(What.SOURCE, "tickets"))


def test_lineage_says_what_was_made_from_it_and_that_it_is_gone(
    world: World, journal: Journal
) -> None:
    label = LABELS["buy"]
    ref = DatasetRef("curated.documents", "buy", 1, (label.label_id,), 1, "f" * 64, "d-1")
    dsv_id = world.lineage.add_dataset(ref, label)
    world.lineage.add_mixture("mix", "{}", [(dsv_id, 1.0)])
    world.lineage.add_run("run-1", "mix", [(dsv_id, 1.0, 8, 8)])
    world.lineage.add_model(ModelRef("house", 2, "a" * 64, label), "run-1")
    world.lineage.deploy("house", ModelRef("house", 2, "a" * 64, label), "d-2", timestamp())
    before = world.lineage.fingerprint_of("buy", "curated.documents", 1)
    assert before[0] > 0

    told = erased(world, journal, order(What.SOURCE, *SOURCES[:2]))

    assert told["retrain_or_retire"] == ["house/2"]
    assert told["end_endpoints"] == ["house"]
    with pytest.raises(StorageUnavailable):
        world.lineage.fingerprint_of("buy", "curated.documents", 1)
    # The row is forgotten by whoever followed it; what the source went into is not.
    raw = world.made[("buy", RAW)]
    row = ("buy", RAW, next(one["row_uid"] for one in raw if one["source"] in SOURCES[:2]))
    assert world.lineage.trace_row(*row).of("model") == []
    held = world.lineage.dataset_rows(dsv_id)
    lost = held.num_rows - len(list(held))
    assert lost > 0
    said = f"dataset version {dsv_id}: {lost} of its rows were erased; their ids are not known"
    assert said in held.gaps
    world.lineage.rebuild()
    gap = "buy:curated.documents version 1 cannot be read any more"
    assert world.lineage.trace_row(*row).gaps == [gap]


def test_the_index_of_lineage_forgets_who_was_erased(world: World, journal: Journal) -> None:
    """No id and no key of theirs stays in its files; of others everything does."""
    subject, other = f"subject:{key(3)}", f"subject:{key(5)}"
    rows = [*world.made[("buy", RAW)], *world.made[("public", RAW)]]
    gone = {row["row_uid"] for row in rows if key(3) in row["subject_keys"]}
    before = set(world.lineage.rows_of(other))
    assert {uid for _, uid, _ in world.lineage.rows_of(subject)} == gone != set()

    erased(world, journal, order(What.SUBJECT, key(3)))
    world.lineage.close()

    for path in (world.root / "state" / "lineage").iterdir():
        assert key(3).encode() not in path.read_bytes()
    for path in (world.root / "state" / "lineage").glob("rows-*.sqlite"):
        db = sqlite3.connect(path)
        held = {uid for (uid,) in db.execute("SELECT uid FROM row UNION SELECT uid FROM subject")}
        blobs = "SELECT uids FROM body UNION ALL SELECT first FROM kept"
        held.update(uid for (blob,) in db.execute(blobs) for uid in packed.unpacked(blob))
        db.close()
        assert held
        assert not held & gone
    with pytest.raises(Refused, match="no row has this subject key"):
        world.lineage.impact(subject)
    assert set(world.lineage.rows_of(other)) == {row for row in before if row[1] not in gone}


def test_every_step_is_recorded_before_its_effect(world: World, journal: Journal) -> None:
    asked = order(What.SUBJECT, key(3))

    erased(world, journal, asked)

    events = [e for _, _, e in read(world.root / "journal") if e["kind"] == "erase"]
    assert [e["object"]["step"] for e in events] == ["request", "approve", "begin", "done"]
    begun, done = (sorted(e["object"]["rows"], key=str) for e in events[2:])
    assert begun == done


def test_who_cannot_have_a_lease_has_removed_nothing(world: World, journal: Journal) -> None:
    asked = order(What.SUBJECT, key(3), key(5))
    room = world.room(journal, wait_s=0.1)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    with world.lake.lease("public", DECISIONS), pytest.raises(LeaseHeld):
        room.run(OMAR, asked.id)
    check(world, order(What.SOURCE, "nothing"))

    told = room.run(OMAR, asked.id)

    assert room.run(CLEO, asked.id) == told
    check(world, asked)


def test_an_erasure_killed_anywhere_is_finished(
    world: World, scale: Callable[[int, int], int], rng: random.Random, root: Path
) -> None:
    """It is killed at a random call into, or return from, the code that removes; and again."""
    asked = order(What.SUBJECT, key(3), key(5))
    with world.open_journal() as journal:
        world.room(journal).request(CLEO, asked)
        world.room(journal).approve(OMAR, asked.id)
    command = [sys.executable, "-m", "tests.governance.erasure_process", str(world.root), asked.id]
    for _ in range(scale(2, 40)):
        at = rng.randrange(1, 180)
        ran = subprocess.run([*command, str(at)], cwd=root, check=False)
        assert ran.returncode in (0, -signal.SIGKILL)

    with world.open_journal() as journal:
        told = world.room(journal).run(OMAR, asked.id)

    gone = check(world, asked)
    found = {(row["compartment"], row["table"]): row["rows"] for row in told["removed"]}
    assert found == {place: num for place, num in gone.items() if num}
    assert verify(world.root / "journal", world.signer.trust).ok


def test_the_certificate_says_what_stays(world: World, journal: Journal) -> None:
    told = erased(world, journal, order(What.SOURCE, "tickets"))

    assert [step["step"] for step in told["steps"]] == ["request", "approve", "begin", "done"]
    assert any("weights" in line for line in told["not_erased"])
    assert "e-0123456789" in text(told)
    assert world.firm.facts()["withdrawn_sources"] == ["tickets"]


def test_the_certificate_does_not_say_that_every_mention_is_a_pseudonym(
    world: World, journal: Journal
) -> None:
    """A name that no detector found stands in another's curated text, and stays."""
    like = next(row for row in world.made[("buy", CURATED)] if key(3) not in row["subject_keys"])
    world.write("buy", CURATED, [{**like, "row_uid": 9_999, "text": "Minutes: Jane Doe came."}])

    told = erased(world, journal, order(What.SUBJECT, key(3)))

    assert "Minutes: Jane Doe came." in [row["text"] for row in world.rows("buy", CURATED)]
    (said,) = [line for line in told["not_erased"] if "curated text" in line]
    assert "stands there in clear" in said


@pytest.mark.parametrize("name", ["jane doe", "jane@initech.example", "subject:v1:short"])
def test_a_person_is_never_named_in_clear(name: str) -> None:
    with pytest.raises(Refused, match="erase find"):
        order(What.SUBJECT, name)
