"""`audit.events` is what the journal's heads cover, each record once, whatever is killed."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance.audit.projection import EVENTS, Projection, project
from halocline_governance.errors import JournalCorrupt, LeaseHeld, Refused, Unverified
from halocline_governance.journal import Journal, Signer, frame, read, records
from halocline_governance.label import SYSTEM
from halocline_governance.lake import Lake
from halocline_governance.records import AuditEvent, Kind

TEXT = 'a,"purpose":"b" é\n'
CHILD = """
import sys
from pathlib import Path
from halocline_governance.audit.projection import project
from halocline_governance.journal import Trust
from halocline_governance.lake import Lake
home = Path(sys.argv[1])
trust = Trust.parse((home / "key").read_text())
project(
    home / "journal", trust, Lake(home / "lake"), batch=7,
    progress=lambda count: print(count, flush=True),
)
"""


class World:
    """A journal, its key and a lake."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.directory = home / "journal"
        self.lake = Lake(home / "lake")
        self.signer = Signer(Ed25519PrivateKey.generate())
        home.mkdir(exist_ok=True)
        (home / "key").write_text(self.signer.trust.text())

    def write(self, count: int, logs: int = 1) -> None:
        opened = [Journal.open(self.directory, self.signer) for _ in range(logs)]
        for number in range(count):
            what = {"number": number, "text": TEXT, "purpose": {"object": [TEXT]}}
            event = AuditEvent(Kind.READ, f"ana{TEXT}", "audit", what)
            opened[number % logs].submit(event)
        for journal in opened:
            journal.close()

    def project(self, **how: Any) -> Projection:
        return project(self.directory, self.signer.trust, self.lake, **how)

    def rows(self) -> list[dict[str, Any]]:
        found: Any = self.lake.location(SYSTEM, EVENTS).delta().to_pyarrow_table()
        return found.sort_by([("log", "ascending"), ("seq", "ascending")]).to_pylist()

    def check(self) -> None:
        """The table is what the journal says, in its own words."""
        told = [{**row, "object": json.loads(row["object"])} for row in self.rows()]
        assert told == [
            {"log": log, "seq": seq, **event} for log, seq, event in read(self.directory)
        ]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "home")


def test_it_goes_on_where_it_stopped(world: World, rng: random.Random) -> None:
    total = 0
    for _ in range(6):
        world.write(rng.randrange(0, 20), logs=rng.randrange(1, 4))
        done = world.project(batch=rng.randrange(1, 12))
        total += done.num_new
        world.check()
        assert total == sum(done.logs.values()) == len(world.rows())
        again = world.project()
        assert (again.num_new, again.version) == (0, done.version)


def test_an_object_stands_there_as_it_was_written(world: World) -> None:
    world.write(3)
    world.project()
    for row in world.rows():
        ((_, payload),) = records(world.directory, row["log"], row["seq"], row["seq"] + 1)
        assert f'"object":{row["object"]},"purpose":'.encode() in payload


def test_what_no_head_covers_waits(world: World) -> None:
    with Journal.open(world.directory, world.signer) as journal:
        journal.seal()
        first = sum(world.project().logs.values())
        journal.append(AuditEvent(Kind.READ, "ana", "audit"))
        done = world.project()
        assert done.num_pending == 1 - done.num_new  # it may just have been signed
        journal.seal()
        assert sum(world.project().logs.values()) == first + 1


def test_killed_anywhere_it_leaves_nothing_twice_and_nothing_out(
    world: World, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    world.write(300, logs=2)
    for _ in range(scale(4, 100)):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, world.home], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 12)):
            child.stdout.readline()
        try:
            child.wait(rng.uniform(0, 0.01))
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        uids = [(row["log"], row["seq"]) for row in world.rows()]
        sizes = {log: sum(one == log for one, _ in uids) for log, _ in uids}
        assert uids == [(log, seq) for log in sorted(sizes) for seq in range(sizes[log])]
    world.project()
    world.check()


