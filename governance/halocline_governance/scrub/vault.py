"""Sealed values, one sqlite file for each compartment, and no way to them but by a token.

Laws (tests/governance/test_scrub_vault.py): a token leaves only when its row is on disk; a row that
was forgotten, or whose key was destroyed, is opened by nobody. Who may open is not decided here but
in `reveal`, which alone calls `opened`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from halocline_governance import durable
from halocline_governance.errors import StorageUnavailable
from halocline_governance.scrub.ring import Ring, check_compartment
from halocline_governance.scrub.sealed import Sealed, Sealer, Token

_SCHEMA = """
CREATE TABLE sealed (
    id BLOB PRIMARY KEY, key INTEGER NOT NULL, kind TEXT NOT NULL, same BLOB NOT NULL,
    ciphertext BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX sealed_same ON sealed (same);
"""
_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Vault:
    """The vault of an installation; holds nothing open, so that it travels to workers.

    Args:
        folder: of the files, made when it is needed.
        ring: its keys, which lie elsewhere.
    """

    folder: Path
    ring: Ring

    def sealing(self, compartment: str) -> Sealing:
        """For the values of one call.

        Raises:
            Refused: a compartment that can have no vault.
        """
        return Sealing(self, compartment)

    def opened(self, token: Token) -> str | None:
        """The value behind a token; None when there is none, whyever.

        Raises:
            StorageUnavailable: the vault cannot be read.
        """
        key = self.ring.key(token.number)
        if key is None:
            return None
        sealer = Sealer(key)
        with self._connected(key.compartment, make=False) as vault:
            if vault is None:
                return None
            query = "SELECT ciphertext FROM sealed WHERE id = ?"
            row = vault.execute(query, (sealer.id(token),)).fetchone()
        return sealer.open(token, row[0]) if row else None

    def forget(self, compartment: str, value: str) -> int:
        """Remove what is sealed of a value, however it is spelt; how many tokens that closed.

        Raises:
            StorageUnavailable: it may still be there: do it again.
        """
        check_compartment(compartment)
        keys = self.ring.live(compartment)
        with self._connected(compartment, make=False) as vault:
            if vault is None:
                return 0
            kinds = [kind for (kind,) in vault.execute("SELECT DISTINCT kind FROM sealed")]
            same = [(Sealer(key).same(kind, value),) for key in keys for kind in kinds]
            with vault:
                return vault.executemany("DELETE FROM sealed WHERE same = ?", same).rowcount

    def destroy(self, compartment: str) -> list[int]:
        """Destroy a compartment's keys, then the rows that nobody can open any more.

        Raises:
            StorageUnavailable: keys may be destroyed already: do it again.
        """
        numbers = self.ring.destroy(compartment)
        live = [key.number for key in self.ring.live(compartment)]
        with self._connected(compartment, make=False) as vault:
            if vault is not None:
                marks = ", ".join("?" * len(live))
                with vault:
                    vault.execute(f"DELETE FROM sealed WHERE key NOT IN ({marks})", live)
        return numbers

    def count(self, compartment: str) -> int:
        """How many values are sealed there."""
        with self._connected(compartment, make=False) as vault:
            return (
                0 if vault is None else vault.execute("SELECT count(*) FROM sealed").fetchone()[0]
            )

    def keep(self, compartment: str, rows: Iterable[Sealed]) -> None:
        """Have these rows on disk; those that are there stay as they are.

        Raises:
            StorageUnavailable: none of them may be relied on.
        """
        cells = [(row.id, row.key, row.kind, row.same, row.ciphertext) for row in rows]
        with self._connected(compartment, make=True) as vault:
            if vault is not None:
                with vault:
                    vault.executemany("INSERT OR IGNORE INTO sealed VALUES (?, ?, ?, ?, ?)", cells)

    @contextmanager
    def _connected(self, compartment: str, *, make: bool) -> Generator[sqlite3.Connection | None]:
        """A connection; None when there is no file and none is to be made."""
        path = self.folder / f"{compartment}.sqlite"
        try:
            if make:
                _make(path)
            elif not path.exists():
                yield None
                return
            address = f"{path.absolute().as_uri()}?mode=rw"
            with closing(
                # Immediate: who writes waits for its turn before it reads, and so never in vain.
                sqlite3.connect(address, _WAIT_S, isolation_level="IMMEDIATE", uri=True)
            ) as connection:
                # A commit that was told must outlive a power cut; what is deleted is overwritten.
                connection.executescript("PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;")
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StorageUnavailable(
                f"the vault of {compartment} cannot be used ({type(error).__name__})"
            ) from None


class Sealing:
    """What one call seals. Its tokens may be passed on after `commit` only."""

    def __init__(self, vault: Vault, compartment: str) -> None:
        self._vault = vault
        self._key = vault.ring.current(compartment)
        self._sealer = Sealer(self._key)
        self._rows: dict[bytes, Sealed] = {}

    def token(self, kind: str, value: str) -> str:
        """The token that stands for a value."""
        token, row = self._sealer.seal(kind, value)
        self._rows[row.id] = row
        return str(token)

    def commit(self) -> None:
        """
        Raises:
            StorageUnavailable: the values are not kept, or the key was destroyed meanwhile: scrub
                again.
        """
        if self._rows:
            self._vault.keep(self._key.compartment, self._rows.values())
        if self._vault.ring.key(self._key.number) != self._key:
            raise StorageUnavailable("the vault's key was destroyed meanwhile: scrub it again")
        self._rows.clear()


def _make(path: Path) -> None:
    """An empty vault, whole or not there, the owner's alone; so is what sqlite lays beside it.

    One that is there is not even opened: closing a file ends all locks of this process on it.
    """
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(_SCHEMA)
        durable.create(path, empty.serialize())
