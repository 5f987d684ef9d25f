"""C4's rules that hold for whole documents (Raffel et al. 2020, arXiv 1910.10683, 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_governance.detect.quality import Signal
from halocline_pipelines.filters.bound import Bound, Signals, first_fault, named


@dataclass(frozen=True, slots=True, kw_only=True)
class C4:
    """The published rules, but for braces: they would drop every text that shows code."""

    id: str = "c4@1"
    min_sentences: int = 5
    max_lorem_ipsum: int = 0
    max_policy_lines: float = 0.5

    @property
    def needs(self) -> frozenset[str]:
        return named(self._bounds())

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            Bound(Signal.SENTENCES, "sentences", self.min_sentences),
            Bound(Signal.LOREM_IPSUM, "placeholder text", high=self.max_lorem_ipsum),
            Bound(Signal.POLICY_LINES, "share of policy notices", high=self.max_policy_lines),
        )
