"""A sqlite file of derived facts: made when missing, thrown away when it is not what we wrote.

Nothing in one is a record: whoever loses it builds it again. The owner's alone (0600). Safe for
threads and processes: each thread has a connection, a change excludes every other change, and who
reads sees one state throughout.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from halocline_governance.errors import Refused

_WAIT_S = 120.0
# In KiB: what one connection keeps of the file, so that an index of ten million rows is built fast.
_CACHE = -131_072
_JOURNAL = 1 << 24  # bytes of it that are kept when a large change is over


class Store:
    """
    Args:
        path: of the file; None keeps it in memory, for one question.
        schema: what makes the tables; another one than the file's throws the file away.
    """

    def __init__(self, path: Path | None, schema: str) -> None:
        self._path, self._schema = path, schema
        self._form = zlib.crc32(schema.encode()) & 0x7FFFFFFF
        self._own = threading.local()
        self._memory = (
            None
            if path
            else self._made(
                sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            )
        )

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """A transaction that excludes every other change; undone when it fails."""
        yield from self._within("BEGIN IMMEDIATE")

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """A transaction that sees one state however long it lasts."""
        yield from self._within("BEGIN")

    @contextmanager
    def stream(self) -> Generator[sqlite3.Connection]:
        """As `read`, on a connection of its own, for who is read from while other questions are
        asked."""
        if self._path is None:
            yield self._connection()
            return
        connection = self._open(self._path)
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def clear(self) -> None:
        """Empty it, at once for everybody."""
        with self.change() as connection:
            self._make(connection)
        self.checkpoint()

    def checkpoint(self) -> None:
        """Put what was changed into the file itself: what was taken out is in no journal then,
        unless somebody still reads there."""
        self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def discard(self) -> None:
        """Throw the file away; whoever still has it open reads on in the old one."""
        self.close()
        if self._path is not None:
            for end in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def close(self) -> None:
        """Close this thread's connection; using the store opens another."""
        held = getattr(self._own, "held", None)
        if held is not None and held[0] == os.getpid():
            held[1].close()
        self._own.held = None

    def _within(self, begin: str) -> Generator[sqlite3.Connection]:
        connection = self._connection()
        if connection.in_transaction and begin == "BEGIN":  # within another question
            yield connection
            return
        connection.execute(begin)
        try:
            yield connection
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        if self._path is None:
            assert self._memory is not None
            return self._memory
        held = getattr(self._own, "held", None)
        if held is not None and held[0] == os.getpid() and _is_at(self._path, held[2]):
            return held[1]
        self._own.held = None
        try:
            opened = self._open(self._path)
        except sqlite3.OperationalError as error:
            raise Refused(f"{self._path.name} cannot be opened: {error}") from None
        except sqlite3.DatabaseError:
            self.discard()
            opened = self._open(self._path)
        self._own.held = (os.getpid(), opened, _inode(self._path))
        return opened

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            if path.stat().st_mode & 0o077:
                raise Refused(f"{path.name} can be read by others; run: chmod 600 {path}")
        except OSError as error:
            raise Refused(f"{path.name} cannot be made: {error.strerror}") from error
        connection = sqlite3.connect(path, _WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA journal_size_limit={_JOURNAL}")
            # What a power cut takes is built again.
            connection.execute("PRAGMA synchronous=NORMAL")
            # What is taken out is overwritten: an erased person's keys must not stay in free pages.
            connection.execute("PRAGMA secure_delete=ON")
            return self._made(connection)
        except BaseException:
            connection.close()
            raise

    def _made(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        connection.execute(f"PRAGMA cache_size={_CACHE}")
        if _form(connection) == self._form:
            return connection
        connection.execute("BEGIN IMMEDIATE")
        if _form(connection) != self._form:  # nobody made it while we waited
            self._make(connection)
        connection.execute("COMMIT")
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        found = "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        for (name,) in connection.execute(found).fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        for statement in self._schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={self._form}")


def _form(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _inode(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_dev, seen.st_ino


def _is_at(path: Path, inode: tuple[int, int]) -> bool:
    try:
        return _inode(path) == inode
    except FileNotFoundError:
        return False
