"""Somebody who can write MLflow's store changes what it shows: each change is found, alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from halocline_governance.lake import Lake
from halocline_governance.lineage.checks_told import heard
from halocline_registry.projection import Projection, Registered
from halocline_registry.tracking import RunDescription, TrackingUnavailable
from tests.registry.conftest import ALIAS, BUY, MIA, Place

# MLflow's own models use what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

# SQL in MLflow's store, and what must be found.
ATTACKS: dict[str, tuple[str, set[tuple[str, str]]]] = {
    "a run's id is changed": (
        "UPDATE tags SET value = 'r9' WHERE key = 'halocline.run_id'",
        {("run:r1", "mlflow_run_missing"), ("run:r9", "mlflow_run_unknown")}),
    "a run is deleted": (
        "UPDATE runs SET lifecycle_stage = 'deleted'", {("run:r1", "mlflow_run_missing")}),
    "a run has another mixture": (
        "UPDATE tags SET value = 'other' WHERE key = 'halocline.mixture_sha256'",
        {("run:r1", "mlflow_run_tag")}),
    "an input is taken out": ("DELETE FROM inputs", {("run:r1", "mlflow_input_missing")}),
    "an input is of another version": (
        "UPDATE input_tags SET value = '7' WHERE name = 'lake.version'",
        {("run:r1", "mlflow_input_tag")}),
    "an input has another name": (
        "UPDATE datasets SET name = 'sell:curated.documents'",
        {("run:r1", "mlflow_input_missing"), ("run:r1", "mlflow_input_unknown")}),
    "a version is deleted": (
        "UPDATE model_versions SET current_stage = 'Deleted_Internal'",
        {("model:house/1", "mlflow_version_missing"), ("endpoint:house@champion", "mlflow_alias")}),
    "a version is renumbered": (
        "UPDATE model_version_tags SET value = '2' WHERE key = 'halocline.version'",
        {("model:house/1", "mlflow_version_missing"), ("model:house/2", "mlflow_version_unknown"),
         ("endpoint:house@champion", "mlflow_alias")}),
    "a version is of another manifest": (
        "UPDATE model_version_tags SET value = '0' WHERE key = 'halocline.manifest_sha256'",
        {("model:house/1", "mlflow_version_tag")}),
    "a version has other weights": (
        "UPDATE model_version_tags SET value = '0' WHERE key = 'halocline.weights_sha256'",
        {("model:house/1", "mlflow_version_tag")}),
    "a version leads to other files": (
        "UPDATE model_versions SET source = 'file:///elsewhere'",
        {("model:house/1", "mlflow_version_source")}),
    "a version came out of another run": (
        "UPDATE model_versions SET run_id = 'other'", {("model:house/1", "mlflow_version_run")}),
    "a version came out of no run": (
        "UPDATE model_versions SET run_id = NULL", {("model:house/1", "mlflow_version_run")}),
    "an alias is taken away": (
        "DELETE FROM registered_model_aliases", {("endpoint:house@champion", "mlflow_alias")}),
    "an alias is added": (
        "INSERT INTO registered_model_aliases(alias, version, name, workspace)"
        " SELECT 'other', version, name, workspace FROM registered_model_aliases",
        {("endpoint:house@other", "mlflow_alias")}),
}  # fmt: skip


def agreeing(place: Place) -> Callable[[], set[tuple[str, str]]]:
    """A run, its model, and its alias, in MLflow as in lineage; gives the check."""
    described = RunDescription(
        run_id="r1", name="r1", compartment="buy", label=BUY, params={}, tags={}
    )
    mlflow_id = place.tracking.open_run(described)
    projection = Projection(place.tracking, place.lineage, Lake(place.home / "lake"))
    projection.write("r1", mlflow_id)
    place.tracking.end_run(mlflow_id)
    _, request = place.approved()
    place.registry.promote(MIA, request)
    told = heard(place.home / "journal")
    packages = {
        name: Registered(place.home / "models" / one.what["folder"], one.what["manifest_sha256"])
        for name, (one,) in told.registered.items()
    }
    assert projection.differences(packages) == []
    return lambda: {(flag.about, flag.kind) for flag in projection.differences(packages)}


def store(place: Place) -> Path:
    return place.home / "mlflow" / "mlflow.db"


def test_each_attack_is_found_and_nothing_else(place: Place) -> None:
    """One world for all: after each attack the store's bytes are put back."""
    found, file = agreeing(place), store(place)
    clean = file.read_bytes()
    for name, (sql, wanted) in ATTACKS.items():
        with closing(sqlite3.connect(file)) as db:
            assert db.execute(sql).rowcount > 0, name
            db.commit()
        assert found() == wanted, name
        with closing(sqlite3.connect(file)) as db, closing(sqlite3.connect(":memory:")) as back:
            back.deserialize(clean)
            back.backup(db)
        assert found() == set(), name


def test_a_version_twice_is_found_and_put_right_as_it_is_told(place: Place) -> None:
    found = agreeing(place)
    first = place.client.get_model_version("house", "1")
    place.client.create_model_version("house", first.source, first.run_id, tags=first.tags)
    assert found() == {("model:house/1", "mlflow_version_twice")}
    place.client.delete_model_version("house", "1")
    place.registry.reconcile(MIA)

    assert found() == set()
    assert place.tracking.aliases("house") == {ALIAS: "2"}


@pytest.mark.parametrize("harm", ["garbage", "no table", "locked"])
def test_a_store_that_cannot_be_read_is_never_silence(place: Place, harm: str) -> None:
    file = store(place)
    projection = Projection(place.tracking, place.lineage, Lake(place.home / "lake"))
    with closing(sqlite3.connect(file)) as db:
        if harm == "garbage":
            file.write_bytes(os.urandom(4096))
        elif harm == "no table":
            db.execute("DROP TABLE registered_models")
        else:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingUnavailable, match="cannot be read"):
            projection.differences()
