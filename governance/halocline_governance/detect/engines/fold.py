"""Texts folded to one byte a character: ASCII forms of what looks like ASCII, nothing else.

Digits of any script, dashes, spaces, quotes, wide letters and letters with accents become ASCII;
invisible and combining characters vanish (three in a row at most, so that a place depends on
a bounded neighbourhood); letters of spaced scripts become WORD, all else NEUTRAL. A NUL stands
before, between and behind the rows. Places map back to bytes of the text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.engines import fold_kernel
from halocline_governance.detect.engines.fold_kernel import DELETED, NEUTRAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.batch import Texts

WORD = 0xFF
_POINTS = 0x20000
_SPECIAL = {
    "\u00df": "s",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u0111": "d",
    "\u00e6": "a",
    "\u0153": "o",
    "\u0131": "i",
    "\u00b7": ".",
    "\u2219": ".",
    "\u22c5": ".",
    "\u2010": "-",
    "\u2212": "-",
    "\u2116": "#",
    "\u2028": "\n",
    "\u2029": "\n",
    "\u0085": "\n",
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
}
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


@dataclass(frozen=True, slots=True)
class Folded:
    """`data[starts[r] : starts[r + 1] - 1]` is row r, one byte a character."""

    texts: Texts = field(repr=False)
    data: NDArray[np.uint8] = field(repr=False)
    starts: NDArray[np.int64] = field(repr=False)
    marks: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, texts: Texts) -> Folded:
        """Rows that nobody may vouch for fold to nothing."""
        skipped = np.zeros(len(texts), dtype=np.bool_)
        skipped[list(texts.bad)] = True
        return cls(texts, *fold_kernel.fold(texts.data, texts.offsets, skipped, table()))

    def rows(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row in which each folded place lies."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def place_of(self, byte: int) -> int:
        """The folded place of a byte of the first row, which starts a character."""
        head = np.array([0, byte], dtype=np.int64)
        _, starts, _ = fold_kernel.fold(self.texts.data, head, np.zeros(1, dtype=np.bool_), table())
        return int(starts[1]) - 1

    def bytes_of(self, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n, 2): where the characters at these places start and end, in bytes of their row."""
        asked = np.stack((rows, places), axis=1)
        found = fold_kernel.origins(
            self.texts.data, self.texts.offsets, table(), self.starts, self.marks, asked
        )
        return found - self.texts.offsets[rows][:, None]


@cache
def table() -> NDArray[np.uint8]:
    """What each code point folds to."""
    points = np.full(_POINTS, NEUTRAL, dtype=np.uint8)
    points[:128] = np.arange(128)
    for point in range(128, _POINTS):
        char = chr(point)
        category = unicodedata.category(char)
        if category not in ("Cn", "Co", "Cs", "So"):
            points[point] = folded_byte(char, category)
    return points


def folded_byte(char: str, category: str) -> int:
    """What a character beyond ASCII folds to."""
    if char in _SPECIAL:
        return ord(_SPECIAL[char])
    if category == "Nd":
        return 0x30 + unicodedata.decimal(char)
    if category == "Zs":
        return 0x20
    if category == "Pd":
        return 0x2D
    if category in ("Mn", "Me", "Cf"):
        return DELETED
    plain = unicodedata.normalize("NFKD", char)
    if category[0] == "L":
        if plain[0].isascii() and plain[0].isalpha():
            return ord(plain[0])
        unspaced = category == "Lo" and unicodedata.name(char, "").startswith(_UNSPACED)
        return NEUTRAL if unspaced else WORD
    return ord(plain) if len(plain) == 1 and plain.isascii() and category[0] in "PS" else NEUTRAL
