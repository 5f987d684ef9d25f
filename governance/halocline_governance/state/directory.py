"""The directory: what each subject may hold at most. It only ever narrows what a token says.

A change takes effect on the next call of every process, and is in the journal before it does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from halocline_governance.errors import MalformedLabel, Refused, StateUnavailable, Unauthenticated
from halocline_governance.label import AXES, PUBLIC, SENSITIVITIES, Label, parse
from halocline_governance.principal import ROLES, Principal, Purpose, is_subject
from halocline_governance.records import AuditEvent, Kind, timestamp
from halocline_governance.state.store import METADATA, Store

if TYPE_CHECKING:
    from halocline_governance.gates import Sink

MAY_CHANGE = ("compliance", "operator")
_MAX_REMEMBERED = 4096
_ENTRY = sa.Table(
    "directory",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("clearance", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("changed", sa.Text, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one subject may hold at most; a token that says less is not raised.

    Args:
        owner: the person who answers for a service account.

    Raises:
        Refused: a name that cannot be one, or an unknown role.
    """

    subject: str
    roles: tuple[str, ...]
    clearance: Label
    disabled: bool = False
    owner: str | None = None

    def __post_init__(self) -> None:
        for name in (self.subject, self.owner):
            if name is not None and not is_subject(name):
                raise Refused("a subject is 1 to 255 printable characters, no space at either end")
        if unknown := set(self.roles) - set(ROLES):
            raise Refused(f"no role {', '.join(sorted(unknown))}; there are: {', '.join(ROLES)}")
        if list(self.roles) != sorted(set(self.roles)):
            raise Refused("roles must be sorted and distinct")

    def __le__(self, other: Entry) -> bool:
        """Whether this one lets nothing through that the other does not."""
        return self.disabled or (
            not other.disabled
            and set(self.roles) <= set(other.roles)
            and self.clearance <= other.clearance
        )

    def narrow(self, principal: Principal) -> Principal:
        """What is left of a principal of this subject.

        Raises:
            Unauthenticated: the subject is disabled.
        """
        if self.disabled:
            raise Unauthenticated("this subject is disabled in the directory")
        return replace(
            principal,
            roles=tuple(role for role in principal.roles if role in self.roles),
            clearance=_meet(principal.clearance, self.clearance),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "roles": list(self.roles),
            "clearance": self.clearance.as_json(),
            "disabled": self.disabled,
            "owner": self.owner,
        }


