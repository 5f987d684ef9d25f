"""Gopher's quality rules (Rae et al. 2021, arXiv 2112.11446, A.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_pipelines.filters.bound import Bound, Signals, first_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class GopherQuality:
    """The published bounds."""

    id: str = "gopher_quality@1"
    min_words: int = 50
    max_words: int = 100_000
    min_mean_word_length: float = 3
    max_mean_word_length: float = 10
    max_hash_per_word: float = 0.1
    max_ellipsis_per_word: float = 0.1
    max_bullet_lines: float = 0.9
    max_ellipsis_lines: float = 0.3
    min_alpha_words: float = 0.8
    min_stop_words: int = 2

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        length = (self.min_mean_word_length, self.max_mean_word_length)
        return (
            Bound("gopher.word_count@1", "words", self.min_words, self.max_words),
            Bound("gopher.mean_word_length@1", "mean word length", *length),
            Bound("gopher.hash_per_word@1", "hash signs per word", high=self.max_hash_per_word),
            Bound(
                "gopher.ellipsis_per_word@1", "ellipses per word", high=self.max_ellipsis_per_word
            ),
            Bound("gopher.bullet_lines@1", "share of bullet lines", high=self.max_bullet_lines),
            Bound(
                "gopher.ellipsis_lines@1",
                "share of lines ending in an ellipsis",
                high=self.max_ellipsis_lines,
            ),
            Bound("gopher.alpha_words@1", "share of words with a letter", self.min_alpha_words),
            Bound("gopher.stop_words@1", "distinct stop words", self.min_stop_words),
        )
