"""Whether two names may be one person's, for whoever holds four eyes against one's own other name.

Who can choose how an account is called could approve what they asked for under another one. So
names that differ in nothing but how they are written count as one: in case, width, spaces, accents
and signs that show nothing. Two people with such names must ask a third; letters of another script
that look alike are other letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_SIGNS = frozenset({1, 202, 216, 220, *range(228, 241)})
"""Canonical combining classes of signs over, under and through a letter, accents among them; those
of other scripts' vowels and nuktas are not."""

_UNSEEN = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties)."""


def is_same_person(one: str, other: str) -> bool:
    """Whether these names differ only in how they are written."""
    return _plain(one) == _plain(other)


def is_among(name: str, others: Iterable[str]) -> bool:
    """Whether one of these is the same person."""
    return any(is_same_person(name, other) for other in others)


def _plain(name: str) -> str:
    """NFKC_Casefold (Unicode 3.13) of the name without spaces and signs on letters."""
    shown = "".join(char for char in name if not _is_unseen(char))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", shown).casefold())
    kept = (char for char in folded if unicodedata.combining(char) not in _SIGNS)
    plain = "".join(char for char in kept if not char.isspace())
    return unicodedata.normalize("NFKC", plain).casefold()


def _is_unseen(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _UNSEEN)
