"""The governance database: sqlite for one machine, PostgreSQL for many.

Every change happens in a transaction that moves the epoch first, so changes are serial and whoever
reads the same epoch twice has missed nothing in between. Knows nothing of what the tables mean:
those who define one on `METADATA` do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from halocline_governance.errors import Refused, StateUnavailable

METADATA = sa.MetaData()
_EPOCH = sa.Table(
    "epoch",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("value", sa.BigInteger, nullable=False),
)
_READ_EPOCH = "SELECT value FROM epoch WHERE id = 1"
_BUSY_S = 10.0


class Store:
    """Safe to use from many threads and processes; a forked child opens connections of its own.

    Args:
        url: an SQLAlchemy URL: `sqlite:////PATH`, or `postgresql+psycopg://...`.

    Raises:
        Refused: another kind of database.
        StateUnavailable: it cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._local = threading.local()
        with _told():
            METADATA.create_all(self._engine)
            with self._engine.begin() as connection:
                if connection.execute(sa.select(_EPOCH.c.value)).first() is None:
                    self._begin(connection)

    def epoch(self) -> int:
        """A number that every change moves. Costs one short read, and is never remembered.

        Raises:
            StateUnavailable: it cannot be read.
        """
        with _told():
            row = self._raw().execute(_READ_EPOCH).fetchone()
        if row is None:
            raise StateUnavailable("the governance database has lost its epoch; restore it")
        return int(row[0])

    @contextmanager
    def change(self) -> Generator[sa.Connection]:
        """A transaction that excludes every other change, and moves the epoch when it commits.

        Raises:
            StateUnavailable: the database failed; nothing was changed.
        """
        with _told(), self._engine.begin() as connection:
            moved = connection.execute(sa.update(_EPOCH).values(value=_EPOCH.c.value + 1))
            if moved.rowcount != 1:
                raise StateUnavailable("the governance database has lost its epoch; restore it")
            yield connection

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """A connection to read with.

        Raises:
            StateUnavailable: the database failed.
        """
        with _told(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection of this thread and of the pool."""
        self._forget()
        self._engine.dispose()

    def _begin(self, connection: sa.Connection) -> None:
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(_EPOCH).values(id=1, value=1))
        except IntegrityError:
            pass  # another process began it

    def _raw(self) -> Any:
        """This thread's own autocommitting connection to the driver: the epoch is read on every
        call, and SQLAlchemy's part of that read would be nine tenths of it."""
        if getattr(self._local, "pid", None) != os.getpid():
            if hasattr(self._local, "pid"):
                self._engine.dispose(close=False)
            self._local.pooled = self._engine.raw_connection()
            self._local.connection = self._local.pooled.driver_connection
            if self._engine.dialect.name == "postgresql":
                self._local.connection.autocommit = True
            self._local.pid = os.getpid()
        return self._local.connection

    def _forget(self) -> None:
        if getattr(self._local, "pid", None) == os.getpid():
            self._local.pooled.invalidate()
            del self._local.pid


def _engine(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.drivername == "postgresql+psycopg":
        return sa.create_engine(
            parsed, pool_pre_ping=True, connect_args={"connect_timeout": int(_BUSY_S)}
        )
    if parsed.drivername != "sqlite" or not parsed.database:
        raise Refused(
            "the governance database is sqlite:////PATH or postgresql+psycopg://HOST/NAME"
        )
    engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY_S, "check_same_thread": False})
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _take_the_lock)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    # The driver must not begin transactions of its own: ours take the write lock at once.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _take_the_lock(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _told() -> Generator[None]:
    """Say that the database failed, and never with what statement or values."""
    try:
        yield
    except (SQLAlchemyError, _driver_errors()) as error:
        kind = type(error).__name__
        raise StateUnavailable(f"the governance database failed ({kind})") from None


def _driver_errors() -> type[Exception]:
    import sqlite3

    return sqlite3.Error
