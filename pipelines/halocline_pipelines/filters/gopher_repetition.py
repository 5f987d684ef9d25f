"""Gopher's repetition rules (Rae et al. 2021, arXiv 2112.11446, table A1)."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_pipelines.filters.bound import Bound, Signals, first_fault


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

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        parts = (
            ("duplicate_lines", "share of repeated lines", self.max_duplicate_lines),
            ("duplicate_paragraphs", "share of repeated paragraphs", self.max_duplicate_paragraphs),
            ("duplicate_line_chars", "share in repeated lines", self.max_duplicate_line_chars),
            (
                "duplicate_paragraph_chars",
                "share in repeated paragraphs",
                self.max_duplicate_paragraph_chars,
            ),
            *(
                (f"top_{size}gram_chars", f"share of the top {size}-gram", high)
                for size, high in enumerate(self.top_ngrams, 2)
            ),
            *(
                (f"duplicate_{size}gram_chars", f"share in repeated {size}-grams", high)
                for size, high in enumerate(self.duplicate_ngrams, 5)
            ),
        )
        return tuple(Bound(f"gopher.{name}@1", what, high=high) for name, what, high in parts)
