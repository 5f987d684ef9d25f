"""Runs the Triton kernel in Triton's interpreter against the reference; prints what differs.

A process of its own: the interpreter is chosen before the kernel is imported.
"""

from __future__ import annotations

import os

os.environ["TRITON_INTERPRET"] = "1"

import itertools
import json
import sys
from dataclasses import replace

import numpy as np
import torch

from halocline_kernels.decode_stats import Draw, pack_mask, reference
from halocline_kernels.decode_stats import triton as kernel

SHAPES = [(1, 1, 16), (2, 31, 16), (3, 33, 32), (1, 64, 64), (5, 127, 32), (2, 1000, 256)]
DTYPES = [torch.float32, torch.float16]


def draw_for(rows: int, tokens: int, generator: torch.Generator) -> Draw:
    """A mix of greedy, hot, masked, floored and seeded rows."""
    allowed = torch.rand((3, tokens), generator=generator) < 0.6
    allowed[:, 0] = True
    return Draw(
        temperature_b=torch.tensor([(0.0, 0.7, 1.0, 3.0)[row % 4] for row in range(rows)]),
        seed_b=torch.tensor([(-1, 0, 2**40 + 7, 11, 2**63 - 1)[row % 5] for row in range(rows)]),
        position_b=torch.arange(rows, dtype=torch.int32) * 17,
        floor_b=torch.tensor([(-torch.inf, -2.0)[row % 2] for row in range(rows)]),
        policy_b=torch.tensor([row % 4 - 1 for row in range(rows)], dtype=torch.int32),
        mask_pw=pack_mask(allowed),
    )


def differences(logits: torch.Tensor, draw: Draw, block: int) -> dict[str, float]:
    """The largest difference of each statistic; NaN must stand at the same places."""
    ours = kernel.decode_stats(logits, draw, block)
    truth = reference.decode_stats(logits, draw)
    gaps = {"token": float((ours.token_b != truth.token_b).sum())}
    for name in ("logprob_b", "entropy_b", "allowed_mass_b"):
        a, b = getattr(ours, name), getattr(truth, name)
        gaps["nan"] = gaps.get("nan", 0.0) + float((a.isnan() != b.isnan()).sum())
        gaps[name] = float((a - b).nan_to_num(0.0).abs().max())
    return gaps


def cases() -> list[tuple[str, torch.Tensor, Draw, int]]:
    found: list[tuple[str, torch.Tensor, Draw, int]] = []
    for (rows, tokens, block), dtype in itertools.product(SHAPES, DTYPES):
        generator = torch.Generator().manual_seed(rows * tokens)
        logits = (torch.randn((rows, tokens), generator=generator) * 4).to(dtype)
        draw = draw_for(rows, tokens, generator)
        found.append((f"{rows}x{tokens} {dtype}", logits, draw, block))
        found.append((f"{rows}x{tokens} {dtype} greedy", logits, Draw.greedy(rows), block))
    return found + strange()


def strange() -> list[tuple[str, torch.Tensor, Draw, int]]:
    """Rows with NaN, infinities, equal logits, a huge range, and nothing allowed."""
    logits = torch.zeros((6, 40))
    logits[0, 3] = torch.nan
    logits[1, 5] = torch.inf
    logits[2] = -torch.inf
    logits[3, 1:] = -torch.inf
    logits[4, 39] = 3e38
    greedy = Draw.greedy(6)
    none = replace(
        greedy,
        policy_b=torch.zeros(6, dtype=torch.int32),
        mask_pw=pack_mask(torch.zeros((1, 40), dtype=torch.bool)),
    )
    wide = torch.randn((3, 80))[:, 20:60]
    return [
        ("strange", logits, greedy, 16),
        ("nothing allowed", logits, none, 16),
        ("strided", wide, Draw.greedy(3), 16),
    ]


if __name__ == "__main__":
    np.seterr(all="ignore")  # infinities on purpose: the kernel selects them away, as a GPU does
    json.dump({name: differences(x, draw, block) for name, x, draw, block in cases()}, sys.stdout)
