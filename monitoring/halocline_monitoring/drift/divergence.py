"""How far two histograms over the same fixed bins are apart.

`distance` carries the alarm: a Kolmogorov-Smirnov distance with a p-value that holds at any sample
size. `psi` is shown as the size of an effect and never alarms: its usual thresholds are
sample-size detectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

from halocline_monitoring import histogram
from halocline_monitoring.histogram import Counts

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Shift:
    """One metric compared. `p_value` bounds the chance of a shift this large without drift."""

    metric: str
    distance: float
    psi: float
    p_value: float
    num_reference: int
    num_current: int


def compare(metric: str, reference: Counts, current: Counts) -> Shift:
    """Two histograms of one metric; the bin for no value takes no part."""
    left, right = histogram.values(reference), histogram.values(current)
    n, m = sum(left), sum(right)
    d = distance(left, right)
    return Shift(metric, d, psi(left, right), p_value(d, n, m), n, m)


def distance(left: Counts, right: Counts) -> float:
    """The largest gap between the two cumulative shares; 0 where one of them is empty."""
    n, m = sum(left), sum(right)
    if not n or not m:
        return 0.0
    pairs = zip(accumulate(left), accumulate(right), strict=True)
    return max(abs(a / n - b / m) for a, b in pairs)


def psi(left: Counts, right: Counts) -> float:
    """The population stability index, half a row added to each bin that either fills."""
    filled = [(a + _HALF, b + _HALF) for a, b in zip(left, right, strict=True) if a or b]
    n, m = sum(a for a, _ in filled), sum(b for _, b in filled)
    return sum((b / m - a / n) * math.log((b / m) / (a / n)) for a, b in filled)


def p_value(d: float, n: int, m: int) -> float:
    """An upper bound on P(distance >= d) without drift, for any distribution and sample sizes.

    Each sample's own distance from the truth obeys the Dvoretzky-Kiefer-Wolfowitz inequality with
    Massart's constant; the two errors are added with their best split. Bins only shrink distances.
    """
    if not n or not m or d <= 0:
        return 1.0
    share = math.sqrt(m) / (math.sqrt(n) + math.sqrt(m))
    a, b = d * share, d * (1 - share)
    return min(1.0, 2 * math.exp(-2 * n * a * a) + 2 * math.exp(-2 * m * b * b))
