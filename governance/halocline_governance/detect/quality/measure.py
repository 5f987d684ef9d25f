"""The signals of one text or of a batch, from the counts that the compiled pass makes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from halocline_governance.detect.quality.signal import Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from halocline_governance.detect.batch import Texts

VERSION = "quality@2"


def signals(text: str) -> dict[str, float]:
    """Every signal of one text; an empty text has all of them at 0.

    Raises:
        ValueError: the text is no UTF-8: it holds a lone surrogate.
    """
    from halocline_governance.detect.batch import Texts

    texts = Texts.of([text])
    if texts.bad:
        raise ValueError(texts.bad[0])
    return dict(zip(map(str, Signal), table(texts)[0].tolist(), strict=True))


def table(texts: Texts) -> NDArray[np.float64]:
    """A row per text, a column per `Signal`, in its order; a text that is bad has NaN."""
    import numpy as np

    from halocline_governance.detect.quality import kernel

    columns = np.zeros((len(texts), len(Signal)))
    kernel.measure(texts.data, texts.offsets, *letters(), columns)
    for row in texts.bad:
        columns[row] = np.nan
    return columns


SPACE, BREAK, ALPHA = 1, 2, 4
"""What a character can be; a line break is white space too."""

_TABLED = 0x40000
"""No code point at or above it is a letter or white space (Unicode 14)."""


@cache
def letters() -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """By code point: what it is, and its lower case if that is one character too."""
    import numpy as np

    kinds, folds = np.zeros(_TABLED, np.uint8), np.arange(_TABLED, dtype=np.int32)
    for code in range(_TABLED):
        letter = chr(code)
        if letter.isalpha():
            kinds[code] = ALPHA
            lower = letter.lower()
            if len(lower) == 1:
                folds[code] = ord(lower)
        elif letter.isspace():
            kinds[code] = SPACE | (BREAK if len(f"a{letter}b".splitlines()) == 2 else 0)
    return kinds, folds
