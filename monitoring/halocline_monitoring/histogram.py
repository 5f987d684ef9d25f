"""Histograms over bins that never change, so that any two can be added or compared.

The edges belong to the metric, not to the data: a reference and a window are always alike.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from types import MappingProxyType

Counts = tuple[int, ...]

_POWERS = (0.5, 1.5, *(float(2**power) + 0.5 for power in range(1, 17)))

EDGES: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "prompt_tokens": _POWERS,
        "completion_tokens": _POWERS,
        "output_chars": _POWERS,
        "mean_logprob": tuple(-step / 4 for step in range(40, -1, -1)),
        "mean_entropy": tuple(step / 4 for step in range(0, 49)),
        "score": tuple(step / 20 for step in range(1, 20)),
    }
)


def edges(metric: str) -> tuple[float, ...]:
    """The edges of a metric; `score:<detector>` metrics share theirs."""
    return EDGES[metric.partition(":")[0]]


def empty(metric: str) -> Counts:
    """No values: one bin between each pair of edges, one beyond each end, one for no value."""
    return (0,) * (len(edges(metric)) + 2)


def place(metric: str, value: float | None) -> int:
    """The bin of one value; the last bin holds what has none."""
    cuts = edges(metric)
    if value is None or math.isnan(value):
        return len(cuts) + 1
    return bisect_right(cuts, value)


def values(counts: Counts) -> Counts:
    """The bins without the one for no value."""
    return counts[:-1]
