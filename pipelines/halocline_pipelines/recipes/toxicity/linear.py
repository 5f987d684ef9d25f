"""Trains the linear part of the first stage on what the second one says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from halocline_governance.detect.toxicity.grams import BUCKETS, Grams, grams
from halocline_governance.detect.toxicity.model import Second
from halocline_pipelines.recipes.toxicity.templates import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the second stage gives this probability, of any answer, the first one learns to hand over.
WORTH = 0.2
# The share of the second stage's attacks that must reach it, on rows that trained neither.
RECALL = 0.998
_ATTACK_WEIGHT = 4.0
_LEVELS = 127


def train(
    rows: Sequence[Row],
    measured: Sequence[Row],
    told: NDArray[np.float64],
    second: Second,
    regularisation: float = 4.0,
) -> Grams:
    """Fit on `rows`; set the limit and the calibration on `measured`, of which the second stage
    said `told`.
    """
    from sklearn.linear_model import LogisticRegression

    answers = second.answers([row.text for row in rows])
    wanted = answers.max(axis=1) >= WORTH
    weights = np.where(answers[:, 0] >= 0.5, _ATTACK_WEIGHT, 1.0)
    regression: Any = LogisticRegression(
        C=regularisation, solver="liblinear", max_iter=200, random_state=0
    )
    regression.fit(_matrix([row.text for row in rows]), wanted, weights)
    raw = Grams(_rounded(regression.coef_[0]), float(regression.intercept_[0]), 1.0, 0.0, 0.0)
    return _limited(raw, measured, told)


def quantised(first: Grams) -> tuple[NDArray[np.int8], float]:
    """The weights in whole steps, and the step."""
    step = float(np.abs(first.weights).max()) / _LEVELS or 1.0
    return np.round(first.weights / step).astype(np.int8), step


def _limited(first: Grams, measured: Sequence[Row], told: NDArray[np.float64]) -> Grams:
    from sklearn.linear_model import LogisticRegression

    texts = [row.text for row in measured]
    margins = margins_of(first, texts)
    attacks = np.sort(margins[told[:, 0] >= 0.5])
    clears = float(attacks[int(len(attacks) * (1 - RECALL))]) if len(attacks) else 0.0
    known = ~np.isnan(margins)
    labels = np.array([row.attack > 0.5 for row in measured])[known]
    platt: Any = LogisticRegression(C=1e6)
    platt.fit(margins[known].reshape(-1, 1), labels)
    slope, shift = float(platt.coef_[0][0]), float(platt.intercept_[0])
    return Grams(first.weights, first.intercept, slope, shift, clears)


def margins_of(first: Grams, texts: Sequence[str]) -> NDArray[np.float64]:
    """One margin for each text read whole."""
    rows = [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    starts = ends - np.array([len(row) for row in rows], dtype=np.int64)
    return first.margins(np.frombuffer(b"".join(rows), dtype=np.uint8), starts, ends)


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    columns: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float32]] = []
    for text in texts:
        data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        found, words = grams(data, 0, len(data))
        columns.append(found)
        each = np.full(len(found), 1.0 / np.sqrt(max(1, len(found) - words)), dtype=np.float32)
        each[:words] = 1.0 / np.sqrt(max(1, words))
        values.append(each)
    ends = np.cumsum([0, *map(len, columns)])
    shape = (len(texts), BUCKETS)
    built = csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=shape)
    cast(Any, built).sum_duplicates()
    return built


def _rounded(weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """To the steps that ship, so that what is measured is what ships."""
    step = float(np.abs(weights).max()) / _LEVELS or 1.0
    return (np.round(weights / step) * step).astype(np.float32)
