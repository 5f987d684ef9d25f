"""Anchors by the standard library: one pass for each pattern; slow, and needs nothing installed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from halocline_governance.detect.engines.anchor import Anchor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.engines.anchor import Places


class StdlibEngine:
    """Looks ahead at every place, so that matches may overlap."""

    name = "stdlib"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._patterns = [
            re.compile(
                b"(?=" + anchor.pattern.encode() + b")",
                re.DOTALL | (re.IGNORECASE if anchor.caseless else 0),
            )
            for anchor in anchors
        ]

    def places(self, data: NDArray[np.uint8]) -> Places:
        text = data.tobytes()
        found = [
            (number, match.start())
            for number, pattern in enumerate(self._patterns)
            for match in pattern.finditer(text)
        ]
        pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]
