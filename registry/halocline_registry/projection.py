"""Lineage as MLflow shows it: inputs and tags of runs, tags of model versions.

Lineage is the truth. Writing may be repeated; `differences` says where MLflow tells something
else, `repair` puts right what MLflow lets be changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.label import join
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.checks import Flag
from halocline_governance.lineage.checks_run import reference
from halocline_registry.tracking import MANIFEST_TAG, RUN_TAG, Input, Seen, SeenVersion, Tracking

CHECK_TAG = "halocline.lineage_check"
MIXTURE_TAG = "halocline.mixture_sha256"
LABEL_TAG = "halocline.label_id"
WEIGHTS_TAG = "halocline.weights_sha256"
UNCHECKED = "not checked yet: halocline lineage check --repair"

Row = Mapping[str, Any]
_NO_RUN = "MLflow has no such run"
_NO_VERSION = "MLflow has no such version"


@dataclass(frozen=True, slots=True)
class Registered:
    """The package that a version was registered with."""

    folder: Path
    manifest_sha256: str


class Projection:
    """One lineage, and the MLflow store that follows it."""

    def __init__(self, tracking: Tracking, lineage: Lineage, lake: Lake) -> None:
        self._tracking = tracking
        self._lineage = lineage
        self._lake = lake

    def write(self, run_id: str, mlflow_id: str) -> None:
        """What lineage says of a run, into MLflow's run: an input for each dataset version."""
        inputs, tags = self._wanted()[run_id]
        self._tracking.log_inputs(mlflow_id, inputs)
        self._tracking.set_tags(mlflow_id, {**tags, CHECK_TAG: UNCHECKED})

    def differences(self, registered: Mapping[str, Registered] | None = None) -> list[Flag]:
        """Where MLflow says something else than lineage; empty when it follows.

        Args:
            registered: the package of each version, by `model/version`, where that is known.

        Raises:
            TrackingUnavailable: MLflow cannot be read.
        """
        wanted, models = self._wanted(), self._models()
        if not self._tracking.is_there:
            runs = (f"run:{run_id}" for run_id in wanted)
            return [
                *(Flag(about, "mlflow_run_missing", _NO_RUN) for about in runs),
                *(Flag(f"model:{name}", "mlflow_version_missing", _NO_VERSION) for name in models),
            ]
        with self._tracking.reached():
            runs, versions = self._tracking.runs(), self._tracking.versions()
            return sorted(
                {
                    *_runs_differ(wanted, runs),
                    *_models_differ(models, registered or {}, versions, runs),
                    *self._aliases_differ(versions),
                }
            )

    def repair(self, checked: Mapping[str, int]) -> list[str]:
        """Write what is missing or changed, and what checks found; says what was written.

        Args:
            checked: the number of flags of each run that was checked.
        """
        if not self._tracking.is_there:
            return []
        with self._tracking.reached():
            return [*self._repair_runs(checked), *self._repair_versions()]

    def _repair_runs(self, checked: Mapping[str, int]) -> Iterator[str]:
        there = self._tracking.runs()
        for run_id, (inputs, tags) in self._wanted().items():
            if (seen := there.get(run_id)) is None:
                continue
            missing = [one for one in inputs if (one.name, one.digest) not in seen.inputs]
            if run_id in checked:
                tags = {**tags, CHECK_TAG: _verdict(checked[run_id])}
            changed = {key: val for key, val in tags.items() if seen.tags.get(key) != val}
            if missing:
                self._tracking.log_inputs(seen.mlflow_id, missing)
            if changed:
                self._tracking.set_tags(seen.mlflow_id, changed)
            yield from (f"run {run_id}: input {one.name} written" for one in missing)
            yield from (f"run {run_id}: tag {key} written" for key in sorted(changed))

    def _repair_versions(self) -> Iterator[str]:
        models = self._models()
        for seen in self._tracking.versions():
            should = models.get(f"{seen.model}/{seen.version}", {})
            changed = {key: val for key, val in should.items() if seen.tags.get(key) != val}
            if changed:
                self._tracking.tag_version(seen.model, seen.number, changed)
            about = f"model {seen.model} v{seen.number}"
            yield from (f"{about}: tag {key} written" for key in sorted(changed))

    def _wanted(self) -> dict[str, tuple[list[Input], dict[str, str]]]:
        """Inputs and tags of every recorded run."""
        datasets = {row["dsv_id"]: row for row in self._lineage.rows("lineage.dataset_version")}
        labels = self._lineage.labels()
        runs: dict[str, list[Row]] = defaultdict(list)
        for row in self._lineage.rows("lineage.run_source"):
            runs[row["run_id"]].append(row)
        wanted: dict[str, tuple[list[Input], dict[str, str]]] = {}
        for run_id, rows in sorted(runs.items()):
            known = [row for row in rows if row["dsv_id"] in datasets]
            label = join(labels[datasets[row["dsv_id"]]["label_id"]] for row in known)
            wanted[run_id] = (
                [self._input(row, datasets[row["dsv_id"]]) for row in known],
                {MIXTURE_TAG: rows[0]["mix_sha"], LABEL_TAG: label.label_id},
            )
        return wanted

    def _input(self, row: Row, dataset: Row) -> Input:
        ref = reference(dataset)
        uri = self._lake.location(ref.compartment, ref.table).uri
        return Input(ref, uri, row["weight"], row["num_consumed"])

    def _models(self) -> dict[str, dict[str, str]]:
        """Tags of every recorded model version, by `model/version`."""
        return {
            f"{row['model']}/{row['version']}": {
                WEIGHTS_TAG: row["weights_sha256"],
                LABEL_TAG: row["label_id"],
                RUN_TAG: row["run_id"],
            }
            for row in self._lineage.rows("lineage.model_edge")
        }

    def _aliases_differ(self, versions: Sequence[SeenVersion]) -> Iterator[Flag]:
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._lineage.rows("lineage.deployment"):
            name, _, alias = row["endpoint"].rpartition("@")
            if row["to_ts"] is None and name == row["model"]:
                wanted[name][alias] = str(row["version"])
        ours = {(seen.model, seen.number): seen.version for seen in versions}
        for name in sorted({*wanted, *(seen.model for seen in versions)}):
            there = {
                alias: ours.get((name, number))
                for alias, number in self._tracking.aliases(name).items()
            }
            for alias in sorted({*there, *wanted[name]}):
                if there.get(alias) != wanted[name].get(alias):
                    what = f"{name}@{alias}: MLflow points elsewhere"
                    yield Flag(f"endpoint:{name}@{alias}", "mlflow_alias", what)


