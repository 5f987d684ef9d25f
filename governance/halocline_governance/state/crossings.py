"""Crossings of a wall, from the request to the end: who may cross, for what, until when.

A crossing goes `requested -> open -> revoked`, or `requested -> revoked`, and is over when it has
expired. Each step is compared with the state it was decided from, recorded before it holds, and
seen by the next question. Whether a wall may be crossed is the cross gate's answer, and whether
an open crossing holds is asked again with every decision: this page knows neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from halocline_governance.errors import MalformedLabel, Refused, StateUnavailable
from halocline_governance.label import Label
from halocline_governance.person import is_among
from halocline_governance.principal import SUBJECT, Purpose, is_subject
from halocline_governance.records import timestamp
from halocline_governance.state.store import METADATA, Store

_MAX_REASON = 2000
_ID = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
_CROSSING = sa.Table(
    "crossing",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decision_id", sa.Text),
    sa.Column("revoked_by", sa.Text),
    sa.Column("changed", sa.Text, nullable=False),
)
_SUBJECT = sa.Table(
    "crossing_subject",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
)
_APPROVAL = sa.Table(
    "crossing_approval",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("approver", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
)


class State(StrEnum):
    """Where a crossing stands. That it has expired is told by the clock, not here."""

    REQUESTED = "requested"
    OPEN = "open"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for. Times are whole seconds since the epoch.

    Raises:
        Refused: names no wall, nobody, no reason, or no time.
        MalformedLabel: a side or a tenant that is not one.
    """

    id: str
    requester: str
    subjects: tuple[str, ...]
    purpose: Purpose
    sides: tuple[str, ...]
    tenants: tuple[str, ...]
    reason: str
    not_before: int
    expires: int

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise Refused(f"the id of a crossing must match {_ID.pattern[:-2]}")
        if not self.subjects:
            raise Refused("a crossing names who crosses")
        if not all(is_subject(name) for name in (*self.subjects, self.requester)):
            raise Refused(SUBJECT)
        if list(self.subjects) != sorted(set(self.subjects)):
            raise Refused("who crosses must be sorted and distinct")
        if not self.reason.strip() or len(self.reason) > _MAX_REASON:
            raise Refused(f"a crossing needs a reason, of at most {_MAX_REASON} characters")
        if not 0 <= self.not_before < self.expires:
            raise Refused("a crossing must begin before it expires")
        if not self.sides and not self.tenants:
            raise Refused("a crossing names the sides or tenants whose wall it crosses")
        _ = self.walls

    @property
    def walls(self) -> Label:
        """The sides and tenants as a label."""
        return Label("public", self.sides, self.tenants)

    def as_json(self) -> dict[str, Any]:
        """What policies see of it."""
        return {
            "id": self.id,
            "requester": self.requester,
            "subjects": list(self.subjects),
            "purpose": self.purpose.value,
            "sides": list(self.sides),
            "tenants": list(self.tenants),
            "reason": self.reason,
            "not_before": self.not_before,
            "expires": self.expires,
        }


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approved, and what they were when they did."""

    subject: str
    roles: tuple[str, ...]
    clearance: Label

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "roles": list(self.roles),
            "clearance": self.clearance.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Crossing:
    """A crossing as it stands; `version` moves with every step."""

    request: Request
    state: State
    version: int
    approvers: tuple[Approver, ...] = ()
    decision_id: str | None = None
    revoked_by: str | None = None
    changed: str = field(default="")

    def as_json(self) -> dict[str, Any]:
        """What the cross gate sees."""
        return {**self.request.as_json(), "approvers": [one.as_json() for one in self.approvers]}

    def standing(self, now: float) -> str:
        """`requested`, `open`, `revoked`, or `expired`."""
        over = self.state is not State.REVOKED and now >= self.request.expires
        return "expired" if over else self.state.value


class Crossings:
    """The crossings in one governance database. Knows how they change, not who may change them:
    that is `halocline_governance.control_room`'s business."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def store(self) -> Store:
        """Where they are."""
        return self._store

    def all(self) -> tuple[Crossing, ...]:
        """Every crossing, the oldest change first.

        Raises:
            StateUnavailable: the database failed.
        """
        asked = sa.select(_CROSSING.c.id).order_by(_CROSSING.c.changed, _CROSSING.c.id)
        with self._store.read() as connection:
            return tuple(self.get(connection, name) for name in connection.execute(asked).scalars())

    def one(self, crossing_id: str) -> Crossing:
        """A crossing by its id.

        Raises:
            Refused: there is none.
            StateUnavailable: the database failed.
        """
        with self._store.read() as connection:
            return self.get(connection, crossing_id)

    def granted(self, subject: str) -> tuple[Mapping[str, Any], ...]:
        """The approved crossings that name this subject, as policies see them, by id.

        Raises:
            StateUnavailable: the database failed.
        """
        asked = (
            sa.select(_CROSSING.c.id)
            .join(_SUBJECT, _SUBJECT.c.id == _CROSSING.c.id)
            .where(_SUBJECT.c.subject == subject, _CROSSING.c.state == State.OPEN.value)
            .order_by(_CROSSING.c.id)
        )
        with self._store.read() as connection:
            found = [self.get(connection, name) for name in connection.execute(asked).scalars()]
        return tuple(_granted(one) for one in found)

    def get(self, connection: sa.Connection, crossing_id: str) -> Crossing:
        """A crossing as this transaction sees it.

        Raises:
            Refused: there is none.
            StateUnavailable: what is held under this id is no crossing.
        """
        row = connection.execute(
            sa.select(
                _CROSSING.c.request,
                _CROSSING.c.state,
                _CROSSING.c.version,
                _CROSSING.c.decision_id,
                _CROSSING.c.revoked_by,
                _CROSSING.c.changed,
            ).where(_CROSSING.c.id == crossing_id)
        ).first()
        if row is None:
            raise Refused("no such crossing; see halocline cross list")
        approvals = connection.execute(
            sa.select(_APPROVAL.c.approver)
            .where(_APPROVAL.c.id == crossing_id)
            .order_by(_APPROVAL.c.ts, _APPROVAL.c.subject)
        ).scalars()
        try:
            request = _request(json.loads(row[0]))
            return Crossing(
                request=request,
                state=State(row[1]),
                version=int(row[2]),
                approvers=_counting(request, (_approver(json.loads(text)) for text in approvals)),
                decision_id=row[3],
                revoked_by=row[4],
                changed=row[5],
            )
        except (MalformedLabel, Refused, LookupError, ValueError, TypeError):
            raise StateUnavailable(
                "the database holds a crossing that is not one; restore it"
            ) from None

    def add(self, connection: sa.Connection, request: Request) -> None:
        """Write down a request.

        Raises:
            Refused: the id is taken.
        """
        taken = sa.select(_CROSSING.c.id).where(_CROSSING.c.id == request.id)
        if connection.execute(taken).first() is not None:
            raise Refused(f"there is a crossing {request.id} already; take another id")
        connection.execute(
            sa.insert(_CROSSING).values(
                id=request.id,
                request=json.dumps(request.as_json()),
                state=State.REQUESTED.value,
                version=1,
                changed=timestamp(),
            )
        )
        connection.execute(
            sa.insert(_SUBJECT), [{"subject": name, "id": request.id} for name in request.subjects]
        )

    def add_approval(
        self, connection: sa.Connection, crossing: Crossing, approver: Approver
    ) -> None:
        """Write down an approval. Once each: the database holds one a person."""
        connection.execute(
            sa.insert(_APPROVAL).values(
                id=crossing.request.id,
                subject=approver.subject,
                approver=json.dumps(approver.as_json()),
                ts=timestamp(),
            )
        )
        self._move(connection, crossing, crossing.state)

    def open(self, connection: sa.Connection, crossing: Crossing, decision_id: str) -> None:
        """Open it: from the next question on, it is told to the gates."""
        self._move(connection, crossing, State.OPEN, decision_id=decision_id)

    def revoke(self, connection: sa.Connection, crossing: Crossing, by: str) -> None:
        """End it, whether it was open or not yet."""
        self._move(connection, crossing, State.REVOKED, revoked_by=by)

    def _move(
        self, connection: sa.Connection, crossing: Crossing, state: State, **values: str
    ) -> None:
        """To a new state, if it is still in the one that was decided from.

        Raises:
            Refused: it has changed meanwhile.
        """
        moved = connection.execute(
            sa.update(_CROSSING)
            .where(_CROSSING.c.id == crossing.request.id, _CROSSING.c.version == crossing.version)
            .values(state=state.value, version=crossing.version + 1, changed=timestamp(), **values)
        )
        if moved.rowcount != 1:
            raise Refused("the crossing has changed meanwhile; look at it and try again")


