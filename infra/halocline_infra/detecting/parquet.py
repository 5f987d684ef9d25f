"""Rows of a Parquet file as batches, without a copy of their text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from halocline_governance.errors import Refused
from halocline_infra.detecting.batches import Batch, Pace, Size
from halocline_infra.detecting.record import Id

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(path: Path, text_column: str, id_column: str, pace: Pace) -> Iterator[Batch]:
    """All rows, so much at a time.

    Raises:
        Refused: no such column, or one that holds no text.
        ArrowInvalid: no Parquet file, or a damaged one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        if text_column not in schema.names:
            known = ", ".join(schema.names)
            raise Refused(f"{path}: no column {text_column}; give --text-column, one of {known}")
        kind = schema.field(text_column).type
        if not any(is_text(kind) for is_text in _texts(pa)):
            raise Refused(f"{path}: column {text_column} holds {kind}, no text")
        columns = [text_column, *({id_column} & set(schema.names) - {text_column})]
        place = 0
        count = _rows_at_a_time(file.metadata, text_column, pace.most)
        for rows in file.iter_batches(count, columns=columns):
            for part in _cut(rows, text_column, pace):
                yield from pace.asked(_batch(path, part, text_column, id_column, place))
                place += part.num_rows


def _texts(pa: Any) -> tuple[Any, ...]:
    types = pa.types
    return (
        types.is_string, types.is_large_string, types.is_binary, types.is_large_binary,
        types.is_string_view, types.is_dictionary,
    )  # fmt: skip


def _rows_at_a_time(metadata: Any, column: str, size: Size) -> int:
    at = metadata.schema.names.index(column) if column in metadata.schema.names else 0
    held = sum(
        metadata.row_group(group).column(at).total_uncompressed_size
        for group in range(metadata.num_row_groups)
    )
    return max(1, min(size.num_rows, metadata.num_rows * size.num_bytes // max(1, held)))


def _cut(rows: pa.RecordBatch, column: str, pace: Pace) -> Iterator[pa.RecordBatch]:
    """Parts as big as the pace has them, or of one row."""
    import pyarrow.compute as pc

    sizes = cast("Any", pc).binary_length(rows[column].cast("large_binary")).to_pylist()
    first = size = 0
    for row, length in enumerate(sizes):
        most = pace.now
        if row > first and (size + (length or 0) > most.num_bytes or row - first >= most.num_rows):
            yield rows.slice(first, row - first)
            first, size = row, 0
        size += length or 0
    if first < rows.num_rows:
        yield rows.slice(first)


def _batch(path: Path, rows: pa.RecordBatch, text: str, ident: str, before: int) -> Batch:
    from halocline_governance.detect.batch import Texts

    ids: list[Id] = [None] * rows.num_rows
    if ident in rows.schema.names:
        ids = [value if type(value) in (str, int) else None for value in rows[ident].to_pylist()]
    places = range(before + 1, before + rows.num_rows + 1)
    return Batch(str(path), ids, places, Texts.of_arrow(rows[text]))
