"""Rows that are written to a Delta table once per key, whoever repeats them.

Keys are read inside the table's lease, so that concurrent writers agree. Knows no table's meaning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.errors import LeaseHeld, Refused
from halocline_governance.lake import Lake, Location, commit

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

_RETRY_S, _MAX_RETRY_S = 0.02, 0.5
WAIT_S = 30.0
# Every writer of keyed tables has this transaction id: none commits on rows it did not see.
_WRITER = "keyed"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Law:
    """`free` columns may differ in a repeated row, the first writing stands; `check` raises when
    the new rows contradict those that are there."""

    free: tuple[str, ...] = ("ts",)
    check: Callable[[Sequence[Row], Sequence[Row]], None] = lambda _there, _new: None


@contextmanager
def lease(lake: Lake, compartment: str, table: str, wait_s: float = WAIT_S) -> Generator[Location]:
    """The table's lease, waited for: these writes are short.

    Raises:
        LeaseHeld: somebody held it for all of `wait_s`.
    """
    deadline, pause_s = time.monotonic() + wait_s, _RETRY_S
    while True:
        claim = lake.lease(compartment, table)
        try:
            place = claim.__enter__()
        except LeaseHeld:
            if time.monotonic() >= deadline:
                raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _MAX_RETRY_S)
            continue
        try:
            yield place
        finally:
            claim.__exit__(None, None, None)
        return


def rows(lake: Lake, compartment: str, table: str, version: int | None = None) -> list[Row]:
    """Every row of a table that is small; none when the table does not exist yet."""
    if not lake.exists(compartment, table):
        return []
    place = lake.location(compartment, table)
    with place.reached():
        return place.delta(version).to_pyarrow_table().to_pylist()


def add(
    lake: Lake,
    compartment: str,
    table: str,
    new: Sequence[Row],
    key: Sequence[str],
    law: Law | None = None,
) -> list[Row]:
    """Append the rows whose key is not there yet, in one commit; the caller holds the lease.

    Args:
        key: the columns that make a row the same row.
        law: what else holds between the rows that are there and these.

    Returns:
        The rows that were not there.

    Raises:
        Refused: a row with this key is there and says something else, or the law is broken.
        LeaseHeld: the lease was lost, and another wrote since the table was read.
    """
    kept = law or Law()
    place = lake.location(compartment, table)
    seen = commit.seen(place)
    there = [] if seen is None else _rows(place, seen)
    kept.check(there, new)
    present = {_key(row, key): row for row in there}
    missing: list[Row] = []
    for row in new:
        known = present.setdefault(_key(row, key), row)
        if known is row:
            missing.append(row)
        elif changed := _differences(known, row, kept.free):
            what = ", ".join(f"{name}={row[name]}" for name in key)
            raise Refused(f"{table}: {what} is on record with another {', '.join(changed)}")
    if missing:
        commit.append(place, seen, _arrow(table, missing), _WRITER, _next(seen))
    return missing


def put(lake: Lake, compartment: str, table: str, new: Sequence[Row], key: Sequence[str]) -> None:
    """Replace the rows of these keys, or append them, in one commit; the caller holds the lease."""
    place = lake.location(compartment, table)
    seen, data = commit.seen(place), _arrow(table, new)
    if seen is None:
        commit.append(place, None, data, _WRITER, 0)
        return
    with commit.fenced(place):
        merging = seen.merge(
            data,
            " AND ".join(f"target.{name} = source.{name}" for name in key),
            source_alias="source",
            target_alias="target",
            commit_properties=commit.transaction(_WRITER, _next(seen)),
        )
        merging.when_matched_update_all().when_not_matched_insert_all().execute()


def _rows(place: Location, table: DeltaTable) -> list[Row]:
    with place.reached():
        return table.to_pyarrow_table().to_pylist()


def _next(table: DeltaTable | None) -> int:
    return 0 if table is None else table.version() + 1


def _arrow(table: str, new: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(new), schema=tables.table(table).arrow())


def _key(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _differences(known: Row, row: Row, free: Sequence[str]) -> list[str]:
    return sorted(name for name in row if name not in free and row[name] != known[name])
