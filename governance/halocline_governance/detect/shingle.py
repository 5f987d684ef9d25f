"""Windows of a text's normal form, hashed: what canaries and the segregation index compare by.

The hash is a polynomial in a secret base, then an HMAC under the same key, so fingerprints without
the key tell nothing. Every step is local: a window's place and hash never depend on later text.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.uint64]
    Places = NDArray[np.int64]

_MULTIPLIER_1, _MULTIPLIER_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


@dataclass(frozen=True, slots=True)
class Plain:
    """A text's normal form as code points, and the character of the text each one came from."""

    codes: Codes
    where: Places

    def __len__(self) -> int:
        return len(self.codes)

    def tail(self, count: int) -> int:
        """The first character of the text from which its last `count` code points come."""
        return int(self.where[max(0, len(self) - count)]) if len(self) and count else -1


def squeezed(text: str) -> Plain:
    """Letters and digits only, case-folded, without accents."""
    return _plain(text, spaces=False)


def spaced(text: str) -> Plain:
    """Case-folded, runs of white space as one space, without accents and invisible characters."""
    return _plain(text, spaces=True)


def _plain(text: str, spaces: bool) -> Plain:
    import numpy as np

    if not text.isascii():
        return _plain_slowly(text, spaces)
    mapped = _ascii(spaces)[np.frombuffer(text.encode(), dtype=np.uint8)]
    keep = mapped > 0
    if spaces:
        blank = mapped == 32
        keep[1:] &= ~(blank[1:] & blank[:-1])
        keep[:1] &= ~blank[:1]
    where = np.flatnonzero(keep)
    return Plain(mapped[where].astype(np.uint64), where.astype(np.int64))


@cache
def _ascii(spaces: bool) -> NDArray[np.uint32]:
    import numpy as np

    rows = [_folded(chr(code), spaces) for code in range(128)]
    return np.array([ord(row) if row else 0 for row in rows], dtype=np.uint32)


def _plain_slowly(text: str, spaces: bool) -> Plain:
    import numpy as np

    known = {char: _folded(char, spaces) for char in set(text)}
    codes: list[int] = []
    where: list[int] = []
    blank = True
    for at, char in enumerate(text):
        for plain in known[char]:
            if plain == " " and blank:
                continue
            blank = plain == " "
            codes.append(ord(plain))
            where.append(at)
    return Plain(np.array(codes, dtype=np.uint64), np.array(where, dtype=np.int64))


def _folded(char: str, spaces: bool) -> str:
    """The normal form of one character: nothing, one space, or its folded letters."""
    if char.isspace() or unicodedata.category(char) in ("Zs", "Cc"):
        return " " if spaces else ""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(part for part in parts if _kept(part, spaces))


def _kept(char: str, spaces: bool) -> bool:
    if spaces:
        return not char.isspace() and unicodedata.category(char) not in ("Mn", "Cf", "Cc")
    return char.isalnum()


def rolled(plain: Plain, width: int, key: bytes) -> Codes:
    """One keyed 64-bit value per window of `width` code points, by its start."""
    import numpy as np

    count = len(plain) - width + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    base = int.from_bytes(hmac.digest(key, b"base", hashlib.sha256)[:8], "big") | 1
    result = np.zeros(count, dtype=np.uint64)
    power = np.uint64(base)
    with np.errstate(over="ignore"):
        for at in range(width):
            result = result * power + plain.codes[at : at + count]
        return _mixed(result)


def _mixed(values: Codes) -> Codes:
    """splitmix64's finaliser: spreads a polynomial's low bits over the word."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(_MULTIPLIER_1)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_MULTIPLIER_2)
    return values ^ (values >> np.uint64(31))


def winnowed(values: Codes, span: int) -> Places:
    """Positions of the least value in each run of `span` (Schleimer et al. 2003), in order.

    Two texts that share a run of `span` windows choose the same position in it. A text with fewer
    windows than that has its least one.
    """
    import numpy as np

    if not len(values):
        return np.zeros(0, dtype=np.int64)
    runs = np.lib.stride_tricks.sliding_window_view(values, min(span, len(values)))
    least = runs.argmin(axis=1) + np.arange(len(runs))
    return np.unique(least).astype(np.int64)


def tags(values: Codes, key: bytes) -> Codes:
    """HMAC-SHA256 of each value, cut to 64 bits: what may be stored."""
    import numpy as np

    raw: Any = values.astype("<u8").tobytes()
    parts = (hmac.digest(key, raw[at : at + 8], hashlib.sha256)[:8] for at in range(0, len(raw), 8))
    return np.frombuffer(b"".join(parts), dtype=">u8").astype(np.uint64)
