"""The governance database: sqlite for one machine, PostgreSQL for many.

Every change happens in a transaction that moves the epoch first, so changes are serial and whoever
reads the same epoch twice has missed nothing in between. Nothing here reads a clock. Knows nothing
of what the tables mean: those who define one on `METADATA` do.
"""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from halocline_governance.errors import StateUnavailable
from halocline_governance.state import database
from halocline_governance.state.probe import Probe

METADATA = sa.MetaData()
_EPOCH = sa.Table(
    "epoch",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.BigInteger, nullable=False),
)
_READ_EPOCH = "SELECT value FROM epoch WHERE id = 1"
# PostgreSQL has no lock on tables that are not there yet; any number that is ours will do.
_SETTING_UP = sa.text("SELECT pg_advisory_xact_lock(4711200400)")


class Store:
    """Safe to use from many threads and processes; a forked child opens connections of its own.

    Tables defined on `METADATA` are made when the store is first used after their definition.

    Args:
        url: an SQLAlchemy URL: `sqlite:////PATH`, or `postgresql+psycopg://...`.

    Raises:
        Refused: another kind of database, or a file that others may read.
        StateUnavailable: it cannot be opened.
    """

    def __init__(self, url: str | sa.URL) -> None:
        parsed = database.parse(url)
        self._url = parsed
        self._path = database.path_of(parsed)
        self._engine = database.open_engine(parsed, pooled=True)
        self._probe = Probe(parsed)
        self._turn = threading.Lock()
        self._num_tables = 0
        self._file: tuple[int, int] | None = None
        self._num_carried = 0
        self._is_forked_amid = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_weakly(self._before_fork), after_in_child=_weakly(self._after_fork)
            )
        with self._told():
            if self._path is not None:
                database.make_file(self._path)
            self._make_tables()

    def epoch(self) -> int:
        """A number that every change moves. Costs one short read, and is never remembered.

        Raises:
            StateUnavailable: it cannot be read.
        """
        self._check()
        try:
            row = self._probe.row(_READ_EPOCH)
        except (SQLAlchemyError, self._probe.errors) as error:
            raise self._failed(error) from None
        if row is None:
            raise _lost_epoch()
        return int(row[0])

    @contextmanager
    def change(self) -> Generator[sa.Connection]:
        """A transaction that excludes every other change, and moves the epoch when it commits.

        Never begin one inside another: it would wait for itself.

        Raises:
            StateUnavailable: the database failed. Nothing was changed, unless the connection was
                lost in the very commit: then the epoch tells.
        """
        self._check()
        with self._told():
            self._make_tables()
            with self._exclusive() as connection:
                moved = connection.execute(sa.update(_EPOCH).values(value=_EPOCH.c.value + 1))
                if moved.rowcount != 1:
                    raise _lost_epoch()
                yield connection

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A connection to read with, which sees one state however long it is used.

        Raises:
            StateUnavailable: the database failed.
        """
        self._check()
        with self._told():
            self._make_tables()
            with self._engine.connect() as connection, database.reading(connection).begin():
                yield connection

    def close(self) -> None:
        """Close every connection that is not in use. Using the store opens them again."""
        self._probe.close()
        self._engine.dispose()

    @contextmanager
    def _exclusive(self) -> Generator[sa.Connection]:
        # Threads take turns here: sqlite lets those who wait in the file race for it.
        if not self._turn.acquire(timeout=database.BUSY_S):
            raise StateUnavailable("the governance database is busy: another change does not end")
        try:
            with self._engine.connect() as connection, database.writing(connection).begin():
                yield connection
        finally:
            self._turn.release()

    def _check(self) -> None:
        """An open connection would go on reading a file that was deleted or replaced."""
        if self._is_forked_amid:
            raise StateUnavailable(
                "this process was forked while it used sqlite, which sqlite cannot bear; restart it"
            )
        if self._path is None:
            return
        try:
            at = os.stat(self._path)
        except OSError:
            self.close()
            raise StateUnavailable(f"{self._path.name} has gone; restore it") from None
        if (at.st_dev, at.st_ino) != self._file:
            self.close()
            self._file = at.st_dev, at.st_ino

    def _make_tables(self) -> None:
        count = len(METADATA.tables)
        if count == self._num_tables:
            return
        with self._exclusive() as connection:
            if self._path is None:
                connection.execute(_SETTING_UP)
            METADATA.create_all(connection)
            if connection.execute(sa.select(_EPOCH.c.value)).first() is None:
                # Not 1: a process that outlives its database must not take a new one for the old.
                first = secrets.randbelow(2**48) + 1
                connection.execute(sa.insert(_EPOCH).values(id=1, value=first))
        self._num_tables = count

    def _before_fork(self) -> None:
        """sqlite must not be carried over a fork: its locks belong to the parent."""
        if self._path is not None:
            pool = self._engine.pool
            self._num_carried = self._probe.num_taken + getattr(pool, "checkedout", int)()
            self.close()

    def _after_fork(self) -> None:
        if self._path is not None:
            self._is_forked_amid = self._num_carried > 0
        self._turn = threading.Lock()
        self._probe.forget()
        self._engine.dispose(close=False)

    @contextmanager
    def _told(self) -> Generator[None]:
        """Say that the database failed, and never with what statement or values."""
        try:
            yield
        except (SQLAlchemyError, self._probe.errors) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StateUnavailable:
        return StateUnavailable(
            f"the governance database failed: {database.told(error, self._url)}"
        )


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Hooks of a fork are kept for ever; the store must not be."""
    weak = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := weak()) is not None:
            alive()

    return call


def _lost_epoch() -> StateUnavailable:
    return StateUnavailable("the governance database has lost its epoch; restore it")
