"""A certificate lists what cannot be excluded: it never says less than is so."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from halocline_governance.erasure import Order, What
from halocline_governance.erasure.certificate import text
from halocline_governance.erasure.finding import CURATED, RAW
from halocline_governance.journal import Journal
from halocline_governance.label import SYSTEM
from halocline_governance.lake import commit
from halocline_governance.lineage import Parent
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind, timestamp
from halocline_governance.refs import DatasetRef, ModelRef
from tests.governance.erasure_world import CLEO, LABELS, OMAR, World

RUN_SOURCE = "lineage.run_source"


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(tmp_path, rng)
    made.fill(24)
    return made


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    with world.open_journal() as journal:
        yield journal


def trained(world: World, compartment: str, run: str, *parents: Parent) -> ModelRef:
    """A model of everything that is in a compartment, and one made from it, which answers."""
    label = LABELS[compartment]
    version = world.lake.version(compartment, CURATED) or 0
    count, fingerprint = world.lineage.fingerprint_of(compartment, CURATED, version)
    labels = (label.label_id,)
    ref = DatasetRef(CURATED, compartment, version, labels, count, fingerprint, "d-1")
    dsv_id = world.lineage.add_dataset(ref, label)
    world.lineage.add_mixture(f"mix-{run}", "{}", [(dsv_id, 1.0)])
    world.lineage.add_run(run, f"mix-{run}", [(dsv_id, 1.0, 8, 8)])
    model = ModelRef(run, 1, "a" * 64, label)
    world.lineage.add_model(model, run)
    tuned = ModelRef(f"{run}-tuned", 1, "b" * 64, label)
    world.lineage.add_run(f"{run}-t", f"mix-{run}", [(dsv_id, 1.0, 8, 8)])
    world.lineage.add_model(tuned, f"{run}-t", [Parent(run, 1)])
    world.lineage.deploy(f"{run}-endpoint", tuned, "d-2", timestamp())
    return model


def erase(world: World, journal: Journal, key: str, number: int) -> dict[str, Any]:
    room = world.room(journal)
    asked = Order(f"e-{number:010x}", What.SUBJECT, (key,), "request 118", CLEO.subject)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    return room.run(OMAR, asked.id)


def test_the_second_erasure_does_not_exclude_what_the_first_made_unreadable(
    world: World, journal: Journal
) -> None:
    first, second = (f"subject:v1:abcdefghijklmno{letter}" for letter in "yz")
    for table in (RAW, CURATED):
        like = world.made[("buy", table)][0]
        rows = [
            {**like, "row_uid": 500 + number, "subject_keys": [key]}
            for number, key in enumerate((first, second))
        ]
        world.write("buy", table, rows)
    trained(world, "buy", "house")
    trained(world, "public", "open")
    told = erase(world, journal, first, 1)
    assert told["retrain_or_retire"] == ["house-tuned/1", "house/1"]
    assert (told["not_excluded"], told["gaps"]) == ([], [])
    world.lineage.rebuild()
    shown = world.room(journal).look(
        CLEO, Order("e-00000000aa", What.SUBJECT, (second,), "x", CLEO.subject)
    )

    told = erase(world, journal, second, 2)

    assert told["not_excluded"] == ["house-tuned/1", "house/1"]
    assert told["endpoints_not_excluded"] == ["house-endpoint"]
    assert any("cannot be read any more" in gap for gap in told["gaps"])
    assert "house/1" in text(told)
    assert "cannot be excluded" in text(told)
    assert shown["unsure"]["models"]["first"] == told["not_excluded"]


def test_a_link_that_lineage_lost_is_flagged_and_its_models_are_listed(
    world: World, journal: Journal
) -> None:
    version = world.lake.version("buy", CURATED) or 0
    model = trained(world, "buy", "house")
    (dataset,) = [
        r for r in world.lineage.rows("lineage.dataset_version") if r["version"] == version
    ]
    body = {
        "model": "house", "version": 1, "weights_sha256": "a" * 64, "run_id": "house",
        "label": model.label.as_json(),
    }  # fmt: skip
    for what, kind in (
        ({"run_id": "house", "inputs": [dataset]}, Kind.TRAIN),
        ({"row": {"seq": 1, "step": "registered", "body": body}}, Kind.REGISTER),
    ):
        journal.append(AuditEvent(kind, "svc", Purpose.TRAINING.value, what))
    without_runs(world)
    asked = Order("e-0123456789", What.SOURCE, ("tickets",), "request 118", CLEO.subject)

    shown = world.room(journal).look(CLEO, asked)

    assert shown["exposed"][0]["models"]["num"] == 0
    assert shown["unsure"]["flags"]["num"] > 0
    assert {"house/1", "house-tuned/1"} <= set(shown["unsure"]["models"]["first"])
    assert shown["unsure"]["endpoints_now"]["first"] == ["house-endpoint"]
    room = world.room(journal)
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    told = room.run(OMAR, asked.id)
    assert told["flags"]
    assert "the journal contradicts lineage" in text(told)


def without_runs(world: World) -> None:
    """A table of lineage, as somebody who may write files left it."""
    from deltalake import write_deltalake

    with world.lake.lease(SYSTEM, RUN_SOURCE) as place:
        seen = commit.seen(place)
        assert seen is not None
        schema = pa.schema(seen.to_pyarrow_dataset().schema)
        write_deltalake(seen, pa.Table.from_pylist([], schema=schema), mode="overwrite")
