"""Documents as sequences of equal length, one dataset version at a time, in `training.packed`.

Packed before they are mixed, so that a weight in sequences is one in tokens. About one document in
twenty is held out for evaluation, chosen by its id alone: whatever is added later, it stays out.
Training documents come first, so their sequences are numbered 0 .. num_training - 1.

Laws (tests/pipelines/test_packing.py): every token of every document is in exactly one place, in
order; no sequence holds documents of both kinds; the same documents, in any order, pack the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from halocline_governance import tables
from halocline_governance.errors import Unverified
from halocline_governance.guard import Guard, Plan
from halocline_governance.label import Label
from halocline_governance.lake import Lake, commit
from halocline_governance.records import row_uid

TABLE = "training.packed"
_HELD_OUT_OF = 20

Tokens = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Key:
    """What was packed how: one set of rows in `training.packed`."""

    dsv_id: str
    tokenizer_sha256: str
    sequence_length: int

    @property
    def app_id(self) -> str:
        """Names its one commit."""
        return f"pack/{self.dsv_id}/{self.tokenizer_sha256}/{self.sequence_length}"


@dataclass(frozen=True, slots=True)
class Packed:
    """The sequences of one key by `seq_no`; those from `num_training` on are held out."""

    tokens: Tokens
    row_uids: list[list[int]]
    offsets: list[list[int]]
    num_training: int

    @property
    def held_out(self) -> Tokens:
        return self.tokens[self.num_training :]


def pack(documents: Mapping[int, Sequence[int]], length: int, pad: int) -> Packed:
    """Sequences of the documents' tokens, by row id; only the last of each kind is padded."""
    out = held_out(documents)
    kinds = [
        _fill({uid: ids for uid, ids in documents.items() if (uid in out) is kind}, length, pad)
        for kind in (False, True)
    ]
    (training, *_), (evaluation, *_) = kinds
    return Packed(
        np.concatenate([training, evaluation]),
        kinds[0][1] + kinds[1][1],
        kinds[0][2] + kinds[1][2],
        len(training),
    )


def held_out(row_uids: Iterable[int]) -> set[int]:
    """The documents that are never trained on; of two or more, at least one and not all."""
    ranks = {uid: _rank(uid) for uid in row_uids}
    chosen = {uid for uid, rank in ranks.items() if rank % _HELD_OUT_OF == 0}
    if 0 < len(chosen) < len(ranks):
        return chosen
    return {min(ranks, key=lambda uid: ranks[uid])} if len(ranks) > 1 else set()


def is_stored(lake: Lake, compartment: str, key: Key) -> bool:
    """Whether these rows were committed; one commit holds them all."""
    seen = commit.seen(lake.location(compartment, TABLE))
    return seen is not None and seen.transaction_version(key.app_id) is not None


def store(lake: Lake, compartment: str, key: Key, packed: Packed, label: Label) -> None:
    """Write the sequences in one commit, unless they are there.

    Raises:
        LeaseHeld: another process writes the table now.
    """
    rows = _rows(key, packed, lake.intern(label, compartment))
    with lake.lease(compartment, TABLE) as place:
        seen = commit.seen(place)
        if seen is None or seen.transaction_version(key.app_id) is None:
            commit.append(place, seen, rows, key.app_id, 0)


def fetch(guard: Guard, plan: Plan, key: Key) -> Packed:
    """The sequences of one key, as the plan's principal may read them.

    Raises:
        Unverified: sequences are missing or there twice.
    """
    mine = (
        (pc.field("dsv_id") == key.dsv_id)
        & (pc.field("tokenizer_sha256") == key.tokenizer_sha256)
        & (pc.field("sequence_length") == key.sequence_length)
    )
    names = ["seq_no", "tokens", "row_uids", "offsets"]
    found = [pa.table(batch).filter(mine).select(names) for batch in guard.batches(plan)]
    rows = pa.concat_tables(found).sort_by("seq_no") if found else None
    if rows is None or rows["seq_no"].to_pylist() != list(range(rows.num_rows)) or not rows:
        raise Unverified(f"{TABLE}: the sequences of {key.dsv_id} are not all there, or not once")
    flat = np.frombuffer(b"".join(rows["tokens"].to_pylist()), dtype="<u2")
    uids: list[list[int]] = rows["row_uids"].to_pylist()
    out = held_out({uid for of_sequence in uids for uid in of_sequence})
    num_training = sum(of_sequence[0] not in out for of_sequence in uids)
    tokens = flat.astype(np.uint16).reshape(-1, key.sequence_length)
    return Packed(tokens, uids, rows["offsets"].to_pylist(), num_training)


def _fill(
    documents: Mapping[int, Sequence[int]], length: int, pad: int
) -> tuple[Tokens, list[list[int]], list[list[int]]]:
    """In the order of the ids, which are hashes: as good as shuffled, and the same every time."""
    order = sorted(documents)
    starts = np.cumsum([0, *(len(documents[uid]) for uid in order)])
    total = int(starts[-1])
    tokens = np.full(-(-total // length) * length, pad, dtype=np.uint16)
    if total:
        tokens[:total] = np.concatenate([np.asarray(documents[uid]) for uid in order])
    row_uids: list[list[int]] = []
    offsets: list[list[int]] = []
    for begin in range(0, total, length):
        first = int(np.searchsorted(starts, begin, side="right")) - 1
        last = int(np.searchsorted(starts, min(begin + length, total), side="left"))
        row_uids.append(order[first:last])
        offsets.append([max(0, int(starts[at]) - begin) for at in range(first, last)])
    return tokens.reshape(-1, length), row_uids, offsets


def _rows(key: Key, packed: Packed, label_id: str) -> pa.Table:
    count, length = packed.tokens.shape
    little = packed.tokens.astype("<u2")
    columns = {
        "row_uid": [
            row_uid(TABLE, key.dsv_id, key.tokenizer_sha256, str(length), str(number))
            for number in range(count)
        ],
        "label_id": [label_id] * count,
        "dsv_id": [key.dsv_id] * count,
        "tokenizer_sha256": [key.tokenizer_sha256] * count,
        "sequence_length": [length] * count,
        "seq_no": list(range(count)),
        "tokens": [row.tobytes() for row in little],
        "row_uids": packed.row_uids,
        "offsets": packed.offsets,
    }
    return pa.table(columns, schema=tables.table(TABLE).arrow())


def _rank(uid: int) -> int:
    digest = hashlib.blake2b(str(uid).encode(), digest_size=8, person=b"halocline.held").digest()
    return int.from_bytes(digest, "big")
