"""What one character counts as: nothing, or one letter or digit or a few, as codes of one byte.

Case, accents, width, ligatures and look-alikes are folded. A letter of another script than Latin is
one of 128 codes, so two such letters may share one: what compares codes alone compares many.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KNOWN = 0x20000
"""Code points from here on are Han (one code each) or invisible, and stand in no table."""
INVISIBLE = 0xE0000
SEVERAL = 1
_OTHER = 128

# Letters drawn like a Latin one, by how each case of it looks (cf. Unicode TR 39, confusables).
# Lower case where both cases look alike; a letter that stands in both cases is not folded first.
_LOOKS = {
    "a": "аαɑᴀ",
    "b": "вβʙƀƅ",
    "c": "сϲᴄⅽ",
    "d": "ԁđɗᴅ",
    "e": "еεєᴇ",
    "f": "ꜰƒ",
    "g": "ɡɢǥ",
    "h": "һнħʜΗհ",
    "i": "іιıɨɪӏ",
    "j": "јʝȷᴊ",
    "k": "кκᴋқ",
    "l": "łʟƚ",
    "m": "мμᴍ",
    "n": "ηɴոΝո",
    "o": "оοøσօᴏө",
    "p": "рρᴘ",
    "q": "ԛգ",
    "r": "ʀг",
    "s": "ѕꜱ",
    "t": "тτŧᴛ",
    "u": "υսᴜ",
    "v": "νѵᴠ",
    "w": "ԝωᴡѡ",
    "x": "хχ",
    "y": "уγүʏΥ",
    "z": "ζᴢƶ",
    "0": "߀",
}
_LATIN = {look: ord(letter) for letter, looks in _LOOKS.items() for look in looks}


@dataclass(frozen=True, slots=True)
class Folding:
    """Codes by code point; those of which one is `SEVERAL` stand in `points`, ascending.

    The codes of `points[n]` are `codes[ends[n]:ends[n + 1]]`.
    """

    table: NDArray[np.uint8]
    points: NDArray[np.int64]
    ends: NDArray[np.int64]
    codes: NDArray[np.uint8]


@cache
def folding() -> Folding:
    """The tables for all of Unicode as this Python knows it (`unicodedata.unidata_version`)."""
    import numpy as np

    table = np.zeros(KNOWN, dtype=np.uint8)
    points: list[int] = []
    ends, codes = [0], bytearray()
    for point in range(KNOWN):
        char = chr(point)
        if not _has_code(char):
            continue
        folded = bytes((other(point),)) if _is_itself(char) else fold(char)
        if len(folded) == 1:
            table[point] = folded[0]
        elif folded:
            table[point] = SEVERAL
            points.append(point)
            codes += folded
            ends.append(len(codes))
    return Folding(
        table,
        np.array(points, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        np.frombuffer(bytes(codes), dtype=np.uint8),
    )


def _has_code(char: str) -> bool:
    """Whether it can have one: most of what is in the tables has none, and is passed over fast."""
    return char.isalnum() or char in _LATIN or bool(unicodedata.decomposition(char))


def _is_itself(char: str) -> bool:
    """Whether it surely is a letter that nothing is folded of, as tens of thousands are."""
    return unicodedata.category(char) == "Lo" and not (
        char < "\u02b0" or char in _LATIN or unicodedata.normalize("NFKD", char) != char
    )


@cache
def latin() -> NDArray[np.uint8]:
    """The codes of the 128 ASCII characters alone: most texts need no more."""
    import numpy as np

    ascii_ = map(chr, range(128))
    return np.frombuffer(bytes(ord(c.lower()) if c.isalnum() else 0 for c in ascii_), np.uint8)


def fold(char: str) -> bytes:
    """The codes of one character: none, or at most as many as it has bytes in UTF-8."""
    if not char.isascii() and unicodedata.category(char)[0] in "CZP":
        return b""
    if char in _LATIN:
        return bytes((_LATIN[char],))
    codes = bytearray()
    for part in unicodedata.normalize("NFKD", char):
        if unicodedata.category(part) == "Mn":
            continue
        # As it is drawn, before its case is folded: capital eta looks like H, the small one like n.
        small = part if part in _LATIN else unicodedata.normalize("NFKD", part.casefold())
        codes += bytes(_code(letter) for letter in small if letter.isalnum())
    return bytes(codes[: len(char.encode("utf-8", "surrogatepass"))])


def letters(text: str) -> str:
    """The letters and digits that a text's codes stand for, not cut down to a byte each."""
    kept: list[str] = []
    for char in text:
        if fold(char):
            parts = unicodedata.normalize("NFKD", char)
            small = (p if p in _LATIN else p.casefold() for p in parts)
            kept += [chr(_LATIN.get(c, ord(c))) for part in small for c in part if c.isalnum()]
    return "".join(kept)


def _code(char: str) -> int:
    if char in _LATIN:
        return _LATIN[char]
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return ord("0") + digit
    return ord(char) if char.isascii() else other(ord(char))


def other(point: int) -> int:
    """The code of a letter that no Latin one looks like: spread by Knuth's multiplier."""
    return _OTHER + ((point * 2654435761) % 2**32 >> 25)


def unicode_version() -> str:
    """The version of Unicode by which characters are folded."""
    return unicodedata.unidata_version
