"""The sections that tell of the whole period: ingest, reads, walls, promotions, outputs, policy.

Each takes the pinned record (or rows) and gives plain JSON, sorted. Every statement carries its
proof: the journal's place, or how many entries it counts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from halocline_governance.lineage.keyed import Row
from halocline_governance.report.record import Entry, Record

_SHOWN = 200


def ingest(record: Record) -> dict[str, Any]:
    """What entered, as what, and what was refused."""
    rows = [_ingest_row(entry) for entry in record.decisions("ingest")]
    return {
        "num_allowed": sum(row["allow"] for row in rows),
        "num_refused": sum(not row["allow"] for row in rows),
        "refusals": [row for row in rows if not row["allow"]][:_SHOWN],
        "admissions": [row for row in rows if row["allow"]][:_SHOWN],
    }


def reads(record: Record) -> list[dict[str, Any]]:
    """Read decisions by principal, purpose, table and compartment."""
    allowed: Counter[tuple[str, ...]] = Counter()
    denied: Counter[tuple[str, ...]] = Counter()
    last: dict[tuple[str, ...], Entry] = {}
    for entry in record.decisions("read"):
        resource = _resource(entry)
        key = (
            str(entry.event["subject"]),
            str(entry.event["purpose"]),
            str(resource.get("table")),
            str(resource.get("compartment")),
        )
        (allowed if _allowed(entry) else denied)[key] += 1
        last[key] = entry
    names = ("subject", "purpose", "table", "compartment")
    return [
        {
            **dict(zip(names, key, strict=True)),
            "allowed": allowed[key],
            "denied": denied[key],
            "last": last[key].proof(),
        }
        for key in sorted(last)
    ]


def walls(record: Record) -> dict[str, Any]:
    """Denials by gate and reason, and each of them."""
    denials = [entry for entry in record.decisions() if not _allowed(entry)]
    by_gate = Counter(str(entry.object["gate"]) for entry in denials)
    asked = Counter(str(entry.object["gate"]) for entry in record.decisions())
    reasons = Counter(
        (str(entry.object["gate"]), reason) for entry in denials for reason in _reasons(entry)
    )
    return {
        "by_gate": [
            {"gate": gate, "asked": asked[gate], "denied": by_gate[gate]} for gate in sorted(asked)
        ],
        "by_reason": [
            {"gate": gate, "reason": reason, "count": reasons[gate, reason]}
            for gate, reason in sorted(reasons)
        ],
        "denials": [
            {
                **entry.head(),
                "gate": entry.object["gate"],
                "reasons": _reasons(entry),
                "proof": entry.proof(),
            }
            for entry in denials[:_SHOWN]
        ],
        "num_not_listed": max(0, len(denials) - _SHOWN),
    }


def promotions(record: Record, ledger: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every asked promotion with its approvals, and the registry's ledger beside it."""
    rows: list[dict[str, Any]] = []
    for entry in record.decisions("promote"):
        resource = _resource(entry)
        model: Mapping[str, Any] = resource.get("model") or {}
        approvals: list[Mapping[str, Any]] = resource.get("approvals") or []
        rows.append(
            {
                **entry.head(),
                "model": model.get("name"),
                "version": model.get("version"),
                "weights_sha256": model.get("weights_sha256"),
                "alias": resource.get("alias"),
                "requester": resource.get("requester"),
                "approvers": sorted(str(a.get("subject")) for a in approvals),
                "allow": _allowed(entry),
                "reasons": _reasons(entry),
                "proof": entry.proof(),
            }
        )
    return {"decisions": rows, "ledger": [dict(row) for row in ledger]}


def outputs(rows: Iterable[Row]) -> dict[str, Any]:
    """The readable outputs by outcome, and by what each detector said."""
    outcomes: Counter[str] = Counter()
    verdicts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        outcomes[str(row["outcome"])] += 1
        for verdict in json.loads(row["verdicts"] or "[]"):
            verdicts[str(verdict["detector"]), str(verdict["status"])] += 1
    return {
        "num_outputs": sum(outcomes.values()),
        "by_outcome": dict(sorted(outcomes.items())),
        "by_verdict": [
            {"detector": detector, "status": status, "count": verdicts[detector, status]}
            for detector, status in sorted(verdicts)
        ],
    }


def policy(record: Record) -> list[dict[str, Any]]:
    """The policy revisions that decided, with the interval in which they did."""
    spans: dict[str, list[str]] = {}
    for entry in record.decisions():
        spans.setdefault(str(entry.object["answer"].get("revision", "")), []).append(
            str(entry.event["ts"])
        )
    return [
        {"revision": revision, "first": min(seen), "last": max(seen), "decisions": len(seen)}
        for revision, seen in sorted(spans.items(), key=lambda item: (min(item[1]), item[0]))
    ]


def kinds(record: Record) -> dict[str, int]:
    """How many entries of each kind there are."""
    return dict(sorted(Counter(entry.kind for entry in record.entries).items()))


def _ingest_row(entry: Entry) -> dict[str, Any]:
    resource = _resource(entry)
    licence: Mapping[str, Any] = resource.get("licence") or {}
    return {
        **entry.head(),
        "source": resource.get("source"),
        "licence": licence.get("expression"),
        "compartment": resource.get("compartment"),
        "allow": _allowed(entry),
        "reasons": _reasons(entry),
        "proof": entry.proof(),
    }


def _resource(entry: Entry) -> Mapping[str, Any]:
    return entry.object["input"]["resource"]


def _allowed(entry: Entry) -> bool:
    return entry.object["answer"].get("allow") is True


def _reasons(entry: Entry) -> list[str]:
    return sorted(map(str, entry.object["answer"].get("reasons", [])))
