"""Writes the tagger's file: weights rounded to four bits on one scale, tables, and a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect import tensorfile
from halocline_governance.detect.names.features import FEATURES
from halocline_governance.detect.names.model import FORMAT, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The few weights beyond this share are cut off, so that the others keep their differences.
_KEPT = 0.9995
_MOST = 7


def write(
    path: Path,
    tables: Sequence[NDArray[Any]],
    weights: NDArray[np.float32],
    moves: NDArray[np.float32],
    calibration: tuple[float, float],
    card: Mapping[str, Any],
) -> None:
    """Write the file; `tables` in the order of `names.model.Model`."""
    classes, folded, _, keys, bits, clusters, parents = tables
    scale = float(np.quantile(np.abs(weights), _KEPT)) / _MOST or 1.0
    small = np.clip(np.rint(weights / scale), -_MOST, _MOST).astype(np.int8)
    arrays = {
        "classes": classes, "folded": folded, "keys": keys, "bits": bits, "clusters": clusters,
        "parents": parents, "weights": packed(small),
        "moves": np.rint(moves / scale).astype(np.int32),
        "scale": np.array([scale]), "calibration": np.array(calibration, dtype=np.float64),
    }  # fmt: skip
    tensorfile.write(path, {**card, "format": FORMAT, "features": FEATURES}, arrays)
