"""A crossing of a wall as the journal tells it: what was asked for, its steps, its decisions.

A crossing is known by all that was asked for, not by its id alone, so that two databases behind
one journal do not run together. The database itself is never asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from halocline_governance.records import Kind, timestamp
from halocline_governance.report.record import Entry

_ASKED = (
    "id", "requester", "subjects", "purpose", "reason", "sides", "tenants", "not_before", "expires",
)  # fmt: skip
_TEXTS = ("id", "requester", "purpose", "reason")
_END_OF_TIME = "9999-12-31T23:59:59.999999Z"


@dataclass(slots=True)
class Story:
    """One crossing: what was asked for, the steps on record, and what the cross gate was asked."""

    asked: Mapping[str, Any]
    steps: list[Entry] = field(default_factory=list[Entry])
    openings: list[Entry] = field(default_factory=list[Entry])

    @property
    def expires(self) -> str:
        """When it ends by itself, in the form of a journal's time."""
        return moment(self.asked["expires"])

    def first(self, step: str) -> Entry | None:
        """The first record of a step. One that was recorded and then failed is recorded again."""
        return next((entry for entry in self.steps if entry.object["step"] == step), None)

    @property
    def ended(self) -> str:
        """When it was revoked, or else when it expires."""
        revoked = self.first("revoke")
        return self.expires if revoked is None else min(str(revoked.event["ts"]), self.expires)

    def standing(self, end: str) -> str:
        """Where it stood at this moment."""
        if not self.steps:
            return "not on record"
        if self.first("revoke") is not None:
            return "revoked"
        if self.expires < end:
            return "expired"
        return "requested" if self.first("open") is None else "open"

    def as_json(self) -> dict[str, Any]:
        """Who asked, for whom, what for, which walls; who approved; every step with its proof."""
        return {
            **{name: self.asked[name] for name in _ASKED},
            "not_before": moment(self.asked["not_before"]),
            "expires": self.expires,
            "approvers": self.approvers(),
            "steps": [
                {
                    "step": entry.object["step"],
                    "ts": entry.event["ts"],
                    "subject": entry.event["subject"],
                    "decision_id": entry.object.get("decision_id"),
                    "proof": entry.proof(),
                }
                for entry in self.steps
            ],
        }

    def approvers(self) -> list[dict[str, Any]]:
        """Who approved, when, and in which roles; None for roles that no question told."""
        roles = {
            str(one["subject"]): sorted(map(str, one["roles"]))
            for entry in self.openings
            for one in entry.object["input"]["resource"]["crossing"]["approvers"]
        }
        when: dict[str, str] = {}
        for entry in self.steps:
            if entry.object["step"] == "approve":
                when.setdefault(str(entry.event["subject"]), str(entry.event["ts"]))
        return [
            {"subject": name, "roles": roles.get(name), "ts": when[name]}
            for name in sorted(when, key=lambda name: (when[name], name))
        ]


def stories(entries: Iterable[Entry]) -> dict[str, Story]:
    """Every crossing that a step or the cross gate names, by `key`. Entries come by time."""
    found: dict[str, Story] = {}
    for entry in entries:
        if entry.kind == Kind.CROSS:
            request: Mapping[str, Any] = entry.object["crossing"]
            found.setdefault(key(request), Story(asked(request))).steps.append(entry)
        elif (told := proposed(entry)) is not None:
            found.setdefault(key(told), Story(asked(told))).openings.append(entry)
    return found


def asked(crossing: Mapping[str, Any]) -> dict[str, Any]:
    """A crossing without who approved it."""
    return {name: crossing[name] for name in _ASKED}


def key(crossing: Mapping[str, Any]) -> str:
    """What tells a crossing from any other."""
    return json.dumps(asked(crossing), sort_keys=True)


def proposed(entry: Entry) -> Mapping[str, Any] | None:
    """The crossing that the cross gate was asked about, if this is such a decision.

    What has not the shape of a crossing was denied as malformed, and is none.
    """
    if entry.kind != Kind.DECISION or entry.object["gate"] != "cross":
        return None
    crossing = entry.object["input"]["resource"].get("crossing")
    return crossing if _is_shaped(crossing) else None


def named(entry: Entry) -> list[Mapping[str, Any]]:
    """The open crossings that a decision's question carried."""
    if entry.kind != Kind.DECISION:
        return []
    carried: list[object] = entry.object["input"]["context"].get("crossings", [])
    return [cast("Mapping[str, Any]", one) for one in carried if _is_shaped(one)]


def used(entry: Entry) -> frozenset[str]:
    """The ids of those that the answer used."""
    if entry.kind != Kind.DECISION:
        return frozenset()
    return frozenset(entry.object["answer"].get("obligations", {}).get("crossings", ()))


def moment(seconds: int) -> str:
    """Seconds since the epoch as a journal's time, so that the two compare as text.

    What lies after the year 9999 is told as its last moment.
    """
    try:
        return timestamp(seconds)
    except (OverflowError, ValueError, OSError):
        return _END_OF_TIME


def _is_shaped(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    crossing = cast("Mapping[str, object]", value)
    return (
        all(isinstance(crossing.get(name), str) for name in _TEXTS)
        and all(_is_names(crossing.get(name)) for name in ("subjects", "sides", "tenants"))
        and all(type(crossing.get(name)) is int for name in ("not_before", "expires"))
        and _is_list(crossing.get("approvers"), _is_approver)
    )


def _is_approver(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    approver = cast("Mapping[str, object]", value)
    return isinstance(approver.get("subject"), str) and _is_names(approver.get("roles"))


def _is_names(value: object) -> bool:
    return _is_list(value, lambda one: isinstance(one, str))


def _is_list(value: object, holds: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(holds, cast("list[object]", value)))
