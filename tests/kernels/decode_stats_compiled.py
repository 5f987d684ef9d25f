"""Compiles both kernels to sm_90 machine code without a GPU and prints what they would use.

A process of its own: the interpreter and the compiler exclude each other.
"""

# pyright: basic

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from halocline_kernels.decode_stats.triton import NUM_WARPS, fold_kernel, tile_kernel

TILE = {
    "logits_ptr": "*bf16", "row_stride": "i32", "num_tokens": "i32", "temperature_ptr": "*fp32",
    "seed_ptr": "*i64", "position_ptr": "*i32", "floor_ptr": "*fp32", "policy_ptr": "*i32",
    "mask_ptr": "*i32", "num_words": "i32", "partial_ptr": "*fp32", "best_ptr": "*i32",
    "num_tiles": "i32", "BLOCK": "constexpr",
}  # fmt: skip
FOLD = {
    "partial_ptr": "*fp32", "best_ptr": "*i32", "token_ptr": "*i64", "stats_ptr": "*fp32",
    "num_tiles": "i32", "TILES": "constexpr",
}  # fmt: skip
CUOBJDUMP = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"


def usage(kernel: object, signature: dict[str, str], constants: dict[str, int]) -> dict[str, int]:
    """Registers, stack, local and shared memory of one compiled kernel."""
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    compiled = triton.compile(
        source, target=GPUTarget("cuda", 90, 32), options={"num_warps": NUM_WARPS}
    )
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        cubin.write_bytes(compiled.asm["cubin"])
        told = subprocess.run(
            [CUOBJDUMP, "-res-usage", cubin], capture_output=True, text=True, check=True
        )
    found = re.findall(r"(REG|STACK|SHARED|LOCAL):(\d+)", told.stdout + told.stderr)
    return {name.lower(): int(amount) for name, amount in found}


if __name__ == "__main__":
    json.dump(
        {
            "tile 4096": usage(tile_kernel, TILE, {"BLOCK": 4096}),
            "tile 1024": usage(tile_kernel, TILE, {"BLOCK": 1024}),
            "fold 64": usage(fold_kernel, FOLD, {"TILES": 64}),
        },
        sys.stdout,
    )
