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
from halocline_governance.label import AXES, SENSITIVITIES, Label, parse
from halocline_governance.principal import ROLES, SUBJECT, Principal, Purpose, is_subject
from halocline_governance.records import AuditEvent, Kind, timestamp
from halocline_governance.state.store import METADATA, Store

if TYPE_CHECKING:
    from halocline_governance.gates import Sink

MAY_CHANGE = ("compliance", "operator")
_MAX_REMEMBERED = 4096
_NO_ENTRY = "no such entry; see halocline directory list"
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
        clearance: None when nothing was ever said but that the subject is disabled.
        owner: the person who answers for a service account.

    Raises:
        Refused: a name that cannot be one, or an unknown role.
    """

    subject: str
    roles: tuple[str, ...]
    clearance: Label | None
    disabled: bool = False
    owner: str | None = None

    def __post_init__(self) -> None:
        for name in (self.subject, self.owner):
            if name is not None and not is_subject(name):
                raise Refused(SUBJECT)
        if unknown := set(self.roles) - set(ROLES):
            raise Refused(f"no role {', '.join(sorted(unknown))}; there are: {', '.join(ROLES)}")
        if list(self.roles) != sorted(set(self.roles)):
            raise Refused("roles must be sorted and distinct")
        if self.clearance is None and (self.roles or self.owner or not self.disabled):
            raise Refused("an entry says a clearance, unless all it says is that one is disabled")

    @property
    def may_change(self) -> bool:
        """Whether it lets its subject change the directory."""
        return not self.disabled and bool(set(self.roles) & set(MAY_CHANGE))

    def __le__(self, other: Entry) -> bool:
        """Whether this one lets nothing through that the other does not."""
        if self.disabled or other.disabled or self.clearance is None or other.clearance is None:
            return self.disabled
        return set(self.roles) <= set(other.roles) and self.clearance <= other.clearance

    def narrow(self, principal: Principal) -> Principal:
        """What is left of a principal of this subject.

        Raises:
            Unauthenticated: the subject is disabled.
        """
        if self.disabled or self.clearance is None:
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
            "clearance": self.clearance.as_json() if self.clearance else None,
            "disabled": self.disabled,
            "owner": self.owner,
        }


@dataclass(frozen=True, slots=True)
class _Change:
    """What `by` makes of an entry; None where there is none."""

    before: Entry | None
    after: Entry | None
    by: Principal
    removes: bool = False

    @property
    def subject(self) -> str:
        entry = self.after or self.before
        assert entry is not None
        return entry.subject

    def objection(self) -> str | None:
        """Why it may not be made."""
        if not set(self.by.roles) & set(MAY_CHANGE):
            return f"the directory is changed by the roles {' and '.join(MAY_CHANGE)}"
        narrows = self.before is None or (self.after is not None and self.after <= self.before)
        if self.subject == self.by.subject and not narrows:
            return "nobody widens or removes their own entry: ask another officer"
        return None

    def warning(self, others: bool) -> str | None:
        """What most likely nobody wants.

        Args:
            others: whether anybody else's entry lets them change the directory.
        """
        if self.removes and self.before is not None and self.before.disabled:
            return "they are disabled, and without an entry they come in as their token says"
        # Whoever changes somebody else's entry can change the directory afterwards, too.
        if self.subject != self.by.subject or self.after is None:
            return None
        if self.after.disabled:
            return "you would disable yourself, and only another officer could enable you again"
        if not self.after.may_change and not others:
            return "nobody with an entry could change the directory any more"
        left = self.after.narrow(self.by)
        if left.roles != self.by.roles or left.clearance != self.by.clearance:
            return (
                "you would hold less than your token says now, and only another officer could"
                " widen your entry again"
            )
        return None

    def event(self, outcome: str) -> AuditEvent:
        return AuditEvent(
            kind=Kind.DIRECTORY,
            subject=self.by.subject,
            purpose=Purpose.AUDIT.value,
            object={
                "outcome": outcome,
                "before": self.before.as_json() if self.before else None,
                "after": self.after.as_json() if self.after else None,
            },
        )


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

    def put(self, entry: Entry, by: Principal, journal: Sink, *, sure: bool = False) -> Entry:
        """Add an entry, or put it in the place of the one that is there. Who is disabled stays so.

        Args:
            sure: also when `by` narrows themselves.

        Returns:
            The entry as it is now.

        Raises:
            Refused: `by` may not make this change, which is recorded; or is not `sure`.
            JournalUnavailable, StateUnavailable: nothing was changed.
        """
        with self._store.change() as connection:
            before = _get(connection, entry.subject)
            was_disabled = before is not None and before.disabled
            after = replace(entry, disabled=entry.disabled or was_disabled)
            _make(connection, _Change(before, after, by), journal, sure)
        return after

    def set_disabled(
        self, subject: str, disabled: bool, by: Principal, journal: Sink, *, sure: bool = False
    ) -> Entry | None:
        """Disable a subject, or enable it again; its entry is kept.

        Who had no entry when disabled has none when enabled again, and counts as before: as the
        token says, or nothing at all in a strict directory.

        Args:
            sure: also when `by` is the subject.

        Returns:
            The entry as it is now, if there is one.

        Raises:
            Refused: nobody to enable; `by` may not make this change, which is recorded; or is not
                `sure`.
            JournalUnavailable, StateUnavailable: nothing was changed.
        """
        with self._store.change() as connection:
            before = _get(connection, subject)
            if before is None and not disabled:
                raise Refused(_NO_ENTRY)
            after = before or Entry(subject, (), None, disabled=True)
            if not disabled and after.clearance is None:
                after = None
            elif after.disabled is not disabled:
                after = replace(after, disabled=disabled)
            _make(connection, _Change(before, after, by), journal, sure)
        return after

    def remove(self, subject: str, by: Principal, journal: Sink, *, sure: bool = False) -> None:
        """Remove a subject's entry: then it counts as its token says, or in a strict directory not
        at all.

        Args:
            sure: also when the subject is disabled, and the entry all that keeps them out.

        Raises:
            Refused: no such entry; `by` may not make this change, which is recorded; or is not
                `sure`.
            JournalUnavailable, StateUnavailable: nothing was changed.
        """
        with self._store.change() as connection:
            before = _get(connection, subject)
            if before is None:
                raise Refused(_NO_ENTRY)
            _make(connection, _Change(before, None, by, removes=True), journal, sure)

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


def _make(connection: sa.Connection, change: _Change, journal: Sink, sure: bool) -> None:
    """Record a change, then make it."""
    if reason := change.objection():
        journal.append(change.event("refused"))
        raise Refused(reason)
    if not sure and (warning := change.warning(_has_others(connection, change.subject))):
        raise Refused(f"{warning}; nothing was changed. Give --yes if that is meant")
    journal.append(change.event("changed"))
    connection.execute(sa.delete(_ENTRY).where(_ENTRY.c.subject == change.subject))
    if (after := change.after) is not None:
        connection.execute(
            sa.insert(_ENTRY).values(
                subject=after.subject,
                roles=json.dumps(after.roles),
                clearance=json.dumps(after.as_json()["clearance"]),
                disabled=after.disabled,
                owner=after.owner,
                changed=timestamp(),
                changed_by=change.by.subject,
            )
        )


def _has_others(connection: sa.Connection, subject: str) -> bool:
    """Whether anybody else's entry lets them change the directory."""
    rows = connection.execute(sa.select(_ENTRY).where(_ENTRY.c.subject != subject)).mappings()
    return any(_entry(row).may_change for row in rows)


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
            clearance=None if row["clearance"] == "null" else parse(json.loads(row["clearance"])),
            disabled=bool(row["disabled"]),
            owner=row["owner"],
        )
    except (MalformedLabel, Refused, ValueError, TypeError):
        raise StateUnavailable("the directory holds an entry that is not one; restore it") from None
