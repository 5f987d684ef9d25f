"""References by value: which rows, which model. Bare strings never stand for either."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import rfc8785

from halocline_governance.label import Label


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """Rows of one table in one compartment at one version, as one principal may read them."""

    table: str
    compartment: str
    version: int
    label_ids: tuple[str, ...]
    num_rows: int
    fingerprint: str
    decision_id: str

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "compartment": self.compartment,
            "version": self.version,
            "label_ids": list(self.label_ids),
            "num_rows": self.num_rows,
            "fingerprint": self.fingerprint,
            "decision_id": self.decision_id,
        }

    @property
    def dsv_id(self) -> str:
        """Names the rows, not the reading: two readers of the same rows get the same id."""
        same = {key: val for key, val in self.as_json().items() if key != "decision_id"}
        return "d" + hashlib.sha256(rfc8785.dumps(same)).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """One version of one registered model."""

    name: str
    version: int
    weights_sha256: str
    label: Label

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "weights_sha256": self.weights_sha256,
            "label": self.label.as_json(),
        }
