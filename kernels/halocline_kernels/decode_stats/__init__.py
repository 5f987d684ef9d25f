"""One pass over the logits of a decoding step: the token, and what an auditor wants of it.

`decode_stats` runs the Triton kernel on CUDA and the reference everywhere else; which one is
decided by where the logits lie, never by what is installed.
"""

from __future__ import annotations

import torch

from halocline_kernels.decode_stats.reference import Draw, Stats, nucleus_floor, pack_mask
from halocline_kernels.decode_stats.reference import decode_stats as _reference

__all__ = ["Draw", "Stats", "decode_stats", "nucleus_floor", "pack_mask"]


def decode_stats(logits_bv: torch.Tensor, draw: Draw) -> Stats:
    """The drawn token of each row, its logprob, the row's entropy and its allowed mass."""
    if logits_bv.is_cuda:
        from halocline_kernels.decode_stats.triton import decode_stats as kernel

        return kernel(logits_bv, draw)
    return _reference(logits_bv, draw)
