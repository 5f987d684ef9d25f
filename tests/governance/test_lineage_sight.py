"""What somebody may not see changes no byte of an answer: each is what a lake gives that holds only
what they may see, and what is worked out by brute force from that."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake

from halocline_governance.errors import Refused
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.checks_told import Told
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN
from halocline_governance.lineage.sight import Sight
from tests.governance.lineage_oracle import Oracle, model_of, reached
from tests.governance.lineage_world import LABELS, OUTPUTS, Row, World, append, arrow, clock

CLEARANCES = (
    Label("internal"),
    Label("internal", ("buy",)),
    Label("restricted", ("sell",)),
)
KNOWN = {label.label_id: label for held in LABELS.values() for label in held}


class Visible:
    """Which things a clearance may see, read off the plain lists."""

    def __init__(self, world: World, clearance: Label) -> None:
        def below(label_id: str) -> bool:
            return KNOWN[label_id] <= clearance

        self.row = below
        system = world.system
        self.datasets = {d["dsv_id"] for d in system[DATASET] if all(map(below, d["label_ids"]))}
        self.mixtures = {
            m["mix_sha"]
            for m in system[MIXTURE]
            if all(s["dsv_id"] in self.datasets for s in m["sources"])
        }
        read: dict[str, list[str]] = {}
        for row in system[RUN]:
            read.setdefault(row["run_id"], []).append(row["dsv_id"])
        self.runs = {run for run, ids in read.items() if self.datasets.issuperset(ids)}
        self.models = {model_of(row) for row in system[MODEL] if below(row["label_id"])}

    def tables(self, world: World) -> dict[str, list[Row]]:
        """What is left of the lineage tables. What somebody sees may name what they do not: it has
        another name here, and is nowhere."""
        system = world.system
        models = [dict(row) for row in system[MODEL] if model_of(row) in self.models]
        for row in models:
            parent = f"{row['parent_model']}/{row['parent_version']}"
            if row["run_id"] not in self.runs:
                row["run_id"] = "elsewhere"
            if row["parent_model"] and parent not in self.models:
                row["parent_model"], row["parent_version"] = "other", 7
        return {
            DATASET: [row for row in system[DATASET] if row["dsv_id"] in self.datasets],
            MIXTURE: [row for row in system[MIXTURE] if row["mix_sha"] in self.mixtures],
            RUN: [row for row in system[RUN] if row["run_id"] in self.runs],
            MODEL: models,
            DEPLOYMENT: [row for row in system[DEPLOYMENT] if model_of(row) in self.models],
        }


def pruned(world: World, visible: Visible, folder: Path) -> World:
    """The same world without what may not be seen."""
    left = World(Lake(folder / "lake"), world.rng, world.minute)
    left.system = visible.tables(world)
    for table, rows in left.system.items():
        if rows:
            append(left.lake, SYSTEM, table, rows)
    for (place, table), versions in world.rows.items():
        kept = [[row for row in version if visible.row(row["label_id"])] for version in versions]
        left.rows[place, table] = kept
        with left.lake.lease(place, table) as where:
            for rows in kept:
                write_deltalake(where.uri, arrow(table, rows), mode="overwrite")
    return left


def sight(world: World, clearance: Label) -> Sight:
    return Sight(clearance, Lineage(world.lake), Told, KNOWN, LABELS)


def things(world: World) -> list[str]:
    """Everything there is to ask about, and things like it that are not."""
    system = world.system
    rows = [
        (key, row) for key, versions in sorted(world.rows.items()) for v in versions for row in v
    ]
    return [
        *(f"dataset:{row['dsv_id']}" for row in system[DATASET]),
        *(f"mixture:{row['mix_sha']}" for row in system[MIXTURE]),
        *(f"run:{row['run_id']}" for row in system[RUN]),
        *(f"model:{model_of(row)}" for row in system[MODEL]),
        *(f"deployment:{row['endpoint']}/{row['from_ts']}" for row in system[DEPLOYMENT]),
        *(f"row:{place}:{table}/{row['row_uid']}" for (place, table), row in rows[::3]),
        *(f"output:{row['request_id']}" for row in world.rows["buy", OUTPUTS][-1]),
        *(f"{fact}:{name}" for fact, names in FACTS.items() for name in names * 5),
        "run:run-", "model:base/99", "endpoint:cat", "output:req", "row:buy:raw.documents/1",
    ]  # fmt: skip


FACTS = {
    "source": ["web", "mail", "code", "none"],
    "licence": ["MIT", "CC0-1.0"],
    "subject": ["ann", "bob", "eve"],
    "endpoint": ["chat", "code"],
}


def answers(seen: Sight, thing: str, at: str | None) -> Iterator[str]:
    """Every answer about a thing, as bytes."""
    asks = seen.asks
    told: Iterable[Callable[[], Any]] = (
        lambda: asks.trace(thing, at, "both", 3).as_json(),
        lambda: asks.trace(thing, at, "back").tree(),
        lambda: asks.trace(thing, at, "forward").mermaid(),
        lambda: asks.impact(thing, at).as_json(),
        lambda: [*asks.reached(thing, "model", at=at)],
        lambda: [*asks.reached(thing, "dataset", False, at)],
        lambda: [*asks.rows(thing, at)],
        lambda: _rows(asks.dataset_rows([thing.partition(":")[2]])[0]),
        lambda: asks.outputs([thing.partition(":")[2]], until=at).as_json(),
    )
    for one in told:
        try:
            yield json.dumps(one(), sort_keys=True)
        except Refused as refused:
            yield str(refused)


def _rows(found: Any) -> Any:
    """Their order is that of the files."""
    return {**found.as_json(), "first": sorted(found)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, seed: int) -> World:
    made = World(Lake(tmp_path_factory.mktemp("whole") / "lake"), random.Random(seed))
    made.build(12)
    return made


@pytest.mark.parametrize("clearance", CLEARANCES, ids=str)
def test_what_is_hidden_changes_no_answer(
    world: World, clearance: Label, tmp_path: Path, rng: random.Random, scale: Any
) -> None:
    visible = Visible(world, clearance)
    left = pruned(world, visible, tmp_path)
    whole, cut = sight(world, clearance), sight(left, clearance)
    there = things(world)

    assert [*whole.asks.list_outputs()] == [*cut.asks.list_outputs()]
    assert whole.asks.outputs().as_json() == cut.asks.outputs().as_json()
    for thing in rng.sample(there, scale(min(len(there), 45), len(there))):
        at = rng.choice((None, clock(rng.uniform(0, world.minute))))
        for one, other in zip(answers(whole, thing, at), answers(cut, thing, at), strict=True):
            assert one == other, (thing, at)


@pytest.mark.parametrize("clearance", CLEARANCES[:2], ids=str)
def test_what_is_seen_is_all_of_it(
    world: World, clearance: Label, tmp_path: Path, rng: random.Random
) -> None:
    visible = Visible(world, clearance)
    left = World(world.lake, world.rng, world.minute, world.rows, visible.tables(world))
    asks = sight(world, clearance).asks
    for _ in range(10):
        oracle = Oracle(left, clock(rng.uniform(0, world.minute)))
        for row in rng.sample(oracle.datasets, min(len(oracle.datasets), 2)):
            ahead = oracle.forward({row["dsv_id"]})
            assert reached(asks, f"dataset:{row['dsv_id']}", oracle.at) == ahead
        for row in rng.sample(oracle.models, min(len(oracle.models), 2)):
            behind = oracle.back({model_of(row)})
            behind["model"] -= {model_of(row), "other/7"}
            behind["run"].discard("elsewhere")
            assert reached(asks, f"model:{model_of(row)}", oracle.at, False) == behind
    for fact in ("source", "licence"):
        for name in FACTS[fact]:
            counts = {
                f"{place}:{table}": (
                    sum(row[fact] == name and visible.row(row["label_id"]) for row in versions[-1]),
                    len(
                        {
                            row["row_uid"]
                            for version in versions
                            for row in version
                            if row[fact] == name and visible.row(row["label_id"])
                        }
                    ),
                )
                for (place, table), versions in world.rows.items()
                if table != OUTPUTS
            }
            try:
                told = asks.impact(f"{fact}:{name}").rows
            except Refused:
                told = {}
            assert told == {place: num for place, num in counts.items() if num[1]}
