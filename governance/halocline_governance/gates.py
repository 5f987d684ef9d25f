"""The seven gates: the only places at which the platform decides, and how one asks.

`Gates` puts what is known of the caller into the question, evaluates a policy and makes the
decision durable before anybody can act on it. Knows nothing of what lies behind a gate;
`QUESTIONS` is the whole list, and tests hold policies and docs to it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, cast

from halocline_governance.clock import Onward
from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, PolicyUnavailable, StateUnavailable
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.remembered import Remembered


class Gate(StrEnum):
    """Where a policy is asked. The value names the Rego package `halocline.<gate>`."""

    INGEST = "ingest"
    READ = "read"
    TRAIN = "train"
    PROMOTE = "promote"
    SERVE = "serve"
    RELEASE = "release"
    CROSS = "cross"


QUESTIONS: Mapping[Gate, str] = {
    Gate.INGEST: "may this source enter, and as what?",
    Gate.READ: "which labels of this table, which columns?",
    Gate.TRAIN: "may these inputs be joined in one run?",
    Gate.PROMOTE: "may this version take this alias?",
    Gate.SERVE: "may this caller use this model on this input?",
    Gate.RELEASE: "may these bytes leave?",
    Gate.CROSS: "may this wall be crossed?",
}


class Engine(Protocol):
    """A policy engine. Its answer is well-formed or it raises `PolicyUnavailable`."""

    @property
    def revision(self) -> str: ...

    def decide(self, gate: str, input: Mapping[str, Any]) -> Decision: ...


class Sink(Protocol):
    """Where events become durable: the journal."""

    def append(self, event: AuditEvent) -> object: ...


class Known(Protocol):
    """What is known of a subject, at least as fresh as `epoch`."""

    @property
    def epoch(self) -> int: ...

    @property
    def history(self) -> Sequence[str]: ...

    def open(self, now: int) -> Sequence[Mapping[str, Any]]: ...


class Facts(Protocol):
    """Where open crossings and histories are kept: `state.facts`."""

    def about(self, subject: str) -> Known: ...

    def touching(
        self, subject: str, known: Sequence[str], tenants: Sequence[str], decision_id: str
    ) -> AbstractContextManager[bool]: ...


# Asked over and over with the same words; every other gate decides anew each time.
_REMEMBERED = frozenset({Gate.READ, Gate.SERVE})
_MAX_QUESTION_CHARACTERS = 65_536
# Each turn that is lost was won by another question of the same subject.
_MAX_TURNS = 64
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class Gates:
    """Asks one engine, chosen at start, and records every answer before it takes effect.

    Args:
        engine: the policy engine; never switched afterwards.
        journal: the durable sink; a decision that cannot be recorded is no decision.
        clock: seconds since the epoch, never backwards; policies see it as `context.now`.
        facts: open crossings and the history. Without them there are none, nothing is remembered,
            and an answer that needs a history kept is refused.
        steady: seconds of a clock that never jumps; remembered decisions age by it.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Sink,
        clock: Callable[[], float] | None = None,
        facts: Facts | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock or Onward()
        self._facts = facts
        self._remembered = Remembered(self._clock, steady)

    @property
    def revision(self) -> str:
        """The policy revision that answers."""
        return self._engine.revision

    @property
    def journal(self) -> Sink:
        """Where an act that follows a decision is recorded."""
        return self._journal

    def ask(
        self,
        gate: Gate,
        principal: Principal,
        purpose: Purpose,
        resource: Mapping[str, Any],
        context: Mapping[str, Any] | None = None,
    ) -> Decision:
        """The decision, already durable. An engine without an answer counts as a denial.

        A read or serve decision that allowed the very same within the last minute is given again,
        with its id, while nothing that it was made from has changed.

        Raises:
            PolicyUnavailable: no well-formed answer; that too is recorded.
            StateUnavailable: crossings and history could not be read; that too is recorded.
            JournalUnavailable: the decision could not be recorded.
        """
        question = _Question(gate, principal, purpose, resource, context or {})
        for _ in range(_MAX_TURNS):
            decision = self._turn(question)
            if decision is not None:
                return decision
        raise StateUnavailable("the history of this caller does not hold still; try again")

    def require(
        self,
        gate: Gate,
        principal: Principal,
        purpose: Purpose,
        resource: Mapping[str, Any],
        context: Mapping[str, Any] | None = None,
    ) -> Decision:
        """The decision, if it allows.

        Raises:
            Denied: the gate said no; carries the decision.
        """
        decision = self.ask(gate, principal, purpose, resource, context)
        if not decision.allow:
            raise Denied(gate.value, decision)
        return decision

    def _turn(self, question: _Question) -> Decision | None:
        """One attempt; None when the history moved before what it decided could be appended."""
        now, began = int(self._clock()), self._remembered.now()
        known, revision = self._about(question, now)
        crossings = known.open(now) if known is not None else ()
        key = _key(question, known, crossings, revision)
        if key is not None and (held := self._remembered.get(key)) is not None:
            return held
        history = known.history if known is not None else ()
        asked = question.asked(
            {"now": now, "crossings": [dict(one) for one in crossings], "history": list(history)}
        )
        try:
            decision = self._engine.decide(question.gate.value, asked)
            touches, until = _touches(question.gate, decision), _until(question.gate, decision)
        except PolicyUnavailable:
            self._record(question, asked, _UNAVAILABLE)
            raise
        if touches:
            return self._touch(question, asked, decision, history, touches)
        self._record(question, asked, decision.as_json())
        # Policies that changed in between decided something that nobody asked of the earlier ones.
        if key is not None and decision.revision == revision:
            self._remembered.put(key, decision, until, began)
        return decision

    def _about(self, question: _Question, now: int) -> tuple[Known | None, str]:
        """What is known of the caller, and the policies' revision."""
        try:
            known = self._facts.about(question.principal.subject) if self._facts else None
            return known, self._engine.revision
        except (StateUnavailable, PolicyUnavailable):
            self._record(question, question.asked({"now": now}), _UNAVAILABLE)
            raise

    def _touch(
        self,
        question: _Question,
        asked: Mapping[str, Any],
        decision: Decision,
        history: Sequence[str],
        touches: Sequence[str],
    ) -> Decision | None:
        """The decision, once its touches hold and its record is durable."""
        if self._facts is None:
            self._record(question, asked, _UNAVAILABLE)
            raise StateUnavailable(f"{question.gate.value} gate: nobody keeps the history it needs")
        subject = question.principal.subject
        with self._facts.touching(subject, history, touches, decision.id) as is_current:
            if is_current:
                self._record(question, asked, decision.as_json())
        return decision if is_current else None

    def _record(
        self, question: _Question, asked: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        self._journal.append(
            AuditEvent(
                kind=Kind.DECISION,
                subject=question.principal.subject,
                purpose=question.purpose.value,
                object={"gate": question.gate.value, "input": asked, "answer": dict(answer)},
            )
        )


@dataclass(frozen=True, slots=True)
class _Question:
    """What somebody asks, before what is known of them is added."""

    gate: Gate
    principal: Principal
    purpose: Purpose
    resource: Mapping[str, Any]
    context: Mapping[str, Any]

    def asked(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The input that the policy sees. No caller can say the facts itself."""
        return {
            "principal": self.principal.as_json(),
            "purpose": self.purpose.value,
            "resource": dict(self.resource),
            "context": {**self.context, **facts},
        }

    def key(self, state: Hashable) -> Hashable | None:
        """All that the decision is made from but the time; None for what is not worth keeping.

        Args:
            state: which crossings are open now, the policies' revision and the epoch, to which
                everything else that is known of the caller belongs.
        """
        try:
            words = _ENCODE({"resource": self.resource, "context": self.context})
        except (TypeError, ValueError, RecursionError):
            return None
        if len(words) > _MAX_QUESTION_CHARACTERS:
            return None
        who = self.principal
        return (who.subject, who.roles, who.clearance, self.purpose, self.gate, words, state)


_UNAVAILABLE: Mapping[str, Any] = {"allow": False, "reasons": ["unavailable"]}


def _key(
    question: _Question,
    known: Known | None,
    crossings: Sequence[Mapping[str, Any]],
    revision: str,
) -> Hashable | None:
    """What a decision is remembered by; None for what is decided anew each time."""
    if known is None or question.gate not in _REMEMBERED:
        return None
    return question.key((tuple(one["id"] for one in crossings), revision, known.epoch))


def _touches(gate: Gate, decision: Decision) -> tuple[str, ...]:
    """The tenants that an allow newly touches."""
    touches = decision.obligations.get("touches", [])
    if not isinstance(touches, list):
        raise PolicyUnavailable(f"{gate.value} gate: what it says is touched is no list")
    names = cast("list[object]", touches)
    if not all(isinstance(name, str) for name in names):
        raise PolicyUnavailable(f"{gate.value} gate: what it says is touched is no list of names")
    return tuple(cast("list[str]", names))


def _until(gate: Gate, decision: Decision) -> float | None:
    """When what an allow was made from ends, in seconds since the epoch."""
    until = decision.obligations.get("until")
    if until is not None and (isinstance(until, bool) or not isinstance(until, int | float)):
        raise PolicyUnavailable(f"{gate.value} gate: it ends at no time that can be told")
    return until
