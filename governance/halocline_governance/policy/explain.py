"""Why a recorded decision came out as it did: facts, proven or missing, and the axes that failed.

Evaluates the journaled question once more on the embedded engine. For purpose `audit` only: whoever
calls this has asked the read gate first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from regopy import Interpreter, LogLevel, RegoError

from halocline_governance.decision import from_result
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.label import AXES, SENSITIVITIES
from halocline_governance.policy.bundle import Bundle

_LABEL_KEYS = {"sensitivity", *AXES}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a gate needs; `told` is the sentence of the denial without it."""

    name: str
    told: str
    proven: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """Where a label is not within the caller's own clearance, crossings left aside."""

    label: str
    axis: str
    needs: object
    has: object


@dataclass(frozen=True, slots=True)
class Explanation:
    """Attributes:
    facts: as evaluated now; empty when the revision differs.
    reproduced: whether the same question gives the recorded answer; None when it was not asked.
    """

    id: str
    when: str
    gate: str
    subject: str
    purpose: str
    answer: Mapping[str, Any]
    current: bool
    reproduced: bool | None
    facts: tuple[Fact, ...]
    axes: tuple[Axis, ...]
    crossings: tuple[str, ...]
    question: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def find(events: Iterable[tuple[str, int, dict[str, Any]]], ident: str) -> dict[str, Any]:
    """The decision event of this id, or the decision that an event of this id records.

    Raises:
        Refused: there is none, or the event is no decision.
    """
    for _, _, event in events:
        answer = event["object"].get("answer") if event["kind"] == "decision" else None
        if ident == event["event_id"] or (answer is not None and ident == answer.get("id")):
            if answer is None:
                raise Refused(f"{ident} is a {event['kind']} event, no decision; see audit show")
            return event
    raise Refused(f"no decision {ident} in this journal")


def explain(event: Mapping[str, Any], bundle: Bundle) -> Explanation:
    """What the event's decision rests on.

    Args:
        event: a decision, as the journal has it.
        bundle: the policies that decide now.

    Raises:
        Refused: the policies cannot be evaluated.
    """
    gate, asked = event["object"]["gate"], event["object"]["input"]
    answer = cast("dict[str, Any]", event["object"]["answer"])
    current = answer.get("revision") == bundle.revision
    facts, reproduced = (), None
    if current:
        evaluated = _evaluate(gate, asked, bundle)
        facts = tuple(_facts(evaluated))
        reproduced = _is_same(answer, evaluated.get("decision"))
    return Explanation(
        id=str(answer.get("id") or event["event_id"]),
        when=event["ts"],
        gate=gate,
        subject=event["subject"],
        purpose=event["purpose"],
        answer=answer,
        current=current,
        reproduced=reproduced,
        facts=facts,
        axes=tuple(_axes(asked, bundle)),
        crossings=tuple(_crossings(asked)),
        question=asked,
    )


def _evaluate(gate: str, asked: object, bundle: Bundle) -> dict[str, Any]:
    """`decision`, `needs` and `proven` of the gate; a name is left out where it is undefined."""
    rego: Any = Interpreter()
    rego.log_level = LogLevel.NONE
    found: dict[str, Any] = {}
    try:
        for path, source in bundle.modules.items():
            rego.add_module(path, source)
        rego.add_data_json(json.dumps(bundle.data, ensure_ascii=False))
        names = [f"halocline/{gate}/{name}" for name in ("decision", "needs", "proven")]
        built = rego.build(None, names)
        if not built.ok():
            raise Refused("the policies do not compile; run `opa check` on them")
        rego.set_input_term(json.dumps(asked, ensure_ascii=False))
        for name in names:
            output = rego.query_bundle_entrypoint(built, name)
            if output.ok() and len(output) == 1 and len(output[0].expressions) == 1:
                found[name.rsplit("/", 1)[1]] = output[0].expressions[0]
    except (RegoError, ValueError, LookupError) as error:
        raise Refused(f"the policies cannot be evaluated ({type(error).__name__})") from None
    return found


def _facts(evaluated: Mapping[str, Any]) -> Iterator[Fact]:
    proven = {str(name) for name in cast("Iterable[object]", evaluated.get("proven") or ())}
    for name, told in sorted(cast("Mapping[str, str]", evaluated.get("needs") or {}).items()):
        yield Fact(name, told, name in proven)


def _is_same(recorded: Mapping[str, Any], result: object) -> bool:
    try:
        again = from_result(result, revision="", decision_id="").as_json()
    except PolicyUnavailable:
        return False
    return all(again[key] == recorded.get(key) for key in ("allow", "reasons", "obligations"))


def _axes(asked: object, bundle: Bundle) -> Iterator[Axis]:
    """Every label in the resource against the caller's clearance, axis by axis."""
    whole = _mapping(asked)
    clearance = _mapping(_mapping(whole.get("principal")).get("clearance"))
    if set(clearance) != _LABEL_KEYS:
        return
    today = set(_names(_mapping(bundle.data.get("firm")).get("restricted_issuers")))
    for path, label in _labels(whole.get("resource"), "resource"):
        if _rank(label["sensitivity"]) > _rank(clearance["sensitivity"]):
            yield Axis(path, "sensitivity", label["sensitivity"], clearance["sensitivity"])
        for axis in AXES:
            counted, held = set(_names(label[axis])), set(_names(clearance[axis]))
            if axis == "issuers":
                counted &= today
            if not counted <= held:
                yield Axis(path, axis, sorted(counted), sorted(held))


def _labels(value: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        if set(fields) == _LABEL_KEYS:
            yield path, fields
            return
        for key, item in fields.items():
            yield from _labels(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _labels(item, f"{path}[{index}]")


def _crossings(asked: object) -> Iterator[str]:
    """The crossings that the question named; which of them held is the policy's to say."""
    named = _mapping(_mapping(asked).get("context")).get("crossings")
    for crossing in cast("list[object]", named) if isinstance(named, list) else []:
        yield str(_mapping(crossing).get("id"))


def _rank(level: object) -> int:
    return SENSITIVITIES.index(level) if level in SENSITIVITIES else len(SENSITIVITIES)


def _names(value: object) -> list[str]:
    return [str(name) for name in cast("list[object]", value)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
