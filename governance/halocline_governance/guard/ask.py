"""Asks the read gate: what of a table may be read in one compartment, and whether it still may be.

Knows no policy: up to which label the caller may read, which columns and under which masks, is the
gate's answer. A row whose label is unknown is within no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from halocline_governance import tables
from halocline_governance.decision import Decision
from halocline_governance.errors import PolicyUnavailable, Refused, StorageUnavailable, TableMissing
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import transform
from halocline_governance.guard.bound import Readable
from halocline_governance.guard.plan import Grant, Question
from halocline_governance.guard.snapshot import Snapshots
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import Lake, Location
from halocline_governance.principal import Principal, Purpose

# Enough for a denial to tell why; the bound has decided already.
_LABELS_IN_A_DENIAL = 16
_NO_LABELS: Mapping[str, Label] = {}


class ReadGate:
    """The read gate in front of one lake. Safe to use from many threads."""

    def __init__(self, lake: Lake, gates: Gates, snapshots: Snapshots) -> None:
        self._lake = lake
        self._gates = gates
        self._snapshots = snapshots
        self._readable = Readable()

    def look(self, who: Principal, purpose: Purpose, question: Question) -> Grant | Decision:
        """What may be read there, or the denial. Touches no conflict class: see `touches`.

        Raises:
            TableMissing: the version does not exist yet.
            StorageUnavailable: the compartment cannot be reached, and is the caller's own.
        """
        answer = self._looked(who, purpose, question)
        if not answer.allow:
            return answer
        try:
            location, newest, labels = self._found(question)
        except StorageUnavailable:
            if _is_own(question.compartment, answer):
                raise
            # Whoever is not of this side reads on without it, and learns nothing of its trouble.
            return self._denied(who, purpose, question, _NO_LABELS)
        granted = self._readable.of(answer, labels, anywhere=_is_mixed(question.compartment))
        if newest is None or not granted:
            # Whoever is not of this side is denied in the same words, and so in the same time, as
            # where there is nothing.
            is_own = _is_own(question.compartment, answer)
            return self._denied(who, purpose, question, labels if is_own else _NO_LABELS)
        pinned = newest if question.version is None else question.version
        if pinned > newest:
            raise TableMissing(f"{question.compartment}:{question.table} has no version {pinned}")
        names, masks = _columns(answer), _masks(answer, question.table)
        return Grant(
            question=question,
            location=location,
            version=pinned,
            labels=granted,
            label_ids=tuple(granted),
            columns=tuple(name for name in question.columns if name in names),
            transforms={name: mask for name, mask in masks.items() if name in names},
            decision=answer,
        )

    def touch(self, who: Principal, purpose: Purpose, seen: Grant) -> Grant | Decision:
        """The grant, by a decision that is in the history; or the denial, if somebody was first."""
        asked = replace(seen.question, columns=seen.columns)
        answer = self._gates.ask(Gate.READ, who, purpose, asked.as_json())
        if not answer.allow:
            return answer
        same = {**seen.decision.obligations}
        same.pop("would_touch")
        if same != {k: v for k, v in answer.obligations.items() if k != "touches"}:
            raise PolicyUnavailable("the read gate changed its answer in between; try again")
        return replace(seen, decision=answer)

    def again(
        self, who: Principal, purpose: Purpose, grant: Grant, columns: tuple[str, ...]
    ) -> tuple[Decision, bool]:
        """Today's answer to what was granted, and whether it still gives these columns of it.

        Args:
            who: the same caller, as known today.
            purpose: the same.
            grant: what was granted.
            columns: those of its columns that are handed over.

        Raises:
            PolicyUnavailable, StateUnavailable, JournalUnavailable: there is no answer.
        """
        answer = self._looked(who, purpose, grant.question)
        if not answer.allow or touches(answer):
            return answer, False
        if answer.id == grant.decision.id:
            return answer, True
        return answer, self._covers(answer, grant, columns)

    def _covers(self, answer: Decision, grant: Grant, columns: tuple[str, ...]) -> bool:
        """Does it give each of these labels and columns, and each as it is or as it was?"""
        mixed = _is_mixed(grant.compartment)
        labels = self._readable.of(answer, grant.labels, anywhere=mixed)
        names, masks = _columns(answer), _masks(answer, grant.question.table)
        return len(labels) == len(grant.labels) and all(
            name in names and masks.get(name) in (None, grant.transforms.get(name))
            for name in columns
        )

    def _looked(self, who: Principal, purpose: Purpose, question: Question) -> Decision:
        return self._gates.ask(Gate.READ, who, purpose, {**question.as_json(), "look": True})

    def _found(self, question: Question) -> tuple[Location, int | None, Mapping[str, Label]]:
        """Where the table lies, its newest version, and what labels are interned beside it."""
        compartment = question.compartment
        try:
            location = self._lake.location(compartment, question.table)
            newest = self._snapshots.newest(location)
            # Looked up where there is no table too, so that it takes as long.
            labels = self._lake.labels(compartment)
            return location, newest, _NO_LABELS if newest is None else labels
        except Refused as error:
            # A credential that cannot be used is the lake's trouble, and names its file: no caller
            # of a server is told.
            raise StorageUnavailable(str(error)) from None

    def _denied(
        self, who: Principal, purpose: Purpose, question: Question, labels: Mapping[str, Label]
    ) -> Decision:
        """Nothing here lies within the bound: let the gate itself say so, and record it."""
        some = dict(sorted(labels.items())[:_LABELS_IN_A_DENIAL])
        shown = {label_id: label.as_json() for label_id, label in some.items()}
        asked = {**question.as_json(), "labels": shown}
        answer = self._gates.ask(Gate.READ, who, purpose, asked)
        if answer.allow:
            raise PolicyUnavailable("the read gate's bound and its label ids contradict")
        return answer


def touches(answer: Decision) -> tuple[str, ...]:
    """The tenants whose conflict class a read by this answer to a look would touch first."""
    return tuple(answer.obligations.get("would_touch") or ())


def _is_mixed(compartment: str) -> bool:
    """Can labels of several sides lie here?"""
    return compartment == SYSTEM or compartment.startswith("x.")


def _is_own(compartment: str, answer: Decision) -> bool:
    """Does the bound reach into this compartment, rather than to what is public in it?"""
    if compartment.startswith("x."):
        # Its name tells none of its sides: it is the caller's by an open crossing that names it.
        return compartment.removeprefix("x.") in (answer.obligations.get("crossings") or ())
    bound = answer.obligations.get("bound", {})
    names = {*bound.get("sides", []), *bound.get("tenants", [])}
    return compartment == SYSTEM or {*compartment.split(".")} - {"public"} <= names


def _columns(answer: Decision) -> set[str]:
    names = answer.obligations.get("columns")
    if not isinstance(names, list) or not names:
        raise PolicyUnavailable("the read gate allowed without saying which columns")
    return set(names)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _masks(answer: Decision, table: str) -> dict[str, str]:
    return transform.check(answer.obligations.get("transforms"), tables.table(table).arrow())
