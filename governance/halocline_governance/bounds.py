"""Exact bounds on a rate from counts (Clopper and Pearson, Biometrika 1934), in pure Python.

Law: for every true rate p, the lower bound exceeds p with probability at most `error`, and the
upper bound falls below it with probability at most `error`, at any sample size.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_STEPS = 60


def lower(hits: int, trials: int, error: float) -> float:
    """The largest rate that `hits` or more of `trials` would still contradict."""
    if hits == 0:
        return 0.0
    return _solve(lambda p: tail(hits, trials, p) < error)


def upper(hits: int, trials: int, error: float) -> float:
    """The smallest rate that `hits` or fewer of `trials` would contradict."""
    if hits == trials:
        return 1.0
    return _solve(lambda p: 1.0 - tail(hits + 1, trials, p) > error)


def tail(hits: int, trials: int, rate: float) -> float:
    """P(at least `hits` of `trials`), by the regularised incomplete beta function."""
    if hits <= 0:
        return 1.0
    if hits > trials or rate <= 0.0:
        return 0.0
    if rate >= 1.0:
        return 1.0
    a, b = float(hits), float(trials - hits + 1)
    if rate < (a + 1) / (a + b + 2):
        return _front(a, b, rate) * _fraction(a, b, rate) / a
    return 1.0 - _front(b, a, 1.0 - rate) * _fraction(b, a, 1.0 - rate) / b


def _front(a: float, b: float, x: float) -> float:
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta)


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction DLMF 8.17.22."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for factor in (even, odd):
            d = 1.0 + factor * d
            c = 1.0 + factor / c
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-14:
            return value
    raise ArithmeticError("the continued fraction does not converge")


def _solve(is_below: Callable[[float], bool]) -> float:
    """Bisection for the rate at which a monotone test turns false."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if is_below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
