"""What the read gate granted: table versions, readable labels and columns, decision by decision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.decision import Decision
from halocline_governance.errors import Refused
from halocline_governance.guard import transform
from halocline_governance.label import Label, join
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    import pyarrow as pa

    from halocline_governance.lake import Location

_MAX_TOLD_LABELS = 64


@dataclass(frozen=True, slots=True)
class Question:
    """What the read gate is asked of one compartment."""

    table: str
    compartment: str
    columns: tuple[str, ...]
    version: int | None = None

    def as_json(self) -> dict[str, object]:
        """The gate's resource."""
        pinned = {} if self.version is None else {"version": self.version}
        named = {"table": self.table, "compartment": self.compartment}
        return {**named, "columns": list(self.columns), **pinned}


@dataclass(frozen=True, slots=True)
class Grant:
    """Readable part of one table in one compartment, pinned to a version."""

    question: Question
    location: Location
    version: int
    labels: Mapping[str, Label]
    label_ids: tuple[str, ...]
    columns: tuple[str, ...]
    transforms: Mapping[str, str]
    decision: Decision

    @property
    def compartment(self) -> str:
        """Where it lies."""
        return self.question.compartment

    @property
    def told_version(self) -> int | None:
        """The version, where the decision lets its caller know it."""
        return self.version if self.decision.obligations.get("versions") is True else None

    @property
    def path(self) -> Path:
        """The table's folder.

        Raises:
            Refused: it lies on object storage.
        """
        if "://" in self.location.uri:
            raise Refused("this table lies on object storage: use its location")
        return Path(self.location.uri)

    def as_json(self) -> dict[str, Any]:
        """For the journal: the label ids by name while they are few, by hash always."""
        ids = "\n".join(self.label_ids).encode()
        few = len(self.label_ids) <= _MAX_TOLD_LABELS
        return {
            "compartment": self.compartment,
            "version": self.version,
            "label_ids": list(self.label_ids) if few else [],
            "num_labels": len(self.label_ids),
            "labels_sha256": hashlib.sha256(ids).hexdigest(),
            "decision_id": self.decision.id,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one principal may read of one logical table, for one purpose."""

    principal: Principal
    purpose: Purpose
    table: str
    grants: tuple[Grant, ...]
    decided_at: float = field(compare=False)
    """Before the read gate was asked, in seconds of the guard's steady clock."""
    columns: tuple[str, ...] = field(init=False)
    """Granted in every compartment, alike masked or unmasked, in the first grant's order."""

    def __post_init__(self) -> None:
        first, *others = self.grants
        common = [
            name
            for name in first.columns
            if all(
                name in grant.columns and grant.transforms.get(name) == first.transforms.get(name)
                for grant in others
            )
        ]
        object.__setattr__(self, "columns", tuple(common))

    @property
    def label(self) -> Label:
        """The join of all that may be read: an upper bound of what is derived from it."""
        return join(label for grant in self.grants for label in grant.labels.values())

    @property
    def transforms(self) -> dict[str, str]:
        """The masks of the columns handed over."""
        masks = self.grants[0].transforms
        return {name: masks[name] for name in self.columns if name in masks}

    @property
    def schema(self) -> pa.Schema:
        """What rows are handed over as."""
        import pyarrow as pa

        plain, masks = tables.table(self.table).arrow(), self.transforms
        return pa.schema(
            [
                transform.field(plain.field(name), masks[name])
                if name in masks
                else plain.field(name)
                for name in self.columns
            ]
        )

    def as_json(self) -> dict[str, Any]:
        """For the journal."""
        return {
            "table": self.table,
            "columns": list(self.columns),
            "masked": sorted(self.transforms),
            "grants": [grant.as_json() for grant in self.grants],
        }
