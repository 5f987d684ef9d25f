"""Whether a read that goes on may still go on: the read gate is asked again every second.

It is not asked whether anything changed, but whether it would still grant what the plan granted.
So whatever ends or narrows a grant ends the read: a crossing revoked, an issuer restricted, a
caller narrowed, another policy, a competitor touched, no answer. What widens it ends nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from halocline_governance.decision import Decision
from halocline_governance.errors import Denied, HaloclineError, JournalUnavailable
from halocline_governance.gates import Gate, Sink
from halocline_governance.guard.ask import ReadGate
from halocline_governance.guard.plan import Plan
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind, uuid7

RECHECK_S = 1.0
_LESS = "less than this read was planned by is granted now"


class Watch:
    """Over one read of one plan. Cheap to ask before every batch. Safe for threads.

    Args:
        gate: asked what it would grant now.
        journal: where the end is recorded, once.
        plan: what was granted.
        who: the plan's caller as known now; raises for whoever may not call at all.
        clock: seconds since the epoch, by which crossings end.
        steady: seconds of the clock by which the plan was decided.
    """

    def __init__(
        self,
        gate: ReadGate,
        journal: Sink,
        plan: Plan,
        who: Callable[[], Principal],
        clock: Callable[[], float],
        steady: Callable[[], float],
    ) -> None:
        self._gate = gate
        self._journal = journal
        self._plan = plan
        self._who = who
        self._clock = clock
        self._steady = steady
        self._asked_at = plan.decided_at
        self._until = _first(grant.decision for grant in plan.grants)
        self._over: HaloclineError | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Let the read go on.

        Raises:
            Denied: what allowed it has ended, or is less by now. Recorded.
            PolicyUnavailable, StateUnavailable: nobody can tell. Recorded.
            JournalUnavailable: nothing can be recorded.
        """
        with self._lock:
            self._check()

    def _check(self) -> None:
        if self._over is not None:
            raise self._over
        asked_at = self._steady()
        if asked_at - self._asked_at < RECHECK_S and not self._is_late(self._until):
            return
        ident = uuid7()
        try:
            self._ask(ident)
        except JournalUnavailable as error:
            self._over = error
            raise
        except HaloclineError as error:
            self._over = error
            self._record(ident, error)
            raise
        self._asked_at = asked_at

    def _ask(self, ident: str) -> None:
        who, plan = self._who(), self._plan
        answers: list[Decision] = []
        for grant in plan.grants:
            answer, stands = self._gate.again(who, plan.purpose, grant, plan.columns)
            if not answer.allow:
                raise Denied(Gate.READ.value, answer)
            if not stands or self._is_late(_first([answer])):
                # An allow, only of less: the record of this end is the denial that is told.
                less = Decision(False, (_LESS,), {}, answer.revision, ident)
                raise Denied(Gate.READ.value, less)
            answers.append(answer)
        self._until = _first(answers)

    def _is_late(self, until: float | None) -> bool:
        return until is not None and self._clock() >= until

    def _record(self, ident: str, error: HaloclineError) -> None:
        plan = self._plan
        ended: dict[str, Any] = {
            "table": plan.table,
            "decision_ids": [grant.decision.id for grant in plan.grants],
            "code": error.code,
        }
        if isinstance(error, Denied):
            ended |= {"denial_id": error.decision.id, "reasons": list(error.decision.reasons)}
        who, why = plan.principal.subject, plan.purpose.value
        self._journal.append(AuditEvent(Kind.READ, who, why, {"ended": ended}, event_id=ident))


def _first(answers: Iterable[Decision]) -> float | None:
    """When the first of what these were made from ends, in seconds since the epoch."""
    ends = [until for one in answers if (until := one.obligations.get("until")) is not None]
    return min(ends, default=None)
