"""MLflow, as a projection: runs, their inputs and metrics, registered versions, aliases.

Nothing is decided by what MLflow says. Only the explicit client is used, never the fluent API, and
every call may be repeated. Artefacts lie in one folder a compartment, each an experiment's own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halocline_governance.errors import HaloclineError, Refused
from halocline_governance.label import Label
from halocline_governance.refs import DatasetRef
from halocline_registry.package import make_private

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_TAG = "halocline.run_id"
MANIFEST_TAG = "halocline.manifest_sha256"
VERSION_TAG = "halocline.version"
_METRICS_PER_BATCH = 1000
_RUNS_PER_PAGE = 1000
_SQLITE = "sqlite:///"


class TrackingUnavailable(HaloclineError):
    """MLflow's store cannot be read: what it says is not known."""


@dataclass(frozen=True, slots=True)
class Input:
    """One dataset version that a run read: where it lies, its share of the mixture, and how many
    sequences were consumed."""

    ref: DatasetRef
    uri: str
    weight: float
    num_consumed: int

    @property
    def name(self) -> str:
        """What MLflow calls the dataset."""
        return f"{self.ref.compartment}:{self.ref.table}"

    @property
    def digest(self) -> str:
        """As much of the fingerprint as MLflow takes; its own digests are not of the content."""
        return self.ref.fingerprint[:36]

    @property
    def tags(self) -> dict[str, str]:
        """What stands at the input. MLflow's Delta source leaves version 0 out, and keeps the
        first version of two with the same rows: so the version is here."""
        return {
            "mlflow.data.context": "training",
            "lake.dsv_id": self.ref.dsv_id,
            "lake.version": str(self.ref.version),
            "lake.weight": f"{self.weight:.12g}",
            "lake.consumed": str(self.num_consumed),
            "lake.num_rows": str(self.ref.num_rows),
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """A run of ours as MLflow has it: inputs' tags by name and digest."""

    mlflow_id: str
    status: str
    tags: Mapping[str, str]
    inputs: Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A registered version as MLflow has it: its number there, where its files lie, the MLflow run
    it came out of."""

    model: str
    number: str
    source: str
    mlflow_run: str | None
    tags: Mapping[str, str]

    @property
    def version(self) -> str:
        """Our number of it; empty where MLflow does not say."""
        return self.tags.get(VERSION_TAG, "")


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

    @property
    def is_there(self) -> bool:
        """Whether there is a store: looking into a local one makes it."""
        return self._file is None or self._file.exists()

    @contextmanager
    def reached(self) -> Generator[None]:
        """Read the store within.

        Raises:
            TrackingUnavailable: it cannot be read, or MLflow is not installed.
        """
        try:
            if self._file is not None:
                # MLflow tries for minutes to open what is no database.
                uri = f"{self._file.absolute().as_uri()}?mode=ro"
                with closing(sqlite3.connect(uri, uri=True, timeout=2)) as db:
                    db.execute("SELECT count(*) FROM registered_models").fetchone()
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError
        except (sqlite3.Error, OSError) as error:
            raise TrackingUnavailable(
                f"its store cannot be read ({error}); restore {self._file}"
            ) from error
        except ImportError:
            raise TrackingUnavailable("mlflow is not installed here") from None
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise TrackingUnavailable(f"its store failed: {type(error).__name__}") from error

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

    def runs(self) -> dict[str, Seen]:
        """Every run of ours that is there, by our id."""
        client: Any = self._client
        experiments = [one.experiment_id for one in client.search_experiments()]
        found: dict[str, Seen] = {}
        token = None
        while experiments:
            some = client.search_runs(experiments, max_results=_RUNS_PER_PAGE, page_token=token)
            for run in some:
                if RUN_TAG in run.data.tags:
                    found[run.data.tags[RUN_TAG]] = _seen(run)
            if not (token := some.token):
                break
        return found

    def log_inputs(self, mlflow_id: str, inputs: Iterable[Input]) -> None:
        """Dataset inputs of a run. What is there stays as it is: MLflow cannot change one."""
        self._client.log_inputs(mlflow_id, [_dataset_input(one) for one in inputs])

    def set_tags(self, mlflow_id: str, tags: Mapping[str, str]) -> None:
        """Tags of a run; those of other names stay."""
        from mlflow.entities import RunTag

        self._client.log_batch(mlflow_id, tags=[RunTag(*pair) for pair in tags.items()])

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

    def versions(self) -> list[SeenVersion]:
        """Every version of every model."""
        client: Any = self._client
        found: list[SeenVersion] = []
        token = None
        while True:
            some = client.search_model_versions(page_token=token)
            found += [
                SeenVersion(one.name, str(one.version), one.source, one.run_id or None,
                            dict(one.tags))
                for one in some
            ]  # fmt: skip
            if not (token := some.token):
                return found

    def tag_version(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Tags of a model version; those of other names stay."""
        for key, value in tags.items():
            self._client.set_model_version_tag(name, version, key, value)

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

    @property
    def _file(self) -> Path | None:
        """The store, where it is a file on this machine."""
        return Path(self.uri[len(_SQLITE) :]) if self.uri.startswith(_SQLITE) else None

    @cached_property
    def _client(self) -> MlflowClient:
        """MLflow reads these two at import; it is imported nowhere else."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        if self._file is not None:
            make_private(self._file.parent)
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


def _seen(run: Any) -> Seen:
    inputs = {
        (one.dataset.name, one.dataset.digest): {tag.key: tag.value for tag in one.tags}
        for one in run.inputs.dataset_inputs
    }
    return Seen(str(run.info.run_id), str(run.info.status), dict(run.data.tags), inputs)


def _dataset_input(one: Input) -> Any:
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import DatasetInput, InputTag

    # Of a path: a table's name would make MLflow look for a Databricks workspace.
    source = DeltaDatasetSource(path=one.uri, delta_table_version=one.ref.version)
    dataset = MetaDataset(source=source, name=one.name, digest=one.digest)
    entity: Any = dataset._to_mlflow_entity()  # pyright: ignore[reportPrivateUsage]
    return DatasetInput(entity, [InputTag(key, value) for key, value in one.tags.items()])
