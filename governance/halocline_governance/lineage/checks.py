"""Registered facts are checked, not believed: lineage held against what the journal tells.

The guard records what it handed out, the gates what they allowed, a run what it declared. Lineage
is right when all of them say the same. Nothing is repaired here, and no row is read.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from halocline_governance.errors import Refused, StorageUnavailable, TableMissing
from halocline_governance.label import Label, join
from halocline_governance.lake import Lake
from halocline_governance.lineage import checks_outputs, checks_run, checks_served
from halocline_governance.lineage.checks_kinds import KINDS
from halocline_governance.lineage.checks_outputs import Progress
from halocline_governance.lineage.checks_told import Told
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN, Lineage


@dataclass(frozen=True, slots=True, order=True)
class Flag:
    """Something that is not as the journal has it, or, of MLflow, as lineage has it.

    Args:
        about: where: the node of a trace that it is about, `run:r1`, `dataset:d1`, `model:house/1`.
        kind: one of `checks_kinds.KINDS`.
        what: told to people; ids and counts only.
        records: ids of the events that say otherwise: `halocline audit show ID`.
        labels: ids of the labels that say who may be told, with spaces between, of a thing that
            lineage's tables do not name.
    """

    about: str
    kind: str
    what: str
    records: tuple[str, ...] = ()
    labels: str | None = None

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind

    @property
    def todo(self) -> str:
        """What to do about it."""
        return KINDS[self.kind]

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "about": self.about,
            "what": self.what,
            "todo": self.todo,
            "records": list(self.records),
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `unfinished` runs began and are not at their end: running, or killed.
    `unread` says which rows could not be read again, where that was asked for, `unchecked` what
    could not be held to anything, `more` how many findings of a kind there are beside those in
    `flags`. `num_outputs` is None where outputs were not held to their records."""

    num_datasets: int
    num_runs: int
    num_models: int
    num_deployments: int
    flags: tuple[Flag, ...]
    unfinished: tuple[str, ...]
    unread: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    num_outputs: int | None = None
    more: Mapping[str, int] = field(default_factory=dict[str, int])

    def as_json(self) -> dict[str, Any]:
        """Plain data, sorted: the same findings are the same bytes."""
        return {
            "datasets": self.num_datasets,
            "runs": self.num_runs,
            "models": self.num_models,
            "deployments": self.num_deployments,
            "outputs": self.num_outputs,
            "flags": [flag.as_json() for flag in self.flags],
            "more": dict(sorted(self.more.items())),
            "unfinished": list(self.unfinished),
            "unread": list(self.unread),
            "unchecked": list(self.unchecked),
        }


def check(
    lineage: Lineage, heard: Told, run: str | None = None, about: Collection[str] | None = None
) -> Checked:
    """Hold lineage against what the journal tells, whole, or as far as one run goes.

    Args:
        lineage: as it is, or as it was at pinned versions.
        heard: `checks_told.heard(directory)`, or `told(events)` of the events of every log.
        run: only this run, what it read and what came out of it.
        about: only these nodes of a trace.

    Raises:
        Refused: neither lineage nor the journal knows such a run.
    """
    recorded = _recorded(lineage)
    if run is not None:
        if run not in recorded.runs and run not in heard.begun:
            raise Refused(
                f"no run {run}, in lineage or in the journal; see halocline lineage check"
            )
        about = recorded.of_run(run, heard)
    labels = {**lineage.labels(), **heard.labels}
    flags = sorted(set(_flags(_Checking(recorded, heard, labels, about))))
    there = recorded.ids() if about is None else recorded.ids() & set(about)
    begun = sorted(id_ for id_ in heard.begun if about is None or f"run:{id_}" in about)
    kinds = Counter(id_.partition(":")[0] for id_ in there)
    return Checked(
        kinds["dataset"],
        kinds["run"],
        kinds["model"],
        kinds["deployment"],
        tuple(flags),
        tuple(id_ for id_ in begun if id_ not in heard.ended and id_ not in recorded.runs),
    )


