"""A lease in a folder belongs to the process that took it, whatever forks meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from halocline_governance.errors import LeaseHeld
from halocline_governance.lake import Lake

TABLE = "curated.documents"


@contextmanager
def child() -> Generator[None]:
    """A fork of this process that waits to be killed."""
    started = os.fork()
    if started == 0:
        signal.pause()
        os._exit(0)
    try:
        yield
    finally:
        os.kill(started, signal.SIGKILL)
        os.waitpid(started, 0)


def test_a_child_that_lives_on_does_not_keep_its_parent_s_lease(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lease = lake.lease("buy", TABLE)
    lease.__enter__()
    with child():
        lease.__exit__(None, None, None)
        with lake.lease("buy", TABLE):
            pass


def test_a_child_that_leaves_does_not_give_its_parent_s_lease_away(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lease = lake.lease("buy", TABLE)
    lease.__enter__()
    leaving = os.fork()
    if leaving == 0:
        lease.__exit__(None, None, None)
        os._exit(0)
    os.waitpid(leaving, 0)
    with pytest.raises(LeaseHeld), lake.lease("buy", TABLE):
        pass
    lease.__exit__(None, None, None)


def test_a_lease_makes_folders_that_are_the_owner_s_alone(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "home" / "lake")
    before = os.umask(0)
    try:
        with lake.lease("buy.acme", TABLE) as place:
            made = [path for path in lake.root.rglob("*") if path.is_dir()]
        work = lake.work("buy.acme", "spool")
    finally:
        os.umask(before)

    assert place.uri == str(lake.path("buy.acme", TABLE))
    assert {path.stat().st_mode & 0o777 for path in (*made, lake.root, work)} == {0o700}
    assert (lake.root / "buy.acme/_leases" / TABLE).stat().st_mode & 0o777 == 0o600
