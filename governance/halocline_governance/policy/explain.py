"""Why a recorded decision came out as it did: facts, proven or missing, and what counted.

Evaluates the journaled question once more on the embedded engine. For purpose `audit` only: whoever
calls this has asked the read gate first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from halocline_governance.decision import from_result
from halocline_governance.errors import PolicyUnavailable, Refused
from halocline_governance.policy import counted
from halocline_governance.policy.bundle import Bundle
from halocline_governance.policy.counted import Axis, Crossing
from halocline_governance.policy.interpreter import needed

_CLEARANCE, _HOLDING = "halocline/proof/clearance", "halocline/crossing/holding"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a gate needs; `told` is the sentence of the denial without it."""

    name: str
    told: str
    proven: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Attributes:
    facts: as evaluated now; empty when the revision differs.
    reproduced: whether the same question gives the recorded answer; None when it was not asked.
    held: the clearance that the directory had left of the token's.
    counted: that with the walls of the crossings that held; None when it was not asked again.
    entry: what the directory let the caller hold at most then; None without an entry.
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
    held: object
    counted: object
    entry: Mapping[str, Any] | None
    axes: tuple[Axis, ...]
    crossings: tuple[Crossing, ...]
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


def explain(
    event: Mapping[str, Any], bundle: Bundle, entry: Mapping[str, Any] | None = None
) -> Explanation:
    """What the event's decision rests on.

    Args:
        event: a decision, as the journal has it.
        bundle: the policies that decide now.
        entry: the caller's entry in the directory then: `counted.entry_at`.

    Raises:
        Refused: the policies cannot be evaluated.
    """
    gate, asked = event["object"]["gate"], event["object"]["input"]
    answer = cast("dict[str, Any]", event["object"]["answer"])
    current = answer.get("revision") == bundle.revision
    facts, reproduced, evaluated = (), None, dict[str, Any]()
    if current:
        evaluated = _evaluate(gate, asked, bundle)
        facts = tuple(_facts(evaluated))
        reproduced = _is_same(answer, evaluated.get("decision"))
    held = _mapping(_mapping(asked).get("principal")).get("clearance")
    whole = evaluated.get("clearance")
    used = _mapping(answer.get("obligations")).get("crossings") or ()
    firm = _mapping(bundle.data.get("firm"))
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
        held=held,
        counted=whole,
        entry=entry,
        axes=tuple(counted.axes(asked, whole or held, firm.get("restricted_issuers"), entry)),
        crossings=tuple(counted.crossings(asked, used, evaluated.get("holding"))),
        question=asked,
    )


def _evaluate(gate: str, asked: object, bundle: Bundle) -> dict[str, Any]:
    """`decision`, `needs` and `proven` of the gate, the `clearance` that counted and the crossings
    `holding`; a name is left out where it is undefined."""
    # Here, because `interpreter` must have been loaded first: it says why.
    from regopy import Interpreter, LogLevel, RegoError

    rego: Any = Interpreter()
    rego.log_level = LogLevel.NONE
    found: dict[str, Any] = {}
    try:
        modules = needed(bundle.modules, gate)
        for path, source in modules.items():
            rego.add_module(path, source)
        rego.add_data_json(json.dumps(bundle.data, ensure_ascii=False))
        names = [f"halocline/{gate}/{name}" for name in ("decision", "needs", "proven")]
        # A firm's own policies may do without them.
        names += [name for name in (_CLEARANCE, _HOLDING) if _module(name) in modules]
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


def _module(entry: str) -> str:
    name = entry.split("/")[1]
    return f"{name}/{name}.rego"


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


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
