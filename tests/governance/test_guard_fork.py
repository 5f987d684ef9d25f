"""A process that forks while another of its threads is in the guard: the child must not hang."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import tables
from halocline_governance.clock import Onward
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.kept import Kept
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy import open_engine
from halocline_governance.principal import Principal, Purpose
from tests.governance.forking import in_a_child

TABLE = "curation.signals"
# A fork with threads is what is tested, and Python warns of it from 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def test_a_lock_held_at_the_fork_does_not_reach_the_child() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.put("a", 1)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with kept._lock:  # pyright: ignore[reportPrivateUsage]
            inside.set()
            leave.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()

    def use() -> str:
        before = kept.get("a")
        kept.put("b", 2)
        return f"{before} {kept.get('b')}"

    assert in_a_child(use) == "None 2"
    leave.set()
    thread.join()
    assert kept.get("a") == 1


def test_least_recently_used_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    for key in ("a", "b", "a", "c"):
        kept.put(key, ord(key))
        assert kept.get("a") == 97
    assert [kept.get(key) for key in "abc"] == [97, None, 99]


def test_time_goes_on_in_a_child() -> None:
    clock = Onward()
    began = clock()
    assert float(in_a_child(lambda: repr(clock()))) >= began


@pytest.fixture
def guard(tmp_path: Path, embedded: Any) -> Any:
    lake, label = Lake(tmp_path / "lake"), Label("public")
    blank = {"rule": "", "recipe": "", "run_id": "", "spans": None, "value": None}
    row = {**blank, "row_uid": 1, "label_id": lake.intern(label)}
    with lake.lease("public", TABLE) as place:
        data = pa.Table.from_pylist([row], schema=tables.table(TABLE).arrow())
        write_deltalake(place.uri, data)
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Guard(lake, Gates(embedded, journal))


def test_a_child_of_a_busy_guard_is_told_to_open_its_own(guard: Guard, tmp_path: Path) -> None:
    who = Principal("ana", ("analyst",), Label("public"))
    stop = threading.Event()

    def read(guard: Guard) -> str:
        plan = guard.plan(who, Purpose.ANALYSIS, TABLE, ["row_uid"])
        return str(guard.table(plan)["row_uid"].to_pylist())

    def forever() -> None:
        while not stop.is_set():
            assert read(guard) == "[1]"

    def read_by_its_own() -> str:
        signer = Signer(Ed25519PrivateKey.generate())
        engine = open_engine("embedded", None, {"restricted_issuers": []})
        with Journal.open(tmp_path / "journal of the child", signer) as journal:
            return read(Guard(Lake(tmp_path / "lake"), Gates(engine, journal)))

    thread = threading.Thread(target=forever)
    thread.start()
    try:
        inherited = in_a_child(lambda: read(guard))
        own = in_a_child(read_by_its_own)
    finally:
        stop.set()
        thread.join()
    assert inherited.startswith("JournalUnavailable: open a journal in this process")
    assert own.startswith("StorageUnavailable: read tables in a process that was spawned")
