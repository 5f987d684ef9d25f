"""The seven gates: the only places at which the platform decides, and how one asks.

`Gates` evaluates a policy and makes the decision durable before anybody can act on it. Knows
nothing of what lies behind a gate; `QUESTIONS` is the whole list, and tests hold policies and
docs to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol

from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, PolicyUnavailable
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, Kind


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


class Gates:
    """Asks one engine, chosen at start, and records every answer before it takes effect.

    Args:
        engine: the policy engine; never switched afterwards.
        journal: the durable sink; a decision that cannot be recorded is no decision.
        clock: seconds since the epoch; policies see it as `context.now`.
    """

    def __init__(
        self, engine: Engine, journal: Sink, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._clock = clock

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

        Raises:
            PolicyUnavailable: no well-formed answer; that too is recorded.
            JournalUnavailable: the decision could not be recorded.
        """
        asked: dict[str, Any] = {
            "principal": principal.as_json(),
            "purpose": purpose.value,
            "resource": dict(resource),
            "context": {"now": int(self._clock()), **(context or {})},
        }
        try:
            decision = self._engine.decide(gate.value, asked)
        except PolicyUnavailable:
            self._record(gate, principal, asked, {"allow": False, "reasons": ["unavailable"]})
            raise
        self._record(gate, principal, asked, decision.as_json())
        return decision

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

    def _record(
        self, gate: Gate, principal: Principal, asked: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> None:
        self._journal.append(
            AuditEvent(
                kind=Kind.DECISION,
                subject=principal.subject,
                purpose=str(asked["purpose"]),
                object={"gate": gate.value, "input": asked, "answer": dict(answer)},
            )
        )
