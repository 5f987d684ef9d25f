"""The control room: where a crossing of a wall is asked for, approved and ended.

Every step is recorded before it holds, and is compared with the state it was decided from: of two
steps that cannot both hold, one is refused. Whether a crossing opens is the cross gate's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from halocline_governance.clock import Onward
from halocline_governance.decision import Decision
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.person import is_among, is_same_person
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.state.crossings import Approver, Crossing, Crossings, Request, State

# Who sees every crossing and may end any.
OVERSEERS = frozenset({"approver", "compliance"})
_MAX_TURNS = 64


@dataclass(frozen=True, slots=True)
class Use:
    """A decision that allowed through a crossing, and how many acts name it."""

    decision_id: str
    ts: str
    subject: str
    gate: str
    purpose: str
    num_acts: int


class ControlRoom:
    """The steps of crossings, for whoever takes them.

    Args:
        crossings: where they stand.
        gates: whose cross gate decides the opening, and whose journal records each step.
        clock: seconds since the epoch.
    """

    def __init__(
        self, crossings: Crossings, gates: Gates, clock: Callable[[], float] | None = None
    ) -> None:
        self._crossings = crossings
        self._gates = gates
        self._clock = clock or Onward()

    def request(self, principal: Principal, request: Request) -> Crossing:
        """Ask for a crossing. It opens nothing.

        Raises:
            Refused: asked for in another's name, over already, or the id is taken.
            JournalUnavailable, StateUnavailable: nothing was asked for.
        """
        if request.requester != principal.subject:
            raise Refused("a crossing is asked for in one's own name")
        if request.expires <= self._clock():
            raise Refused("the crossing would be over already")
        with self._crossings.store.change() as connection:
            self._crossings.add(connection, request)
            self._record("request", principal, request, {})
        return self._crossings.one(request.id)

    def approve(self, principal: Principal, crossing_id: str) -> tuple[Crossing, Decision | None]:
        """Approve a crossing, and open it if the cross gate now allows that.

        Approving again adds nothing, but asks the gate again.

        Returns:
            The crossing, and the gate's last answer: none if somebody else opened it first.

        Raises:
            Refused: it is over or was revoked, or this caller may not approve it.
            JournalUnavailable, StateUnavailable, PolicyUnavailable: it was not opened.
        """
        self._add_approval(principal, crossing_id)
        for _ in range(_MAX_TURNS):
            crossing = self._crossings.one(crossing_id)
            if crossing.state is State.OPEN:
                return crossing, None
            self._check_pending(crossing)
            decision = self._gates.ask(
                Gate.CROSS, principal, crossing.request.purpose, {"crossing": crossing.as_json()}
            )
            if not decision.allow:
                return crossing, decision
            if self._open(principal, crossing, decision):
                return self._crossings.one(crossing_id), decision
        raise Refused("the crossing does not hold still; try again")

    def revoke(self, principal: Principal, crossing_id: str) -> Crossing:
        """End a crossing, or withdraw what was asked for. Nobody crosses from the next call on.

        Raises:
            Refused: it is revoked already, or this caller has no part in it.
            JournalUnavailable, StateUnavailable: it stands as it did.
        """
        with self._crossings.store.change() as connection:
            crossing = self._crossings.get(connection, crossing_id)
            _check_seen(principal, crossing)
            if crossing.state is State.REVOKED:
                raise Refused(f"{crossing_id} was revoked already")
            self._crossings.revoke(connection, crossing, principal.subject)
            self._record("revoke", principal, crossing.request, {})
        return self._crossings.one(crossing_id)

    def seen_by(self, principal: Principal) -> tuple[Crossing, ...]:
        """The crossings that this caller may know of: all for overseers, else one's own.

        Raises:
            StateUnavailable: they cannot be read.
        """
        return tuple(one for one in self._crossings.all() if _sees(principal, one))

    def one(self, principal: Principal, crossing_id: str) -> Crossing:
        """A crossing that this caller may know of.

        Raises:
            Refused: there is none, or it is none of the caller's business.
        """
        crossing = self._crossings.one(crossing_id)
        _check_seen(principal, crossing)
        return crossing

    def _add_approval(self, principal: Principal, crossing_id: str) -> None:
        approver = Approver(principal.subject, principal.roles, principal.clearance)
        with self._crossings.store.change() as connection:
            crossing = self._crossings.get(connection, crossing_id)
            _check_may_approve(principal, crossing)
            if crossing.state is State.OPEN:
                raise Refused(f"{crossing_id} is open already")
            self._check_pending(crossing)
            if not is_among(principal.subject, (one.subject for one in crossing.approvers)):
                self._crossings.add_approval(connection, crossing, approver)
                self._record("approve", principal, crossing.request, {})

    def _open(self, principal: Principal, crossing: Crossing, decision: Decision) -> bool:
        """Whether it was opened: no, if it has changed since the gate was asked."""
        with self._crossings.store.change() as connection:
            now = self._crossings.get(connection, crossing.request.id)
            if now.version != crossing.version:
                return False
            self._check_pending(now)
            self._crossings.open(connection, now, decision.id)
            self._record("open", principal, now.request, {"decision_id": decision.id})
        return True

    def _check_pending(self, crossing: Crossing) -> None:
        standing = crossing.standing(self._clock())
        if standing in ("expired", State.REVOKED.value):
            raise Refused(f"{crossing.request.id} is over: {standing}")

    def _record(
        self, step: str, principal: Principal, request: Request, more: Mapping[str, Any]
    ) -> None:
        self._gates.journal.append(
            AuditEvent(
                kind=Kind.CROSS,
                subject=principal.subject,
                purpose=request.purpose.value,
                object={"step": step, "crossing": request.as_json(), **more},
            )
        )


def uses(events: Iterable[Mapping[str, Any]], crossing_id: str) -> tuple[Use, ...]:
    """What was allowed through a crossing, oldest first, as the journal tells it.

    Args:
        events: the journal's events, as `journal.read` gives them.
        crossing_id: the crossing.
    """
    told = list(events)
    through = {
        str(event["object"]["answer"]["id"]): event
        for event in told
        if event["kind"] == Kind.DECISION.value and crossing_id in _crossings_of(event)
    }
    acts = dict.fromkeys(through, 0)
    for event in told:
        if event["kind"] != Kind.DECISION.value:
            for named in acts.keys() & _texts(event["object"]):
                acts[named] += 1
    found = [
        Use(
            decision_id=ident,
            ts=str(event["ts"]),
            subject=str(event["subject"]),
            gate=str(event["object"]["gate"]),
            purpose=str(event["purpose"]),
            num_acts=acts[ident],
        )
        for ident, event in through.items()
    ]
    return tuple(sorted(found, key=lambda use: (use.ts, use.decision_id)))


def _crossings_of(event: Mapping[str, Any]) -> list[str]:
    return event["object"]["answer"].get("obligations", {}).get("crossings", [])


def _texts(value: object) -> set[str]:
    """Every text inside a JSON value."""
    found: set[str] = set()
    ahead = [value]
    while ahead:
        at = ahead.pop()
        if isinstance(at, str):
            found.add(at)
        elif isinstance(at, dict):
            ahead.extend(cast("dict[str, object]", at).values())
        elif isinstance(at, list):
            ahead.extend(cast("list[object]", at))
    return found


def _sees(principal: Principal, crossing: Crossing) -> bool:
    request = crossing.request
    parties = {request.requester, *request.subjects, *(one.subject for one in crossing.approvers)}
    return principal.subject in parties or not OVERSEERS.isdisjoint(principal.roles)


def _check_seen(principal: Principal, crossing: Crossing) -> None:
    if not _sees(principal, crossing):
        raise Refused("no such crossing; see halocline cross list")


def _check_may_approve(principal: Principal, crossing: Crossing) -> None:
    """What the cross gate would hold against the crossing for ever is not written down."""
    request = crossing.request
    _check_seen(principal, crossing)
    if is_same_person(principal.subject, request.requester):
        raise Refused("who asked for a crossing cannot approve it")
    if is_among(principal.subject, request.subjects):
        raise Refused("who crosses cannot approve it")
    if not request.walls <= principal.clearance:
        raise Refused("who approves must be cleared for every side and tenant it names")
