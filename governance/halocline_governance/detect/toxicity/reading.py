"""From a text to the pieces that the encoder reads: WordPiece over the text made plain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect.toxicity.plain import plain

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# The longest sequence that is read at once, its two marks included: attention grows by the square.
MAX_PIECES = 128


@dataclass(frozen=True, slots=True)
class Reader:
    """The tokenizer, and its whole words by rank: BERT's vocabulary is in order of frequency."""

    tokenizer: Tokenizer = field(repr=False)
    ranks: Mapping[str, int] = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> Reader:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        words: dict[str, int] = tokenizer.get_vocab()
        first = words["the"]
        ranks = {w: at - first + 1 for w, at in words.items() if at >= first and w.isalpha()}
        return cls(tokenizer, ranks)

    def pieces(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """For each text its parts: one, or several where it has more pieces than fit in one."""
        rows = self.tokenizer.encode_batch([plain(text, self.ranks.get) for text in texts])
        return [_parts(row.ids) for row in rows]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """For each text all its pieces, without the two marks."""
        rows = self.tokenizer.encode_batch(
            [plain(text, self.ranks.get) for text in texts], add_special_tokens=False
        )
        return [row.ids for row in rows]


def _parts(ids: list[int]) -> list[list[int]]:
    if len(ids) <= MAX_PIECES:
        return [ids]
    first, *inner, last = ids
    size = MAX_PIECES - 2
    return [[first, *inner[at : at + size], last] for at in range(0, len(inner), size)]
