"""The lists that lineage's tables tell: dataset versions, what models were made from, endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from halocline_governance.label import SYSTEM, Label
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MODEL
from halocline_governance.report.period.drawn import Drawing
from halocline_governance.report.period.field import label as label_line
from halocline_governance.report.period.made import Fields
from halocline_governance.report.period.rows import row
from halocline_governance.report.period.sums import Whole
from halocline_governance.report.period.tally import SHOWN
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period

Row = Mapping[str, Any]


def decisions(drawings: Mapping[str, Drawing]) -> set[str]:
    """The decisions that these tables name."""
    named = [*_rows(drawings, DATASET), *_rows(drawings, DEPLOYMENT)]
    return {str(one["decision_id"]) for one in named}


def datasets(drawings: Mapping[str, Drawing], period: Period) -> list[Row]:
    """The dataset versions that were on record at the end of the period, the oldest first."""
    return _by_time(drawings, DATASET, "ts", period)


def lists(
    drawings: Mapping[str, Drawing],
    labels: Mapping[str, Label],
    bound: Mapping[str, Entry],
    known: Mapping[str, Entry],
    period: Period,
) -> dict[str, dict[str, Any]]:
    """The lists by the name of their statement.

    Args:
        drawings: what was read of each table.
        labels: every label that lineage names.
        bound: the fingerprint record of each table.
        known: decisions on record, by id.
        period: what was recorded after its end is left out.
    """

    def cited(table: str, decision_id: object) -> list[Entry]:
        found = known.get(str(decision_id))
        return [*([found] if found else []), bound[f"{SYSTEM}:{table}"]]

    def label(label_id: object) -> str:
        found = labels.get(str(label_id))
        return label_line(found.as_json() if found else None)

    def dataset(one: Row) -> Fields:
        return row(
            "datasets",
            cited(DATASET, one["decision_id"]),
            period,
            table=f"{one['compartment']}:{one['table']}",
            **{name: one[name] for name in ("dsv_id", "version", "num_rows", "fingerprint")},
            label=label(one["label_id"]),
        )

    def parent(one: Row) -> Fields:
        before = one["parent_model"]
        return row(
            "parents",
            [bound[f"{SYSTEM}:{MODEL}"]],
            period,
            **{name: one[name] for name in ("model", "version", "kind", "run_id")},
            parent="" if before is None else f"{before} v{one['parent_version']}",
            label=label(one["label_id"]),
        )

    def deployment(one: Row) -> Fields:
        return row(
            "deployments",
            cited(DEPLOYMENT, one["decision_id"]),
            period,
            endpoint=one["endpoint"],
            model=one["model"],
            version=one["version"],
            **{"from": one["from_ts"], "until": _until(one, period)},
        )

    return {
        "datasets": _list(datasets(drawings, period), dataset),
        "parents": _list(_by_time(drawings, MODEL, "ts", period), parent),
        "deployments": _list(
            [
                one
                for one in _by_time(drawings, DEPLOYMENT, "from_ts", period)
                if one["to_ts"] is None or one["to_ts"] >= period.start
            ],
            deployment,
        ),
    }


def strange(drawings: Mapping[str, Drawing], known: Mapping[str, Entry]) -> list[str]:
    """Gaps: decisions that lineage names and the journal does not have."""
    missing = decisions(drawings) - set(known)
    if not missing:
        return []
    return [f"lineage names {len(missing)} decisions that are not in the journal"]


def _until(one: Row, period: Period) -> str:
    ended = cast("str | None", one["to_ts"])
    return ended if ended is not None and ended < period.end else "still, at the end of the period"


def _list(rows: Sequence[Row], told: Callable[[Row], Fields]) -> dict[str, Any]:
    return {"rows": [told(one) for one in rows[-SHOWN:]], "total": len(rows)}


def _by_time(drawings: Mapping[str, Drawing], table: str, ts: str, period: Period) -> list[Row]:
    found = [one for one in _rows(drawings, table) if str(one[ts]) < period.end]
    return sorted(found, key=lambda one: (str(one[ts]), str(sorted(one.items(), key=str))))


def _rows(drawings: Mapping[str, Drawing], table: str) -> Sequence[Row]:
    drawing = drawings.get(f"{SYSTEM}:{table}")
    return drawing.sums.rows if drawing and isinstance(drawing.sums, Whole) else ()
