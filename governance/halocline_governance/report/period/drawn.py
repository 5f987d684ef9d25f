"""Figures drawn from tables: read as the officer at one version, bound to a fingerprint.

A fingerprint is over every row that was read and exactly the columns that figures are drawn from,
so a figure cannot be changed without another fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from halocline_governance.lineage.fingerprint import Fingerprint
from halocline_governance.report.period.sums import SUMS, Sums

Row = Mapping[str, Any]
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Figure:
    """What one table in one compartment says, and the fingerprint of the rows that say it.

    Args:
        table: its logical name.
        compartment: where it lies.
        version: of the Delta table.
        columns: what was read, sorted.
        num_rows: rows read.
        fingerprint: LtHash of them; see `of`.
        labels_sha256: of the label ids that were granted, one a line.
        num_labels: how many those are.
        sums: what is told of them.
    """

    table: str
    compartment: str
    version: int
    columns: tuple[str, ...]
    num_rows: int
    fingerprint: str
    labels_sha256: str
    num_labels: int
    sums: Mapping[str, Any] = field(compare=False)

    @property
    def name(self) -> str:
        return f"{self.compartment}:{self.table}"

    def told(self) -> dict[str, Any]:
        """What the journal is told before the figure is."""
        return {
            "table": self.table,
            "compartment": self.compartment,
            "version": self.version,
            "num_rows": self.num_rows,
            "fingerprint": self.fingerprint,
            "columns": list(self.columns),
            "num_labels": self.num_labels,
            "labels_sha256": self.labels_sha256,
        }

    def as_json(self, proof: Mapping[str, Any]) -> dict[str, Any]:
        """For the report."""
        return {**self.told(), "sums": dict(self.sums), "proofs": [dict(proof)]}


@dataclass(slots=True)
class Drawing:
    """Takes rows one by one; keeps their fingerprint and their sums."""

    sums: Sums
    running: Fingerprint = field(default_factory=Fingerprint)

    def take(self, rows: Iterable[Row]) -> None:
        """`row_uid` is the id of a row that has one, else 0."""
        add = self.running.add
        for row in rows:
            digest = hashlib.sha256(_ENCODE(row).encode("utf-8", "surrogatepass")).hexdigest()
            add(int(row.get("row_uid", 0)), digest)
            self.sums.add(row)


def draw(table: str, in_period: Callable[[str], bool]) -> Drawing:
    """An empty drawing for this table."""
    return Drawing(SUMS[table](in_period))


def labels_sha256(label_ids: Iterable[str]) -> str:
    """As a read's record in the journal names the labels it was granted."""
    return hashlib.sha256("\n".join(label_ids).encode()).hexdigest()
