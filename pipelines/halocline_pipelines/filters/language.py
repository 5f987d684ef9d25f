"""Keeps one language. The signal is named for the language that was found."""

from __future__ import annotations

from dataclasses import dataclass

from halocline_governance.detect.language import VERSION
from halocline_pipelines.filters.bound import Signals

PREFIX = f"{VERSION}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """At least this probability of this language. 0.65 is FineWeb's and RefinedWeb's bound."""

    id: str = "language@1"
    code: str = "en"
    min_probability: float = 0.65

    @property
    def needs(self) -> frozenset[str]:
        return frozenset((PREFIX + self.code,))

    def fault(self, signals: Signals) -> str | None:
        found = {
            name.removeprefix(PREFIX): p for name, p in signals.items() if name.startswith(PREFIX)
        }
        if not found:
            return "language: not measured"
        code, probability = max(found.items(), key=lambda item: item[1])
        if code != self.code:
            return f"language {code}, not {self.code}"
        if not probability >= self.min_probability:
            return f"language {code}: {probability:.2f}, below {self.min_probability}"
        return None
