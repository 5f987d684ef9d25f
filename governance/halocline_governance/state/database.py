"""How the governance database is opened: private, bounded in time, and with serial writers.

sqlite for one machine: a file of 0600 in a folder that others cannot write to, in WAL mode, every
commit synced. PostgreSQL for many, through psycopg. Knows no table.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event, pool
from sqlalchemy.exc import ArgumentError

from halocline_governance.errors import Refused, StateUnavailable

if TYPE_CHECKING:
    from psycopg import Connection

BUSY_S = 10.0
# The server gives up on a lock first; this is for a server that answers nothing at all.
SILENT_S = BUSY_S + 5
_POSTGRESQL = "postgresql+psycopg"
_WRITES = "halocline_writes"
_TO_DO = {
    "SQLITE_FULL": "the disk is full: make room and run the command again",
    "SQLITE_IOERR": "the disk is full or failing: make room or mend it, and run the command again",
    "SQLITE_BUSY": "another process holds it: let that end and run the command again",
    "SQLITE_LOCKED": "another process holds it: let that end and run the command again",
    "SQLITE_READONLY": "it cannot be written: give it, and its folder, to this user",
    "SQLITE_CANTOPEN": "it cannot be opened: give it, and its folder, to this user",
    "SQLITE_CORRUPT": "it is damaged: restore it",
    "SQLITE_NOTADB": "it is no database: restore it",
}
Row: TypeAlias = tuple[Any, ...]


def parse(url: str | sa.URL) -> sa.URL:
    """The URL of a database of a kind we use.

    Raises:
        Refused: another kind, or one that lies in memory.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise Refused("the governance database is named by a URL: sqlite:////PATH") from None
    name = parsed.database or ""
    plain = parsed.drivername == "sqlite" and not parsed.query and not parsed.host
    if parsed.drivername == _POSTGRESQL or (plain and name and not name.startswith((":", "file:"))):
        return parsed
    raise Refused("the governance database is sqlite:////PATH or postgresql+psycopg://HOST/NAME")


def path_of(url: sa.URL) -> Path | None:
    """The file, if it is one."""
    return Path(url.database or "").absolute() if url.drivername == "sqlite" else None


def told(error: Exception, url: sa.URL) -> str:
    """What failed, where, and what to do; never a statement, a value or a password."""
    path = path_of(url)
    if path is None:
        return (
            f"{type(error).__name__} at {url.host or 'the local server'}; see that it runs, lets"
            " this user in and has room, then run the command again"
        )
    cause = getattr(error, "orig", None) or error
    name = str(getattr(cause, "sqlite_errorname", type(error).__name__))
    kind = next((kind for kind in _TO_DO if name.startswith(kind)), "")
    return f"{name} at {path}; {_TO_DO.get(kind, 'see that its disk is sound, or restore it')}"


def open_engine(url: sa.URL, *, pooled: bool) -> sa.Engine:
    """An engine whose connections are opened when needed.

    Args:
        pooled: keep connections for transactions; else each one is the caller's own, autocommits,
            and is closed when given back.
    """
    how: dict[str, Any] = {"pool_timeout": BUSY_S} if pooled else {"poolclass": pool.NullPool}
    path = path_of(url)
    if path is None:
        if not pooled:
            how["isolation_level"] = "AUTOCOMMIT"
        engine = sa.create_engine(url, pool_pre_ping=pooled, **how)
        event.listen(engine, "do_connect", _connect_postgresql)
        return engine
    engine = sa.create_engine(url, creator=lambda: _connect_sqlite(path), **how)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def writing(connection: sa.Connection) -> sa.Connection:
    """This connection, whose next transaction excludes other writers from its start."""
    return connection.execution_options(**{_WRITES: True})


def reading(connection: sa.Connection) -> sa.Connection:
    """This connection, whose next transaction sees one state throughout."""
    if connection.dialect.name == "sqlite":
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def make_file(path: Path) -> None:
    """Make the sqlite file if it is not there, and be sure that it is ours alone.

    Raises:
        Refused: others may read the file or write to its folder.
        StateUnavailable: it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        modes = stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)
    except OSError as error:
        raise StateUnavailable(f"{path.name} cannot be made: {error.strerror}") from error
    if modes[0] & 0o077:
        raise Refused(f"{path.name} can be read by others; run: chmod 600 {path}")
    if modes[1] & 0o022:
        raise Refused(f"others can write to the folder of {path.name}; run: chmod 700 ITS FOLDER")
    _write_ahead(path)


def _write_ahead(path: Path) -> None:
    """Readers and the writer do not wait for each other. Turning it on does not honour the busy
    timeout, so several processes that begin at once take turns here."""
    deadline = time.monotonic() + BUSY_S
    while True:
        connection = _connect_sqlite(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        finally:
            connection.close()


def _connect_sqlite(path: Path) -> sqlite3.Connection:
    """Never makes the file: one that has gone is an error, not an empty directory."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _connect_postgresql(
    _dialect: object, _record: object, _args: object, parameters: dict[str, Any]
) -> Connection[Row]:
    from psycopg import Connection, OperationalError
    from psycopg.pq import TransactionStatus

    class Bounded(Connection[Row]):
        """A server that is stopped, or a network that swallows, must not hold a caller for ever."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval, timeout or SILENT_S)
            except OperationalError:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.pgconn.finish()  # in an unknown state: never to be used again
                raise

    bounds = {"lock_timeout": BUSY_S, "idle_in_transaction_session_timeout": 6 * BUSY_S}
    options = " ".join(f"-c {name}={int(s * 1000)}" for name, s in bounds.items())
    bounded: dict[str, Any] = {
        "connect_timeout": int(BUSY_S),
        "tcp_user_timeout": int(SILENT_S * 1000),
        "application_name": "halocline",
        **parameters,
        "options": f"{options} {parameters.get('options', '')}".strip(),
    }
    return Bounded.connect(**bounded)
