"""How long one decoding step's statistics take: the fused pass against the same in plain torch.

On CUDA it also copies the logits, in the same run, so that a figure stands beside the floor.
Run: make bench NAME=decode_stats
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from halocline_kernels.decode_stats import Draw, decode_stats, reference

SHAPES = [(1, 32_000), (8, 32_000)]


def plain(logits: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """What a server does without the fused pass: sample, then reduce twice more."""
    logprobs = torch.log_softmax(logits.float(), dim=1)
    p = logprobs.exp()
    token = torch.multinomial(p, 1)
    return token, logprobs.gather(1, token), -(p * logprobs).sum(1)


def median_ms(step: Callable[[], object], device: str, repeats: int) -> float:
    """The median of `repeats` runs, after three that warm up."""
    times: list[float] = []
    for number in range(repeats + 3):
        start = time.perf_counter()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        if number >= 3:
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def measure(rows: int, tokens: int, repeats: int) -> dict[str, Any]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    logits = torch.randn((rows, tokens), device=device)
    draw = replace(Draw.greedy(rows, device), temperature_b=torch.ones(rows, device=device))
    steps: dict[str, Callable[[], object]] = {
        "plain torch": lambda: plain(logits),
        "reference": lambda: reference.decode_stats(logits, draw),
        "greedy reference": lambda: reference.decode_stats(logits, Draw.greedy(rows, device)),
    }
    if device == "cuda":
        steps["triton"] = lambda: decode_stats(logits, draw)
        steps["copy of the logits"] = logits.clone
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "num_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "rows": rows,
        "tokens": tokens,
        "median_ms": {name: median_ms(step, device, repeats) for name, step in steps.items()},
    }


def main() -> None:
    results = [measure(rows, tokens, repeats=20) for rows, tokens in SHAPES]
    for result in results:
        print(f"{result['rows']} x {result['tokens']} fp32, {result['device']}", file=sys.stderr)
        for name, median in result["median_ms"].items():
            print(f"  {name:<20} {median:9.3f} ms", file=sys.stderr)
    json.dump({"results": results}, sys.stdout)


if __name__ == "__main__":
    main()
