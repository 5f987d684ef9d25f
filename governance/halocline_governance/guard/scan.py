"""One grant's rows as Arrow batches: filter on the scan, then the columns' types, then masks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.guard import transform
from halocline_governance.guard.snapshot import legible

if TYPE_CHECKING:
    import pyarrow as pa

    from halocline_governance.lake import Location

BATCH_ROWS = 8192
# How many parts are read while another is handed over.
_PARTS_AHEAD = 1


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
        with legible(self.location):
            for batch in self._read():
                if batch.num_rows:
                    yield self._shown(batch)

    def _read(self) -> Iterator[pa.RecordBatch]:
        """Part after part. One scan of them all would bound nothing: while its reader is slow, it
        queues a GiB and more."""
        import pyarrow as pa
        import pyarrow.compute as pc

        readable = pc.field("label_id").isin(pa.array(self.label_ids, pa.string()))
        rows = readable if self.asked is None else readable & self.asked
        begun: deque[Iterator[pa.RecordBatch]] = deque()
        for part in self._parts(rows):
            # Reading begins here, on Arrow's own threads.
            scanner = part.scanner(
                schema=self.dataset.schema,
                columns=list(self.schema.names),
                filter=rows,
                batch_size=BATCH_ROWS,
            )
            begun.append(scanner.to_batches())
            if len(begun) > _PARTS_AHEAD:
                yield from begun.popleft()
        while begun:
            yield from begun.popleft()

    def _parts(self, rows: Any) -> Iterator[Any]:
        """The row groups that may hold such rows, in order."""
        for file in self.dataset.get_fragments(filter=rows):
            yield from file.split_by_row_group(filter=rows, schema=self.dataset.schema)

    def _shown(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        if not self.transforms and batch.schema.equals(self.schema, check_metadata=True):
            return batch
        columns = [self._column(*pair) for pair in zip(self.schema, batch.columns, strict=True)]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _column(self, field: pa.Field, plain: pa.Array) -> pa.Array:
        if field.name in self.transforms:
            key = self.keys.get(field.name, b"")
            return transform.mask(plain, self.transforms[field.name], key)
        return plain if plain.type == field.type else plain.cast(field.type)


def evenly(batches: Iterable[pa.RecordBatch], limit: int | None) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of BATCH_ROWS, the last one shorter: how hidden rows lie between
    the ones handed over cannot be told from where a batch ends."""
    import pyarrow as pa

    left = limit
    pending: list[pa.RecordBatch] = []
    count = 0
    if left == 0:
        return
    for batch in batches:
        rest = batch if left is None or batch.num_rows <= left else batch.slice(0, left)
        left = None if left is None else left - rest.num_rows
        while count + rest.num_rows >= BATCH_ROWS:
            pending.append(rest.slice(0, BATCH_ROWS - count))
            rest = rest.slice(BATCH_ROWS - count)
            yield pa.concat_batches(pending)
            pending, count = [], 0
        if rest.num_rows:
            pending.append(rest)
            count += rest.num_rows
        if left == 0:
            break
    if count:
        yield pa.concat_batches(pending)