def _runs_differ(
    wanted: Mapping[str, tuple[list[Input], dict[str, str]]], there: Mapping[str, Seen]
) -> Iterator[Flag]:
    for run_id, (inputs, tags) in wanted.items():
        if run_id in there:
            yield from _run_differs(f"run:{run_id}", inputs, tags, there[run_id])
        else:
            yield Flag(f"run:{run_id}", "mlflow_run_missing", _NO_RUN)
    for run_id in there.keys() - wanted.keys():
        if there[run_id].status == "FINISHED":
            what = "finished in MLflow, and not in lineage"
            yield Flag(f"run:{run_id}", "mlflow_run_unknown", what)


def _run_differs(
    about: str, inputs: list[Input], tags: Mapping[str, str], seen: Seen
) -> Iterator[Flag]:
    for key, value in tags.items():
        if seen.tags.get(key) != value:
            yield Flag(about, "mlflow_run_tag", f"MLflow has another {key}")
    for one in inputs:
        there = seen.inputs.get((one.name, one.digest))
        if there is None:
            yield Flag(about, "mlflow_input_missing", f"MLflow lacks the input {one.name}")
            continue
        for key, value in one.tags.items():
            if there.get(key) != value:
                yield Flag(about, "mlflow_input_tag", f"input {one.name} has another {key}")
    for name, _ in seen.inputs.keys() - {(one.name, one.digest) for one in inputs}:
        what = f"MLflow has an input {name} that lineage does not know"
        yield Flag(about, "mlflow_input_unknown", what)


def _models_differ(
    models: Mapping[str, Mapping[str, str]],
    registered: Mapping[str, Registered],
    versions: Sequence[SeenVersion],
    runs: Mapping[str, Seen],
) -> Iterator[Flag]:
    there: dict[str, list[SeenVersion]] = defaultdict(list)
    for seen in versions:
        there[f"{seen.model}/{seen.version}"].append(seen)
    for name, tags in models.items():
        mine = there.get(name, [])
        if not mine:
            yield Flag(f"model:{name}", "mlflow_version_missing", _NO_VERSION)
        if len(mine) > 1:
            numbers = ", ".join(seen.number for seen in mine)
            what = f"MLflow has it as versions {numbers}"
            yield Flag(f"model:{name}", "mlflow_version_twice", what)
        for seen in mine:
            yield from _version_differs(f"model:{name}", seen, tags, registered.get(name))
            run = runs.get(tags[RUN_TAG])
            if run is not None and seen.mlflow_run != run.mlflow_id:
                what = f"MLflow's version {seen.number} is of another run than {tags[RUN_TAG]}"
                yield Flag(f"model:{name}", "mlflow_version_run", what)
    for name in there.keys() - models.keys():
        for seen in there[name]:
            what = f"MLflow has version {seen.number} of {seen.model}, and lineage does not know it"
            yield Flag(f"model:{name}", "mlflow_version_unknown", what)


def _version_differs(
    about: str, seen: SeenVersion, tags: Mapping[str, str], package: Registered | None
) -> Iterator[Flag]:
    wanted = {**tags, MANIFEST_TAG: package.manifest_sha256} if package else tags
    for key, value in wanted.items():
        if seen.tags.get(key) != value:
            what = f"MLflow's version {seen.number} has another {key}"
            yield Flag(about, "mlflow_version_tag", what)
    if package and seen.source != package.folder.absolute().as_uri():
        what = f"MLflow's version {seen.number} leads to other files than were registered"
        yield Flag(about, "mlflow_version_source", what)


def _verdict(num_flags: int) -> str:
    return f"{num_flags} flags: halocline lineage check" if num_flags else "agrees"
