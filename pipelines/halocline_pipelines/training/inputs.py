"""What a run may read: each source planned through the guard, pinned, and joined at the gate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from halocline_governance.errors import NoCompartment, Refused, Unverified
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import Guard, Plan
from halocline_governance.label import Label, join, parse
from halocline_governance.principal import Principal, Purpose
from halocline_governance.refs import DatasetRef

_COLUMNS = ("row_uid", "label_id", "licence", "content_sha256", "text")


@dataclass(frozen=True, slots=True)
class TrainSource:
    """One table of one compartment, `buy:curated.documents`, and its weight in tokens.

    Without a version it is pinned to the newest one when the run starts.
    """

    table: str
    weight: int = 1
    version: int | None = None


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Who trains on what."""

    principal: Principal
    sources: tuple[TrainSource, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that the read gate opened: what may be read, and exactly which rows that is."""

    source: TrainSource
    plan: Plan
    ref: DatasetRef

    @property
    def name(self) -> str:
        """The source's name in the mixture."""
        return self.source.table

    @property
    def labels(self) -> dict[str, Label]:
        """The labels of the rows that are there, not of all that might be."""
        known = self.plan.grants[0].labels
        return {label_id: known[label_id] for label_id in self.ref.label_ids}

    def as_question(self) -> dict[str, Any]:
        """As the train gate sees it."""
        return {
            "table": self.ref.table,
            "compartment": self.ref.compartment,
            "version": self.ref.version,
            "labels": {label_id: label.as_json() for label_id, label in self.labels.items()},
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """The train gate's yes: the label that everything made from this carries, and its place."""

    label: Label
    compartment: str
    decision_id: str


@dataclass(frozen=True, slots=True)
class Document:
    """One row, read."""

    row_uid: int
    licence: str
    text: str


def open_sources(guard: Guard, request: TrainRequest) -> tuple[Opened, ...]:
    """Plan and pin every source, in the order of their names.

    Raises:
        Refused: no sources, the same one twice, or one without a compartment or rows.
        Denied: the read gate does not open one of them.
    """
    sources = sorted(request.sources, key=lambda source: source.table)
    if not sources or len({source.table for source in sources}) != len(sources):
        raise Refused("a run needs sources, each named once with its whole weight")
    return tuple(_open(guard, request.principal, source) for source in sources)


def admit(gates: Gates, principal: Principal, opened: Iterable[Opened]) -> Admission:
    """Ask the train gate whether these sources may be joined in one run.

    Raises:
        Denied: they may not.
        Unverified: the gate's label is not the join, so policy and code disagree.
    """
    sources = tuple(opened)
    label = join(label for source in sources for label in source.labels.values())
    decision = gates.require(
        Gate.TRAIN,
        principal,
        Purpose.TRAINING,
        {
            "inputs": [source.as_question() for source in sources],
            "label": label.as_json(),
            "base_model": None,
            "compartment": _compartment(label),
        },
    )
    compartment = decision.obligations.get("compartment")
    if parse(decision.obligations.get("label")) != label or not isinstance(compartment, str):
        raise Unverified("the train gate did not oblige to the joined label of all inputs")
    return Admission(label, compartment, decision.id)


def read(guard: Guard, opened: Opened) -> list[Document]:
    """The rows of one source.

    Raises:
        Unverified: they are not as many as were named.
    """
    rows = guard.table(opened.plan).select(["row_uid", "licence", "text"]).to_pylist()
    if len(rows) != opened.ref.num_rows:
        raise Unverified(f"{opened.name}: other rows than those that were pinned")
    return [Document(row["row_uid"], row["licence"], row["text"]) for row in rows]


def label_of(opened: Opened) -> Label:
    """The join of the labels that are there."""
    return join(opened.labels.values())


def _open(guard: Guard, principal: Principal, source: TrainSource) -> Opened:
    if ":" not in source.table:
        raise Refused(f"name the compartment of a source: COMPARTMENT:{source.table}")
    plan = guard.plan(principal, Purpose.TRAINING, source.table, _COLUMNS, source.version)
    if missing := set(_COLUMNS) - set(plan.columns):
        raise Refused(f"{source.table}: training needs {', '.join(sorted(missing))} too")
    (ref,) = guard.refs(plan)
    if ref.num_rows == 0:
        raise Refused(f"{source.table} has no rows to train on: curate it first, or leave it out")
    return Opened(source, plan, ref)


def _compartment(label: Label) -> str:
    """Asked about even when there is none: the refusal is the gate's then, and on record."""
    try:
        return label.compartment
    except NoCompartment:
        return "public"
