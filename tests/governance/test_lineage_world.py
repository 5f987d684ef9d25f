"""Every answer of lineage held against one worked out by brute force, on random worlds."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage, fingerprint
from halocline_governance.lineage.lineage import DATASET
from tests.governance.lineage_oracle import Chooses, Oracle, model_of, reached
from tests.governance.lineage_world import CURATED, OUTPUTS, RAW, Row, World, clock


@pytest.fixture
def world(tmp_path: Path, rng: random.Random, scale: Callable[[object, object], Any]) -> World:
    made = World(Lake(tmp_path / "lake"), rng)
    made.build(scale(14, 60))
    return made


def test_rows_lead_where_they_led(world: World, rng: random.Random) -> None:
    lineage = Lineage(world.lake)
    for _ in range(12):
        oracle = Oracle(world, clock(rng.uniform(0, world.minute)))
        place, table = rng.choice([key for key in sorted(world.rows) if key[1] != OUTPUTS])
        row = rng.choice([row for version in world.rows[place, table] for row in version])
        uid = row["row_uid"]
        names = (RAW, CURATED) if table == RAW else (CURATED,)
        hits = oracle.hits(place, lambda row, uid=uid: row["row_uid"] == uid, names)
        thing = f"row:{place}:{table}/{uid}"

        assert reached(lineage, thing, oracle.at) == oracle.forward(set(hits))
        trace = lineage.trace(thing, oracle.at, "forward")
        assert {node.name for node in trace.of("dataset")} == set(hits)
        models = oracle.forward(set(hits))["model"]
        assert trace.counts.get("output", 0) == oracle.outputs(models)
        assert trace.gaps == []


def test_what_a_source_a_licence_or_a_subject_touches(world: World, rng: random.Random) -> None:
    lineage = Lineage(world.lake)
    choices: list[tuple[str, Chooses]] = [
        ("source:web", lambda row: row.get("source") == "web"),
        ("licence:MIT", lambda row: row.get("licence") == "MIT"),
        ("subject:ann", lambda row: "ann" in row.get("subject_keys", [])),
    ]
    for thing, chooses in choices:
        oracle = Oracle(world, clock(rng.uniform(0, world.minute)))
        hits = {
            dsv_id: num
            for place in ("public", "buy")
            for dsv_id, num in oracle.hits(place, chooses, (RAW, CURATED)).items()
        }
        if not any(chooses(row) for vs in world.rows.values() for v in vs for row in v):
            continue
        ahead = oracle.forward(set(hits))
        impact = lineage.impact(thing, oracle.at)
        consumed = {
            run: sum(
                row["num_consumed"]
                for row in oracle.runs
                if row["run_id"] == run and row["dsv_id"] in hits and row["weight"] > 0
            )
            for run in ahead["run"]
        }
        spans = {(r["endpoint"], r["from_ts"]): r["to_ts"] for r in oracle.deployments}
        deployed = {(name[:4], name[5:]) for name in ahead["deployment"]}
        now = {key for key in deployed if (spans[key] or "9") > oracle.at}

        assert impact.datasets == hits
        assert impact.runs == consumed
        assert set(impact.mixtures) == ahead["mixture"]
        assert {*impact.models, *impact.descendants} == ahead["model"]
        assert set(impact.endpoints_now) == now
        assert {key[:2] for key in impact.endpoints_before} == deployed - now
        assert impact.outputs.num == oracle.outputs(ahead["model"])
        latest = lineage.impact(thing).rows
        for (place, table), versions in world.rows.items():
            there = sum(map(chooses, versions[-1]))
            ever = {row["row_uid"] for version in versions for row in version if chooses(row)}
            assert latest.get(f"{place}:{table}", (0, 0)) == (there, len(ever))
            now = {row["row_uid"] for row in versions[-1] if chooses(row)}
            listed = [row[1:] for row in lineage.rows_of(thing) if row[0] == f"{place}:{table}"]
            if table != OUTPUTS:
                assert listed == [(uid, uid in now) for uid in sorted(ever)]


def test_the_graph_is_followed_both_ways(world: World, rng: random.Random) -> None:
    lineage = Lineage(world.lake)
    for _ in range(8):
        oracle = Oracle(world, clock(rng.uniform(2, world.minute)))
        model, run = model_of(rng.choice(oracle.models)), rng.choice(oracle.runs)["run_id"]
        dsv_id = rng.choice(oracle.datasets)["dsv_id"]
        behind = oracle.back({model})
        behind["model"].discard(model)
        ahead = oracle.from_models({model})
        ahead["model"].discard(model)
        found = reached(lineage, f"model:{model}", oracle.at)
        from_run = reached(lineage, f"run:{run}", oracle.at)

        assert reached(lineage, f"model:{model}", oracle.at, False) == behind
        assert found == {"run": set(), "mixture": set(), **ahead}
        assert from_run == {"run": set(), "mixture": set(), **oracle.from_runs({run})}
        assert reached(lineage, f"dataset:{dsv_id}", oracle.at) == oracle.forward({dsv_id})


def test_outputs_are_counted_exactly(world: World, rng: random.Random) -> None:
    lineage, rows = Lineage(world.lake), world.rows["buy", OUTPUTS][-1]
    for _ in range(10):
        since, until = sorted(rng.choice(rows)["ts"] for _ in range(2))
        models = rng.sample(sorted({f"{r['model']}/{r['model_version']}" for r in rows}), 2)
        mine = sorted(
            (row["ts"], row["request_id"])
            for row in rows
            if since <= row["ts"] <= until and f"{row['model']}/{row['model_version']}" in models
        )
        count = lineage.outputs(models, since=since, until=until)

        assert sorted(lineage.list_outputs(models, since=since, until=until)) == mine
        assert count.num == len(mine)
        times = [count.as_json()["first"], count.as_json()["last"]]
        assert times == ([mine[0][0], mine[-1][0]] if mine else [None, None])


def test_an_output_is_traced_to_what_made_itsmodel_of(world: World, rng: random.Random) -> None:
    lineage, oracle = Lineage(world.lake), Oracle(world, "9")
    for row in rng.sample(world.rows["buy", OUTPUTS][-1], 3):
        trace = lineage.trace(f"output:{row['request_id']}")
        model = f"{row['model']}/{row['model_version']}"
        behind = oracle.back({model})

        assert {node.name for node in trace.of("dataset")} == behind["dataset"]
        assert {node.id for node in trace.of("model")} == {f"model:{m}" for m in behind["model"]}
        assert bool(trace.gaps) == (model == "ghost/1")


def test_dataset_versions_hold_the_rows_that_were_recorded(world: World) -> None:
    lineage = Lineage(world.lake)
    names = [one["dsv_id"] for one in world.system[DATASET]]
    assert lineage.all_dataset_rows(names) == [lineage.dataset_rows(name) for name in names]
    prepared = Lineage(world.lake, folder=world.lake.root.parent / "prepared")
    prepared.prepare()
    assert prepared.all_dataset_rows(names) == lineage.all_dataset_rows(names)
    for one in world.system[DATASET]:
        place, table = str(one["compartment"]), str(one["table"])
        held: list[Row] = [
            row
            for row in world.rows[place, table][int(one["version"])]
            if row["label_id"] in one["label_ids"]
        ]
        found = lineage.dataset_rows(one["dsv_id"])
        where = (one["compartment"], one["table"], one["version"], one["label_ids"])

        assert sorted(found) == sorted(row["row_uid"] for row in held)
        assert found.num_rows == sum(found.licences.values()) == len(held)
        assert found.sources == _by("source", held)
        assert found.labels == _by("label_id", held)
        assert found.gaps == ()
        assert lineage.fingerprint_of(*where) == (one["num_rows"], one["fingerprint"])


def test_a_version_by_all_that_its_rows_hold(world: World, rng: random.Random) -> None:
    lineage = Lineage(world.lake)
    for place, table in sorted(world.rows):
        version = rng.randrange(len(world.rows[place, table]))
        scratch = fingerprint.Fingerprint()
        scratch.add_whole(world.rows[place, table][version])
        found = lineage.fingerprint_of(place, table, version, whole=True)

        assert found == (scratch.num_rows, scratch.hex())


def test_an_index_kept_up_to_date_answers_as_one_built_anew(world: World) -> None:
    """`world` was indexed by nobody while it grew; here one index follows, another starts late."""
    early = Lineage(world.lake, folder=world.lake.root.parent / "early")
    for step in range(6):
        world.change("buy", RAW if step % 2 else CURATED)
        early.impact("licence:MIT")
    late = Lineage(world.lake, folder=world.lake.root.parent / "late")

    for thing in ("licence:MIT", "source:web", "model:base/1", "endpoint:chat"):
        assert _told(early, thing) == _told(late, thing)
    early.rebuild()
    assert early.impact("licence:MIT").as_json() == late.impact("licence:MIT").as_json()


def _told(lineage: Lineage, thing: str) -> Any:
    try:
        return lineage.trace(thing).as_json()
    except Refused as refused:
        return str(refused)


def _by(name: str, rows: list[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: row[name]):
        counts[row[name]] = counts.get(row[name], 0) + 1
    return counts
