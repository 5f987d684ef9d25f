"""Fingerprints between Spark and numpy: Arrow columns of bytes on one side, arrays on the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halocline_pipelines.dedup import exact
from halocline_pipelines.dedup.cluster import Fingerprints
from halocline_pipelines.dedup.minhash import MinHash

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("row_uid", "label_id", "digest", "bands", "signature")
DDL = "row_uid long, label_id string, digest binary, bands binary, signature binary"


@dataclass(frozen=True, slots=True)
class Fingerprinting:
    """Recomputes fingerprints of documents that were assessed earlier; for `mapInArrow`."""

    minhash: MinHash

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in batches:
            texts = batch["text"].to_pylist()
            signatures = [self.minhash.signature(text) for text in texts]
            yield pa.record_batch(
                [
                    batch["row_uid"],
                    batch["label_id"],
                    pa.array([exact.digest(text) for text in texts], pa.binary()),
                    pa.array(
                        [self.minhash.bands(one).tobytes() for one in signatures], pa.binary()
                    ),
                    pa.array([one.tobytes() for one in signatures], pa.binary()),
                ],
                names=list(COLUMNS),
            )


def parse(rows: pa.Table, kept: Collection[int], minhash: MinHash) -> Fingerprints:
    """The arrays of a table with `COLUMNS`. Rows in `kept` stay, whatever comes."""
    row_uid = rows["row_uid"].to_numpy().astype(np.int64)
    count = len(row_uid)
    raw = {name: b"".join(rows[name].to_pylist()) for name in ("bands", "signature")}
    return Fingerprints(
        row_uid=row_uid,
        label_id=np.array(rows["label_id"].to_pylist(), dtype=np.str_),
        digest=np.array(rows["digest"].to_pylist(), dtype="S16"),
        bands=np.frombuffer(raw["bands"], dtype=np.float64).reshape(count, minhash.num_bands),
        signature=np.frombuffer(raw["signature"], dtype=np.uint32).reshape(
            count, minhash.num_hashes
        ),
        is_kept=np.isin(row_uid, np.fromiter(kept, dtype=np.int64, count=len(kept))),
    )


def joined(parts: list[Fingerprints]) -> Fingerprints:
    """All rows of all parts."""
    return Fingerprints(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS)
    )


_FIELDS = ("row_uid", "label_id", "digest", "bands", "signature", "is_kept")
