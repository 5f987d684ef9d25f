"""The tagger's weights, read once from a safetensors file; a missing or damaged one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect import tensorfile
from halocline_governance.detect.names.alphabet import TABLE
from halocline_governance.detect.names.features import FEATURES
from halocline_governance.detect.names.tokens import DOTTED, hashed
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "halocline names 1"
_SHAPES: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "classes": ("uint8", (TABLE,)),
    "folded": ("uint16", (TABLE,)),
    "keys": ("uint32", (None,)),
    "bits": ("uint16", (None,)),
    "clusters": ("uint16", (None,)),
    "parents": ("uint8", (None,)),
    "weights": ("uint8", (None, 4)),
    "moves": ("int32", (8, 8)),
    "scale": ("float64", (1,)),
    "calibration": ("float64", (2,)),
}


@dataclass(frozen=True, slots=True)
class Model:
    """Tables in the order in which the kernels take them, the scale, and Platt's two numbers."""

    tables: tuple[NDArray[Any], ...]
    weights: NDArray[np.int8]
    moves: NDArray[np.int64]
    scale: float
    slope: float
    shift: float

    def calibrated(self, sureness: NDArray[np.float64]) -> NDArray[np.float64]:
        """How often a span of this marginal probability is exactly right (Platt 1999)."""
        clipped = np.clip(sureness, 1e-6, 1 - 1e-6)
        return 1 / (1 + np.exp(-(self.slope * np.log(clipped / (1 - clipped)) + self.shift)))


def dotted() -> NDArray[np.int64]:
    """The hashes of the words that keep their dot."""
    return np.array([hashed(word) for word in DOTTED], dtype=np.int64)


@cache
def load(path: Path) -> Model:
    """The model of a file. Raises `Refused` if missing, damaged or made for other code."""
    card, arrays = tensorfile.read(path, FORMAT)
    sound = card.get("features") == FEATURES and all(
        _fits(arrays.get(name), kind, shape) for name, (kind, shape) in _SHAPES.items()
    )
    if not sound or not _consistent(arrays):
        raise Refused(f"{path.name}: not the tables that this version reads; train it again")
    names = ("classes", "folded", "", "keys", "bits", "clusters", "parents")
    tables = tuple(arrays[name] if name else dotted() for name in names)
    slope, shift = arrays["calibration"].tolist()
    return Model(
        tables,
        unpacked(arrays["weights"]),
        arrays["moves"].astype(np.int64),
        float(arrays["scale"][0]),
        slope,
        shift,
    )


def packed(weights: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Rows of eight numbers from -7 to 7 as rows of four bytes: the file is half as large."""
    high = (weights + 8).astype(np.uint8)
    return (high[:, 0::2] | high[:, 1::2] << 4).astype(np.uint8)


def unpacked(weights: NDArray[np.uint8]) -> NDArray[np.int8]:
    """The rows that were packed."""
    rows = np.empty((len(weights), 8), dtype=np.int8)
    rows[:, 0::2] = (weights & 15).astype(np.int8) - 8
    rows[:, 1::2] = (weights >> 4).astype(np.int8) - 8
    return rows


def _fits(array: NDArray[Any] | None, kind: str, shape: tuple[int | None, ...]) -> bool:
    return (
        array is not None
        and array.dtype.name == kind
        and array.ndim == len(shape)
        and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    )


def _consistent(arrays: dict[str, NDArray[Any]]) -> bool:
    """Whether no index that the compiled code computes can leave its table."""
    slots, buckets = len(arrays["keys"]), len(arrays["weights"])
    return (
        slots & (slots - 1) == 0
        and buckets & (buckets - 1) == 0
        and slots == len(arrays["bits"]) == len(arrays["clusters"])
        and bool((arrays["keys"] == 0).any())
        and int(arrays["clusters"].max()) < len(arrays["parents"])
        and bool(np.isfinite(arrays["scale"]).all() and np.isfinite(arrays["calibration"]).all())
        and int(np.abs(arrays["moves"]).max()) < 1_000_000
    )
