"""Registered facts are checked, not believed: lineage held against what the journal tells.

The guard records what it handed out, the gates what they allowed, a run what it declared. Lineage
is right when all of them say the same. Nothing is repaired here, and no row is read.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from halocline_governance.errors import Refused, StorageUnavailable, TableMissing
from halocline_governance.label import Label, join
from halocline_governance.lineage import checks_run
from halocline_governance.lineage.checks_told import Told
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN, Lineage


@dataclass(frozen=True, slots=True, order=True)
class Flag:
    """Something that lineage and the journal do not agree on.

    Args:
        about: the node of a trace that it is about: `run:r1`, `dataset:d1`, `model:house/1`.
        check: which one failed, in a word or two.
        what: told to people; ids and counts only.
        records: ids of the events that say otherwise: `halocline audit show ID`.
    """

    about: str
    check: str
    what: str
    records: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "records": list(self.records)}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `unfinished` runs began and are not at their end: running, or killed.
    `unread` says which rows could not be read again, where that was asked for."""

    num_datasets: int
    num_runs: int
    num_models: int
    num_deployments: int
    flags: tuple[Flag, ...]
    unfinished: tuple[str, ...]
    unread: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data, sorted: the same findings are the same bytes."""
        return {
            "datasets": self.num_datasets,
            "runs": self.num_runs,
            "models": self.num_models,
            "deployments": self.num_deployments,
            "flags": [flag.as_json() for flag in self.flags],
            "unfinished": list(self.unfinished),
            "unread": list(self.unread),
        }


def check(lineage: Lineage, heard: Told, run: str | None = None) -> Checked:
    """Hold lineage against what the journal tells, whole, or as far as one run goes.

    Args:
        lineage: as it is, or as it was at pinned versions.
        heard: `checks_told.heard(directory)`, or `told(events)` of the events of every log.
        run: only this run, what it read and what came out of it.

    Raises:
        Refused: neither lineage nor the journal knows such a run.
    """
    recorded = _recorded(lineage)
    if run is not None:
        recorded = recorded.only(run)
        if not recorded.runs and run not in heard.begun:
            raise Refused(
                f"no run {run}, in lineage or in the journal; see halocline lineage check"
            )
    labels = {**lineage.labels(), **heard.labels}
    flags = sorted(set(_flags(recorded, heard, labels, run)))
    runs = [run] if run is not None else sorted(heard.begun)
    unfinished = [id_ for id_ in runs if id_ not in heard.ended and id_ not in recorded.runs]
    return Checked(
        len(recorded.datasets),
        len(recorded.runs),
        len({(row["model"], row["version"]) for row in recorded.models}),
        len(recorded.deployments),
        tuple(flags),
        tuple(unfinished),
    )


def reread(lineage: Lineage, found: Checked, run: str | None = None) -> Checked:
    """What was found, and which dataset versions are no more the rows that were recorded."""
    recorded = _recorded(lineage)
    flags, unread = set(found.flags), list[str]()
    for row in (recorded if run is None else recorded.only(run)).datasets.values():
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
            flags.add(Flag(f"dataset:{row['dsv_id']}", "rows now", what))
    return replace(found, flags=tuple(sorted(flags)), unread=tuple(sorted(unread)))


@dataclass(frozen=True, slots=True)
class _Recorded:
    """The lineage tables; runs by id, each with its rows."""

    datasets: Mapping[str, Row]
    mixtures: Mapping[str, Row]
    runs: Mapping[str, list[Row]]
    models: list[Row]
    deployments: list[Row]

    def only(self, run: str) -> _Recorded:
        rows = self.runs.get(run, [])
        models = [row for row in self.models if row["run_id"] == run]
        versions = {(row["model"], row["version"]) for row in models}
        return _Recorded(
            {row["dsv_id"]: self.datasets[row["dsv_id"]] for row in rows
             if row["dsv_id"] in self.datasets},
            self.mixtures,
            {run: rows} if rows else {},
            models,
            [row for row in self.deployments if (row["model"], row["version"]) in versions],
        )  # fmt: skip


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


def _flags(
    recorded: _Recorded, heard: Told, labels: Mapping[str, Label], run: str | None
) -> Iterator[Flag]:
    used = {rows[0]["mix_sha"] for rows in recorded.runs.values()}
    for row in recorded.datasets.values():
        yield from _dataset(row, heard, labels)
    for mix_sha, row in recorded.mixtures.items():
        if hashlib.sha256(row["mixture"].encode()).hexdigest() != mix_sha and mix_sha in used:
            yield Flag(f"mixture:{mix_sha}", "identity", "its id is not the hash of what it says")
    for run_id, rows in recorded.runs.items():
        mixture = recorded.mixtures.get(rows[0]["mix_sha"])
        for name, what, records in checks_run.run(run_id, rows, mixture, heard):
            yield Flag(f"run:{run_id}", name, what, records)
        for dsv_id in sorted({row["dsv_id"] for row in rows} - recorded.datasets.keys()):
            yield Flag(f"run:{run_id}", "inputs", f"dataset version {dsv_id} is not on record")
    yield from _models(recorded, heard, labels)
    yield from _deployments(recorded, heard)
    yield from _lost(recorded, heard, run)


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


def _models(recorded: _Recorded, heard: Told, labels: Mapping[str, Label]) -> Iterator[Flag]:
    of_model = {(row["model"], row["version"]): row["label_id"] for row in recorded.models}
    made_from: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    for row in recorded.models:
        if row["parent_model"] is not None:
            parent = (row["parent_model"], row["parent_version"])
            made_from[row["model"], row["version"]].append(parent)
    for row in recorded.models:
        about, known = f"model:{row['model']}/{row['version']}", f"{row['model']}/{row['version']}"
        if row["run_id"] not in heard.begun:
            yield Flag(about, "no train record", f"no record of run {row['run_id']} beginning")
        if not heard.registered.get(known):
            yield Flag(about, "no register record", "no record of its registration")
        for record in heard.registered.get(known, ()):
            told_label = checks_run.label_id(record.what.get("label"))
            now = {"weights hash": row["weights_sha256"], "run": row["run_id"],
                   "label": row["label_id"]}  # fmt: skip
            then = {"weights hash": record.what["weights_sha256"], "run": record.what["run_id"],
                    "label": told_label}  # fmt: skip
            if differ := [name for name, value in now.items() if then[name] != value]:
                what = f"it was registered with another {', '.join(differ)}"
                yield Flag(about, "registration", what, (record.event_id,))
        parents = made_from[row["model"], row["version"]]
        below = {of_model[parent] for parent in parents if parent in of_model}
        below |= {
            recorded.datasets[source["dsv_id"]]["label_id"]
            for source in recorded.runs.get(row["run_id"], [])
            if source["dsv_id"] in recorded.datasets
        }
        if below and below <= labels.keys():
            whole = join(labels[label_id] for label_id in below)
            if whole.label_id != row["label_id"]:
                yield Flag(about, "label", "its label is not the join of what it was made from")


def _deployments(recorded: _Recorded, heard: Told) -> Iterator[Flag]:
    for row in recorded.deployments:
        about = f"deployment:{row['endpoint']}/{row['from_ts']}"
        said = [
            record.what for record in heard.promoted.get(row["decision_id"], ())
            if f"{record.what['model']}@{record.what['alias']}" == row["endpoint"]
            and record.what["version"] == row["version"]
            and record.what["decision"]["allow"] is True
        ]  # fmt: skip
        if not said:
            yield Flag(about, "no promotion", f"{row['endpoint']}: no record of such a promotion")


def _lost(recorded: _Recorded, heard: Told, run: str | None) -> Iterator[Flag]:
    """The journal has the record, lineage has not the effect: a crash came between."""
    for run_id, records in heard.ended.items():
        if run in (None, run_id) and run_id not in recorded.runs:
            what = "it ended, and lineage does not know it: train the same again to record it"
            yield Flag(f"run:{run_id}", "not in lineage", what, (records[-1].event_id,))
    there = {f"{row['model']}/{row['version']}" for row in recorded.models}
    for known, records in heard.registered.items():
        if known not in there and run in (None, records[-1].what["run_id"]):
            what = "it was registered, and lineage does not know it: halocline model reconcile"
            yield Flag(f"model:{known}", "not in lineage", what, (records[-1].event_id,))
    deployed = {(row["endpoint"], row["decision_id"]) for row in recorded.deployments}
    current = {row["endpoint"]: row for row in recorded.deployments if row["to_ts"] is None}
    for decision_id, records in heard.promoted.items():
        body = records[-1].what
        endpoint = f"{body['model']}@{body['alias']}"
        serves = current.get(endpoint)
        same = serves and (serves["model"], serves["version"]) == (body["model"], body["version"])
        if run is None and (endpoint, decision_id) not in deployed and not same:
            what = "it was promoted, and lineage has no deployment: halocline model reconcile"
            about = f"model:{body['model']}/{body['version']}"
            yield Flag(about, "not in lineage", f"{endpoint}: {what}", (records[-1].event_id,))
