"""Which rows an order names, wherever they lie: ids only and past the guard, as a writer sees them.

A raw row's id stays with what is made from it, so from the rows that name a subject or a source all
others are found. Raw rows are looked for first and removed last: as long as something is left, it
can be found again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from halocline_governance.erasure.order import What
from halocline_governance.errors import StorageUnavailable
from halocline_governance.lake import Lake

if TYPE_CHECKING:
    import pyarrow as pa

RAW, CURATED = "raw.documents", "curated.documents"
SIGNALS, DECISIONS = "curation.signals", "curation.decisions"
PACKED, OUTPUTS = "training.packed", "serving.outputs"
# In the order in which they are removed from.
TABLES = (PACKED, SIGNALS, DECISIONS, CURATED, RAW, OUTPUTS)


class Unreadable(StorageUnavailable):
    """A table is there and cannot be read. Its text names the table alone, for whoever is not
    cleared for the compartment.

    Args:
        compartment: where it lies.
        table: its logical name.
    """

    def __init__(self, compartment: str, table: str, *, named: bool = False) -> None:
        where = f"{compartment}:{table}" if named else f"a table {table}"
        super().__init__(
            f"{where} is there and cannot be read: put back what is missing of its files or of its"
            " _delta_log, then try again"
        )
        self.compartment, self.table = compartment, table


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of one table: those with one of these ids in this column.

    Args:
        compartment: where the table lies.
        table: its logical name.
        column: `row_uid`, or in `curation.decisions` `kept_uid`.
        ids: of the rows that are there.
        num_rows: how many rows that is.
        label_ids: of all of them.
    """

    compartment: str
    table: str
    column: str
    ids: frozenset[int] = field(repr=False)
    num_rows: int
    label_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What an order names, as the tables are now.

    Args:
        selections: in the order in which they are to be removed.
        documents: by compartment, the ids of the documents.
        names: those of the order that something has.
    """

    selections: tuple[Selection, ...]
    documents: Mapping[str, frozenset[int]] = field(repr=False)
    names: frozenset[str] = frozenset()

    @property
    def places(self) -> set[tuple[str, str]]:
        """Compartment and table of each."""
        return {(one.compartment, one.table) for one in self.selections}

    def counts(self) -> list[dict[str, Any]]:
        """Rows by compartment and table."""
        sums: dict[tuple[str, str], int] = {}
        for one in self.selections:
            at = (one.compartment, one.table)
            sums[at] = sums.get(at, 0) + one.num_rows
        return [
            {"compartment": compartment, "table": table, "rows": rows}
            for (compartment, table), rows in sorted(sums.items())
        ]


def find(lake: Lake, what: What, names: Sequence[str]) -> Found:
    """Look through every compartment for what has these names.

    Raises:
        Unreadable: a table's log or files are damaged, or files are missing.
        StorageUnavailable: a bucket did not answer.
    """
    if what is What.OUTPUT:
        return _outputs(lake, names)
    column = "subject_keys" if what is What.SUBJECT else "source"
    named, there = dict[str, set[int]](), set[str]()
    for table in (RAW, CURATED, *((DECISIONS,) if column == "source" else ())):
        for compartment in lake.holding(table):
            for batch in _batches(lake, compartment, table, ["row_uid", column]):
                hit = _naming(batch, column, names)
                named.setdefault(compartment, set()).update(hit["row_uid"].to_pylist())
                there |= _values(hit[column]) & set(names)
    documents = {name: frozenset(ids) for name, ids in named.items() if ids}
    found = sorted(
        (one for one in _made_from(lake, documents) if one.num_rows),
        key=lambda one: (TABLES.index(one.table), one.compartment, one.column),
    )
    return Found(tuple(found), documents, frozenset(there))


def _made_from(lake: Lake, documents: Mapping[str, frozenset[int]]) -> Iterator[Selection]:
    everything = frozenset(uid for ids in documents.values() for uid in ids)
    if everything:
        for compartment in lake.holding(PACKED):
            yield _packed(lake, compartment, everything)
    for compartment, ids in documents.items():
        for table in (SIGNALS, DECISIONS, CURATED, RAW):
            if lake.exists(compartment, table):
                yield _select(lake, (compartment, table), "row_uid", ids)
        if lake.exists(compartment, DECISIONS):
            # Another document that was dropped as a duplicate of this one names it.
            yield _select(lake, (compartment, DECISIONS), "kept_uid", ids)


def _select(lake: Lake, at: tuple[str, str], column: str, ids: Iterable[int]) -> Selection:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = list(dict.fromkeys(("row_uid", "label_id", column)))
    wanted: Any = pa.array(sorted(ids), pa.int64())
    there, labels, num_rows = set[int](), set[str](), 0
    for batch in _batches(lake, *at, columns):
        hit: Any = pc.is_in(batch[column], value_set=wanted)
        if column != "row_uid":  # what has such an id itself is selected by that
            hit = pc.and_(hit, pc.invert(pc.is_in(batch["row_uid"], value_set=wanted)))
        found = batch.filter(hit)
        num_rows += found.num_rows
        there.update(found[column].to_pylist())
        labels |= _values(found["label_id"])
    return Selection(*at, column, frozenset(there), num_rows, frozenset(labels))


def _packed(lake: Lake, compartment: str, ids: frozenset[int]) -> Selection:
    """Whole sequences that hold a token of one of these documents."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted: Any = pa.array(sorted(ids), pa.int64())
    there, labels = set[int](), set[str]()
    for batch in _batches(lake, compartment, PACKED, ["row_uid", "label_id", "row_uids"]):
        lists: Any = batch["row_uids"]
        hit: Any = pc.is_in(pc.list_flatten(lists), value_set=wanted)
        rows: Any = pc.unique(pc.filter(pc.list_parent_indices(lists), hit))
        there.update(batch["row_uid"].take(rows).to_pylist())
        labels |= _values(batch["label_id"].take(rows))
    num_rows, ids = len(there), frozenset(there)
    return Selection(compartment, PACKED, "row_uid", ids, num_rows, frozenset(labels))


