"""Classes and folded forms of characters: what the tokeniser knows of Unicode.

The two tables are made once, by the recipe, and stand in the weights file, so that an answer does
not change with the Unicode version of the Python that runs.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.names.compiled import part

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPACE, LOWER, UPPER, DIGIT, PUNCT, LETTER, UNSEEN = range(7)
TABLE = 0x2100


def tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Class and folded code (no case, no accent) of each code point below U+2100."""
    classes = np.zeros(TABLE, dtype=np.uint8)
    folded = np.arange(TABLE, dtype=np.uint16)
    for code in range(TABLE):
        classes[code] = _class(chr(code))
        base = unicodedata.normalize("NFKD", chr(code).lower())[:1] or chr(code)
        base = {"ß": "s", "æ": "a", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "œ": "o", "’": "'"}.get(
            base, base
        )
        folded[code] = ord(base) if ord(base) < 0xFFFF else code
    return classes, folded


def _class(char: str) -> int:
    category = unicodedata.category(char)
    if char in "\x1c\x1d\x1e\x1f\x7f" or category in ("Zs", "Zl", "Zp") or ord(char) <= 0x20:
        return SPACE
    if category in ("Mn", "Mc", "Me", "Cf", "Cc"):
        return UNSEEN
    if category in ("Lu", "Lt"):
        return UPPER
    if category == "Ll":
        return LOWER
    if category == "Nd":
        return DIGIT
    return LETTER if category.startswith("L") else PUNCT


@part
def length(first: int) -> int:
    """Bytes of the character that begins with this byte; the buffer is UTF-8."""
    if first < 0x80:
        return 1
    if first < 0xE0:
        return 2
    return 3 if first < 0xF0 else 4


@part
def code_at(data: NDArray[Any], at: int, size: int) -> int:
    """The code point of the character at this place."""
    first = int(data[at])
    if size == 1:
        return first
    if size == 2:
        return (first & 0x1F) << 6 | int(data[at + 1]) & 0x3F
    if size == 3:
        return (first & 0x0F) << 12 | (int(data[at + 1]) & 0x3F) << 6 | int(data[at + 2]) & 0x3F
    return (
        (first & 0x07) << 18
        | (int(data[at + 1]) & 0x3F) << 12
        | (int(data[at + 2]) & 0x3F) << 6
        | int(data[at + 3]) & 0x3F
    )


@part
def class_of(code: int, classes: NDArray[Any]) -> int:
    if code < 0x2100:
        return int(classes[code])
    if code == 0x3000:
        return 0
    if 0xFF21 <= code <= 0xFF3A:
        return 2
    if 0xFF41 <= code <= 0xFF5A:
        return 1
    if 0xFE00 <= code <= 0xFE0F or code == 0xFEFF or code >= 0xE0000:
        return 6
    if 0x3040 <= code <= 0xD7FF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code < 0x40000:
        return 5
    return 4


@part
def folded_of(code: int, folded: NDArray[Any]) -> int:
    if code < 0x2100:
        return int(folded[code])
    if 0xFF21 <= code <= 0xFF3A:
        return code - 0xFF21 + 97
    if 0xFF41 <= code <= 0xFF5A:
        return code - 0xFF41 + 97
    return code & 0xFFFFF