def _granted(crossing: Crossing) -> Mapping[str, Any]:
    """As every question carries it: an approver's clearance was the cross gate's business."""
    approvers = [{"subject": one.subject, "roles": list(one.roles)} for one in crossing.approvers]
    return {**crossing.request.as_json(), "approvers": approvers}


def _counting(request: Request, approvers: Iterable[Approver]) -> tuple[Approver, ...]:
    """Each person's first approval, and none by who asked or crosses under another spelling of
    their name: policies compare names as they are written."""
    counted: list[Approver] = []
    for one in approvers:
        barred = (request.requester, *request.subjects)
        others = [name for name in barred if name != one.subject]
        if not is_among(one.subject, (*others, *(each.subject for each in counted))):
            counted.append(one)
    return tuple(counted)


def _request(held: dict[str, Any]) -> Request:
    return Request(
        id=held["id"],
        requester=held["requester"],
        subjects=tuple(held["subjects"]),
        purpose=Purpose(held["purpose"]),
        sides=tuple(held["sides"]),
        tenants=tuple(held["tenants"]),
        reason=held["reason"],
        not_before=held["not_before"],
        expires=held["expires"],
    )


def _approver(held: dict[str, Any]) -> Approver:
    return Approver(
        subject=held["subject"],
        roles=tuple(held["roles"]),
        clearance=Label(
            held["clearance"]["sensitivity"],
            *(tuple(held["clearance"][axis]) for axis in ("sides", "tenants", "ndas", "issuers")),
        ),
    )
