"""One process's output rows of one compartment, from durable in a spool to counted in the table.

A spool holds two kinds of entries: `admitted` when an answer may begin, `done` when its record is
complete. Only `done` entries that the journal knows of become rows. Law: rows go to the table in
the spool's order, so the table's transaction number says exactly which are there.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from halocline_governance.erasure.spools import RENEW
from halocline_governance.errors import LeaseHeld
from halocline_governance.journal import Spool
from halocline_governance.lake import Lake, commit
from halocline_governance.records import uuid7
from halocline_governance.tables import table

OUTPUTS = "serving.outputs"
_PREFIX = "outputs-"
_ARROW: Any = pa  # it has no types


class Lane:
    """A spool and what of it is still to be moved.

    `num_open` counts calls that have it and are not finished; whoever keeps several lanes counts.

    Args:
        retiring: takes no new call; removed when its calls have ended and its rows are moved.
    """

    def __init__(self, lake: Lake, compartment: str, folder: Path, retiring: bool = False) -> None:
        self.compartment = compartment
        self.retiring = retiring
        self.app_id = f"{OUTPUTS}/{folder.name}"
        self._lake = lake
        self._spool = Spool(folder)
        self._lock = threading.Lock()
        self._committed: dict[int, Mapping[str, Any] | None] = {}
        self._next = 1
        self._mark = _mark(folder)
        self.num_open = 0

    def admit(self, record: Mapping[str, Any]) -> None:
        """Make the beginning of an answer durable."""
        self._commit(self._spool.append({"state": "admitted", "record": dict(record)}), None)

    def finish(self, record: Mapping[str, Any]) -> int:
        """Make a complete record durable; `commit` it once the journal has it too."""
        return self._spool.append({"state": "done", "record": dict(record)})

    def commit(self, number: int, record: Mapping[str, Any]) -> None:
        """From now on the record may go to the table."""
        self._commit(number, record)

    def entries(self) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Every durable entry: its number, state and record."""
        for number, entry in self._spool.rows():
            yield number, entry["state"], entry["record"]

    def skip(self, number: int) -> None:
        """An entry that needs no row: it is there, or is not complete."""
        self._commit(number, None)

    @property
    def num_moved(self) -> int:
        """Entries that are done with."""
        with self._lock:
            return self._next - 1

    @property
    def num_pending(self) -> int:
        """Committed rows that are not in the table yet."""
        with self._lock:
            return sum(row is not None for row in self._committed.values())

    @property
    def is_over(self) -> bool:
        """Whether somebody asked, since it was opened, that spools be emptied and removed: what
        is to be erased from the table must not stay in them."""
        return _mark(self._spool.folder) != self._mark

    def moved(self) -> int:
        """How many entries of this spool the table accounts for."""
        return self._moved(commit.seen(self._lake.location(self.compartment, OUTPUTS)))

    def move(self) -> int:
        """Append what is ready to the table, exactly once; returns how many rows.

        Raises:
            LeaseHeld: another process writes the table now; nothing was moved.
        """
        ready = self._ready()
        rows = [row for _, row in ready if row is not None]
        if rows:
            last = ready[-1][0]
            with self._lake.lease(self.compartment, OUTPUTS) as place:
                seen = commit.seen(place)
                done = self._moved(seen)
                rows = [row for number, row in ready if row is not None and number > done]
                if rows:
                    commit.append(place, seen, _arrow(rows), self.app_id, last)
        with self._lock:
            for number, _ in ready:
                del self._committed[number]
            self._next += len(ready)
        return len(rows)

    def close(self) -> None:
        """Idempotent. A spool that the table fully accounts for is removed once both are synced."""
        self._spool.close()
        if self._is_spent():
            os.sync()
            shutil.rmtree(self._spool.folder, ignore_errors=True)

    def _is_spent(self) -> bool:
        """Whether every entry was moved and every admitted answer has its record."""
        last, states = 0, dict[str, str]()
        for number, state, record in self.entries():
            last, states[record["request_id"]] = number, state
        return last < self._next and "admitted" not in states.values()

    def _moved(self, table: DeltaTable | None) -> int:
        return 0 if table is None else table.transaction_version(self.app_id) or 0

    def _commit(self, number: int, row: Mapping[str, Any] | None) -> None:
        with self._lock:
            self._committed[number] = row

    def _ready(self) -> list[tuple[int, Mapping[str, Any] | None]]:
        """The longest run of committed entries from the first that was not moved."""
        with self._lock:
            number = self._next
            while number in self._committed:
                number += 1
            return [(at, self._committed[at]) for at in range(self._next, number)]


def open_lane(lake: Lake, compartment: str) -> Lane:
    """A new spool of this process."""
    return Lane(lake, compartment, lake.work(compartment, "spool") / f"{_PREFIX}{uuid7()}")


def orphans(lake: Lake) -> Iterator[Lane]:
    """The spools of processes that are gone, each now ours."""
    for compartment in lake.compartments():
        for folder in sorted(lake.work(compartment, "spool").glob(f"{_PREFIX}*")):
            try:
                yield Lane(lake, compartment, folder, retiring=True)
            except LeaseHeld:
                continue  # its process runs


def _mark(folder: Path) -> bytes:
    """What stands beside the spools of a compartment: see `halocline_governance.erasure.spools`."""
    try:
        return (folder.parent / RENEW).read_bytes()
    except FileNotFoundError:
        return b""


def _arrow(rows: list[Mapping[str, Any]]) -> Any:
    schema: Any = table(OUTPUTS).arrow()  # pyright: ignore[reportUnknownMemberType]
    return _ARROW.Table.from_pylist(rows, schema=schema)
