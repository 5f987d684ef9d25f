"""Many texts as one UTF-8 buffer with offsets, shared with Arrow, and the verdicts about them.

No Python object is made per row until somebody asks for that row's verdict. A row whose bytes are
no UTF-8, that is null or too big, is unscanned here, whatever a detector says about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.verdict import (
    MAX_BYTES,
    OVERSIZE,
    UNDECODABLE,
    Finding,
    Span,
    Verdict,
    concluded,
    sha256,
    unscanned,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Offsets = NDArray[np.int64]

NULL = "null"


@dataclass(frozen=True, slots=True)
class Texts:
    """Row i is `data[offsets[i]:offsets[i + 1]]`; `bad` names the rows nobody may vouch for."""

    data: NDArray[np.uint8] = field(repr=False)
    offsets: Offsets = field(repr=False)
    bad: Mapping[int, str]

    @classmethod
    def of(cls, texts: Sequence[str] | Sequence[bytes]) -> Texts:
        """Copied from Python; a lone surrogate makes its row bad."""
        rows = [t.encode("utf-8", "surrogatepass") if isinstance(t, str) else t for t in texts]
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls._checked(np.frombuffer(b"".join(rows), dtype=np.uint8), offsets, {})

    @classmethod
    def of_arrow(cls, array: pa.Array | pa.ChunkedArray) -> Texts:
        """Without a copy, of string, large_string, binary or large_binary; others are cast."""
        import pyarrow as pa

        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if array.type not in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
            array = array.cast(pa.large_string())
        wide = array.type in (pa.large_string(), pa.large_binary())
        _, places, content = array.buffers()
        if places is None:  # Arrow allows none where there is no row
            return cls.of([])
        ends = np.frombuffer(places, dtype=np.int64 if wide else np.int32)
        ends = ends[array.offset : array.offset + len(array) + 1].astype(np.int64)
        data = np.frombuffer(content if content is not None else b"", dtype=np.uint8)
        nulls = np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))
        return cls._checked(
            data[ends[0] : ends[-1]], ends - ends[0], {int(row): NULL for row in nulls}
        )

    @classmethod
    def _checked(cls, data: NDArray[np.uint8], offsets: Offsets, bad: dict[int, str]) -> Texts:
        for row in np.flatnonzero(np.diff(offsets) > MAX_BYTES).tolist():
            bad[row] = OVERSIZE
        if not _is_utf8(data, offsets):
            for row in range(len(offsets) - 1):
                if row not in bad and not _decodes(data[offsets[row] : offsets[row + 1]]):
                    bad[row] = UNDECODABLE
        return cls(data, offsets, bad)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def num_bytes(self) -> int:
        return len(self.data)

    def raw(self, row: int) -> bytes:
        """The bytes of a row."""
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def text(self, row: int) -> str:
        """The text of a row that is not bad."""
        return self.raw(row).decode()

    def rows(self, places: Offsets) -> Offsets:
        """The row in which each byte of the buffer lies; empty rows hold none."""
        return np.searchsorted(self.offsets, places, side="right") - 1


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """One detector's verdicts about all rows, as columns; spans sorted by row, start, end, kind.

    `starts` and `ends` are byte offsets within the row; `codes` index `kinds`. `text_scores` has
    one number per row, NaN where there is none. `found` and `reasons` decide the status.
    """

    detector: str
    texts: Texts = field(repr=False)
    kinds: tuple[str, ...]
    rows: Offsets = field(repr=False)
    starts: Offsets = field(repr=False)
    ends: Offsets = field(repr=False)
    codes: NDArray[np.int16] = field(repr=False)
    scores: NDArray[np.float64] = field(repr=False)
    text_scores: NDArray[np.float64] | None = field(repr=False)
    found: NDArray[np.bool_] = field(repr=False)
    reasons: Mapping[int, str]

    @classmethod
    def of(
        cls,
        detector: str,
        texts: Texts,
        spans: Spans,
        text_scores: NDArray[np.float64] | None = None,
        found: NDArray[np.bool_] | None = None,
        reasons: Mapping[int, str] | None = None,
    ) -> BatchVerdict:
        """From what the detector's own code found; what stands in an unscanned row is dropped."""
        reasons = {**(reasons or {}), **texts.bad}
        spans = spans.without(reasons).ordered()
        if found is None:
            found = np.zeros(len(texts), dtype=np.bool_)
            found[spans.rows] = True
        gone = np.fromiter(reasons, dtype=np.int64, count=len(reasons))
        found, scores = found.copy(), None if text_scores is None else text_scores.copy()
        found[gone] = False
        if scores is not None:
            scores[gone] = np.nan
        return cls(
            detector,
            texts,
            spans.kinds,
            spans.rows,
            spans.starts,
            spans.ends,
            spans.codes,
            spans.scores,
            scores,
            found,
            reasons,
        )

    @classmethod
    def of_findings(
        cls, detector: str, texts: Texts, findings: Sequence[Finding | str]
    ) -> BatchVerdict:
        """From one finding per row, or the reason why there is none."""
        reasons = {row: why for row, why in enumerate(findings) if isinstance(why, str)}
        done = [(row, f) for row, f in enumerate(findings) if isinstance(f, Finding)]
        flat = [(row, span) for row, finding in done for span in finding.spans]
        found = np.zeros(len(texts), dtype=np.bool_)
        scores = np.full(len(texts), np.nan)
        for row, finding in done:
            found[row] = bool(finding.spans) if finding.found is None else finding.found
            scores[row] = np.nan if finding.score is None else finding.score
        return cls.of(detector, texts, Spans.listed(flat), scores, found, reasons)

    @classmethod
    def unscanned(cls, detector: str, texts: Texts, reason: str) -> BatchVerdict:
        """Every row unscanned for this reason."""
        reasons = dict.fromkeys(range(len(texts)), reason)
        return cls.of(detector, texts, Spans.listed([]), reasons=reasons)

    def __len__(self) -> int:
        return len(self.texts)

    def verdict(self, row: int) -> Verdict:
        """The verdict about one row, with the hash of its bytes."""
        digest = sha256(self.texts.raw(row))
        if row in self.reasons:
            return unscanned(self.detector, digest, self.reasons[row])
        first, last = np.searchsorted(self.rows, [row, row + 1]).tolist()
        spans = tuple(
            Span(int(start), int(end), self.kinds[int(code)], float(score))
            for start, end, code, score in zip(
                self.starts[first:last].tolist(),
                self.ends[first:last].tolist(),
                self.codes[first:last].tolist(),
                self.scores[first:last].tolist(),
                strict=True,
            )
        )
        score = None
        if self.text_scores is not None and not np.isnan(self.text_scores[row]):
            score = float(self.text_scores[row])
        return concluded(self.detector, digest, Finding(spans, score, bool(self.found[row])))

    def __iter__(self) -> Iterator[Verdict]:
        return map(self.verdict, range(len(self)))

    def count(self) -> int:
        """How many spans there are in all rows."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of many rows as columns, in any order; offsets within the row."""

    kinds: tuple[str, ...]
    rows: Offsets
    starts: Offsets
    ends: Offsets
    codes: NDArray[np.int16]
    scores: NDArray[np.float64]

    @classmethod
    def listed(cls, spans: Iterable[tuple[int, Span]]) -> Spans:
        """From (row, span) pairs."""
        flat = list(spans)
        kinds: tuple[str, ...] = tuple(sorted({span.kind for _, span in flat}))
        code = {kind: number for number, kind in enumerate(kinds)}
        return cls(
            kinds,
            np.array([row for row, _ in flat], dtype=np.int64),
            np.array([span.start for _, span in flat], dtype=np.int64),
            np.array([span.end for _, span in flat], dtype=np.int64),
            np.array([code[span.kind] for _, span in flat], dtype=np.int16),
            np.array([span.score for _, span in flat], dtype=np.float64),
        )

    def take(self, which: NDArray[Any]) -> Spans:
        """Those at these places, or where the mask is true."""
        return Spans(
            self.kinds,
            self.rows[which],
            self.starts[which],
            self.ends[which],
            self.codes[which],
            self.scores[which],
        )

    def without(self, rows: Mapping[int, str]) -> Spans:
        if not rows:
            return self
        gone = np.fromiter(rows, dtype=np.int64, count=len(rows))
        return self.take(~np.isin(self.rows, gone))

    def ordered(self) -> Spans:
        """By row, start, end and the kind's name."""
        ranks = np.argsort(np.argsort(np.array(self.kinds, dtype=np.str_)))
        kinds = ranks[self.codes] if len(self.codes) else self.codes
        return self.take(np.lexsort((kinds, self.ends, self.starts, self.rows)))


def _is_utf8(data: NDArray[np.uint8], offsets: Offsets) -> bool:
    """Whether every row is UTF-8, by Arrow's own check, which knows the row borders."""
    import pyarrow as pa

    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(data)]
    try:
        pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(data: NDArray[np.uint8]) -> bool:
    try:
        data.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return True
