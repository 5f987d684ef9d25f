"""One short read, many times a second, from many threads: raw connections to the driver.

SQLAlchemy's part of such a read would be nine tenths of it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import sqlalchemy as sa

from halocline_governance.state import database


class Probe:
    """Holds as many connections as there were reads at the same moment, one at least.

    Taking one is a pop and giving it back an append, which need no lock.
    """

    def __init__(self, url: sa.URL) -> None:
        self._engine = database.open_engine(url, pooled=False)
        self._idle: deque[sa.PoolProxiedConnection] = deque()
        self._taken: set[sa.PoolProxiedConnection] = set()

    @property
    def num_taken(self) -> int:
        """How many reads are under way."""
        return len(self._taken)

    def row(self, statement: str) -> tuple[Any, ...] | None:
        """The first row of this query. A connection that went bad while idle is replaced once.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, or the driver's own error.
        """
        idle = self._idle
        try:
            held = idle.pop()
        except IndexError:
            return self._read(self._engine.raw_connection(), statement, idle)
        try:
            return self._read(held, statement, idle)
        except self.errors:
            self.close()  # all of them are as old
            return self._read(self._engine.raw_connection(), statement, self._idle)

    @property
    def errors(self) -> type[Exception]:
        """What the driver raises."""
        return self._engine.dialect.loaded_dbapi.Error

    def close(self) -> None:
        """Close the idle connections, and each of the others when its read ends."""
        idle, self._idle = self._idle, deque()
        _drain(idle)

    def forget(self) -> None:
        """Drop the idle connections, which are another process's, without a word to the server."""
        self._idle = deque()
        self._taken.clear()
        self._engine.dispose(close=False)

    def _read(
        self,
        held: sa.PoolProxiedConnection,
        statement: str,
        idle: deque[sa.PoolProxiedConnection],
    ) -> tuple[Any, ...] | None:
        connection: Any = held.driver_connection
        self._taken.add(held)
        try:
            rows = connection.execute(statement).fetchall()
        except BaseException:
            _close(held)
            raise
        finally:
            self._taken.discard(held)
        idle.append(held)
        if idle is not self._idle:  # closed meanwhile: what it reads may be another file by now
            _drain(idle)
        return rows[0] if rows else None


def _drain(idle: deque[sa.PoolProxiedConnection]) -> None:
    while True:
        try:
            held = idle.pop()
        except IndexError:
            return
        _close(held)


def _close(held: sa.PoolProxiedConnection) -> None:
    held.invalidate()
