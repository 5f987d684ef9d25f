"""The probability that a text attacks a person or a group, and what kind of attack it is.

Two stages. A linear model reads every segment and may pass clear ones on with a low score of its
own; it never condemns. What it does not clear, a small encoder reads that was fine-tuned for this.
`halocline_pipelines.recipes.toxicity` trains both; docs/detectors.md tells how good they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect.face import ByBatch
from halocline_governance.detect.stream import LocalStream, Looked, Stream
from halocline_governance.detect.verdict import Finding, Span

if TYPE_CHECKING:
    from halocline_governance.detect.batch import BatchVerdict, Texts

WEIGHTS = Path(__file__).parent.with_name("weights") / "toxicity.safetensors"
KINDS = frozenset(("toxicity", "hate", "threat", "insult", "sexual", "profanity"))
# A segment is a span of a kind from this probability on; the text is `found` if one is `toxicity`.
FOUND = 0.5


@dataclass(frozen=True, slots=True)
class ToxicityDetector(ByBatch):
    """The verdict's `score` is the worst segment's probability of being an attack.

    `hate`, `threat`, `insult`, `sexual` and `profanity` are spans beside it, and alone they leave
    the text clean: a curse is no attack. Policy decides what follows from any of it.
    """

    path: Path = WEIGHTS
    id: str = "toxicity@5"
    kinds: frozenset[str] = KINDS

    def find_batch(self, texts: Texts) -> BatchVerdict:
        from halocline_governance.detect.toxicity.judging import judge_rows

        return judge_rows(self.id, self.path, texts)

    def stream(self) -> Stream:
        from halocline_governance.detect.toxicity.segments import LOOK_BEHIND

        return LocalStream(self.id, self._look, LOOK_BEHIND, _concluded)

    def _look(self, window: bytes, start: int, final: bool) -> Looked:
        from halocline_governance.detect.toxicity.judging import look

        return look(self.path, window, start, final)


def _concluded(spans: tuple[Span, ...], score: float | None) -> Finding:
    found = any(span.kind == "toxicity" for span in spans)
    return Finding(spans, 0.0 if score is None else score, found)
