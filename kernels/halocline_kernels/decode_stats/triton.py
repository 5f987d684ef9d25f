"""`decode_stats` in two launches: one read of the logits in tiles, then a fold over the tiles.

Knows only what `reference` says it must compute. Each tile keeps m = max x, s = sum e^(x-m),
t = sum (x-m) e^(x-m), the allowed part of s, and its best score; tiles fold exactly.
"""

# The kernels' bodies are Triton, which only looks like Python to a type checker.
# pyright: basic, reportOperatorIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportInvalidTypeForm=false

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from halocline_kernels.decode_stats.reference import Draw, Stats

BLOCK = 4096
NUM_WARPS = 8


@triton.jit
def _gumbel(word):
    v = ((word & 0x7FFFFFFF).to(tl.float32) + 0.5) * 4.656612873077393e-10
    series = v * (1 + v * (0.5 + v * 0.3333333333333333))
    exponential = tl.where(v < 0.01, series, -tl.log(tl.maximum(1 - v, 2.9802322387695312e-08)))
    return -tl.log(exponential)


@triton.jit
def tile_kernel(  # noqa: PLR0913 - what a launch passes
    logits_ptr, row_stride, num_tokens,
    temperature_ptr, seed_ptr, position_ptr, floor_ptr, policy_ptr, mask_ptr, num_words,
    partial_ptr, best_ptr, num_tiles,
    BLOCK: tl.constexpr,  # noqa: N803 - a constant
):  # fmt: skip
    """Grid (row, tile). Writes [m, s, t, s_allowed, score, logit, unusable] and the token."""
    row = tl.program_id(0)
    tile = tl.program_id(1)
    token = tile * BLOCK + tl.arange(0, BLOCK)
    inside = token < num_tokens
    x = tl.load(
        logits_ptr + row.to(tl.int64) * row_stride + token, mask=inside, other=-float("inf")
    ).to(tl.float32)
    unusable = tl.max(tl.where(x < float("inf"), 0.0, 1.0), axis=0)
    m = tl.max(x, axis=0)
    shift = tl.where(m > -float("inf"), m, 0.0)
    some = x > -float("inf")
    depth = tl.where(some, x - shift, 0.0)
    weight = tl.where(some, tl.exp(depth), 0.0)

    policy = tl.load(policy_ptr + row)
    allowed = inside
    if policy >= 0:
        word = tl.load(
            mask_ptr + policy.to(tl.int64) * num_words + token // 32, mask=inside, other=0
        )
        allowed = ((word >> (token % 32)) & 1) != 0

    temperature = tl.load(temperature_ptr + row)
    score = x
    if temperature > 0:
        seed = tl.load(seed_ptr + row)
        position = tl.load(position_ptr + row)
        zero = token * 0
        noise, _, _, _ = tl.philox(seed, token, zero + position, zero, zero)
        score = x / tl.maximum(temperature, 1e-30) + _gumbel(noise)
    drawable = allowed & some & (x >= tl.load(floor_ptr + row))
    score = tl.where(drawable, score, -float("inf"))
    best, at = tl.max(score, axis=0, return_indices=True)

    out = partial_ptr + (row * num_tiles + tile) * 8
    tl.store(out + 0, m)
    tl.store(out + 1, tl.sum(weight, axis=0))
    tl.store(out + 2, tl.sum(depth * weight, axis=0))
    tl.store(out + 3, tl.sum(tl.where(allowed, weight, 0.0), axis=0))
    tl.store(out + 4, best)
    tl.store(out + 5, tl.sum(tl.where(token == tile * BLOCK + at, x, 0.0), axis=0))
    tl.store(out + 6, unusable)
    tl.store(best_ptr + row * num_tiles + tile, tile * BLOCK + at)


@triton.jit
def fold_kernel(
    partial_ptr, best_ptr, token_ptr, stats_ptr, num_tiles,
    TILES: tl.constexpr,  # noqa: N803 - a constant
):  # fmt: skip
    """Grid (row). Folds the tiles of a row; writes the token and [logprob, entropy, mass]."""
    row = tl.program_id(0)
    tile = tl.arange(0, TILES)
    inside = tile < num_tiles
    base = partial_ptr + (row * num_tiles + tile) * 8
    m = tl.load(base, mask=inside, other=-float("inf"))
    s = tl.load(base + 1, mask=inside, other=0.0)
    t = tl.load(base + 2, mask=inside, other=0.0)
    s_allowed = tl.load(base + 3, mask=inside, other=0.0)
    score = tl.load(base + 4, mask=inside, other=-float("inf"))
    logit = tl.load(base + 5, mask=inside, other=0.0)
    unusable = tl.max(tl.load(base + 6, mask=inside, other=0.0), axis=0)

    top = tl.max(m, axis=0)
    gap = tl.where(m > -float("inf"), m - top, 0.0)
    scale = tl.where(m > -float("inf"), tl.exp(gap), 0.0)
    total = tl.sum(s * scale, axis=0)
    moment = tl.sum(tl.where(scale > 0, (t + gap * s) * scale, 0.0), axis=0)
    mass = tl.sum(s_allowed * scale, axis=0) / total
    best, at = tl.max(score, axis=0, return_indices=True)
    picked = tl.sum(tl.where(tile == at, logit, 0.0), axis=0)
    usable = (unusable == 0) & (best > -float("inf"))
    nan = float("nan")
    token = tl.load(best_ptr + row * num_tiles + at)
    tl.store(token_ptr + row, tl.where(usable, token, -1).to(tl.int64))
    tl.store(stats_ptr + row * 4, tl.where(usable, picked - top - tl.log(total), nan))
    tl.store(stats_ptr + row * 4 + 1, tl.where(usable, tl.log(total) - moment / total, nan))
    tl.store(stats_ptr + row * 4 + 2, tl.where(usable, mass, nan))


def decode_stats(logits_bv: torch.Tensor, draw: Draw, block: int = BLOCK) -> Stats:
    """The same as `reference.decode_stats`; the logits' rows are contiguous."""
    if logits_bv.stride(1) != 1:
        raise ValueError("each row of the logits must be contiguous")
    num_rows, num_tokens = logits_bv.shape
    num_tiles = triton.cdiv(num_tokens, block)
    device = logits_bv.device
    partial = torch.empty((num_rows, num_tiles, 8), dtype=torch.float32, device=device)
    best = torch.empty((num_rows, num_tiles), dtype=torch.int32, device=device)
    token_b = torch.empty(num_rows, dtype=torch.int64, device=device)
    stats = torch.empty((num_rows, 4), dtype=torch.float32, device=device)
    policy_b = draw.policy_b
    if draw.mask_pw.shape[0] == 0:
        policy_b = torch.full_like(policy_b, -1)
    tile: Any = tile_kernel[(num_rows, num_tiles)]
    tile(
        logits_bv, logits_bv.stride(0), num_tokens,
        draw.temperature_b, draw.seed_b, draw.position_b, draw.floor_b, policy_b,
        draw.mask_pw, draw.mask_pw.shape[1],
        partial, best, num_tiles, BLOCK=block, num_warps=NUM_WARPS,
    )  # fmt: skip
    fold: Any = fold_kernel[(num_rows,)]
    fold(partial, best, token_b, stats, num_tiles, TILES=triton.next_power_of_2(num_tiles))
    return Stats(token_b, stats[:, 0], stats[:, 1], stats[:, 2])
