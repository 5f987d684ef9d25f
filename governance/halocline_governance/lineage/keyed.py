"""Rows that are written to a Delta table once per key, whoever repeats them.

Keys are read inside the table's lease, so that concurrent writers agree; only files that may hold
such rows, by the statistics in the table's log, are opened. Knows no table's meaning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from halocline_governance import tables
from halocline_governance.errors import LeaseHeld, Refused
from halocline_governance.lake import Lake, Location, commit
from halocline_governance.lineage.commits import File, History

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

_RETRY_S, _MAX_RETRY_S = 0.02, 0.5
WAIT_S = 30.0
# Every writer of keyed tables has this transaction id: none commits on rows it did not see.
_WRITER = "keyed"

# Of a text, how much is compared with a file's statistics, which may be cut after 64 bytes.
_CUT = 16

Row = Mapping[str, Any]
# Rows that have one of these values in each of these columns; None of them is null.
Where = Mapping[str, Collection[Any]]
Read = Callable[[Where], list[Row]]


def _nothing(_read: Read, _new: Sequence[Row]) -> None:
    """The law of a table that has none."""


@dataclass(frozen=True, slots=True)
class Law:
    """`free` columns may differ in a repeated row, the first writing stands; `check` raises when
    the new rows contradict those that are there, of which it reads what it needs."""

    free: tuple[str, ...] = ("ts",)
    check: Callable[[Read, Sequence[Row]], None] = _nothing


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


def rows(
    lake: Lake, compartment: str, table: str, version: int | None = None, where: Where | None = None
) -> list[Row]:
    """Every row of a table, or those that `where` asks for; none when it does not exist yet."""
    if not lake.exists(compartment, table):
        return []
    place = lake.location(compartment, table)
    with place.reached():
        delta = place.delta(version)
    return _rows(place, delta, where or {})


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

    def read(where: Where) -> list[Row]:
        return [] if seen is None else _rows(place, seen, where)

    kept.check(read, new)
    present = {_key(row, key): row for row in read(having(new, key))}
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
    if seen is None or not _rows(place, seen, having(new, key)):
        commit.append(place, seen, data, _WRITER, _next(seen))
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


def having(new: Sequence[Row], names: Sequence[str]) -> dict[str, set[Any]]:
    """Rows that may agree with one of these in all of these columns."""
    values = {name: {row[name] for row in new} for name in names}
    return {name: of for name, of in values.items() if None not in of}


def _rows(place: Location, table: DeltaTable, where: Where) -> list[Row]:
    with place.reached():
        if not where:
            return table.to_pyarrow_table().to_pylist()
        history = History(place)
        found = [row for file in _files(table, where) for row in history.rows(file).to_pylist()]
    return [row for row in found if all(row[name] in of for name, of in where.items())]


def _files(table: DeltaTable, where: Where) -> list[File]:
    """The files that may hold such rows."""
    import pyarrow as pa

    held = pa.table(table.get_add_actions(flatten=True))
    may: Any = pa.array([True] * held.num_rows, pa.bool_())
    for name, values in where.items():
        if {f"min.{name}", f"max.{name}", f"null_count.{name}"} <= set(held.column_names):
            may = _and(may, _may_hold(held, name, values))
    paths: list[str] = held.filter(may)["path"].to_pylist()
    return [File(unquote(path)) for path in paths]


def _may_hold(held: pa.Table, name: str, values: Collection[Any]) -> Any:
    """Which files may hold one of these values: what has no statistics may, unless all is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    low, high = held[f"min.{name}"], held[f"max.{name}"]
    if is_text := pa.types.is_string(low.type) or pa.types.is_large_string(low.type):
        low, high = (pc.utf8_slice_codeunits(end, 0, _CUT) for end in (low, high))
    may: Any = pc.is_null(pc.add(held["num_records"], held[f"null_count.{name}"]))
    untold = pc.and_(pc.is_null(low), pc.not_equal(held["num_records"], held[f"null_count.{name}"]))
    may = pc.or_(may, pc.fill_null(untold, True))
    for value in values:
        sought = pa.scalar(value[:_CUT] if is_text else value, low.type)
        within = pc.and_(pc.less_equal(low, sought), pc.greater_equal(high, sought))
        may = pc.or_(may, pc.fill_null(within, False))
    return may


def _and(one: Any, other: Any) -> Any:
    import pyarrow.compute as pc

    return pc.and_(one, other)


def _next(table: DeltaTable | None) -> int:
    return 0 if table is None else table.version() + 1


def _arrow(table: str, new: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(new), schema=tables.table(table).arrow())


def _key(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _differences(known: Row, row: Row, free: Sequence[str]) -> list[str]:
    return sorted(name for name in row if name not in free and row[name] != known[name])
