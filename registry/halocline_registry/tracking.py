"""MLflow, as a projection: runs, their inputs and metrics, registered versions, aliases.

Nothing is decided by what MLflow says. Only the explicit client is used, never the fluent API, and
every call may be repeated. Artefacts lie in one folder a compartment, each an experiment's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import Refused
from halocline_governance.label import Label
from halocline_governance.refs import DatasetRef
from halocline_registry.package import make_private

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_TAG = "halocline.run_id"
MANIFEST_TAG = "halocline.manifest_sha256"
VERSION_TAG = "halocline.version"
_METRICS_PER_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Input:
    """One dataset version that a run reads, where it lies, and its weight in the mixture."""

    ref: DatasetRef
    path: Path
    weight: int


@dataclass(frozen=True, slots=True)
class Point:
    """Metrics at one step, at milliseconds since the epoch."""

    step: int
    ts_ms: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDescription:
    """What a run is, before it runs."""

    run_id: str
    name: str
    compartment: str
    label: Label
    params: Mapping[str, str | int | float]
    tags: Mapping[str, str]
    inputs: tuple[Input, ...]


class Tracking:
    """One MLflow store.

    Args:
        uri: of the tracking and registry store.
        artifacts: under which each compartment's experiment keeps its files.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        self.uri = uri
        self._artifacts = artifacts

    @classmethod
    def local(cls, folder: Path) -> Tracking:
        """An SQLite store in a folder."""
        return cls(f"sqlite:///{folder.absolute()}/mlflow.db", folder.absolute() / "artifacts")

    def open_run(self, run: RunDescription) -> str:
        """MLflow's id of this run; it is made, or found again and taken up."""
        experiment = self._experiment(run.compartment)
        mlflow_id = self.find_run(run.run_id)
        if mlflow_id is None:
            tags = {
                **run.tags,
                RUN_TAG: run.run_id,
                "halocline.label_id": run.label.label_id,
                "halocline.compartment": run.compartment,
            }
            made: Any = self._client.create_run(experiment, run_name=run.name, tags=tags)
            mlflow_id = str(made.info.run_id)
        else:
            self._client.update_run(mlflow_id, status="RUNNING")
        self._log_params(mlflow_id, run.params)
        self._log_inputs(mlflow_id, run.inputs)
        return mlflow_id

    def find_run(self, run_id: str) -> str | None:
        """MLflow's id of one of our runs."""
        client: Any = self._client
        experiments: list[Any] = client.search_experiments()
        found: list[Any] = client.search_runs(
            [experiment.experiment_id for experiment in experiments],
            f"tags.`{RUN_TAG}` = '{run_id}'",
            max_results=1,
        )
        return str(found[0].info.run_id) if found else None

    def log_points(self, mlflow_id: str, points: Sequence[Point]) -> None:
        """Metrics, one batch for many steps; steps that are there are left as they are."""
        from mlflow.entities import Metric

        names = sorted({name for point in points for name in point.values})
        there = {
            (name, int(metric.step))
            for name in names
            for metric in self._client.get_metric_history(mlflow_id, name)
        }
        metrics = [
            Metric(name, value, point.ts_ms, point.step)
            for point in points
            for name, value in point.values.items()
            if (name, point.step) not in there
        ]
        for start in range(0, len(metrics), _METRICS_PER_BATCH):
            self._client.log_batch(mlflow_id, metrics=metrics[start : start + _METRICS_PER_BATCH])

    def log_text(self, mlflow_id: str, text: str, name: str) -> None:
        """A text artefact; it lies in the run's compartment."""
        self._client.log_text(mlflow_id, text, name)

    def log_folder(self, mlflow_id: str, folder: Path, name: str) -> None:
        """A folder of artefacts."""
        self._client.log_artifacts(mlflow_id, str(folder), name)

    def end_run(self, mlflow_id: str, status: str = "FINISHED") -> None:
        """FINISHED, FAILED or KILLED."""
        self._client.set_terminated(mlflow_id, status)

    def ensure_version(
        self, name: str, manifest_sha256: str, source: Path, tags: Mapping[str, str], run_id: str
    ) -> str:
        """MLflow's number of the version with this manifest, made when it is not there."""
        from mlflow.exceptions import MlflowException

        uri = source.absolute().as_uri()
        found: Any = self._client.search_model_versions(f"name = '{name}'")
        known = [
            int(version.version)
            for version in found
            if version.source == uri and version.tags.get(MANIFEST_TAG) == manifest_sha256
        ]
        if known:
            return str(min(known))
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise Refused(f"MLflow does not take model {name}: {error.error_code}") from None
        made: Any = self._client.create_model_version(
            name,
            uri,
            run_id=self.find_run(run_id),
            tags={**tags, MANIFEST_TAG: manifest_sha256},
        )
        return str(made.version)

    def aliases(self, name: str) -> dict[str, str]:
        """Alias and MLflow version of one model; empty when MLflow does not know it."""
        from mlflow.exceptions import MlflowException

        try:
            model: Any = self._client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise
        return {str(alias): str(version) for alias, version in model.aliases.items()}

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._client.set_registered_model_alias(name, alias, version)

    def delete_alias(self, name: str, alias: str) -> None:
        self._client.delete_registered_model_alias(name, alias)

    @cached_property
    def _client(self) -> MlflowClient:
        """MLflow reads these two at import; it is imported nowhere else."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        if self.uri.startswith("sqlite:///"):
            make_private(Path(self.uri.removeprefix("sqlite:///")).parent)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def _experiment(self, compartment: str) -> str:
        name = f"halocline/{compartment}"
        found: Any = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        where = self._artifacts / compartment
        make_private(where)
        return self._client.create_experiment(name, artifact_location=where.as_uri())

    def _log_params(self, mlflow_id: str, params: Mapping[str, str | int | float]) -> None:
        from mlflow.entities import Param

        logged = [Param(name, str(value)) for name, value in params.items()]
        self._client.log_batch(mlflow_id, params=logged)

    def _log_inputs(self, mlflow_id: str, inputs: Iterable[Input]) -> None:
        self._client.log_inputs(mlflow_id, [_dataset_input(one) for one in inputs])


def _dataset_input(one: Input) -> Any:
    """Version 0 is not recorded by MLflow's Delta source, and its own digests are of the plan: so
    the version is a tag too, and the digest is the content's."""
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import DatasetInput, InputTag

    source = DeltaDatasetSource(path=str(one.path), delta_table_version=one.ref.version)
    dataset = MetaDataset(
        source=source,
        name=f"{one.ref.compartment}:{one.ref.table}",
        digest=one.ref.fingerprint[:36],
    )
    tags = {
        "mlflow.data.context": "training",
        "lake.dsv_id": one.ref.dsv_id,
        "lake.version": str(one.ref.version),
        "lake.weight": str(one.weight),
        "lake.num_rows": str(one.ref.num_rows),
    }
    entity: Any = dataset._to_mlflow_entity()  # pyright: ignore[reportPrivateUsage]
    return DatasetInput(entity, [InputTag(key, value) for key, value in tags.items()])
