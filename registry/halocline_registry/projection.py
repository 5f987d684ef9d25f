"""Lineage as MLflow shows it: inputs and tags of runs, tags of model versions.

Lineage is the truth. Writing may be repeated; `differences` says where MLflow tells something
else, `repair` puts right what MLflow lets be changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from halocline_governance.label import join
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.checks_run import reference
from halocline_registry.tracking import RUN_TAG, VERSION_TAG, Input, Seen, Tracking

CHECK_TAG = "halocline.lineage_check"
MIXTURE_TAG = "halocline.mixture_sha256"
LABEL_TAG = "halocline.label_id"
WEIGHTS_TAG = "halocline.weights_sha256"
UNCHECKED = "not checked yet: halocline lineage check --repair"

Row = Mapping[str, Any]


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

    def differences(self) -> list[str]:
        """Where MLflow says something else than lineage; empty when it follows."""
        wanted, models = self._wanted(), self._models()
        if not self._tracking.is_there:
            told = [f"run {run_id}: MLflow has no such run" for run_id in wanted]
            return [*told, *(f"model {name}: MLflow has no such model" for name in models)]
        return [*self._runs_differ(wanted), *self._models_differ(models), *self._aliases_differ()]

    def repair(self, checked: Mapping[str, int]) -> list[str]:
        """Write what is missing or changed, and what checks found; says what was written.

        Args:
            checked: the number of flags of each run that was checked.
        """
        if not self._tracking.is_there:
            return []
        wanted, models = self._wanted(), self._models()
        done: list[str] = []
        there = self._tracking.runs()
        for run_id, (inputs, tags) in wanted.items():
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
            done += [f"run {run_id}: input {one.name} written" for one in missing]
            done += [f"run {run_id}: tag {key} written" for key in sorted(changed)]
        for name, versions in models.items():
            for number, tags in self._tracking.versions(name).items():
                should = versions.get(tags.get(VERSION_TAG, ""), {})
                changed = {key: val for key, val in should.items() if tags.get(key) != val}
                if changed:
                    self._tracking.tag_version(name, number, changed)
                done += [f"model {name} v{number}: tag {key} written" for key in sorted(changed)]
        return done

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

    def _models(self) -> dict[str, dict[str, dict[str, str]]]:
        """Tags of every recorded model version, by name and our number."""
        models: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for row in self._lineage.rows("lineage.model_edge"):
            models[row["model"]][str(row["version"])] = {
                WEIGHTS_TAG: row["weights_sha256"],
                LABEL_TAG: row["label_id"],
                RUN_TAG: row["run_id"],
            }
        return dict(sorted(models.items()))

    def _runs_differ(
        self, wanted: Mapping[str, tuple[list[Input], dict[str, str]]]
    ) -> Iterator[str]:
        there = self._tracking.runs()
        for run_id, (inputs, tags) in wanted.items():
            if run_id in there:
                yield from _run_differs(run_id, inputs, tags, there[run_id])
            else:
                yield f"run {run_id}: MLflow has no such run"
        for run_id in sorted(there.keys() - wanted.keys()):
            if there[run_id].status == "FINISHED":
                yield f"run {run_id}: finished in MLflow, and not in lineage"

    def _models_differ(
        self, models: Mapping[str, Mapping[str, Mapping[str, str]]]
    ) -> Iterator[str]:
        for name, versions in models.items():
            there = {tags.get(VERSION_TAG, ""): tags for tags in
                     self._tracking.versions(name).values()}  # fmt: skip
            for version, wanted in versions.items():
                if version not in there:
                    yield f"model {name} v{version}: MLflow has no such version"
                    continue
                for key, value in wanted.items():
                    if there[version].get(key) != value:
                        yield f"model {name} v{version}: MLflow has another {key}"
            for version in sorted(there.keys() - versions.keys()):
                yield f"model {name}: MLflow has a version that lineage does not know ({version})"

    def _aliases_differ(self) -> Iterator[str]:
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._lineage.rows("lineage.deployment"):
            name, _, alias = row["endpoint"].rpartition("@")
            if row["to_ts"] is None and name == row["model"]:
                wanted[name][alias] = str(row["version"])
        for name, aliases in sorted(wanted.items()):
            ours = {number: tags.get(VERSION_TAG) for number, tags in
                    self._tracking.versions(name).items()}  # fmt: skip
            there = {alias: ours.get(number) for alias, number in
                     self._tracking.aliases(name).items()}  # fmt: skip
            for alias in sorted({*there, *aliases}):
                if there.get(alias) != aliases.get(alias):
                    yield f"{name}@{alias}: MLflow points elsewhere: halocline model reconcile"


def _run_differs(
    run_id: str, inputs: list[Input], tags: Mapping[str, str], seen: Seen
) -> Iterator[str]:
    for key, value in tags.items():
        if seen.tags.get(key) != value:
            yield f"run {run_id}: MLflow has another {key}"
    for one in inputs:
        there = seen.inputs.get((one.name, one.digest))
        if there is None:
            yield f"run {run_id}: MLflow lacks the input {one.name}"
            continue
        for key, value in one.tags.items():
            if there.get(key) != value:
                yield f"run {run_id}: input {one.name} has another {key}"
    for name, _ in sorted(seen.inputs.keys() - {(one.name, one.digest) for one in inputs}):
        yield f"run {run_id}: MLflow has an input {name} that lineage does not know"


def _verdict(num_flags: int) -> str:
    return f"{num_flags} flags: halocline lineage check" if num_flags else "agrees"
