"""A whole column scrubbed in one rewrite: only rows in which something was found are looked at.

Law (tests/governance/test_scrub_column.py): each row is what `Scrubber.scrub` makes of its text,
and is withheld where that refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import BatchVerdict, Texts
from halocline_governance.detect.verdict import Detector, Verdict
from halocline_governance.errors import Refused
from halocline_governance.scrub.scrubber import OTHERS, Rewriting, Row, Scrubbed

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

NOT_ASKED = "not asked for"


@dataclass(frozen=True, slots=True)
class ScrubbedBatch:
    """The rows that may be passed on; row i is `data[offsets[i]:offsets[i + 1]]`.

    Args:
        data: all rows' bytes; a withheld row has none.
        offsets: one more than rows.
        withheld: rows that do not come out, each with the reason.
        changed: what was done to each row in which something was replaced, or that was dropped.
    """

    data: bytes = field(repr=False)
    offsets: NDArray[np.int64] = field(repr=False)
    withheld: Mapping[int, str]
    changed: Mapping[int, Scrubbed] = field(repr=False)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, row: int) -> Scrubbed:
        """One row, as the text face has it.

        Raises:
            Refused: it is withheld.
        """
        if row in self.withheld:
            raise Refused(self.withheld[row])
        if row in self.changed:
            return self.changed[row]
        return Scrubbed(self.data[self.offsets[row] : self.offsets[row + 1]].decode())

    def __iter__(self) -> Iterator[Scrubbed | None]:
        return (None if row in self.withheld else self.row(row) for row in range(len(self)))

    def array(self) -> pa.Array:
        """The column as Arrow's large_string; a withheld row is null."""
        import pyarrow as pa

        valid = np.ones(len(self), dtype=np.bool_)
        valid[list(self.withheld)] = False
        mask = None
        if self.withheld:
            mask = pa.py_buffer(np.packbits(valid, bitorder="little"))
        buffers = [mask, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)


def scrub_batch(
    rewriting: Rewriting,
    detectors: Sequence[Detector],
    texts: Texts,
    verdicts: Sequence[BatchVerdict],
    only: Collection[int] | None,
) -> ScrubbedBatch:
    """See `Scrubber.scrub_batch`."""
    if any(one.texts is not texts for one in verdicts):
        raise Refused(OTHERS)
    withheld = dict(texts.bad)
    if only is not None:
        withheld |= dict.fromkeys(set(range(len(texts))).difference(only, withheld), NOT_ASKED)
    found = [one.rows for one in verdicts]
    unscanned = [np.fromiter(one.reasons, np.int64, len(one.reasons)) for one in verdicts]
    looked = np.unique(np.concatenate([*found, *unscanned, np.zeros(0, np.int64)])).tolist()
    rows = {row: Row(texts.raw(row)) for row in looked if row not in withheld}
    _finish(rewriting, detectors, rows, withheld, _picked(verdicts, rows))
    rewriting.commit()
    changed = {at: row.done() for at, row in rows.items() if row.rounds or row.dropped}
    new = {**dict.fromkeys(withheld, b""), **{at: rows[at].data for at in changed}}
    data, offsets = _joined(texts, new)
    return ScrubbedBatch(data, offsets, dict(sorted(withheld.items())), changed)


def _finish(
    rewriting: Rewriting,
    detectors: Sequence[Detector],
    rows: dict[int, Row],
    withheld: dict[int, str],
    said: Iterable[tuple[int, list[Verdict]]],
) -> None:
    """Rewrite the rows until nothing is found; those that cannot be go from `rows`."""
    while True:
        again: list[int] = []
        for at, verdicts in said:
            try:
                if rewriting.step(rows[at], verdicts):
                    again.append(at)
            except Refused as error:
                withheld[at] = str(error)
                del rows[at]
        if not again:
            return
        texts = Texts.of([rows[at].data for at in again])
        scanned = [detector.scan_batch(texts) for detector in detectors]
        said = [(at, [one.verdict(row) for one in scanned]) for row, at in enumerate(again)]


def _picked(
    verdicts: Sequence[BatchVerdict], rows: Iterable[int]
) -> list[tuple[int, list[Verdict]]]:
    return [(at, [one.verdict(at) for one in verdicts]) for at in rows]


def _joined(texts: Texts, new: Mapping[int, bytes]) -> tuple[bytes, NDArray[np.int64]]:
    """The buffer with these rows in place of the old ones: one copy, a slice between any two."""
    lengths = np.diff(texts.offsets)
    parts: list[memoryview | bytes] = []
    whole, at = np.ascontiguousarray(texts.data).data, 0
    for row in sorted(new):
        parts += (whole[at : int(texts.offsets[row])], new[row])
        at = int(texts.offsets[row + 1])
        lengths[row] = len(new[row])
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return b"".join((*parts, whole[at:])), offsets
