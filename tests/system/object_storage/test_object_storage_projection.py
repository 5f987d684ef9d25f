"""`audit.events` where `system` lies in a bucket: each record once, whoever is killed or sleeps."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from halocline_governance.audit.projection import EVENTS, project
from halocline_governance.errors import LeaseHeld
from halocline_governance.journal import read
from halocline_governance.label import SYSTEM
from halocline_governance.lake import Lake
from tests.governance.test_audit_projection import CHILD, World
from tests.infra.test_audit_commands import Office

if TYPE_CHECKING:
    from tests.system.object_storage.conftest import Server

pytestmark = pytest.mark.system


class Killed(BaseException):
    """Nothing in the code under test may catch this."""


class Remote(World):
    """A world whose `system` lies in a bucket, under a name of its own; nothing else does."""

    def __init__(self, home: Path, server: Server) -> None:
        home.mkdir(mode=0o700)
        super().__init__(home)
        server.lake(home, "buy")
        place = json.loads((home / "lake.yaml").read_text())["compartments"]["buy"]
        self.user, prefix = server.user("buy"), f"projected-{uuid4().hex}"
        place["place"] = f"s3://{self.user.bucket}/{prefix}"
        (home / "lake.yaml").write_text(json.dumps({"compartments": {SYSTEM: place}}))
        self.lake = Lake.at(home)
        self.lease = f"/{self.user.bucket}/{prefix}/_leases/{EVENTS}"

    def end_lease(self) -> None:
        """What a minute does to the lease of one who died."""
        done = self.user.ask("PUT", self.lease, content=b'{"holder": "dead", "ends": 1}')
        assert done.status == 200

    def rows(self) -> list[dict[str, Any]]:
        return super().rows() if self.lake.exists(SYSTEM, EVENTS) else []

    def check(self) -> None:
        super().check()
        assert not list((self.home / "lake").rglob("_delta_log"))


def test_killed_between_batches_and_run_again_it_has_each_record_once(
    server: Server, tmp_path: Path, rng: random.Random
) -> None:
    world = Remote(tmp_path / "home", server)
    world.write(120, logs=2)
    script = CHILD.replace('Lake(home / "lake")', "Lake.at(home)")
    assert script != CHILD
    for _ in range(3):
        before = len(world.rows())
        child = subprocess.Popen(
            [sys.executable, "-c", script, world.home], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(rng.randrange(1, 4)):
            assert child.stdout.readline()
        try:
            child.wait(rng.uniform(0, 0.05))
        except subprocess.TimeoutExpired:
            child.kill()
        child.communicate()
        assert child.returncode == -9, "it was at work when it was killed"
        found = Counter((row["log"], row["seq"]) for row in world.rows())
        sizes = Counter(log for log, _ in found)
        wanted = {(log, seq) for log, size in sizes.items() for seq in range(size)}
        assert found == Counter(wanted)
        assert len(found) > before
        with pytest.raises(LeaseHeld):
            world.project()  # its lease is still to end
        world.end_lease()
    world.project()
    world.check()
    assert (again := world.project()).num_new == 0, again


@pytest.mark.parametrize("whole", [True, False])
def test_who_slept_through_the_end_of_its_lease_writes_no_row_twice(
    server: Server, tmp_path: Path, whole: bool
) -> None:
    """The other brings more of the log that is done, and of the one that is not, or is killed."""
    world = Remote(tmp_path / "home", server)
    world.write(40, logs=2)
    other, woken = Lake.at(world.home), False

    def killed(_: int) -> None:
        if not whole:
            raise Killed

    def slept(num_rows: int) -> None:
        nonlocal woken
        if num_rows < 30 or woken:  # until only the second log is left
            return
        woken = True
        world.end_lease()
        world.write(20, logs=2)
        with suppress(Killed):
            project(world.directory, world.signer.trust, other, batch=5, progress=killed)

    with pytest.raises(LeaseHeld):
        world.project(batch=5, progress=slept)
    assert woken
    world.project()
    world.check()


def test_the_command_projects_into_the_bucket(server: Server, tmp_path: Path) -> None:
    world = Remote(tmp_path / "home", server)
    office = Office(tmp_path)
    first, second = (office.told("audit project") for _ in range(2))
    assert first["new"] == first["rows"] > 0
    assert second["new"] > 0, "the command tells the journal that it was run"
    assert second["rows"] == first["rows"] + second["new"]
    written = [(log, seq, event["event_id"]) for log, seq, event in read(world.directory)]
    rows = [(row["log"], row["seq"], row["event_id"]) for row in world.rows()]
    assert rows == written[: second["rows"]]
    assert len(written) == len(rows) + 1, "what closed the log came after"
    assert not list((world.home / "lake").rglob("_delta_log"))
