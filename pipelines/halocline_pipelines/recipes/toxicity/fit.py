"""Fine-tunes the upper layers of the encoder and one linear head per answer.

Lower layers stay as they are. AdamW (Loshchilov and Hutter 2019) with a linear warm-up and decay,
binary cross-entropy over the answers that are known of a text, products in bfloat16.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halocline_governance.detect.toxicity import encoder
from halocline_pipelines.recipes.toxicity.templates import KINDS, Row

if TYPE_CHECKING:
    from torch import Tensor

ANSWERS = ("toxicity", *KINDS)
MAX_PIECES = 66
_MAIN, _SIDE = 1.0, 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long and how hard to train. `frozen` counts the layers that stay as they are, `scale`
    multiplies the rows of an epoch.
    """

    epochs: int = 3
    frozen: int = 3
    rate: float = 1.5e-4
    head_rate: float = 1.5e-3
    batch_pieces: int = 1100
    seed: int = 5
    scale: float = 1.0


Pieces = Callable[[Sequence[str]], list[list[int]]]


def fit(
    epoch_rows: Callable[[int], Sequence[Row]],
    pieces: Pieces,
    effort: Effort,
    tell: Callable[[str], None],
) -> dict[str, Tensor]:
    """The encoder's weights after training, and `head.weight` (6, 768), `head.bias` (6)."""
    import torch

    torch.manual_seed(effort.seed)
    weights = encoder.base()
    upper = [name for name in weights if name[0].isdigit() and int(name[0]) >= effort.frozen]
    weights["head.weight"] = torch.randn(len(ANSWERS), 2 * encoder.WIDTH) * 0.01
    weights["head.bias"] = torch.zeros(len(ANSWERS))
    for name in (*upper, "head.weight", "head.bias"):
        weights[name] = weights[name].clone().requires_grad_()
    optimizer: Any = torch.optim.AdamW(
        [
            {"params": [weights[name] for name in upper], "lr": effort.rate},
            {"params": [weights["head.weight"], weights["head.bias"]], "lr": effort.head_rate},
        ],
        weight_decay=0.01,
    )
    rng = random.Random(effort.seed)
    plan = [_batches(epoch_rows(epoch), pieces, effort, rng) for epoch in range(1)]
    total = effort.epochs * len(plan[0])
    schedule: Any = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.06 * total)) * max(0.02, 1 - step / total)
    )
    step = 0
    for epoch in range(effort.epochs):
        batches = plan[0] if epoch == 0 else _batches(epoch_rows(epoch), pieces, effort, rng)
        running = 0.0
        for number, (ids, mask, goal, known) in enumerate(batches):
            with torch.autocast("cpu", torch.bfloat16):
                logits = answers(weights, ids, mask, effort.frozen, dropout=0.1)
            loss = _loss(logits.float(), goal, known)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([weights[name] for name in upper], 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            running = 0.98 * running + 0.02 * float(loss.detach())
            if number % 100 == 99:
                tell(f"epoch {epoch + 1}, batch {number + 1} of {len(batches)}: loss {running:.4f}")
    return {name: tensor.detach() for name, tensor in weights.items()}


def answers(
    weights: dict[str, Tensor], ids: Tensor, mask: Tensor, frozen: int, dropout: float = 0.0
) -> Tensor:
    """Logits (batch, 6) for padded pieces (batch, length) of which `mask` tells the real ones."""
    import torch
    from torch.nn import functional

    def linear(x: Tensor, name: str) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    bias = torch.zeros(mask.shape).masked_fill(~mask, -1e4)[:, None, None, :].to(torch.bfloat16)
    with torch.no_grad():
        x = encoder.embed(weights, ids)
        for number in range(frozen):
            x = encoder.layer(weights, number, x, linear, _attend, bias)
    x = functional.dropout(x, dropout, training=dropout > 0)
    for number in range(frozen, encoder.LAYERS):
        x = encoder.layer(weights, number, x, linear, _attend, bias)
    x = functional.dropout(x.float(), dropout, training=dropout > 0)
    real = mask[:, :, None]
    mean = (x * real).sum(1) / real.sum(1)
    peak = x.masked_fill(~real, -1e4).amax(1)
    return functional.linear(
        torch.cat([mean, peak], 1), weights["head.weight"], weights["head.bias"]
    )


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Attention by its definition: its gradient is cheaper on a CPU than the fused one's."""
    import torch

    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    scores = scores if mask is None else scores + mask
    return torch.matmul(torch.softmax(scores, -1, dtype=torch.float32).to(v.dtype), v)


def _loss(logits: Tensor, goal: Tensor, known: Tensor) -> Tensor:
    from torch.nn import functional

    each = functional.binary_cross_entropy_with_logits(logits, goal, reduction="none")
    return (each * known).sum() / known[:, 0].sum()


def _batches(
    rows: Sequence[Row], pieces: Pieces, effort: Effort, rng: random.Random
) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    ids = [row[:MAX_PIECES] for row in pieces([row.text for row in rows])]
    order = sorted(range(len(rows)), key=lambda at: (len(ids[at]), rng.random()))
    groups: list[list[int]] = [[]]
    for at in order:
        if (len(groups[-1]) + 1) * len(ids[at]) > effort.batch_pieces:
            groups.append([])
        groups[-1].append(at)
    rng.shuffle(groups)
    return [_batch([rows[at] for at in group], [ids[at] for at in group]) for group in groups]


def _batch(rows: Sequence[Row], ids: Sequence[list[int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    import torch

    width = max(map(len, ids))
    padded = torch.tensor([row + [0] * (width - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids]).bool()
    goal = torch.tensor(
        [[row.attack, *(row.kinds.get(kind, 0.0) for kind in KINDS)] for row in rows]
    )
    known = torch.tensor(
        [[_MAIN * row.weight, *(_SIDE * (kind in row.kinds) for kind in KINDS)] for row in rows]
    )
    return padded, mask, goal, known