def reread(lineage: Lineage, found: Checked, run: str | None = None) -> Checked:
    """What was found, and which dataset versions are no more the rows that were recorded."""
    recorded = _recorded(lineage)
    ids = None if run is None else {row["dsv_id"] for row in recorded.runs.get(run, [])}
    flags, unread = set(found.flags), list[str]()
    for row in recorded.datasets.values():
        if ids is not None and row["dsv_id"] not in ids:
            continue
        place = f"{row['compartment']}:{row['table']} version {row['version']}"
        try:
            now = lineage.fingerprint_of(
                row["compartment"], row["table"], row["version"], row["label_ids"]
            )
        except (StorageUnavailable, TableMissing, Refused) as error:
            unread.append(f"{place}: {error}")
            continue
        if now != (row["num_rows"], row["fingerprint"]):
            what = f"{place}: the rows that lie there are not the rows that were recorded"
            flags.add(Flag(f"dataset:{row['dsv_id']}", "rows_now", what))
    return replace(found, flags=tuple(sorted(flags)), unread=tuple(sorted(unread)))


def held(lake: Lake, journal: Path, found: Checked, progress: Progress | None = None) -> Checked:
    """What was found, and which outputs are not what the journal was told of them.

    Raises:
        JournalCorrupt: the journal's records cannot be read.
    """
    scratch = lake.root.parent / "state" / "lineage"
    outputs = checks_outputs.outputs(lake, journal, scratch, progress)
    flags = (Flag(*one) for one in outputs.found)
    return replace(
        found,
        flags=tuple(sorted({*found.flags, *flags})),
        unchecked=tuple(sorted([*found.unchecked, *outputs.unread])),
        num_outputs=outputs.num_rows,
        more=outputs.more,
    )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The lineage tables; runs by id, each with its rows."""

    datasets: Mapping[str, Row]
    mixtures: Mapping[str, Row]
    runs: Mapping[str, list[Row]]
    models: list[Row]
    deployments: list[Row]

    def ids(self) -> set[str]:
        """Everything that is recorded, as nodes of a trace."""
        return {
            *(f"dataset:{dsv_id}" for dsv_id in self.datasets),
            *(f"run:{run_id}" for run_id in self.runs),
            *(_model(row) for row in self.models),
            *(_deployment(row) for row in self.deployments),
        }

    def of_run(self, run: str, heard: Told) -> set[str]:
        """A run, what it read, what came out of it, and where that was deployed."""
        rows = self.runs.get(run, [])
        models = {_model(row) for row in self.models if row["run_id"] == run}
        registered = {
            f"model:{known}"
            for known, records in heard.registered.items()
            if records[-1].what["run_id"] == run
        }
        return {
            f"run:{run}",
            *(f"dataset:{row['dsv_id']}" for row in rows),
            *(f"mixture:{row['mix_sha']}" for row in rows),
            *(_deployment(row) for row in self.deployments if _model(row) in models),
            *models,
            *registered,
        }


@dataclass(frozen=True, slots=True)
class _Checking:
    """Both sides, and what is checked: everything when `about` is None."""

    recorded: _Recorded
    heard: Told
    labels: Mapping[str, Label]
    about: Collection[str] | None

    def takes(self, id_: str) -> bool:
        return self.about is None or id_ in self.about


def _recorded(lineage: Lineage) -> _Recorded:
    runs: dict[str, list[Row]] = defaultdict(list)
    for row in lineage.rows(RUN):
        runs[row["run_id"]].append(row)
    return _Recorded(
        {row["dsv_id"]: row for row in lineage.rows(DATASET)},
        {row["mix_sha"]: row for row in lineage.rows(MIXTURE)},
        dict(runs),
        lineage.rows(MODEL),
        lineage.rows(DEPLOYMENT),
    )


def _flags(checking: _Checking) -> Iterator[Flag]:
    recorded, heard = checking.recorded, checking.heard
    used = {f"mixture:{rows[0]['mix_sha']}" for rows in recorded.runs.values()}
    for dsv_id, row in recorded.datasets.items():
        if checking.takes(f"dataset:{dsv_id}"):
            yield from _dataset(row, heard, checking.labels)
    for mix_sha, row in recorded.mixtures.items():
        id_, now = f"mixture:{mix_sha}", hashlib.sha256(row["mixture"].encode()).hexdigest()
        if now != mix_sha and id_ in used and checking.takes(id_):
            yield Flag(id_, "identity", "its id is not the hash of what it says")
    for run_id, rows in recorded.runs.items():
        if not checking.takes(f"run:{run_id}"):
            continue
        mixture = recorded.mixtures.get(rows[0]["mix_sha"])
        for name, what, records in checks_run.run(run_id, rows, mixture, heard):
            yield Flag(f"run:{run_id}", name, what, records)
        for dsv_id in sorted({row["dsv_id"] for row in rows} - recorded.datasets.keys()):
            yield Flag(f"run:{run_id}", "inputs", f"dataset version {dsv_id} is not on record")
    yield from _models(checking)
    yield from _deployments(checking)
    yield from _lost(checking)


def _model(row: Row) -> str:
    return f"model:{row['model']}/{row['version']}"


def _deployment(row: Row) -> str:
    return f"deployment:{row['endpoint']}/{row['from_ts']}"


def _dataset(row: Row, heard: Told, labels: Mapping[str, Label]) -> Iterator[Flag]:
    about = f"dataset:{row['dsv_id']}"
    if checks_run.reference(row).dsv_id != row["dsv_id"]:
        yield Flag(about, "identity", "its id is not the hash of what it says")
    for name, what, records in checks_run.handed(row, heard):
        yield Flag(about, name, what, records)
    if unknown := [label_id for label_id in row["label_ids"] if label_id not in labels]:
        yield Flag(about, "label", f"label {', '.join(unknown)} is known to nobody")
    elif join(labels[label_id] for label_id in row["label_ids"]).label_id != row["label_id"]:
        yield Flag(about, "label", "its label is not the join of its rows' labels")


def _models(checking: _Checking) -> Iterator[Flag]:
    recorded, labels = checking.recorded, checking.labels
    of_model = {_model(row): row["label_id"] for row in recorded.models}
    made_from: dict[str, set[str]] = defaultdict(set)
    for row in recorded.models:
        if row["parent_model"] is not None:
            made_from[_model(row)].add(f"model:{row['parent_model']}/{row['parent_version']}")
    for row in recorded.models:
        about = _model(row)
        if not checking.takes(about):
            continue
        yield from _registered(row, checking.heard)
        below = {of_model[parent] for parent in made_from[about] if parent in of_model}
        below |= {
            recorded.datasets[source["dsv_id"]]["label_id"]
            for source in recorded.runs.get(row["run_id"], [])
            if source["dsv_id"] in recorded.datasets
        }
        if below and below <= labels.keys():
            whole = join(labels[label_id] for label_id in below)
            if whole.label_id != row["label_id"]:
                yield Flag(about, "label", "its label is not the join of what it was made from")


def _registered(row: Row, heard: Told) -> Iterator[Flag]:
    """A model's run began on record, and it was registered as lineage has it."""
    about = _model(row)
    records = heard.registered.get(about.removeprefix("model:"), ())
    if row["run_id"] not in heard.begun:
        yield Flag(about, "no_train_record", f"no record of run {row['run_id']} beginning")
    if not records:
        yield Flag(about, "no_register_record", "no record of its registration")
    now = (row["weights_sha256"], row["run_id"], row["label_id"])
    for record in records:
        said = record.what
        then = (said["weights_sha256"], said["run_id"], checks_run.label_id(said.get("label")))
        names = ("weights hash", "run", "label")
        if differ := [n for n, a, b in zip(names, now, then, strict=True) if a != b]:
            what = f"it was registered with another {', '.join(differ)}"
            yield Flag(about, "registration", what, (record.event_id,))


def _deployments(checking: _Checking) -> Iterator[Flag]:
    found = checks_served.deployments(checking.recorded.deployments, checking.heard)
    yield from (Flag(*one) for one in found if checking.takes(one[0]))


def _lost(checking: _Checking) -> Iterator[Flag]:
    """The journal has the record, lineage has not the effect: a crash came between."""
    recorded, heard = checking.recorded, checking.heard
    for run_id, records in heard.ended.items():
        if checking.takes(f"run:{run_id}") and run_id not in recorded.runs:
            what = "it ended, and lineage does not know it"
            yield Flag(f"run:{run_id}", "run_not_in_lineage", what, (records[-1].event_id,))
    there = {_model(row) for row in recorded.models}
    for known, records in heard.registered.items():
        about = f"model:{known}"
        if about not in there and checking.takes(about):
            what = "it was registered, and lineage does not know it"
            yield Flag(about, "model_not_in_lineage", what, (records[-1].event_id,))
