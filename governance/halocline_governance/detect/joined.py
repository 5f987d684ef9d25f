"""Spans of several origins as one set of columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from halocline_governance.detect.batch import Spans


def joined(parts: Sequence[Spans], rows: Sequence[int] = ()) -> Spans:
    """All of them, in the order given.

    Args:
        rows: what to add to the row numbers of each part; nothing else.
    """
    kinds = tuple(sorted({kind for part in parts for kind in part.kinds}))
    place = {kind: code for code, kind in enumerate(kinds)}
    codes = [
        np.array([place[kind] for kind in part.kinds], dtype=np.int16)[part.codes]
        for part in parts
        if len(part.codes)
    ]
    shifts = rows or [0] * len(parts)
    none = np.zeros(0, dtype=np.int64)
    return Spans(
        kinds,
        np.concatenate([none, *(p.rows + shift for p, shift in zip(parts, shifts, strict=True))]),
        np.concatenate([none, *(part.starts for part in parts)]),
        np.concatenate([none, *(part.ends for part in parts)]),
        np.concatenate([np.zeros(0, dtype=np.int16), *codes]),
        np.concatenate([np.zeros(0), *(part.scores for part in parts)]),
    )
