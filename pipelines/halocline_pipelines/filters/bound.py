"""A closed interval that a signal must lie in: what every filter is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

Signals = Mapping[str, float]


class Filter(Protocol):
    """A rule over signals. Its `id` is `name@version`; `needs` are the signals that it reads."""

    @property
    def id(self) -> str: ...

    @property
    def needs(self) -> frozenset[str]: ...

    def fault(self, signals: Signals) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Bound:
    """`low <= signal <= high`; `what` reads as a noun in the reason."""

    signal: str
    what: str
    low: float = -math.inf
    high: float = math.inf

    def fault(self, signals: Signals) -> str | None:
        value = signals.get(self.signal)
        if value is None or math.isnan(value):
            return f"{self.what}: not measured"
        if value < self.low:
            return f"{self.what}: {value:.3g}, below {self.low:.6g}"
        if value > self.high:
            return f"{self.what}: {value:.3g}, above {self.high:.6g}"
        return None


def named(bounds: Iterable[Bound]) -> frozenset[str]:
    """The signals that the bounds are about."""
    return frozenset(bound.signal for bound in bounds)


def first_fault(bounds: Iterable[Bound], signals: Signals) -> str | None:
    """The first bound's fault, in their order."""
    return next((fault for fault in (bound.fault(signals) for bound in bounds) if fault), None)
