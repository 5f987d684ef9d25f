"""A whole column scrubbed in one rewrite: only rows in which something was found are looked at.

Law (tests/governance/test_scrub_column.py): each row is what `Scrubber.scrub` makes of its text,
and is withheld where that refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.batch import BatchVerdict, Texts
from halocline_governance.detect.verdict import Detector, Span
from halocline_governance.errors import Refused
from halocline_governance.scrub.scrubber import OTHERS, Rewriting, Row, Scrubbed, unscanned

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
    rows = {row: Row(texts.raw(row)) for row in _looked(verdicts) if row not in withheld}
    _finish(rewriting, detectors, rows, withheld, verdicts)
    rewriting.commit()
    changed = {at: row.done() for at, row in rows.items() if row.rounds or row.dropped}
    new = {**dict.fromkeys(withheld, b""), **{at: rows[at].data for at in changed}}
    data, offsets = _joined(texts, new)
    return ScrubbedBatch(data, offsets, dict(sorted(withheld.items())), changed)


def _looked(verdicts: Sequence[BatchVerdict]) -> list[int]:
    """The rows about which there is anything to do."""
    found = [one.rows for one in verdicts]
    found += [np.fromiter(one.reasons, np.int64, len(one.reasons)) for one in verdicts]
    return np.unique(np.concatenate([*found, np.zeros(0, np.int64)])).tolist()


def _finish(
    rewriting: Rewriting,
    detectors: Sequence[Detector],
    rows: dict[int, Row],
    withheld: dict[int, str],
    verdicts: Sequence[BatchVerdict],
) -> None:
    """Rewrite the rows until nothing is found; those that cannot be go from `rows`."""
    places = {at: at for at in rows}  # by row, where the verdicts have it
    while places:
        again: list[int] = []
        for at, found in _found(verdicts, places).items():
            try:
                if isinstance(found, str):
                    raise Refused(found)
                if rewriting.step(rows[at], found):
                    again.append(at)
            except Refused as error:
                withheld[at] = str(error)
                del rows[at]
        places = {at: place for place, at in enumerate(again)}
        if places:
            texts = Texts.of([rows[at].data for at in again])
            verdicts = tuple(detector.scan_batch(texts) for detector in detectors)


def _found(
    verdicts: Sequence[BatchVerdict], places: Mapping[int, int]
) -> dict[int, list[Span] | str]:
    """By row, what all verdicts found there, or why one has not scanned it.

    Read from the columns: a `Verdict` would hash the row's bytes once for each detector.
    """
    told: dict[int, list[Span] | str] = {at: [] for at in places}
    wanted = np.fromiter(places.values(), np.int64, len(places))
    for one in verdicts:
        firsts = np.searchsorted(one.rows, wanted).tolist()
        lasts = np.searchsorted(one.rows, wanted + 1).tolist()
        for (at, place), first, last in zip(places.items(), firsts, lasts, strict=True):
            held = told[at]
            if isinstance(held, str):
                continue
            if place in one.reasons:
                told[at] = unscanned(one.detector, one.reasons[place])
            elif last > first:
                held += _spans(one, first, last)
    return told


def _spans(one: BatchVerdict, first: int, last: int) -> list[Span]:
    return [
        Span(start, end, one.kinds[int(code)], score)
        for start, end, code, score in zip(
            one.starts[first:last].tolist(),
            one.ends[first:last].tolist(),
            one.codes[first:last].tolist(),
            one.scores[first:last].tolist(),
            strict=True,
        )
    ]


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
