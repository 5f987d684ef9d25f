"""What holds of the governance database, whichever it is. Each test gives `url` in its own way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from halocline_governance.errors import StateUnavailable
from halocline_governance.state import Store
from halocline_governance.state.store import METADATA
from tests.governance.stored import Stored

Scale = Callable[[int, int], int]

NOTES = sa.Table(
    "test_notes",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("who", sa.Text, nullable=False),
)
# A counter that only serial changes count right: read, compute in Python, write.
COUNTING = """
import os, sys
import sqlalchemy as sa
from halocline_governance.state import Store
store = Store(os.environ["URL"])
for _ in range(int(sys.argv[1])):
    with store.change() as connection:
        top = connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM test_notes").scalar()
        connection.exec_driver_sql(f"INSERT INTO test_notes VALUES ({top + 1}, 'p')")
store.close()
"""
DYING = """
import os, time
from halocline_governance.state import Store
store = Store(os.environ["URL"])
with store.change() as connection:
    connection.exec_driver_sql("INSERT INTO test_notes VALUES (1, 'p')")
    print("amid", flush=True)
    time.sleep(60)
"""


def append(store: Store, who: str) -> int:
    with store.change() as connection:
        top = connection.execute(sa.select(sa.func.max(NOTES.c.number))).scalar() or 0
        connection.execute(sa.insert(NOTES).values(number=top + 1, who=who))
        return top + 1


def numbers(store: Store) -> list[int]:
    with store.read() as connection:
        return list(
            connection.execute(sa.select(NOTES.c.number).order_by(NOTES.c.number)).scalars()
        )


def check_unavailable(store: Store) -> None:
    with pytest.raises(StateUnavailable):
        store.epoch()
    with pytest.raises(StateUnavailable), store.change():
        pass
    with pytest.raises(StateUnavailable), store.read():
        pass


def fail_amid_a_change(store: Store) -> None:
    with store.change() as connection:
        connection.execute(sa.insert(NOTES).values(number=1, who="x"))
        raise ZeroDivisionError


class StoreLaws(Stored):
    def test_the_epoch_moves_with_every_change_and_only_then(self, store: Store) -> None:
        before = store.epoch()
        numbers(store)
        assert store.epoch() == before
        for step in range(1, 4):
            with store.change():
                assert store.epoch() == before + step - 1  # not before it is committed
            assert store.epoch() == before + step

    def test_what_is_rolled_back_leaves_nothing(self, store: Store) -> None:
        before = store.epoch()
        with pytest.raises(ZeroDivisionError):
            fail_amid_a_change(store)
        assert (store.epoch(), numbers(store)) == (before, [])

    def test_a_failed_statement_is_told_without_its_values(self, store: Store) -> None:
        append(store, "first")
        with pytest.raises(StateUnavailable) as caught, store.change() as connection:
            connection.execute(sa.insert(NOTES).values(number=1, who="s3cret"))
        assert "s3cret" not in str(caught.value)
        assert caught.value.__suppress_context__

    def test_a_conflict_may_be_caught_inside(self, store: Store) -> None:
        append(store, "first")
        with store.change() as connection:
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(sa.insert(NOTES).values(number=1, who="x"))
            connection.execute(sa.insert(NOTES).values(number=2, who="x"))
        assert numbers(store) == [1, 2]

    def test_a_second_store_continues_the_first(self, store: Store, url: str) -> None:
        append(store, "a")
        other = Store(url)
        assert (other.epoch(), numbers(other)) == (store.epoch(), [1])
        append(other, "b")
        assert (store.epoch(), numbers(store)) == (other.epoch(), [1, 2])
        other.close()

    def test_changes_of_threads_are_serial(self, store: Store, scale: Scale) -> None:
        before, count = store.epoch(), scale(40, 1000)
        with ThreadPoolExecutor(20) as pool:
            got = list(pool.map(append, [store] * count, map(str, range(count))))
        assert sorted(got) == numbers(store) == list(range(1, count + 1))
        assert store.epoch() == before + count

    def test_changes_of_processes_are_serial(self, store: Store, url: str, scale: Scale) -> None:
        before, count = store.epoch(), scale(15, 300)
        numbers(store)
        command = [sys.executable, "-W", "error", "-c", COUNTING, str(count)]
        running = [
            subprocess.Popen(command, env={**os.environ, "URL": url}, stderr=subprocess.PIPE)
            for _ in range(3)
        ]
        for _ in range(count):
            append(store, "parent")
        for process in running:
            assert process.communicate(timeout=120)[1] == b""
            assert process.returncode == 0
        assert numbers(store) == list(range(1, 4 * count + 1))
        assert store.epoch() == before + 4 * count

    def test_a_process_killed_amid_a_change_leaves_nothing(self, store: Store, url: str) -> None:
        before = store.epoch()
        assert numbers(store) == []
        command = [sys.executable, "-c", DYING]
        environment = {**os.environ, "URL": url}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"amid\n"
            process.kill()
        assert (store.epoch(), numbers(store)) == (before, [])
        assert append(store, "survivor") == 1
        assert store.epoch() == before + 1

    def test_no_reader_sees_an_epoch_go_back_or_data_behind_it(self, store: Store) -> None:
        """Who reads the epoch, then the data, then the same epoch, has missed nothing."""
        begin, done = store.epoch(), threading.Event()

        def watch() -> int:
            last = 0
            while not done.is_set():
                first, seen, second = store.epoch(), len(numbers(store)), store.epoch()
                assert last <= first <= second
                assert first - begin <= seen <= second - begin
                last = second
            return last

        numbers(store)
        with ThreadPoolExecutor(4) as pool:
            watching = [pool.submit(watch) for _ in range(4)]
            for _ in range(40):
                append(store, "w")
            done.set()
            assert all(future.result() for future in watching)

    def test_a_reading_transaction_sees_one_state(self, store: Store) -> None:
        append(store, "a")
        with store.read() as connection:
            count = sa.select(sa.func.count()).select_from(NOTES)
            assert connection.execute(count).scalar() == 1
            append(store, "b")
            assert connection.execute(count).scalar() == 1
        assert numbers(store) == [1, 2]

    def test_many_threads_may_each_have_asked(self, store: Store) -> None:
        """More of them than a pool would hold, all alive at once, changing included."""
        count = 45
        barrier, before = threading.Barrier(count), store.epoch()

        def ask(number: int) -> int:
            barrier.wait(30)
            seen = store.epoch()
            if number % 9 == 0:
                append(store, "x")
            barrier.wait(30)
            return seen

        with ThreadPoolExecutor(count) as pool:
            seen = list(pool.map(ask, range(count)))
        assert min(seen) >= before
        assert store.epoch() == before + 5

    def test_a_forked_child_has_connections_of_its_own(self, store: Store) -> None:
        before = store.epoch()
        append(store, "parent")
        child = os.fork()
        if child == 0:
            right = False
            try:
                right = store.epoch() == before + 1 and append(store, "child") == 2
            finally:
                os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert (store.epoch(), numbers(store)) == (before + 2, [1, 2])
        append(store, "parent")
        assert numbers(store) == [1, 2, 3]

    def test_a_table_defined_later_is_made(self, store: Store) -> None:
        store.epoch()
        late = sa.Table("test_late", METADATA, sa.Column("id", sa.Integer, primary_key=True))
        try:
            with store.change() as connection:
                connection.execute(sa.insert(late).values(id=1))
        finally:
            METADATA.remove(late)

    def test_a_lost_epoch_is_an_error(self, store: Store) -> None:
        with store.read() as connection:
            engine = connection.engine
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM epoch")
        with pytest.raises(StateUnavailable):
            store.epoch()
        with pytest.raises(StateUnavailable), store.change():
            pass

    def test_a_new_database_begins_at_an_epoch_of_its_own(self, store: Store) -> None:
        assert store.epoch() > 1
