"""Texts of one source, end to end, cut into sequences of one length: `training.packed`.

Per source and before mixing, so that a weight in sequences is a weight in tokens. A sequence knows
which rows stand in it and where, so a row can be followed to the step that consumed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from halocline_governance import tables
from halocline_governance.errors import Refused
from halocline_governance.lake import Lake
from halocline_governance.records import row_uid
from halocline_pipelines.training import tokenizer as words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TABLE = "training.packed"
_DTYPE = np.dtype("<u2")


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences of one dataset version: `tokens[seq_no]`, and the rows in each."""

    dsv_id: str
    tokens: NDArray[np.uint16]
    row_uids: tuple[tuple[int, ...], ...]
    offsets: tuple[tuple[int, ...], ...]

    @property
    def num_sequences(self) -> int:
        return int(self.tokens.shape[0])


def pack(dsv_id: str, rows: Iterable[tuple[int, str]], tokenizer: Tokenizer, length: int) -> Packed:
    """Tokenize rows (uid, text) and cut; what is left at the end is filled with end tokens.

    Raises:
        Refused: there is no text at all.
    """
    if tokenizer.get_vocab_size() > 1 << 16:
        raise Refused("packed tokens have 16 bits: choose a vocabulary of at most 65536")
    end = tokenizer.token_to_id(words.END)
    stream: list[int] = []
    starts: list[tuple[int, int]] = []
    for uid, text in rows:
        starts.append((len(stream), uid))
        stream += tokenizer.encode(text).ids
        stream.append(end)
    if not stream:
        raise Refused("a source without a single row cannot be trained on: leave it out")
    stream += [end] * (-len(stream) % length)
    tokens = np.array(stream, dtype=_DTYPE).reshape(-1, length)
    held = [_inside(starts, number * length, length) for number in range(len(tokens))]
    return Packed(
        dsv_id,
        tokens,
        tuple(tuple(uid for _, uid in inside) for inside in held),
        tuple(tuple(offset for offset, _ in inside) for inside in held),
    )


def write(
    lake: Lake, compartment: str, label_id: str, packed: Packed, tokenizer_sha256: str
) -> None:
    """Put the sequences on record, once. The caller holds no lease: this takes it."""
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

    length = int(packed.tokens.shape[1])
    app_id = f"pack:{packed.dsv_id}:{tokenizer_sha256[:16]}:{length}"
    rows: list[dict[str, Any]] = [
        {
            "row_uid": row_uid(app_id, str(number)),
            "label_id": label_id,
            "dsv_id": packed.dsv_id,
            "tokenizer_sha256": tokenizer_sha256,
            "sequence_length": length,
            "seq_no": number,
            "tokens": packed.tokens[number].tobytes(),
            "row_uids": list(packed.row_uids[number]),
            "offsets": list(packed.offsets[number]),
        }
        for number in range(packed.num_sequences)
    ]
    schema = tables.table(TABLE).arrow()
    with lake.lease(compartment, TABLE) as path:
        if lake.exists(compartment, TABLE) and DeltaTable(path).transaction_version(app_id):
            return
        write_deltalake(
            path,
            pa.Table.from_pylist(rows, schema=schema),
            mode="append",
            commit_properties=CommitProperties(app_transactions=[Transaction(app_id, 1)]),
        )


def _inside(starts: list[tuple[int, int]], begin: int, length: int) -> list[tuple[int, int]]:
    """Rows in one sequence, as (offset in it, uid); a row that began before has offset 0."""
    from bisect import bisect_left

    first = bisect_left(starts, (begin, -1))
    inside = [(at - begin, uid) for at, uid in starts[first:] if at < begin + length]
    if first and (not inside or inside[0][0] > 0):
        inside.insert(0, (0, starts[first - 1][1]))
    return inside
