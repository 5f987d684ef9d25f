"""FineWeb's own rules (Penedo et al. 2024, arXiv 2406.17557, 3.6), for text from the web."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_governance.detect.quality import Signal
from halocline_pipelines.filters.bound import Bound, Signals, first_fault, named


@dataclass(frozen=True, slots=True, kw_only=True)
class FineWeb:
    """The paper's bounds. Of characters in repeated lines its section 3.6 says 0.1, which stands
    here; its appendix and its code (datatrove) say 0.01: pass `max_duplicate_line_chars=0.01`.
    """

    id: str = "fineweb@1"
    min_punctuated_lines: float = 0.12
    max_lines_of_30: float = 0.67
    max_duplicate_line_chars: float = 0.1
    max_newlines_per_word: float = 0.3

    @property
    def needs(self) -> frozenset[str]:
        return named(self._bounds())

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        return (
            Bound(
                Signal.WEB_PUNCTUATED_LINES,
                "share of lines ending in punctuation",
                self.min_punctuated_lines,
            ),
            Bound(Signal.WEB_LINES_OF_30, "share of short lines", high=self.max_lines_of_30),
            Bound(
                Signal.WEB_DUPLICATE_LINE_CHARS,
                "share in repeated lines",
                high=self.max_duplicate_line_chars,
            ),
            Bound(
                Signal.WEB_NEWLINE_PER_WORD,
                "line ends per word",
                high=self.max_newlines_per_word,
            ),
        )
