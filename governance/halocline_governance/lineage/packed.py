"""The rows of one data file as the index keeps them: parts of equal facts, their ids packed.

A part of documents is in the order of ids, one of outputs in the order of time. Needs pyarrow, not
numpy.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from halocline_governance.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa

# Facts that all rows of a part share, and the columns they are read from.
FACTS = ("label", "source", "licence", "model", "weights", "endpoint", "outcome")
_COLUMNS = {
    "label": "label_id",
    "source": "source",
    "licence": "licence",
    "model": "model",
    "weights": "weights_sha256",
    "endpoint": "endpoint",
    "outcome": "outcome",
}
_OTHERS = ("row_uid", "subject_keys")
_OF_OUTPUTS = ("model", "model_version", "weights_sha256", "endpoint", "outcome", "ts")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one file that share `facts`."""

    facts: Mapping[str, Any]
    uids: array[int]
    times: array[int] = field(default_factory=lambda: array("q"))
    names: bytes = b""
    subjects: tuple[tuple[str, int], ...] = ()

    @property
    def first_us(self) -> int | None:
        return self.times[0] if self.times else None

    @property
    def last_us(self) -> int | None:
        return self.times[-1] if self.times else None


def wanted(table: Table) -> tuple[str, ...]:
    """The columns of a governed table that its index is made of; an output's `request_id` too."""
    known = {*_OTHERS, "label_id", "source", "licence"}
    if is_outputs(table.column_names):
        known |= {*_OF_OUTPUTS, "request_id"}
    return tuple(name for name in table.column_names if name in known)


def is_outputs(names: tuple[str, ...] | list[str]) -> bool:
    return {*_OF_OUTPUTS, "request_id"} <= set(names)


def parts(rows: pa.Table) -> list[Part]:
    """The rows in parts. Raises KeyError or an Arrow error for what is not a governed table's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not rows.num_rows:
        return []
    outputs = is_outputs(rows.column_names)
    order = ["row_uid"]
    if outputs:
        model = pc.binary_join_element_wise(
            rows["model"], pc.cast(rows["model_version"], pa.string()), "/"
        )
        stamps = pc.cast(pc.cast(rows["ts"], pa.timestamp("us", "UTC")), pa.int64())
        rows = rows.drop_columns(["model", "model_version", "ts"])
        rows = rows.append_column("model", model).append_column("_us", stamps)
        order = ["_us", "row_uid"]
    keys = {fact: name for fact, name in _COLUMNS.items() if name in rows.column_names}
    return [
        _part(group, {fact: group[name][0].as_py() for fact, name in keys.items()}, outputs)
        for group in _groups(rows, list(keys.values()), order)
    ]


def longs(column: pa.ChunkedArray) -> array[int]:
    """A column of whole numbers, as eight bytes each."""
    import pyarrow as pa

    packed = array("q")
    for chunk in column.cast(pa.int64()).chunks:
        if chunk.null_count:
            raise pa.ArrowInvalid("a row without an id or a time")
        buffer: Any = chunk.buffers()[1]
        packed.frombytes(memoryview(buffer)[8 * chunk.offset : 8 * (chunk.offset + len(chunk))])
    return packed


def unpacked(blob: bytes | None) -> array[int]:
    held = array("q")
    held.frombytes(blob or b"")
    return held


def named(told: Iterable[object]) -> bytes:
    """Names as a part keeps them."""
    return zlib.compress("\n".join(map(str, told)).encode("utf-8", "surrogateescape"), 1)


def names(blob: bytes, chunk: int = 1 << 16) -> Iterator[str]:
    """The names of a part one by one, no more unpacked than is asked for."""
    opened, rest = zlib.decompressobj(), b""
    while blob:
        *whole, rest = (rest + opened.decompress(blob, chunk)).split(b"\n")
        blob = opened.unconsumed_tail
        yield from (name.decode("utf-8", "surrogateescape") for name in whole)
    last = (rest + opened.flush()).split(b"\n")
    yield from (name.decode("utf-8", "surrogateescape") for name in last)


def as_text(constants: Mapping[str, str | None]) -> str:
    return json.dumps(dict(constants), sort_keys=True)


def _part(group: pa.Table, facts: dict[str, Any], outputs: bool) -> Part:
    uids = longs(group["row_uid"])
    if outputs:
        return Part(facts, uids, longs(group["_us"]), named(group["request_id"].to_pylist()))
    return Part(facts, uids, subjects=tuple(_subjects(group)))


def _subjects(group: pa.Table) -> Iterator[tuple[str, int]]:
    import pyarrow.compute as pc

    if "subject_keys" not in group.column_names:
        return
    column: Any = group["subject_keys"]
    if not pc.sum(pc.list_value_length(column)).as_py():
        return
    for keys, uid in zip(column.to_pylist(), group["row_uid"].to_pylist(), strict=True):
        for key in dict.fromkeys(keys or ()):
            yield key, uid


def _groups(rows: pa.Table, keys: list[str], order: list[str]) -> Iterator[pa.Table]:
    """Slices of rows that agree in `keys`, each sorted by `order`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    code: Any = pa.array([0] * rows.num_rows, pa.int64())
    for name in keys:
        seen: Any = rows[name].combine_chunks().dictionary_encode(null_encoding="encode")
        indices = pc.cast(seen.indices, pa.int64())
        code = pc.add(pc.multiply(code, len(seen.dictionary)), indices)
        code = pc.cast(code.dictionary_encode().indices, pa.int64())  # dense again
    by = [("_code", "ascending"), *((name, "ascending") for name in order)]
    rows = rows.append_column("_code", code).sort_by(by)
    sizes = rows.group_by("_code", use_threads=False).aggregate([([], "count_all")])
    start = 0
    for size in sizes["count_all"].to_pylist():
        yield rows.slice(start, size)
        start += size
