"""Anchors by google-re2: one automaton for all patterns finds where, single patterns tell which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import re2

from halocline_governance.detect.engines.anchor import Anchor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.engines.anchor import Places


class Re2Engine:
    """re2 reports the leftmost match only, so the search goes on one byte behind each start."""

    name = "re2"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        # re2's Latin-1 mode reads bytes as they are, as the folded buffer holds them.
        options: Any = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.dot_nl = True
        options.log_errors = False
        options.max_mem = 256 * 1024 * 1024
        patterns = [
            (f"(?i:{anchor.pattern})" if anchor.caseless else anchor.pattern).encode()
            for anchor in anchors
        ]
        self._any: Any = re2.compile(b"(?:" + b"|".join(patterns) + b")", options)
        self._set: Any = re2.Set.MatchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._set.Compile()
        self._longest = max((anchor.size for anchor in anchors), default=0)

    def places(self, data: NDArray[np.uint8]) -> Places:
        text = data.tobytes()
        ids: list[int] = []
        starts: list[int] = []
        at = 0
        while (match := self._any.search(text, at)) is not None:
            start = match.start()
            found: list[int] = self._set.Match(text[start : start + self._longest]) or []
            ids.extend(found)
            starts.extend([start] * len(found))
            at = start + 1
        return np.array(ids, dtype=np.int64), np.array(starts, dtype=np.int64)
