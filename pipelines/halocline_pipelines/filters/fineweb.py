"""FineWeb's own rules (Penedo et al. 2024, arXiv 2406.17557, 3.6), for text from the web."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_pipelines.filters.bound import Bound, Signals, first_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class FineWeb:
    """The paper's bounds; of duplicate-line characters its text says 0.1, its code 0.01."""

    id: str = "fineweb@1"
    min_punctuated_lines: float = 0.12
    max_lines_of_30: float = 0.67
    max_duplicate_line_chars: float = 0.1
    max_newlines_per_word: float = 0.3

    def fault(self, signals: Signals) -> str | None:
        return first_fault(
            (
                Bound(
                    "fineweb.punctuated_lines@1",
                    "share of lines ending in punctuation",
                    self.min_punctuated_lines,
                ),
                Bound("fineweb.lines_of_30@1", "share of short lines", high=self.max_lines_of_30),
                Bound(
                    "fineweb.duplicate_line_chars@1",
                    "share in repeated lines",
                    high=self.max_duplicate_line_chars,
                ),
                Bound(
                    "fineweb.newline_per_word@1",
                    "line ends per word",
                    high=self.max_newlines_per_word,
                ),
            ),
            signals,
        )
