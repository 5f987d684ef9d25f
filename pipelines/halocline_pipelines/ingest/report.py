"""What an ingest did: rows by compartment, refused sources, documents in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """A source that the gate did not let in. `reasons` are for purpose `audit`."""

    source: str
    decision_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that could not be read, and why."""

    source: str
    external_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Counts by compartment: `accepted` rows are new, `present` ones were there before."""

    accepted: Mapping[str, int]
    present: Mapping[str, int]
    refused: tuple[Refusal, ...]
    quarantined: tuple[Quarantined, ...]

    @property
    def compartments(self) -> tuple[str, ...]:
        """Every compartment that holds some of the sources now."""
        return tuple(sorted({*self.accepted, *self.present}))
