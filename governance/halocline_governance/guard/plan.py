"""What the read gate granted: table versions, readable labels and columns, decision by decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from halocline_governance.decision import Decision
from halocline_governance.label import Label, join
from halocline_governance.principal import Principal, Purpose


@dataclass(frozen=True, slots=True)
class Grant:
    """Readable part of one table in one compartment, pinned to a version."""

    compartment: str
    path: Path
    version: int
    labels: Mapping[str, Label]
    columns: tuple[str, ...]
    decision: Decision

    @property
    def label_ids(self) -> tuple[str, ...]:
        return tuple(sorted(self.labels))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one principal may read of one logical table, for one purpose."""

    principal: Principal
    purpose: Purpose
    table: str
    grants: tuple[Grant, ...]

    @property
    def label(self) -> Label:
        """The join of all that may be read: an upper bound of what is derived from it."""
        return join(label for grant in self.grants for label in grant.labels.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns granted in every compartment, in the first grant's order."""
        return tuple(
            name
            for name in self.grants[0].columns
            if all(name in grant.columns for grant in self.grants)
        )
