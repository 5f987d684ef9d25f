"""One grant's rows as Arrow batches: filter on the scan, then the columns' types, then masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.guard import transform

if TYPE_CHECKING:
    import pyarrow as pa

    from halocline_governance.location import Location

BATCH_ROWS = 8192
# How much the scanner may read ahead of the reader: bounds memory, whatever the table's size.
_FRAGMENTS_AHEAD = 2
_BATCHES_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Scan:
    """Rows of one table version: those with a granted label, and of these the asked-for ones."""

    location: Location
    dataset: Any
    label_ids: tuple[str, ...]
    asked: Any
    schema: pa.Schema
    transforms: Mapping[str, str]
    keys: Mapping[str, bytes]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, of whatever batch sizes the files give."""
        import pyarrow as pa
        import pyarrow.compute as pc

        readable = pc.field("label_id").isin(pa.array(self.label_ids, pa.string()))
        scanner = self.dataset.scanner(
            columns=list(self.schema.names),
            filter=readable if self.asked is None else readable & self.asked,
            batch_size=BATCH_ROWS,
            batch_readahead=_BATCHES_AHEAD,
            fragment_readahead=_FRAGMENTS_AHEAD,
        )
        with self.location.reached():
            for batch in scanner.to_batches():
                if batch.num_rows:
                    yield self._shown(batch)

    def _shown(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        columns = [
            transform.mask(column, self.transforms[field.name], self.keys.get(field.name, b""))
            if field.name in self.transforms
            else column.cast(field.type)
            for field, column in zip(self.schema, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def evenly(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, limit: int | None
) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of BATCH_ROWS, the last one shorter: how hidden rows lie between
    the ones handed over cannot be told from where a batch ends."""
    import pyarrow as pa

    left = limit
    pending: list[pa.RecordBatch] = []
    count = 0
    if left == 0:
        return
    for batch in batches:
        part = batch if left is None or batch.num_rows <= left else batch.slice(0, left)
        left = None if left is None else left - part.num_rows
        pending.append(part)
        count += part.num_rows
        while count >= BATCH_ROWS:
            whole = pa.Table.from_batches(pending, schema)
            yield from whole.slice(0, BATCH_ROWS).combine_chunks().to_batches()
            pending = whole.slice(BATCH_ROWS).to_batches()
            count -= BATCH_ROWS
        if left == 0:
            break
    if count:
        yield from pa.Table.from_batches(pending, schema).combine_chunks().to_batches()
