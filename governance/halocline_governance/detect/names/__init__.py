"""People, organizations and locations named in a text, by a small tagger of our own.

A linear-chain CRF over hashed features, compiled by numba, reads UTF-8 bytes segment by segment;
weights come from `halocline_pipelines.recipes.names`. docs/detectors.md tells how good it is.
Importing this loads neither numba nor the weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.stream import LocalStream, Looked, Stream
from halocline_governance.detect.verdict import Span

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

WEIGHTS = Path(__file__).parent.parent / "weights" / "names.safetensors"
KINDS = ("", "person", "organization", "location")


@dataclass(frozen=True, slots=True)
class NamesDetector(ByBatch):
    """Each name is a span; its score is the calibrated probability that it is exactly right.

    Args:
        path: the weights.
        least: spans that score less are left out; the id says so, as the answers are others.
    """

    path: Path = WEIGHTS
    least: float = 0.0
    id: str = field(init=False)
    kinds: frozenset[str] = frozenset(KINDS[1:])

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", f"names@2:{self.least!r}" if self.least else "names@2")

    def find_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.batch import BatchVerdict, Spans
        from halocline_governance.detect.names.reading import read

        found = read(self.path, texts.data, texts.offsets, skipped=texts.bad)
        keep = found.scores >= self.least
        spans = Spans(KINDS, found.rows, found.starts, found.ends, found.kinds, found.scores).take(
            keep
        )
        return BatchVerdict.of(self.id, texts, spans)

    def stream(self) -> Stream:
        from halocline_governance.detect.names.tokens import BEHIND

        return LocalStream(self.id, self._look, BEHIND)

    def _look(self, window: bytes, start: int, final: bool) -> Looked:
        from halocline_governance.detect.names.reading import read_on

        found, settled = read_on(self.path, window, start, final)
        spans = [
            Span(int(begin), int(end), KINDS[int(kind)], float(score))
            for begin, end, kind, score in zip(
                found.starts, found.ends, found.kinds, found.scores, strict=True
            )
            if score >= self.least
        ]
        return Looked(spans, len(window) if final else settled)