class Directory:
    """The entries in one governance database. Safe to use from many threads.

    Args:
        strict: refuse a subject without an entry; else its token stands as it is.
    """

    def __init__(self, store: Store, *, strict: bool = False) -> None:
        self._store = store
        self._strict = strict
        self._known: tuple[int, dict[str, Entry | None]] = (0, {})

    def narrow(self, principal: Principal) -> Principal:
        """What the directory leaves of a principal, as of now: one read of the epoch.

        Raises:
            Unauthenticated: disabled; or without an entry, in a strict directory.
            StateUnavailable: the directory cannot be read.
        """
        entry = self._remembered(principal.subject)
        if entry is not None:
            return entry.narrow(principal)
        if self._strict:
            raise Unauthenticated("this subject has no entry in the directory")
        return principal

    def show(self, subject: str) -> Entry | None:
        """The entry of a subject.

        Raises:
            StateUnavailable: the directory cannot be read.
        """
        with self._store.read() as connection:
            return _get(connection, subject)

    def list(self) -> tuple[Entry, ...]:
        """Every entry, by subject.

        Raises:
            StateUnavailable: the directory cannot be read.
        """
        with self._store.read() as connection:
            rows = connection.execute(sa.select(_ENTRY).order_by(_ENTRY.c.subject)).mappings()
            return tuple(_entry(row) for row in rows)

    def put(self, entry: Entry, by: Principal, journal: Sink) -> Entry:
        """Add an entry, or put it in the place of the one that is there. Who is disabled stays so.

        Returns:
            The entry as it is now.

        Raises:
            Refused: `by` may not make this change; that is recorded.
            JournalUnavailable, StateUnavailable: nothing was changed.
        """
        with self._store.change() as connection:
            before = _get(connection, entry.subject)
            was_disabled = before is not None and before.disabled
            after = replace(entry, disabled=entry.disabled or was_disabled)
            self._write(connection, before, after, by, journal)
        return after

    def set_disabled(self, subject: str, disabled: bool, by: Principal, journal: Sink) -> Entry:
        """Disable a subject, or enable it again; its entry is kept.

        Who has no entry gets one when disabled: it holds nothing until somebody puts another.

        Returns:
            The entry as it is now.

        Raises:
            Refused: nobody to enable, or `by` may not make this change; the latter is recorded.
            JournalUnavailable, StateUnavailable: nothing was changed.
        """
        with self._store.change() as connection:
            before = _get(connection, subject)
            if before is None and not disabled:
                raise Refused("no such entry; see halocline directory list")
            after = replace(before or Entry(subject, (), PUBLIC), disabled=disabled)
            self._write(connection, before, after, by, journal)
        return after

    def _write(
        self,
        connection: sa.Connection,
        before: Entry | None,
        after: Entry,
        by: Principal,
        journal: Sink,
    ) -> None:
        reason = _objection(before, after, by)
        journal.append(
            AuditEvent(
                kind=Kind.DIRECTORY,
                subject=by.subject,
                purpose=Purpose.AUDIT.value,
                object={
                    "outcome": "refused" if reason else "changed",
                    "before": before.as_json() if before else None,
                    "after": after.as_json(),
                },
            )
        )
        if reason:
            raise Refused(reason)
        connection.execute(sa.delete(_ENTRY).where(_ENTRY.c.subject == after.subject))
        connection.execute(
            sa.insert(_ENTRY).values(
                subject=after.subject,
                roles=json.dumps(after.roles),
                clearance=after.clearance.canonical().decode(),
                disabled=after.disabled,
                owner=after.owner,
                changed=timestamp(),
                changed_by=by.subject,
            )
        )

    def _remembered(self, subject: str) -> Entry | None:
        # The epoch is read first: what is read after it is as fresh or fresher, and if fresher,
        # the epoch has moved and nobody takes this for the newest again.
        epoch = self._store.epoch()
        known_at, entries = self._known
        if known_at != epoch or len(entries) >= _MAX_REMEMBERED:
            entries = dict[str, Entry | None]()
            self._known = epoch, entries
        try:
            return entries[subject]
        except KeyError:
            found = self.show(subject)
        entries[subject] = found
        return found


def _objection(before: Entry | None, after: Entry, by: Principal) -> str | None:
    if not set(by.roles) & set(MAY_CHANGE):
        return f"the directory is changed by the roles {' and '.join(MAY_CHANGE)}"
    if after.subject == by.subject and before is not None and not after <= before:
        return "nobody widens their own entry: ask another officer"
    return None


def _meet(a: Label, b: Label) -> Label:
    """The greatest label that both dominate."""
    level = min(SENSITIVITIES.index(a.sensitivity), SENSITIVITIES.index(b.sensitivity))
    common = {axis: tuple(sorted({*getattr(a, axis)} & {*getattr(b, axis)})) for axis in AXES}
    return Label(SENSITIVITIES[level], **common)


def _get(connection: sa.Connection, subject: str) -> Entry | None:
    asked = sa.select(_ENTRY).where(_ENTRY.c.subject == subject)
    row = connection.execute(asked).mappings().first()
    return None if row is None else _entry(row)


def _entry(row: Mapping[Any, Any]) -> Entry:
    try:
        return Entry(
            subject=row["subject"],
            roles=tuple(json.loads(row["roles"])),
            clearance=parse(json.loads(row["clearance"])),
            disabled=bool(row["disabled"]),
            owner=row["owner"],
        )
    except (MalformedLabel, Refused, ValueError, TypeError):
        raise StateUnavailable("the directory holds an entry that is not one; restore it") from None
