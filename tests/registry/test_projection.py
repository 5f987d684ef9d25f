"""MLflow follows lineage: inputs, tags, versions; what differs is told, what can be is repaired."""

from __future__ import annotations

from typing import Any

import pytest

from halocline_governance.lake import Lake
from halocline_governance.lineage.checks import Flag
from halocline_governance.refs import DatasetRef
from halocline_registry.projection import CHECK_TAG, MIXTURE_TAG, Projection
from halocline_registry.tracking import RunDescription
from tests.registry.conftest import BUY, MIA, REF, Place

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def opened(place: Place, run_id: str = "r1") -> str:
    """The run in MLflow, as training opens it."""
    described = RunDescription(
        run_id=run_id, name=run_id, compartment="buy", label=BUY, params={}, tags={}
    )
    mlflow_id = place.tracking.open_run(described)
    place.tracking.end_run(mlflow_id)
    return mlflow_id


@pytest.fixture
def projection(place: Place) -> Projection:
    return Projection(place.tracking, place.lineage, Lake(place.home / "lake"))


def inputs(place: Place, mlflow_id: str) -> list[dict[str, str]]:
    run = place.client.get_run(mlflow_id)
    return [{tag.key: tag.value for tag in one.tags} for one in run.inputs.dataset_inputs]


def test_a_run_is_written_once_however_often(place: Place, projection: Projection) -> None:
    mlflow_id = opened(place)
    place.registry.register(place.package(), MIA)
    for _ in range(2):
        projection.write("r1", mlflow_id)
    (tags,) = inputs(place, mlflow_id)

    assert projection.differences() == []
    assert tags["lake.dsv_id"] == REF.dsv_id
    assert (tags["lake.version"], tags["lake.weight"], tags["lake.consumed"]) == ("0", "1", "9")
    (one,) = place.client.get_run(mlflow_id).inputs.dataset_inputs
    assert one.dataset.digest == REF.fingerprint[:36]


def kinds(flags: list[Flag]) -> list[tuple[str, str]]:
    return [(flag.about, flag.kind) for flag in flags]


def test_what_mlflow_lacks_or_says_otherwise_is_told_and_repaired(
    place: Place, projection: Projection
) -> None:
    mlflow_id = opened(place)
    model = place.registry.register(place.package(), MIA)
    assert [flag.what for flag in projection.differences()] == [
        "MLflow lacks the input buy:curated.documents",
        "MLflow has another halocline.mixture_sha256",
    ]
    projection.repair({"r1": 0})
    assert projection.differences() == []
    place.client.set_tag(mlflow_id, MIXTURE_TAG, "another")
    place.client.set_model_version_tag("house", "1", "halocline.weights_sha256", "another")

    assert kinds(projection.differences()) == [
        ("model:house/1", "mlflow_version_tag"),
        ("run:r1", "mlflow_run_tag"),
    ]
    assert len(projection.repair({"r1": 2})) == 3
    assert projection.differences() == []
    assert projection.repair({"r1": 2}) == []
    run = place.client.get_run(mlflow_id)
    assert run.data.tags[CHECK_TAG].startswith("2 flags")
    version = place.client.get_model_version("house", "1")
    assert version.tags["halocline.weights_sha256"] == model.weights_sha256


def test_what_is_in_mlflow_alone_is_told(place: Place, projection: Projection) -> None:
    """MLflow cannot take an input back: somebody must be told."""
    projection.write("r1", mlflow_id := opened(place))
    opened(place, "r2")
    other: dict[str, Any] = {**REF.as_json(), "label_ids": REF.label_ids, "fingerprint": "e" * 64}
    dsv_id = place.lineage.add_dataset(DatasetRef(**other), BUY)
    place.lineage.add_run("r1", "m1", [(dsv_id, 1.0, 9, 9)])
    projection.write("r1", mlflow_id)
    where = Lake(place.home / "lake").location("system", "lineage.run_source")
    where.delta().delete(f"dsv_id = '{dsv_id}'")

    told = kinds(projection.differences())
    assert ("run:r1", "mlflow_input_unknown") in told
    assert ("run:r2", "mlflow_run_unknown") in told


def test_no_store_is_made_by_looking(place: Place) -> None:
    nowhere = type(place.tracking).local(place.home / "nowhere")
    told = Projection(nowhere, place.lineage, Lake(place.home / "lake")).differences()

    assert kinds(told) == [("run:r1", "mlflow_run_missing")]
    assert not (place.home / "nowhere").exists()
