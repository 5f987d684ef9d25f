"""The promotion ledger: rows that are only ever added, each holding the hash of the one before.

SQLite in WAL mode with full sync; one transaction a step, in which the row is checked against the
state, recorded in the journal, and only then written. What rows mean is `standing`'s.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import rfc8785

from halocline_governance.errors import Refused, Unverified
from halocline_governance.records import timestamp
from halocline_registry.package import make_private

_GENESIS = "0" * 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, content TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS entry_is_final BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER IF NOT EXISTS entry_stays BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""


class Step(StrEnum):
    """What a row tells."""

    REGISTERED = "registered"
    REQUESTED = "requested"
    EVIDENCED = "evidenced"
    APPROVED = "approved"
    PROMOTED = "promoted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. `hash` is over everything else in it, the hash before included."""

    seq: int
    prev: str
    ts: str
    step: Step
    body: Mapping[str, Any]

    def content(self) -> bytes:
        return rfc8785.dumps(
            {
                "seq": self.seq,
                "prev": self.prev,
                "ts": self.ts,
                "step": self.step.value,
                "body": dict(self.body),
            }
        )

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.content()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {**json.loads(self.content()), "hash": self.hash}


class Ledger:
    """The rows in `path`. Safe to share between threads and processes.

    Raises:
        Unverified: rows are not what was written.
    """

    def __init__(self, path: Path) -> None:
        make_private(path.parent)
        self._name = path.name
        self._lock = threading.RLock()
        self._rows: list[Entry] = []
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        path.chmod(0o600)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._db.executescript(_SCHEMA)
        self.entries()

    def entries(self) -> tuple[Entry, ...]:
        """Every row, its place in the chain checked.

        Raises:
            Unverified: a row is missing, changed or out of place; names it.
        """
        with self._lock:
            self._catch_up()
            return tuple(self._rows)

    def add(
        self,
        make: Callable[[tuple[Entry, ...]], tuple[Step, Mapping[str, Any]] | None],
        record: Callable[[Entry], object],
    ) -> Entry | None:
        """Add the row that `make` gives for the rows so far, or none; nobody can come between.

        `record` makes the act durable elsewhere first; when it fails, there is no row.
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._catch_up()
                made = make(tuple(self._rows))
                entry = None if made is None else self._next(*made)
                if entry is not None:
                    record(entry)
                    self._db.execute(
                        "INSERT INTO entry VALUES (?, ?, ?)",
                        (entry.seq, entry.hash, entry.content().decode()),
                    )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            if entry is not None:
                self._rows.append(entry)
            return entry

    def close(self) -> None:
        """Idempotent."""
        with self._lock:
            self._db.close()

    def _next(self, step: Step, body: Mapping[str, Any]) -> Entry:
        prev = self._rows[-1].hash if self._rows else _GENESIS
        return Entry(len(self._rows) + 1, prev, timestamp(), step, body)

    def _catch_up(self) -> None:
        try:
            query = "SELECT seq, hash, content FROM entry WHERE seq > ? ORDER BY seq"
            with closing(self._db.execute(query, (len(self._rows),))) as found:
                rows = found.fetchall()
        except sqlite3.Error as error:
            raise Refused(f"{self._name} cannot be read: {type(error).__name__}") from None
        for seq, digest, content in rows:
            self._rows.append(self._linked(seq, digest, content))

    def _linked(self, seq: int, digest: str, content: str) -> Entry:
        place = f"{self._name}, row {len(self._rows) + 1}"
        try:
            fields = json.loads(content)
            step = Step(fields["step"])
            entry = Entry(fields["seq"], fields["prev"], fields["ts"], step, fields["body"])
        except (ValueError, KeyError, TypeError):
            raise Unverified(f"{place}: not a row of the ledger") from None
        prev = self._rows[-1].hash if self._rows else _GENESIS
        is_next = seq == entry.seq == len(self._rows) + 1 and entry.prev == prev
        if not is_next or entry.hash != digest or entry.content().decode() != content:
            raise Unverified(f"{place}: the chain is broken here")
        return entry