def _outputs(lake: Lake, request_ids: Collection[str]) -> Found:
    chosen, named = list[Selection](), set[str]()
    for compartment in lake.holding(OUTPUTS):
        there, labels = set[int](), set[str]()
        for batch in _batches(lake, compartment, OUTPUTS, ["row_uid", "label_id", "request_id"]):
            hit = _naming(batch, "request_id", request_ids)
            there.update(hit["row_uid"].to_pylist())
            labels |= _values(hit["label_id"])
            named |= _values(hit["request_id"])
        if there:
            ids, known = frozenset(there), frozenset(labels)
            chosen.append(Selection(compartment, OUTPUTS, "row_uid", ids, len(ids), known))
    return Found(tuple(chosen), {}, frozenset(named))


def _values(column: Any) -> set[str]:
    """What stands in a column of texts, or of lists of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    flat: Any = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return set(pc.unique(flat).to_pylist()) - {None}


def _naming(batch: pa.RecordBatch, column: str, names: Iterable[str]) -> Any:
    """The rows of a batch that name one of these in a column of texts, or of lists of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    held, wanted = batch[column], pa.array(sorted(names), pa.string())
    if not pa.types.is_list(held.type):
        return batch.filter(pc.is_in(held, value_set=wanted))
    hit: Any = pc.is_in(pc.list_flatten(held), value_set=wanted)
    rows: Any = pc.unique(pc.filter(pc.list_parent_indices(held), hit))
    return batch.take(rows)


def _batches(lake: Lake, compartment: str, table: str, columns: list[str]) -> Iterator[Any]:
    import pyarrow as pa
    from deltalake.exceptions import DeltaError

    place = lake.location(compartment, table)
    try:
        with place.reached():
            yield from place.delta().to_pyarrow_dataset().to_batches(columns=columns)
    except (OSError, DeltaError, pa.ArrowException):
        # What they say may quote a path, or bytes of a file.
        raise Unreadable(compartment, table) from None
