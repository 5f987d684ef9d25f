"""The encoder's forward pass with its products in whole numbers, for a processor.

A weight is one of 127 steps of its output channel's own size, an activation one of 255 of its
row's. A product's sums are exact, whatever their order: in int8 where torch's are right, else in
floats. With 63 steps to a side, and not 127, two products fit into 16 bits, in which processors
without VNNI add them (with 127 oneDNN's sums are wrong there). What is left is `kernels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from halocline_governance.detect.toxicity import encoder, kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Floats = NDArray[np.float32]

WEIGHT_STEPS = 63


@dataclass(frozen=True, slots=True)
class Matrix:
    """Steps (inputs, outputs), each output's step, and the bias."""

    steps: Tensor = field(repr=False)
    unit: Floats = field(repr=False)
    bias: Floats = field(repr=False)

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor) -> Matrix:
        import torch

        unit = weight.abs().amax(1).clamp_min(1e-12) / WEIGHT_STEPS
        steps = torch.round(weight / unit[:, None]).to(torch.int8)
        return cls(steps.t().contiguous(), unit.numpy(), bias.numpy())


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder and its heads, made ready."""

    weights: Mapping[str, Floats] = field(repr=False)
    matrices: Mapping[str, Matrix] = field(repr=False)
    heads: tuple[NDArray[np.float64], NDArray[np.float64]] = field(repr=False)

    @classmethod
    def of(cls, weights: Mapping[str, Tensor]) -> Encoder:
        """From `encoder.base`'s names, with `head.weight` and `head.bias`."""
        matrices = {
            f"{layer}.{name}": Matrix.of(
                weights[f"{layer}.{name}.weight"], weights[f"{layer}.{name}.bias"]
            )
            for layer in range(encoder.LAYERS)
            for name in encoder.MATRICES
        }
        names = [name for name in weights if name in ("words", "places") or "norm" in name]
        heads = weights["head.weight"].double().numpy(), weights["head.bias"].double().numpy()
        return cls({name: weights[name].numpy() for name in names}, matrices, heads)

    def read(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """The heads' numbers (sequences, answers), each sequence's whatever stands beside it."""
        ends = np.cumsum([len(row) for row in sequences], dtype=np.int64)
        ids = np.concatenate([np.asarray(row, dtype=np.int64) for row in sequences])
        places = np.concatenate([np.arange(len(row)) for row in sequences])
        count, of = len(ids), self.weights
        x = np.empty((count, encoder.WIDTH), dtype=np.float32)
        row = np.empty((count, encoder.WIDTH), dtype=np.int8)
        inner = np.empty((count, 4 * encoder.WIDTH), dtype=np.int8)
        steps = np.empty(count, dtype=np.float32)
        begun = of["words"], of["places"], of["norm.weight"], of["norm.bias"]
        kernels.embed(ids, places, *begun, x, steps, row)
        for layer in range(encoder.LAYERS):
            qkv, out, up, down = (self.matrices[f"{layer}.{name}"] for name in encoder.MATRICES)
            first, second = (
                (of[f"{layer}.{name}.weight"], of[f"{layer}.{name}.bias"])
                for name in ("norm1", "norm2")
            )
            kernels.attended(product(row, qkv), qkv.unit, qkv.bias, ends, steps, row)
            kernels.added(product(row, out), out.unit, out.bias, *first, x, steps, row)
            kernels.bent(product(row, up), up.unit, up.bias, steps, inner)
            kernels.added(product(inner, down), down.unit, down.bias, *second, x, steps, row)
        return kernels.told(x, ends, *self.heads)


def product(rows: NDArray[np.int8], matrix: Matrix) -> NDArray[np.int32]:
    """Exact sums (rows, outputs)."""
    import torch

    left = torch.from_numpy(rows)
    multiply = in_int8 if by_int8() else in_floats
    return multiply(left, matrix.steps).numpy()


def in_int8(left: Tensor, right: Tensor) -> Tensor:
    import torch

    library: Any = torch
    return library._int_mm(left, right)


def in_floats(left: Tensor, right: Tensor) -> Tensor:
    """The same sums where int8 is missing or wrong."""
    import torch

    return (left.double() @ right.double()).to(torch.int32)


@cache
def by_int8() -> bool:
    """Whether int8 products are there and right on this processor, where sums are largest."""
    import torch

    signs = torch.tensor([1, -1, 1, 1], dtype=torch.int8).repeat(encoder.WIDTH)
    left = (127 * signs).repeat(24, 1)
    right = (WEIGHT_STEPS * signs.roll(1)).repeat(encoder.WIDTH, 1).t().contiguous()
    right[:, 0] = WEIGHT_STEPS * signs
    try:
        return torch.equal(in_int8(left, right), in_floats(left, right))
    except (AttributeError, RuntimeError):
        return False
