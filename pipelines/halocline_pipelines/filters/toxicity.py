"""Drops documents with an attack in them: the score is that of the worst sentence."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_pipelines.filters.bound import Bound, Signals

SIGNAL = "toxicity@5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity:
    """A calibrated probability. The detector says `found` at 0.5; of 120 READMEs, which attack
    nobody, one goes at either limit.
    """

    id: str = "toxicity@5"
    max_score: float = 0.65

    @property
    def needs(self) -> frozenset[str]:
        return frozenset((SIGNAL,))

    def fault(self, signals: Signals) -> str | None:
        return Bound(SIGNAL, "toxicity", high=self.max_score).fault(signals)
