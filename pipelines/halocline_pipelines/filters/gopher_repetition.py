"""Gopher's repetition rules (Rae et al. 2021, arXiv 2112.11446, table A1)."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_governance.detect.quality import DUPLICATE_GRAMS, TOP_GRAMS, Signal
from halocline_pipelines.filters.bound import Bound, Signals, first_fault, named


@dataclass(frozen=True, slots=True, kw_only=True)
class GopherRepetition:
    """The published bounds. `top_ngrams` are for 2, 3, 4 words, `duplicate_ngrams` for 5 to 10."""

    id: str = "gopher_repetition@1"
    max_duplicate_lines: float = 0.30
    max_duplicate_paragraphs: float = 0.30
    max_duplicate_line_chars: float = 0.20
    max_duplicate_paragraph_chars: float = 0.20
    top_ngrams: tuple[float, ...] = (0.20, 0.18, 0.16)
    duplicate_ngrams: tuple[float, ...] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)

    @property
    def needs(self) -> frozenset[str]:
        return named(self._bounds())

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        parts = (
            (Signal.DUPLICATE_LINES, "share of repeated lines", self.max_duplicate_lines),
            (
                Signal.DUPLICATE_PARAGRAPHS,
                "share of repeated paragraphs",
                self.max_duplicate_paragraphs,
            ),
            (Signal.DUPLICATE_LINE_CHARS, "share in repeated lines", self.max_duplicate_line_chars),
            (
                Signal.DUPLICATE_PARAGRAPH_CHARS,
                "share in repeated paragraphs",
                self.max_duplicate_paragraph_chars,
            ),
            *(
                (name, f"share of the top {size}-gram", high)
                for size, (name, high) in enumerate(zip(TOP_GRAMS, self.top_ngrams, strict=True), 2)
            ),
            *(
                (name, f"share in repeated {size}-grams", high)
                for size, (name, high) in enumerate(
                    zip(DUPLICATE_GRAMS, self.duplicate_ngrams, strict=True), 5
                )
            ),
        )
        return tuple(Bound(name, what, high=high) for name, what, high in parts)
