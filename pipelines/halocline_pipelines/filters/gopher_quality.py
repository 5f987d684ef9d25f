"""Gopher's quality rules (Rae et al. 2021, arXiv 2112.11446, A.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_governance.detect.quality import Signal
from halocline_pipelines.filters.bound import Bound, Signals, first_fault, named


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

    @property
    def needs(self) -> frozenset[str]:
        return named(self._bounds())

    def fault(self, signals: Signals) -> str | None:
        return first_fault(self._bounds(), signals)

    def _bounds(self) -> tuple[Bound, ...]:
        length = (self.min_mean_word_length, self.max_mean_word_length)
        return (
            Bound(Signal.WORD_COUNT, "words", self.min_words, self.max_words),
            Bound(Signal.MEAN_WORD_LENGTH, "mean word length", *length),
            Bound(Signal.HASH_PER_WORD, "hash signs per word", high=self.max_hash_per_word),
            Bound(Signal.ELLIPSIS_PER_WORD, "ellipses per word", high=self.max_ellipsis_per_word),
            Bound(Signal.BULLET_LINES, "share of bullet lines", high=self.max_bullet_lines),
            Bound(
                Signal.ELLIPSIS_LINES,
                "share of lines ending in an ellipsis",
                high=self.max_ellipsis_lines,
            ),
            Bound(Signal.ALPHA_WORDS, "share of words with a letter", self.min_alpha_words),
            Bound(Signal.STOP_WORDS, "distinct stop words", self.min_stop_words),
        )
