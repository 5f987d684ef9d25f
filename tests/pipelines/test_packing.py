"""Packing loses nothing, keeps held-out documents apart, and is stored once."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.errors import LeaseHeld
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_pipelines.training import packing
from halocline_pipelines.training.packing import TABLE, Key, Packed, held_out, pack

PAD = 1
LABEL = Label("confidential", sides=("buy",))
KEY = Key("d1", "t1", 8)

Documents = dict[int, list[int]]
documents = st.dictionaries(
    st.integers(0, 2**62), st.lists(st.integers(2, 65535), min_size=1, max_size=40), min_size=1
)


def unpacked(packed: Packed, length: int) -> Documents:
    """The documents again, from tokens, ids and offsets alone."""
    found: Documents = {}
    for tokens, uids, offsets in zip(packed.tokens, packed.row_uids, packed.offsets, strict=True):
        ends = [*offsets[1:], length]
        for uid, start, end in zip(uids, offsets, ends, strict=True):
            found.setdefault(uid, []).extend(t for t in tokens[start:end].tolist() if t != PAD)
    return found


@given(documents, st.integers(2, 20))
def test_every_token_is_in_one_place_in_order(documents: Documents, length: int) -> None:
    assert unpacked(pack(documents, length, PAD), length) == documents


@given(documents, st.integers(2, 20))
def test_held_out_documents_share_no_sequence_with_the_others(
    documents: Documents, length: int
) -> None:
    packed, out = pack(documents, length, PAD), held_out(documents)

    for number, uids in enumerate(packed.row_uids):
        assert all((uid in out) == (number >= packed.num_training) for uid in uids)
    assert len(out) < len(documents)
    assert out or len(documents) == 1


@given(documents, documents)
def test_a_held_out_document_stays_out(documents: Documents, more: Documents) -> None:
    """Unless it was only taken for want of any other."""
    before, after = held_out(documents), held_out(documents | more)

    assert len(before) == 1 or len(documents | more) == 1 or before <= after


def test_the_order_of_documents_does_not_matter(rng: random.Random) -> None:
    documents = {uid: [uid % 100 + 2] * 5 for uid in range(50)}
    shuffled = dict(rng.sample(sorted(documents.items()), len(documents)))

    assert np.array_equal(pack(documents, 8, PAD).tokens, pack(shuffled, 8, PAD).tokens)


def test_only_the_ends_are_padded() -> None:
    packed = pack({uid: [2] * 13 for uid in range(40)}, 8, PAD)
    padding = (packed.tokens == PAD).any(axis=1)

    assert set(np.flatnonzero(padding)) <= {packed.num_training - 1, len(packed.tokens) - 1}


def test_sequences_are_stored_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    packed = pack({uid: [2, 3, 4] for uid in range(30)}, 8, PAD)
    for _ in range(2):
        packing.store(lake, "buy", KEY, packed, LABEL)
    other = Key("d2", "t1", 8)
    packing.store(lake, "buy", other, packed, LABEL)
    rows = DeltaTable(lake.path("buy", TABLE)).to_pyarrow_table().to_pylist()

    assert len(rows) == 2 * len(packed.tokens)
    assert len({row["row_uid"] for row in rows}) == len(rows)
    assert {row["label_id"] for row in rows} == {LABEL.label_id}
    assert LABEL.label_id in lake.labels("buy")
    assert packing.is_stored(lake, "buy", KEY)
    assert not packing.is_stored(lake, "buy", Key("d1", "t2", 8))


def test_nothing_is_stored_without_the_lease(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    packed = pack({1: [2], 2: [3]}, 8, PAD)

    with lake.lease("buy", TABLE), pytest.raises(LeaseHeld):
        packing.store(lake, "buy", KEY, packed, LABEL)
    assert not packing.is_stored(lake, "buy", KEY)
