"""Records that somebody took out: whoever traces what named them is told, and so is the check."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import write_deltalake

from halocline_governance.label import SYSTEM
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.lineage import DATASET, MIXTURE, MODEL, RUN
from halocline_governance.lineage.lost import lost
from tests.governance.lineage_oracle import model_of
from tests.governance.lineage_world import CURATED, RAW, Row, World, append, arrow, full

NAMES: dict[str, Callable[[Row], str]] = {
    DATASET: lambda row: f"dataset:{row['dsv_id']}",
    MIXTURE: lambda row: f"mixture:{row['mix_sha']}",
    RUN: lambda row: f"run:{row['run_id']}",
    MODEL: lambda row: f"model:{model_of(row)}",
}


@pytest.fixture
def world(tmp_path: Path, rng: random.Random) -> World:
    made = World(Lake(tmp_path / "lake"), rng)
    made.build(9)
    return made


def test_each_record_that_is_gone_is_missed(world: World, rng: random.Random) -> None:
    lineage = Lineage(world.lake)
    assert lost(lineage) == []
    for table, name in NAMES.items():
        there = {name(row) for row in world.system[table]}
        before = {id_: set(lineage.trace(id_, direction="back").gaps) for id_ in _things(world)}
        gone = rng.choice(sorted(there))
        kept = [row for row in world.system[table] if name(row) != gone]
        with world.lake.lease(SYSTEM, table) as place:
            write_deltalake(place.uri, arrow(table, kept), mode="overwrite")
        found = [one for one in lost(lineage) if one.named == gone]

        assert {one.about for one in found} == _naming(world, gone)
        for one in found:
            gaps = set(lineage.trace(one.about, direction="back").gaps) - before[one.about]
            assert any(gone.partition(":")[2].replace("/", " v") in gap for gap in gaps), one
            assert one.what.endswith("is not on record")
        with world.lake.lease(SYSTEM, table) as place:
            write_deltalake(place.uri, arrow(table, world.system[table]), mode="overwrite")


def test_a_source_that_a_run_is_not_known_to_have_read_is_missed(world: World) -> None:
    lineage, runs = Lineage(world.lake), world.system[RUN]
    row = next(one for one in runs if sum(o["run_id"] == one["run_id"] for o in runs) > 1)
    assert lineage.trace(f"run:{row['run_id']}").gaps == []
    with world.lake.lease(SYSTEM, RUN) as place:
        write_deltalake(place.uri, arrow(RUN, [o for o in runs if o != row]), mode="overwrite")

    assert lineage.trace(f"run:{row['run_id']}").gaps == [
        f"run {row['run_id']}: no record says that it read dataset version {row['dsv_id']},"
        " which its mixture weighs"
    ]


def test_a_curated_row_without_its_raw_row_says_so(world: World) -> None:
    known = world.rows["buy", CURATED][0][0]
    rows = [full(table, row_uid=71, label_id=known["label_id"]) for table in (RAW, CURATED)]
    append(world.lake, "buy", CURATED, [rows[1]])
    asked = f"row:buy:{CURATED}/71"
    before = Lineage(world.lake).trace(asked, direction="back")
    append(world.lake, "buy", RAW, [rows[0]])
    after = Lineage(world.lake).trace(asked, direction="back")

    assert before.gaps == [f"row buy:{CURATED}/71: the raw row that it was made from is not there"]
    assert (after.gaps, [edge.kind for edge in after.edges]) == ([], ["made from"])


def _things(world: World) -> set[str]:
    system = world.system
    deployments = {
        f"deployment:{r['endpoint']}/{r['from_ts']}" for r in system["lineage.deployment"]
    }
    return {name(row) for table, name in NAMES.items() for row in system[table]} | deployments


def _naming(world: World, gone: str) -> set[str]:
    """Whose records name it."""
    kind, _, name = gone.partition(":")
    system = world.system
    named = {f"mixture:{row['mix_sha']}" for row in system[MIXTURE]
             if kind == "dataset" and name in {s["dsv_id"] for s in row["sources"]}}  # fmt: skip
    column = {"dataset": "dsv_id", "mixture": "mix_sha"}.get(kind)
    named |= {f"run:{row['run_id']}" for row in system[RUN] if column and row[column] == name}
    for row in system[MODEL]:
        parent = f"model:{row['parent_model']}/{row['parent_version']}"
        if gone in (f"run:{row['run_id']}", parent) and f"model:{model_of(row)}" != gone:
            named.add(f"model:{model_of(row)}")
    return named | {
        f"deployment:{row['endpoint']}/{row['from_ts']}"
        for row in system["lineage.deployment"]
        if f"model:{model_of(row)}" == gone
    }
