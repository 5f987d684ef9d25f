"""The governance database in a file: the laws of every such database, and what a file adds."""

from __future__ import annotations

import gc
import os
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from halocline_governance.errors import Refused, StateUnavailable
from halocline_governance.state import Store, database
from halocline_governance.state.probe import Probe
from tests.governance.store_laws import StoreLaws, check_unavailable


class TestSqlite(StoreLaws):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state/governance.sqlite"


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder}/state/governance.sqlite"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_and_its_folder_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(url_in(tmp_path))
        with store.change():
            files = list((tmp_path / "state").iterdir())
    finally:
        os.umask(before)

    assert mode(tmp_path / "state") == 0o700
    assert len(files) == 3
    store.epoch()
    assert {mode(file) for file in (tmp_path / "state").iterdir()} == {0o600}
    store.close()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    Store(url_in(tmp_path)).close()
    (tmp_path / "state/governance.sqlite").chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        Store(url_in(tmp_path))


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    Store(url_in(tmp_path)).close()
    (tmp_path / "state").chmod(0o770)
    with pytest.raises(Refused, match="folder"):
        Store(url_in(tmp_path))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:////x?mode=memory",
        "mysql://h/x",
        "postgresql://h/x",
        "nonsense",
        "",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(Refused):
        Store(url)


def test_a_file_that_has_gone_is_no_empty_database(tmp_path: Path) -> None:
    store = Store(url_in(tmp_path))
    before = store.epoch()
    for file in (tmp_path / "state").iterdir():
        file.unlink()

    check_unavailable(store)
    assert list((tmp_path / "state").iterdir()) == []
    other = Store(url_in(tmp_path))
    assert store.epoch() == other.epoch() != before
    other.close()
    store.close()


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state/governance.sqlite").write_bytes(b"x" * 8192)
    (tmp_path / "state/governance.sqlite").chmod(0o600)
    with pytest.raises(StateUnavailable):
        Store(url_in(tmp_path))


def test_a_change_that_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.2)
    store, other = Store(url_in(tmp_path)), Store(url_in(tmp_path))
    with store.change():
        failed: list[bool] = []
        for one in (store, other):  # the same process's turn, and the file's lock
            with ThreadPoolExecutor(1) as thread:
                failed.append(thread.submit(fails, one).result(30))
        assert failed == [True, True]
        assert store.epoch() == other.epoch()  # who only reads is not kept waiting
    assert not fails(other)
    store.close()
    other.close()


def fails(store: Store) -> bool:
    try:
        with store.change():
            return False
    except StateUnavailable:
        return True


def test_a_failure_is_told_with_the_place_and_what_to_do(tmp_path: Path) -> None:
    """A disk that takes no more, a file that is none; each error is sqlite's own."""
    url = sa.URL.create("sqlite", database=str(tmp_path / "s.sqlite"))
    with sqlite3.connect(":memory:") as full:
        full.execute("CREATE TABLE t (x TEXT)")
        full.execute("PRAGMA max_page_count = 2")
        with pytest.raises(sqlite3.OperationalError) as error:
            full.execute("INSERT INTO t VALUES (?)", ("s3cret" * 10_000,))
    full.close()
    told = database.told(error.value, url)
    assert "the disk is full: make room" in told
    assert str(tmp_path / "s.sqlite") in told
    assert "s3cret" not in told

    store = Store(url)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(StateUnavailable, match=r"make room"), store.change():
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with store.change():
        pass
    store.close()
    (tmp_path / "s.sqlite").write_bytes(b"no database" * 1000)
    (tmp_path / "s.sqlite-wal").unlink(missing_ok=True)
    with pytest.raises(StateUnavailable, match="restore it"):
        Store(url)

    elsewhere = sa.make_url("postgresql+psycopg://u:s3cret@db.example.com/d")
    told = database.told(error.value, elsewhere)
    assert "db.example.com" in told
    assert "s3cret" not in told


def test_a_fork_amid_a_change_is_told(tmp_path: Path) -> None:
    store = Store(url_in(tmp_path))
    with store.change():
        child = os.fork()
        if child == 0:
            try:
                store.epoch()
            except StateUnavailable:
                os._exit(7)
            finally:
                os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    with store.change():
        pass
    store.close()


def test_many_processes_may_begin_at_once(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom halocline_governance.state import Store\n"
        "store = Store(sys.argv[1])\nwith store.change(): pass\nprint(store.epoch() > 1)"
    )
    command = [sys.executable, "-W", "error", "-c", code, url_in(tmp_path)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    assert [process.communicate(timeout=60) for process in running] == [("True\n", "")] * 6


def test_a_store_that_is_dropped_closes_what_it_opened(tmp_path: Path) -> None:
    Store(url_in(tmp_path)).epoch()
    gc.collect()
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is(fd)]
    assert [path for path in held if str(tmp_path) in path] == []


def test_a_read_that_outlasts_a_close_gives_nothing_back(tmp_path: Path) -> None:
    """What it would give back may be open on a file that was replaced meanwhile."""
    path = tmp_path / "one.sqlite"
    database.make_file(path)
    probe = Probe(database.parse(f"sqlite:///{path}"))
    slow = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000000)"
        " SELECT max(x) FROM n"
    )
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(probe.row, slow)
        while not probe.num_taken:
            time.sleep(0.001)
        probe.close()
        assert reading.result() == (3_000_000,)
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is(fd)]
    assert [name for name in held if str(tmp_path) in name] == []


def _is(descriptor: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{descriptor}")
