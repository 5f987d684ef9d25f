"""How the decisions behind one output came through walls: by which crossings, or by none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from halocline_governance.report import crossing
from halocline_governance.report.crossing import Story
from halocline_governance.report.record import Entry, Record


def passage(record: Record, decisions: Sequence[Entry], gaps: list[str]) -> dict[str, Any]:
    """The crossings that these decisions knew of, each with its story up to the pin.

    A crossing is as the decision's own question had it. Whether it has been revoked is what the
    pinned record says: nothing is asked of the database.

    Args:
        record: the pinned journal.
        decisions: those that led to the output.
        gaps: gets what does not fit together.
    """
    stories = crossing.stories(record.entries)
    told: dict[str, Mapping[str, Any]] = {}
    uses: dict[str, list[dict[str, Any]]] = {}
    for entry in decisions:
        for one in crossing.named(entry):
            name = crossing.key(one)
            told.setdefault(name, one)
            uses.setdefault(name, []).append(_use(entry, one))
        gaps += _unknown(entry)
    rows = [
        _row(told[name], stories.get(name) or Story(crossing.asked(told[name])), uses[name], gaps)
        for name in sorted(told)
    ]
    return {
        "num_decisions": len(decisions),
        "num_used": sum(row["used"] for row in rows),
        "crossings": rows,
    }


def _use(entry: Entry, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **entry.head(),
        "gate": entry.object["gate"],
        "id": entry.object["answer"].get("id"),
        "used": one["id"] in crossing.used(entry),
        "in_time": one["not_before"] <= entry.object["input"]["context"]["now"] < one["expires"],
        "proof": entry.proof(),
    }


def _row(
    told: Mapping[str, Any], story: Story, uses: list[dict[str, Any]], gaps: list[str]
) -> dict[str, Any]:
    ended = story.first("revoke")
    gaps += _misfits(told, story, uses)
    return {
        **story.as_json(),
        "used": any(use["used"] for use in uses),
        "revoked": None if ended is None else {**ended.head(), "proof": ended.proof()},
        "uses": uses,
    }


def _misfits(told: Mapping[str, Any], story: Story, uses: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the steps on record do not bear out the crossing that a decision was told of."""
    name = told["id"]
    found: list[str] = []
    for step in ("request", "open"):
        if story.first(step) is None:
            found.append(f"crossing {name}: its {step} is not in the journal")
    if {one["subject"] for one in told["approvers"]} - {
        one["subject"] for one in story.approvers()
    }:
        found.append(f"crossing {name}: an approval that a decision counted is not in the journal")
    found += [
        f"crossing {name}: {use['gate']} decision {use['id']} used it outside its time"
        for use in uses
        if use["used"] and not use["in_time"]
    ]
    return found


def _unknown(entry: Entry) -> list[str]:
    """Crossings that an answer names and its question did not carry."""
    strange = crossing.used(entry) - {str(one["id"]) for one in crossing.named(entry)}
    return [
        f"crossing {name}: a {entry.object['gate']} decision names it that was not told of it"
        for name in sorted(strange)
    ]
