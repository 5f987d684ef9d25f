"""Who touched which tenant: the history that conflict classes (Brewer-Nash) are decided from.

Append-only. Knows no competitors: which tenants compete is the policy's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from halocline_governance.records import timestamp
from halocline_governance.state.store import METADATA, Store

_TOUCH = sa.Table(
    "touch",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("decision_id", sa.Text, nullable=False),
    sa.Column("ts", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Touch:
    """A subject's first touch of a tenant, and the decision that allowed it."""

    subject: str
    tenant: str
    decision_id: str
    ts: str


class History:
    """The touches in one governance database."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, subject: str) -> tuple[str, ...]:
        """The tenants that a subject touched, sorted.

        Raises:
            StateUnavailable: the database failed.
        """
        with self._store.read() as connection:
            return _tenants(connection, subject)

    def touches(self) -> tuple[Touch, ...]:
        """Every touch, oldest first.

        Raises:
            StateUnavailable: the database failed.
        """
        asked = sa.select(_TOUCH).order_by(_TOUCH.c.ts, _TOUCH.c.subject, _TOUCH.c.tenant)
        with self._store.read() as connection:
            return tuple(Touch(*row) for row in connection.execute(asked))

    def append(
        self,
        connection: sa.Connection,
        subject: str,
        known: Sequence[str],
        tenants: Sequence[str],
        decision_id: str,
    ) -> bool:
        """Add touches, if the history is still the one that the decision was made from.

        Args:
            connection: of `Store.change`, which excludes every other change until it ends.
            subject: who touches.
            known: the tenants that the decision was told of.
            tenants: the tenants that it newly touches.
            decision_id: the decision.

        Returns:
            Whether they were added; if not, the caller must ask again.
        """
        before = _tenants(connection, subject)
        if before != tuple(known):
            return False
        rows = [
            {"subject": subject, "tenant": tenant, "decision_id": decision_id, "ts": timestamp()}
            for tenant in sorted(set(tenants) - set(before))
        ]
        if rows:
            connection.execute(sa.insert(_TOUCH), rows)
        return True


def _tenants(connection: sa.Connection, subject: str) -> tuple[str, ...]:
    asked = sa.select(_TOUCH.c.tenant).where(_TOUCH.c.subject == subject)
    return tuple(sorted(connection.execute(asked).scalars()))
