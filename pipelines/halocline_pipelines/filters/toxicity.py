"""Drops documents with an attack in them: the score is that of the worst sentence."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_pipelines.filters.bound import Bound, Signals

SIGNAL = "toxicity@5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity:
    """A calibrated probability; the bound is where the detector says `found`. Of 116 descriptions
    of Python packages, which attack nobody, none reaches 0.4.
    """

    id: str = "toxicity@5"
    max_score: float = 0.5

    @property
    def needs(self) -> frozenset[str]:
        return frozenset((SIGNAL,))

    def fault(self, signals: Signals) -> str | None:
        return Bound(SIGNAL, "toxicity", high=self.max_score).fault(signals)
