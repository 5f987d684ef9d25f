"""Trains the first stage on what the second one says: what it may pass on unread, and what not."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.toxicity import encoder
from halocline_governance.detect.toxicity.first import REACH, SHAPES, WIDTH, First, Net
from halocline_governance.detect.toxicity.grams import Grams
from halocline_governance.detect.toxicity.model import Second
from halocline_pipelines.recipes.toxicity.templates import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

# The shares of what the second stage tells that must reach it, on rows that trained neither: of
# its attacks, over all sources and in each that has enough; and of spans of its other kinds.
RECALL, SOURCE_RECALL, OTHER_RECALL = 0.995, 0.99, 0.97
_ENOUGH = 100  # of fewer, one decides about a hundredth
_EPOCHS, _BATCH, _RATE, _ATTACK_WEIGHT, _DROPOUT = 6, 256, 4e-3, 3.0, 0.1
_LEVELS = 127
_LONGEST, _AT_ONCE = 96, 512


def train(
    rows: Sequence[Row],
    measured: Sequence[Row],
    told: NDArray[np.float64],
    second: Second,
    grams: Grams,
    tell: Callable[[str], None],
) -> First:
    """Fit on `rows`; set the limits and the calibration on `measured`, of which the second stage
    said `told`.
    """
    answers = second.answers([row.text for row in rows])
    tell("the second stage has read for the first")
    ids = [row[:_LONGEST] for row in second.reader.ids([row.text for row in rows])]
    goals = np.stack([answers[:, 0], answers.max(axis=1)], axis=1)
    kept = [at for at, row in enumerate(ids) if row]
    weights = _fit([ids[at] for at in kept], goals[kept])
    tell("the first stage is trained")
    return limited(weights, measured, told, second, grams)


def _fit(ids: Sequence[Sequence[int]], goals: NDArray[np.float64]) -> dict[str, Tensor]:
    """Adam (Kingma and Ba 2014) on the second stage's probabilities as soft goals."""
    import torch
    from torch.nn import functional

    torch.manual_seed(0)
    rng = random.Random(0)
    weights = _begun()
    order = sorted(range(len(ids)), key=lambda at: (len(ids[at]), rng.random()))
    batches = [order[at : at + _BATCH] for at in range(0, len(order), _BATCH)]
    goal = torch.tensor(goals, dtype=torch.float32)
    mass = torch.where(goal.amax(1) >= 0.5, _ATTACK_WEIGHT, 1.0)[:, None]
    optimizer: Any = torch.optim.AdamW(list(weights.values()), lr=_RATE, weight_decay=0.0)
    schedule: Any = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=_EPOCHS * len(batches)
    )
    cross: Any = functional.binary_cross_entropy_with_logits
    for _ in range(_EPOCHS):
        rng.shuffle(batches)
        for batch in batches:
            said = forward(weights, [ids[at] for at in batch], _DROPOUT)
            loss = (cross(said, goal[batch], reduction="none") * mass[batch]).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return {name: tensor.detach() for name, tensor in weights.items()}


def _begun() -> dict[str, Tensor]:
    """The encoder's vectors of pieces, in their 32 main directions, and small random numbers."""
    import torch

    words = encoder.base()["words"]
    words = words - words.mean(0)
    found: dict[str, Tensor] = {}
    linalg: Any = torch.linalg
    _, main = linalg.eigh(words.T @ words)
    table = words @ main[:, -WIDTH:]
    found["table"] = 0.5 * table / table.std()
    for name, shape in SHAPES.items():
        if name != "table":
            bias = len(shape) == 1
            found[name] = torch.zeros(shape) if bias else torch.randn(shape) / shape[0] ** 0.5
    return {name: tensor.clone().requires_grad_() for name, tensor in found.items()}


def forward(weights: Mapping[str, Tensor], ids: Sequence[Sequence[int]], drop: float) -> Tensor:
    """Both numbers (batch, 2) of texts by their pieces; the kernel says the same."""
    import torch
    from torch.nn import functional

    longest = max(map(len, ids))
    padded = torch.tensor([[*row, *[0] * (longest - len(row))] for row in ids])
    sizes = torch.tensor([len(row) for row in ids])[:, None]
    real = (torch.arange(longest) < sizes)[:, :, None]
    x = functional.dropout(functional.embedding(padded, weights["table"]), drop) * real
    x = functional.pad(x, (0, 0, REACH // 2, REACH // 2))
    near = torch.cat([x[:, at : at + longest] for at in range(REACH)], 2)
    seen = torch.relu(near @ weights["conv"] + weights["conv_bias"]) * real
    pooled = torch.cat([seen.sum(1) / sizes, seen.amax(1)], 1)
    inner = functional.dropout(pooled, drop) @ weights["hidden"] + weights["hidden_bias"]
    return torch.relu(inner) @ weights["out"] + weights["out_bias"]


def rounded(weights: Mapping[str, Tensor]) -> Net:
    """In the precision that ships, so that what is measured is what ships."""
    step = float(weights["table"].abs().max()) / _LEVELS
    parts = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in weights.items()}
    table = np.round(parts.pop("table") / step).astype(np.int8)
    parts["conv"] = parts["conv"] * np.float32(step)
    return Net(table=table, **parts)


def limited(
    weights: Mapping[str, Tensor],
    measured: Sequence[Row],
    told: NDArray[np.float64],
    second: Second,
    grams: Grams,
) -> First:
    """Shifts both numbers so that 0 is the limit of each; Platt's numbers over the larger one."""
    from sklearn.linear_model import LogisticRegression

    texts = [row.text for row in measured]
    names = np.array([row.source for row in measured])
    both = dict(weights)
    labels = np.array([row.attack > 0.5 for row in measured])
    attacks, others = told[:, 0] >= 0.5, told.max(axis=1) >= 0.5
    for at, asked in enumerate((attacks, others)):
        said = _alone(both, at, texts, second, grams)
        asked = asked & ~np.isnan(said)
        limit = _quantile(said[asked], 1 - (RECALL, OTHER_RECALL)[at])
        for name in set(names[labels].tolist()) if at == 0 else ():
            there = said[asked & (names == name)]
            limit = (
                min(limit, _quantile(there, 1 - SOURCE_RECALL)) if len(there) >= _ENOUGH else limit
            )
        both["out_bias"] = both["out_bias"].clone()
        both["out_bias"][at] -= limit
    first = First(grams, rounded(both), 1.0, 0.0, 0.0, second.reader)
    margins = first.seen(texts)
    known = ~np.isnan(margins)
    platt: Any = LogisticRegression(C=1e6)
    platt.fit(margins[known].reshape(-1, 1), labels[known])
    slope, shift = float(platt.coef_[0][0]), float(platt.intercept_[0])
    return First(grams, first.net, slope, shift, 0.0, second.reader)


def _alone(
    weights: Mapping[str, Tensor], at: int, texts: Sequence[str], second: Second, grams: Grams
) -> NDArray[np.float64]:
    """One of the two numbers for each text; NaN for one without a letter."""
    one = dict(weights)
    one["out_bias"] = one["out_bias"].clone()
    one["out_bias"][1 - at] = -1e9
    return First(grams, rounded(one), 1.0, 0.0, 0.0, second.reader).seen(texts)


def _quantile(values: NDArray[np.float64], share: float) -> float:
    return float(np.sort(values)[int(len(values) * share)]) if len(values) else 0.0
