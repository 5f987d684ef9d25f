"""What counted for a caller when a decision was made: the clearance, and what widened or cut it.

Told from the journaled question, which holds the clearance that the directory had left, the
crossings that were open and the second it was asked at. Knows no gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from halocline_governance.label import AXES, SENSITIVITIES, SYSTEM

LABEL_KEYS = {"sensitivity", *AXES}
_NO_SIDE = ("public", SYSTEM)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossing that the question named, and what came of it.

    Attributes:
        state: `used`, `held` or `not held`.
        why: why it did not hold; empty else.
    """

    id: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Where a label, or a compartment by its name, is not within the clearance that counted.

    Attributes:
        label: where in the question it stands.
        has: what that clearance has on the axis, crossings that held included.
        entry: whether the directory's entry of then lacks it too, whatever the token says.
    """

    label: str
    axis: str
    needs: object
    has: object
    entry: bool


def crossings(asked: object, used: Iterable[object], holding: object) -> Iterator[Crossing]:
    """What came of each crossing that the question named.

    Args:
        asked: the question.
        used: the ids that the decision obliges to.
        holding: those that the policy found to hold; None when it was not asked.
    """
    needed = {str(ident) for ident in used}
    held = {str(_mapping(one).get("id")) for one in _list(holding)}
    for named in _list(_mapping(_mapping(asked).get("context")).get("crossings")):
        one = _mapping(named)
        ident = str(one.get("id"))
        if ident in needed:
            yield Crossing(ident, "used", "")
        elif ident in held:
            yield Crossing(ident, "held", "")
        else:
            why = "not asked again" if holding is None else _why_not(one, _mapping(asked))
            yield Crossing(ident, "not held", why)


def axes(
    asked: object, counted: object, restricted: object, entry: Mapping[str, Any] | None
) -> Iterator[Axis]:
    """The compartment and every label in the resource against the clearance that counted, axis by
    axis. Who has nothing to look for in a compartment is asked about without its labels.

    Args:
        counted: the clearance.
        restricted: today's restricted list: an issuer counts only while it is on it.
        entry: what the directory let the caller hold at most.
    """
    clearance, limit = _mapping(counted), _mapping(_mapping(entry).get("clearance"))
    if set(clearance) != LABEL_KEYS:
        return
    today = set(_names(restricted))
    resource = _mapping(_mapping(asked).get("resource"))
    for axis, name in _place(resource.get("compartment")):
        if name not in (has := _names(clearance[axis])):
            cut = bool(limit) and name not in _names(limit[axis])
            yield Axis("resource.compartment", axis, [name], sorted(has), cut)
    for path, label in _labels(resource, "resource"):
        if _rank(label["sensitivity"]) > _rank(clearance["sensitivity"]):
            cut = bool(limit) and _rank(label["sensitivity"]) > _rank(limit["sensitivity"])
            yield Axis(path, "sensitivity", label["sensitivity"], clearance["sensitivity"], cut)
        for axis in AXES:
            needs, has = set(_names(label[axis])), set(_names(clearance[axis]))
            if axis == "issuers":
                needs &= today
            if not needs <= has:
                cut = bool(limit) and not needs - has <= set(_names(limit[axis]))
                yield Axis(path, axis, sorted(needs), sorted(has), cut)


def entry_at(
    events: Iterable[tuple[str, int, dict[str, Any]]], subject: str, when: str
) -> Mapping[str, Any] | None:
    """The directory's entry of a subject at a time, by the journal; None if there was none.

    Args:
        when: a time as the journal writes it.
    """
    newest, found = "", None
    for _, _, event in events:
        if event["kind"] != "directory" or not newest <= event["ts"] <= when:
            continue
        change = _mapping(event["object"])
        before, after = _mapping(change.get("before")), _mapping(change.get("after"))
        if change.get("outcome") == "changed" and subject in (
            before.get("subject"),
            after.get("subject"),
        ):
            newest, found = event["ts"], after or None
    return found


def _why_not(one: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The first thing that speaks against a crossing which the policy found not to hold."""
    now = _mapping(asked.get("context")).get("now")
    begins, ends = one.get("not_before"), one.get("expires")
    if one.get("purpose") != asked.get("purpose"):
        return "it is for another purpose"
    if _mapping(asked.get("principal")).get("subject") not in _list(one.get("subjects")):
        return "it does not name the caller"
    if isinstance(now, int) and isinstance(begins, int) and now < begins:
        return "it had not begun"
    if isinstance(now, int) and isinstance(ends, int) and now >= ends:
        return "it had expired"
    return "it is too long, or not enough others approved it"


def _place(compartment: object) -> Iterator[tuple[str, str]]:
    """The axes that a compartment's name tells: its side, and the tenant beside it."""
    if not isinstance(compartment, str) or compartment in _NO_SIDE:
        return
    side, _, tenant = compartment.partition(".")
    if side != "x":
        yield "sides", side
        if tenant:
            yield "tenants", tenant


def _labels(value: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        if set(fields) == LABEL_KEYS:
            yield path, fields
            return
        for key, item in fields.items():
            yield from _labels(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _labels(item, f"{path}[{index}]")


def _rank(level: object) -> int:
    return SENSITIVITIES.index(level) if level in SENSITIVITIES else len(SENSITIVITIES)


def _names(value: object) -> list[str]:
    return [str(name) for name in _list(value)]


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
