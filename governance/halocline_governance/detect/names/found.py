"""Spans that the compiled scan found, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Found:
    """Spans in the order of the text; offsets within the row, kinds 1 to 3.

    `read` and `gated` are bytes: of all segments, and of those that the gate left out.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    kinds: NDArray[np.int16]
    scores: NDArray[np.float64]
    read: int = 0
    gated: int = 0
