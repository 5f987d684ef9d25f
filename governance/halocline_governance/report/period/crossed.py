"""The fields of a crossing, and of who was let across, made from the records of its steps alone."""

from __future__ import annotations

from collections.abc import Sequence

from halocline_governance.records import Kind
from halocline_governance.report import crossing as crossings
from halocline_governance.report.period.field import text, words
from halocline_governance.report.period.made import Fields
from halocline_governance.report.record import Entry
from halocline_governance.report.register import Period


def crossing(entries: Sequence[Entry], period: Period) -> Fields:
    story = _story(entries)
    asked = story.asked
    names = ("id", "requester", "purpose", "reason")
    return {
        **{name: text(asked[name]) for name in names},
        **{name: words(asked[name]) for name in ("subjects", "sides", "tenants")},
        "approvers": ", ".join(f"{one['subject']}" for one in story.approvers()),
        "from": crossings.moment(asked["not_before"]),
        "until": story.expires,
        "standing": story.standing(period.end),
        "steps": "; ".join(
            f"{entry.object['step']} {entry.event['ts']} {entry.event['subject']}"
            for entry in story.steps
        ),
    }


def insider(entries: Sequence[Entry], _: Period) -> Fields:
    story = _story(entries)
    opened = story.first("open")
    asked = story.asked
    begins = [crossings.moment(asked["not_before"])]
    begins += [str(opened.event["ts"])] if opened else []
    return {
        "subjects": words(asked["subjects"]),
        "reason": text(asked["reason"]),
        "inside": words([*asked["sides"], *asked["tenants"]]),
        "obtained": max(begins) if opened else "",
        "ceased": story.ended if opened else "",
        "crossing": text(asked["id"]),
    }


def _story(entries: Sequence[Entry]) -> crossings.Story:
    """The crossing whose steps these are."""
    ordered = sorted(entries, key=lambda entry: (str(entry.event["ts"]), entry.log, entry.seq))
    steps = [entry for entry in ordered if entry.kind == Kind.CROSS]
    return crossings.Story(crossings.asked(steps[0].object["crossing"]), steps)
