"""From trained weights to the file that ships: the difference made small, and calibrated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from halocline_governance.detect import tensorfile
from halocline_governance.detect.toxicity import encoder
from halocline_governance.detect.toxicity.first import SHAPES, First
from halocline_governance.detect.toxicity.model import ANSWERS, FORMAT
from halocline_pipelines.recipes.toxicity import linear, sources
from halocline_pipelines.recipes.toxicity.templates import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

RANK = 96
_LINEAR = ("intercept", "slope", "shift", "clears")


def difference(weights: Mapping[str, Tensor], frozen: int) -> dict[str, NDArray[Any]]:
    """Upper layers minus the base's: matrices as two factors of rank 96, the rest whole, in half
    precision. The best factors of that rank are the singular value decomposition's (Eckart, Young).
    """
    import torch

    base = encoder.base()
    arrays: dict[str, NDArray[Any]] = {}
    for name, tensor in weights.items():
        if name.startswith("head."):
            arrays[name] = tensor.numpy().astype(np.float16)
        elif name[0].isdigit() and int(name[0]) >= frozen:
            step = tensor - base[name]
            if step.ndim == 1:
                arrays[f"delta.{name}"] = step.numpy().astype(np.float16)
                continue
            u, s, v = cast(Any, torch.linalg).svd(step.double(), full_matrices=False)
            root = s[:RANK].sqrt()
            arrays[f"delta.{name}.left"] = _packed(u[:, :RANK] * root)
            arrays[f"delta.{name}.right"] = _packed(root[:, None] * v[:RANK])
    return arrays


def calibration(logits: NDArray[np.float64], rows: Sequence[Row]) -> NDArray[np.float64]:
    """Platt's slope and shift for each answer (6, 2), on rows that nothing was trained on.

    Each source has the same mass, at its own rate of attacks.
    """
    from sklearn.linear_model import LogisticRegression

    counts = {name: sum(row.source == name for row in rows) for name in {r.source for r in rows}}
    mass = np.array([1000.0 / counts[row.source] for row in rows])
    found = np.tile([1.0, 0.0], (len(ANSWERS), 1))
    for at, answer in enumerate(ANSWERS):
        known = np.array([answer == "toxicity" or answer in row.kinds for row in rows])
        goals = [row.attack if answer == "toxicity" else row.kinds.get(answer, 0.0) for row in rows]
        labels = np.array(goals)[known] > 0.5
        if labels.all() or not labels.any():
            continue
        platt: Any = LogisticRegression(C=1e4)
        platt.fit(logits[known, at : at + 1], labels, mass[known])
        found[at] = float(platt.coef_[0][0]), float(platt.intercept_[0])
    return found


def write(
    path: Path, arrays: Mapping[str, NDArray[Any]], platt: NDArray[np.float64], first: First
) -> str:
    """Write the file that `detect.toxicity` reads; its SHA-256."""
    weights, step = linear.quantised(first.grams)
    plain = [step, *(getattr(first.grams, name) for name in _LINEAR)]
    numbers = [first.slope, first.shift, first.clears]
    card = {
        "format": FORMAT,
        "base": encoder.SHA256,
        "answers": list(ANSWERS),
        "licences": {name: licence for name, (_, licence) in sources.SOURCES.items()},
    }
    extra = {
        "calibration": platt.astype(np.float32),
        **{f"first.{name}": getattr(first.net, name) for name in SHAPES},
        "grams.weights": weights,
        "grams.numbers": np.array(plain, dtype=np.float64),
        "first.numbers": np.array(numbers, dtype=np.float64),
    }
    tensorfile.write(path, card, {**arrays, **extra})
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packed(factor: Tensor) -> NDArray[np.float16]:
    """Row by row: safetensors writes an array's memory as it lies."""
    return np.ascontiguousarray(factor.numpy(), dtype=np.float16)
