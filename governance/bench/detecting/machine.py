"""This machine's memory and the clock of a bench: rates per core beside what the memory gives."""

import os
import time
from collections.abc import Callable

import numpy as np

SCALE = float(os.environ.get("BENCH_SCALE") or 1)
"""1 is what the documents quote; 0.01 is a quick look."""


def bandwidth(megabytes: int = 256) -> float:
    """MB/s at which one core reads memory (a numpy sum over 64-bit words), the best of five."""
    words = np.ones(megabytes * 1_000_000 // 8, dtype=np.int64)
    took: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        words.sum()
        took.append(time.perf_counter() - began)
    return words.nbytes / 1e6 / min(took)


def rate(run: Callable[[], object], num_bytes: int, times: int = 3) -> float:
    """MB/s of this process's own time, the best of a few: the machine may have others on it."""
    took: list[float] = []
    for _ in range(times):
        began = time.process_time()
        run()
        took.append(time.process_time() - began)
    return num_bytes / 1e6 / max(min(took), 1e-9)
