"""Anchors by hyperscan: one pass over the buffer for all patterns."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import hyperscan
import numpy as np

from halocline_governance.detect.engines.anchor import Anchor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from halocline_governance.detect.engines.anchor import Places


class HyperscanEngine:
    """The database is compiled once; scratch space is kept for each thread."""

    name = "hyperscan"

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._sizes = np.array([anchor.size for anchor in anchors], dtype=np.int64)
        self._database: Any = hyperscan.Database()
        dot = hyperscan.HS_FLAG_DOTALL
        self._database.compile(
            expressions=[anchor.pattern.encode() for anchor in anchors],
            ids=list(range(len(anchors))),
            flags=[
                dot | (hyperscan.HS_FLAG_CASELESS if anchor.caseless else 0) for anchor in anchors
            ],
        )
        self._local = threading.local()

    def places(self, data: NDArray[np.uint8]) -> Places:
        ids: list[int] = []
        ends: list[int] = []
        see_id, see_end = ids.append, ends.append

        def seen(number: int, start: int, end: int, flags: int, context: object) -> None:
            see_id(number)
            see_end(end)

        if len(data):
            self._database.scan(data.data, match_event_handler=seen, scratch=self._scratch())
        found = np.array(ids, dtype=np.int64)
        return found, np.array(ends, dtype=np.int64) - self._sizes[found]

    def _scratch(self) -> Any:
        if not hasattr(self._local, "scratch"):
            self._local.scratch = hyperscan.Scratch(self._database)
        return self._local.scratch
