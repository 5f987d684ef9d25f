"""Reads one field of a record as a short text, whatever shape somebody gave it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from halocline_governance.report.record import Entry
from halocline_governance.report.render import label_text

_CUT = 300
_SIDES = {"public": "none", "x": "of a crossing"}


def resource(entry: Entry) -> Mapping[str, Any]:
    """What a decision was asked about; nothing for what is shaped otherwise."""
    return at(entry.object, "input", "resource")


def allowed(entry: Entry) -> bool:
    return at(entry.object, "answer").get("allow") is True


def reasons(entry: Entry) -> list[str]:
    found = at(entry.object, "answer").get("reasons")
    return sorted(map(str, cast("list[object]", found))) if isinstance(found, list) else []


def at(value: object, *names: str) -> Mapping[str, Any]:
    """The mapping that lies there, or an empty one."""
    for name in names:
        value = cast("Mapping[str, object]", value).get(name) if isinstance(value, Mapping) else {}
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def text(value: object) -> str:
    """A short text for any JSON value."""
    plain = value if isinstance(value, str) else "" if value is None else _json(value)
    return plain if len(plain) <= _CUT else plain[:_CUT] + "…"


def words(value: object) -> str:
    """A list of names on one line."""
    if not isinstance(value, list):
        return text(value)
    return text(", ".join(sorted(map(str, cast("list[object]", value)))))


def items(value: object) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    found = cast("list[object]", value) if isinstance(value, list) else []
    return [at(one) for one in found]


def counts(value: object) -> str:
    """Names with their counts on one line."""
    if not isinstance(value, Mapping):
        return text(value)
    told = cast("Mapping[str, object]", value)
    return text(", ".join(f"{name} {text(told[name])}" for name in sorted(told)))


def label(value: object) -> str:
    """A label on one line."""
    try:
        return label_text(cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else None)
    except (KeyError, TypeError):
        return "not a label"


def about(entry: Entry) -> str:
    """What a decision was about, in a few words."""
    asked = resource(entry)
    model = at(asked, "model")
    parts = [
        text(asked.get(name))
        for name in ("compartment", "table", "source", "endpoint", "alias")
        if isinstance(asked.get(name), str)
    ]
    if model:
        parts.append(f"{text(model.get('name'))} v{text(model.get('version'))}")
    if (told := at(asked, "crossing")).get("id"):
        parts.append(f"crossing {text(told['id'])}")
    return " ".join(parts)


def body(entry: Entry) -> Mapping[str, Any]:
    """What a row of the promotion ledger says."""
    return at(entry.object, "row", "body")


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def sides(entry: Entry) -> tuple[str, str]:
    """The sides that who asked is cleared for, and those of what the decision was about."""
    asked = resource(entry)
    named = at(asked, "labels").values() if "labels" in asked else ()
    labels = [
        *named,
        asked.get("label"),
        asked.get("context_label"),
        at(asked, "model").get("label"),
    ]
    found: set[str] = set()
    for one in labels:
        found |= _names(at(one).get("sides"))
    who = at(entry.object, "input", "principal", "clearance").get("sides")
    where = asked.get("compartment")
    if not any(map(at, labels)) and isinstance(where, str):
        # A read is asked about before its rows' labels are looked at: they are of the compartment.
        return _told(_names(who)), side(where)
    return _told(_names(who)), _told(found)


def side(compartment: str) -> str:
    """The side that a compartment is of."""
    first = compartment.partition(".")[0]
    return _SIDES.get(first, first)


def grants(entry: Entry) -> list[Mapping[str, Any]]:
    """What a read was granted, compartment by compartment, when its rows were handed over."""
    return items(at(entry.object, "plan").get("grants"))


def is_look(entry: Entry) -> bool:
    """Whether an allowed read decision is the guard's look or first touch, which hand nothing over:
    what is read then, if anything, is in a record of its own."""
    touches = at(entry.object, "answer", "obligations").get("touches")
    return allowed(entry) and (resource(entry).get("look") is True or bool(touches))


def _told(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _names(value: object) -> set[str]:
    return set(map(str, cast("list[object]", value))) if isinstance(value, list) else set()
