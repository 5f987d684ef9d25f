"""The linear model: weights by hashed words, the intercept, and Platt's two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.detect import tensorfile
from halocline_governance.detect.injection.classes import CLASSES, lexicon, tabled
from halocline_governance.errors import Refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = Path(__file__).parents[1] / "weights" / "injection.safetensors"
FORMAT = "halocline injection 1"


@dataclass(frozen=True, slots=True)
class Model:
    """From a segment's margin to a probability.

    `weights` has a number per bucket, `pairs` (16, 16) one per pair of word classes.
    """

    weights: NDArray[np.float32]
    pairs: NDArray[np.float32]
    slope: float
    shift: float

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated; 0 where the margin is -inf, as no word is there."""
        import numpy as np

        scaled = np.clip(self.slope * margins + self.shift, -30.0, 30.0)
        return np.where(np.isneginf(margins), 0.0, 1.0 / (1.0 + np.exp(-scaled)))

    def table(self) -> NDArray[np.float32]:
        """The weight of each set of classes."""
        return _table(self.pairs.tobytes())

    def margin(self, segment: bytes) -> float:
        """Of a segment read as it stands; -inf without a word."""
        import numpy as np

        from halocline_governance.detect.injection import kernel

        data = np.frombuffer(segment, dtype=np.uint8)
        rows = np.empty((kernel.MAX_BYTES, kernel.WIDTH), dtype=np.int32)
        words, _ = kernel.hashed(data, 0, len(data), *lexicon(), rows)
        return float(kernel.margin(self.weights, self.table(), rows, words))

    def probability(self, segment: bytes) -> float:
        """Of a segment read as it stands."""
        import numpy as np

        return float(self.probabilities(np.array([self.margin(segment)]))[0])


@lru_cache(maxsize=4)
def _table(pairs: bytes) -> NDArray[np.float32]:
    import numpy as np

    size = len(CLASSES)
    return tabled(np.frombuffer(pairs, dtype=np.float32).reshape(size, size))


@cache
def load(path: Path) -> Model:
    """The model from its safetensors file, once per process. Raises `Refused` on anything else."""
    import numpy as np

    from halocline_governance.detect.injection.kernel import BUCKETS

    _, arrays = tensorfile.read(path, FORMAT)
    expected = {"weights": (BUCKETS,), "pairs": (len(CLASSES), len(CLASSES)), "numbers": (2,)}
    if {name: array.shape for name, array in arrays.items()} != expected:
        raise Refused(f"{path.name}: arrays missing; train it with the injection recipe")
    weights, pairs = (arrays[name].astype(np.float32) for name in ("weights", "pairs"))
    slope, shift = (float(number) for number in arrays["numbers"])
    return Model(weights, pairs, slope, shift)
