"""What is summed up from the rows of each table that a period report draws figures from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from halocline_governance.lineage.lineage import TABLES as LINEAGE
from halocline_governance.report.period import held

OUTPUTS = "serving.outputs"
CURATED = "curated.documents"
ALERTS = "monitoring.alerts"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    OUTPUTS: held.COLUMNS,
    CURATED: ("row_uid", "label_id", "source", "licence", "content_sha256", "num_pii"),
    ALERTS: ("row_uid", "label_id", "alert_id", "metric", "severity", "disposition", "ts"),
}  # fmt: skip
"""What is read of each table that is read through the guard."""

Row = Mapping[str, Any]
Counted = list[dict[str, Any]]
_BAD = "unreadable"


class Sums(Protocol):
    """Takes the rows of one table."""

    def add(self, row: Row) -> None: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(slots=True)
class Outputs:
    """By day and outcome, by detector and status, by model; of outputs asked for in the period.
    `requests` has the sketch of each row."""

    in_period: Callable[[str], bool]
    requests: dict[str, bytes] = field(default_factory=dict[str, bytes])
    num: int = 0
    days: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    outcomes: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    verdicts: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    models: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])

    def add(self, row: Row) -> None:
        if not self.in_period(str(row["ts"])):
            return
        self.num += 1
        outcome = str(row["outcome"])
        request = str(row["request_id"])
        is_again = request in self.requests
        self.requests[request] = held.MORE_THAN_ONE if is_again else held.sketch(row)
        self.outcomes[(outcome,)] += 1
        self.days[str(row["ts"])[:10], outcome] += 1
        model = f"{row['model']} v{row['model_version']}"
        self.models[str(row["endpoint"]), model, outcome] += 1
        for detector, status in _verdicts(row["verdicts"]):
            self.verdicts[detector, status] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "in_period": self.num,
            "outcomes": _rows(self.outcomes, "outcome", "outputs"),
            "output_days": _rows(self.days, "day", "outcome", "outputs"),
            "verdicts": _rows(self.verdicts, "detector", "status", "outputs"),
            "by_model": _rows(self.models, "endpoint", "model", "outcome", "outputs"),
        }


@dataclass(slots=True)
class Curated:
    """Rows by source and licence, with how much personal data curation scrubbed from them. Of all
    rows: what lies there was let in at some time, and stays."""

    in_period: Callable[[str], bool]
    rows: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    with_pii: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])
    findings: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])

    def add(self, row: Row) -> None:
        key = (str(row["source"]), str(row["licence"]))
        self.rows[key] += 1
        self.with_pii[key] += row["num_pii"] > 0
        self.findings[key] += row["num_pii"]

    def as_json(self) -> dict[str, Any]:
        names = ("source", "licence", "rows", "rows_scrubbed", "pii_scrubbed")
        counts = (self.rows, self.with_pii, self.findings)
        told = [
            dict(zip(names, (*key, *(count[key] for count in counts)), strict=True))
            for key in sorted(self.rows)
        ]
        return {"sources": told}


@dataclass(slots=True)
class Alerts:
    """Alerts raised in the period, by metric, severity and what was done about them."""

    in_period: Callable[[str], bool]
    found: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])

    def add(self, row: Row) -> None:
        if self.in_period(str(row["ts"])):
            names = ("metric", "severity", "disposition")
            self.found[tuple(str(row[name]) for name in names)] += 1

    def as_json(self) -> dict[str, Any]:
        names = ("metric", "severity", "disposition", "alerts")
        return {"alerts": _rows(self.found, *names)}


@dataclass(slots=True)
class Whole:
    """The rows themselves, of a table that holds ids and counts: what lineage tells."""

    in_period: Callable[[str], bool]
    rows: list[Row] = field(default_factory=list[Row])

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def as_json(self) -> dict[str, Any]:
        return {}


SUMS: Mapping[str, Callable[[Callable[[str], bool]], Sums]] = {
    OUTPUTS: Outputs,
    CURATED: Curated,
    ALERTS: Alerts,
    **dict.fromkeys(LINEAGE, Whole),
}


def merged(
    figures: Iterable[Mapping[str, Any]], name: str, columns: Sequence[str]
) -> list[dict[str, Any]]:
    """One sum over all compartments, from what each figure says, sorted by its names.

    Args:
        figures: as a report has them.
        name: of the sum.
        columns: names first, then numbers.
    """
    total: dict[tuple[str, ...], dict[str, Any]] = {}
    for figure in figures:
        for row in cast("Counted", figure["sums"].get(name, [])):
            numbers = [column for column in columns if type(row[column]) is int]
            key = tuple(str(row[column]) for column in columns if column not in numbers)
            there = total.setdefault(key, {**row, **dict.fromkeys(numbers, 0)})
            for column in numbers:
                there[column] += row[column]
    return [total[key] for key in sorted(total)]


def _verdicts(text: str | None) -> list[tuple[str, str]]:
    """Detector and status of each verdict."""
    try:
        return [(str(one["detector"]), str(one["status"])) for one in json.loads(text or "[]")]
    except (ValueError, KeyError, TypeError):
        return [(_BAD, _BAD)]


def _rows(counts: Counter[tuple[str, ...]], *names: str) -> Counted:
    return [dict(zip(names, (*key, counts[key]), strict=True)) for key in sorted(counts)]
