"""The rows behind a recorded dataset version, read again through the guard and held against it.

Says for one auditor what the version holds by source and licence, and whether the rows that lie
there today are the rows that were recorded. Knows no policy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from halocline_governance import tables
from halocline_governance.errors import Denied, StorageUnavailable, TableMissing
from halocline_governance.lineage import fingerprint
from halocline_governance.lineage.keyed import Row
from halocline_governance.principal import Principal, Purpose

if TYPE_CHECKING:
    from halocline_governance.guard import Guard

_WANTED = ("row_uid", "label_id", "source", "licence", "content_sha256")


@dataclass(frozen=True, slots=True)
class Rows:
    """What an auditor may be shown of a dataset version. `intact` is None when he may read only
    a part of it, so that nothing can be said."""

    num_read: int = 0
    intact: bool | None = None
    sources: Mapping[str, int] = field(default_factory=dict[str, int])
    licences: Mapping[str, int] = field(default_factory=dict[str, int])
    first: tuple[Mapping[str, str], ...] = ()
    gaps: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "num_read": self.num_read,
            "intact": self.intact,
            "sources": dict(sorted(self.sources.items())),
            "licences": dict(sorted(self.licences.items())),
            "first": [dict(row) for row in self.first],
        }


def read(guard: Guard, principal: Principal, dataset: Row, limit: int = 20) -> Rows:
    """The rows of one row of `lineage.dataset_version`, counted, and the first `limit` by id."""
    name = f"{dataset['compartment']}:{dataset['table']}"
    place = f"{name} version {dataset['version']}"
    known = tables.table(dataset["table"]).column_names
    columns = [column for column in _WANTED if column in known]
    try:
        plan = guard.plan(principal, Purpose.AUDIT, name, columns, version=dataset["version"])
        table = guard.table(plan)
    except Denied as denied:
        return Rows(gaps=(f"{place}: you may not read it (decision {denied.decision.id})",))
    except (TableMissing, StorageUnavailable):
        return Rows(gaps=(f"{place}: its files are gone or cannot be read",))
    recorded = set(dataset["label_ids"])
    found = [row for row in table.to_pylist() if row["label_id"] in recorded]
    found.sort(key=lambda row: row["row_uid"])
    hidden = recorded - set(plan.grants[0].label_ids)
    gaps = [f"{place}: you may not read rows of {len(hidden)} of its labels"] if hidden else []
    intact = None if hidden else _is_recorded(dataset, found)
    if intact is False:
        gaps.append(f"{place}: the rows that lie there are not the rows that were recorded")
    return Rows(
        num_read=len(found),
        intact=intact,
        sources=Counter(str(row.get("source", "")) for row in found),
        licences=Counter(str(row.get("licence", "")) for row in found),
        first=tuple(_shown(row) for row in found[:limit]),
        gaps=tuple(gaps),
    )


def _is_recorded(dataset: Row, found: list[Row]) -> bool:
    pairs = ((row["row_uid"], str(row.get("content_sha256", row["row_uid"]))) for row in found)
    same_rows = fingerprint.of(pairs) == dataset["fingerprint"]
    return same_rows and len(found) == dataset["num_rows"]


def _shown(row: Row) -> dict[str, str]:
    """Ids as text: readers of JSON agree on whole numbers up to 2**53 only."""
    names = ("row_uid", "source", "licence")
    return {name: str(row[name]) for name in names if name in row}