def test_two_at_once_write_each_row_once(world: World) -> None:
    world.write(200)
    said: list[object] = []

    def run() -> None:
        try:
            said.append(world.project(batch=5).num_new)
        except LeaseHeld as error:
            said.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, int) for one in said) >= 1
    world.project()
    world.check()


def _rewrite(world: World, log: str = "log-0000") -> None:
    """One letter of the last record, with a checksum that fits."""
    (segment,) = (world.directory / log).glob("*.seg")
    payloads = [payload for _, payload in records(world.directory, log)]
    payloads[-2] = payloads[-2].replace(b'"kind":"read"', b'"kind":"reap"')
    segment.write_bytes(b"".join(frame.encode(payload) for payload in payloads))


def _flip(world: World) -> None:
    (segment,) = (world.directory / "log-0000").glob("*.seg")
    damaged = bytearray(segment.read_bytes())
    damaged[-40] ^= 1
    segment.write_bytes(damaged)


def _cut(world: World) -> None:
    (segment,) = (world.directory / "log-0000").glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-1])


def _other_key(world: World) -> None:
    world.signer = Signer(Ed25519PrivateKey.generate())


def _no_head(world: World) -> None:
    (world.directory / "log-0000" / "checkpoint").unlink()


@pytest.mark.parametrize("harm", [_rewrite, _flip, _cut, _other_key, _no_head])
@pytest.mark.parametrize("with_index", [True, False])
def test_a_new_record_that_does_not_verify_is_not_projected(
    world: World, harm: Callable[[World], None], with_index: bool
) -> None:
    world.write(5)
    world.project()
    before = world.rows()
    world.write(5)
    if not with_index:
        shutil.rmtree(world.directory / "log-0000" / "index")
    harm(world)
    with pytest.raises((JournalCorrupt, Unverified), match="log-0000"):
        world.project()
    assert world.rows() == before


def _begun_anew(world: World) -> None:
    shutil.rmtree(world.directory)
    world.write(50, logs=2)


def _set_back(world: World) -> None:
    shutil.rmtree(world.directory)
    shutil.copytree(world.home / "earlier", world.directory)


def _forked(world: World) -> None:
    _set_back(world)
    world.write(50, logs=2)


def _without_a_log(world: World) -> None:
    shutil.rmtree(world.directory / "log-0001")


@pytest.mark.parametrize("harm", [_begun_anew, _set_back, _forked, _without_a_log])
def test_another_journal_than_the_one_projected_is_refused(
    world: World, harm: Callable[[World], None]
) -> None:
    world.write(10, logs=2)
    shutil.copytree(world.directory, world.home / "earlier")
    world.write(10, logs=2)
    world.project()
    before = world.rows()
    harm(world)
    with pytest.raises((JournalCorrupt, Unverified), match="log-000"):
        world.project()
    assert world.rows() == before


def test_a_table_that_another_wrote_is_refused(world: World) -> None:
    world.write(5)
    world.project()
    place = world.lake.location(SYSTEM, EVENTS)
    rows = place.delta().to_pyarrow_table()
    shutil.rmtree(place.uri)
    write_deltalake(place.uri, rows)
    with pytest.raises(Refused, match="somebody else wrote it"):
        world.project()


def test_no_journal_is_no_empty_one(world: World) -> None:
    with pytest.raises(Refused, match="no journal"):
        world.project()


@pytest.mark.parametrize("name", ["leaves", "nodes-08", "offsets"])
def test_an_index_that_lies_makes_no_healthy_journal_refused(world: World, name: str) -> None:
    world.write(300)
    world.project(batch=100)
    world.write(300)
    kept = world.directory / "log-0000" / "index" / name
    damaged = bytearray(kept.read_bytes())
    damaged[5] ^= 1
    kept.write_bytes(damaged)
    world.project(batch=100)
    world.check()
