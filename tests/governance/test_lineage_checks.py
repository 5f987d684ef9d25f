"""Registered facts are checked: every way to lie about a run is flagged, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused
from halocline_governance.gates import Engine
from halocline_governance.journal import read
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lineage import Parent
from halocline_governance.lineage.checks import check, reread
from halocline_governance.lineage.checks_told import told
from halocline_governance.lineage.lineage import Lineage
from halocline_governance.principal import Purpose
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.refs import ModelRef
from tests.governance.lineage_told_world import BUY, TABLE, TRAINER, Lie, World, first, telling


@pytest.fixture
def world(tmp_path: Path, embedded: Engine) -> Iterator[World]:
    world = World(tmp_path, embedded)
    yield world
    world.journal.close()


def flagged(world: World, run: str | None = None) -> set[tuple[str, str]]:
    """Kinds of things and checks; each flag's records are events that are there."""
    found = world.check(run)
    events = {event["event_id"] for _, _, event in read(world.home / "journal")}
    assert all(set(flag.records) <= events for flag in found.flags)
    return {(flag.about.partition(":")[0], flag.kind) for flag in found.flags}


def test_an_honest_run_is_clean(world: World) -> None:
    world.run()
    found = world.check()

    assert found.flags == ()
    assert found.unfinished == ()
    assert (found.num_datasets, found.num_runs, found.num_models, found.num_deployments) == (
        2, 1, 1, 1,
    )  # fmt: skip
    assert world.check("r1").flags == ()


def other(**facts: Any) -> Callable[[Any], Any]:
    return lambda said: {**said, **facts}


def lower(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "label": PUBLIC.as_json()}


def input_with(**facts: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(said: dict[str, Any]) -> dict[str, Any]:
        return {**said, "inputs": [{**said["inputs"][0], **facts}, *said["inputs"][1:]]}

    return change


SELL = Label("restricted", sides=("sell",))
# What lies, and what must be flagged; `begin` is the run's own word, `record` is lineage's.
LIES: dict[str, tuple[Lie, set[tuple[str, str]]]] = {
    "other rows, everywhere": (
        telling("refs", first(num_rows=2)), {("dataset", "rows"), ("run", "rows")}),
    "another fingerprint, everywhere": (
        telling("refs", first(fingerprint="0" * 64)), {("dataset", "rows"), ("run", "rows")}),
    "another version, everywhere": (
        telling("refs", first(version=7)), {("dataset", "inputs"), ("run", "inputs")}),
    "another table": (telling("begin", input_with(table="raw.documents")), {("run", "inputs")}),
    "labels that were not granted": (
        telling("begin", input_with(label_ids=[SELL.label_id])),
        {("run", "inputs"), ("run", "labels"), ("run", "rows"), ("run", "label")}),
    "a decision nobody made": (
        telling("refs", first(decision_id="none")),
        {("dataset", "no_read_record"), ("run", "no_read_record")}),
    "an input declared that lineage lacks": (
        telling("begin", lambda said: {**said, "inputs": said["inputs"][:1]}), {("run", "inputs")}),
    "declared facts of another dataset version": (
        telling("begin", input_with(num_rows=1)), {("run", "inputs"), ("run", "rows")}),
    "a declared id of something else": (
        telling("begin", input_with(dsv_id="d" + "0" * 32)), {("run", "inputs")}),
    "a lower label": (telling("begin", lower), {("run", "label")}),
    "a train decision nobody made": (
        telling("begin", other(decision_id="none")), {("run", "no_train_decision")}),
    "no word of its beginning": (
        telling("begin", lambda _: None),
        {("run", "no_train_record"), ("model", "no_train_record")}),
    "no word of its end": (
        telling("end", lambda said: {"run_id": said["run_id"]}), {("run", "no_end_record")}),
    "another mixture": (telling("mix", other(mixture_sha256="0" * 64)), {("run", "mixture")}),
    "less consumed": (
        telling("record", lambda said: (*said[:2], [(*row[:3], 1) for row in said[2]])),
        {("run", "consumed")}),
    "other weights in the mixture": (
        telling("record", lambda said: (*said[:2], [(d, 0.9, *rest) for d, _, *rest in said[2]])),
        {("run", "mixture")}),
    "a dataset version of a lower label": (
        telling("dataset", lambda said: (said[0], PUBLIC)),
        {("dataset", "label"), ("model", "label")}),
    "a model of a lower label": (
        telling("model", lambda model: replace(model, label=PUBLIC)),
        {("model", "label"), ("model", "registration")}),
    "a model of a higher label": (
        telling("model", lambda model: replace(model, label=BUY | SELL)),
        {("model", "label"), ("model", "registration"), }),
    "other weights": (
        telling("model", lambda model: replace(model, weights_sha256="b" * 64)),
        {("model", "registration")}),
    "a registration nobody made": (
        telling("register", lambda _: None), {("model", "no_register_record")}),
    "registered from another run": (
        telling("register", other(run_id="r0")), {("model", "registration")}),
    "a promotion nobody made": (
        telling("promote", lambda _: None), {("deployment", "deployment_not_promoted")}),
    "a promotion of another version": (
        telling("promote", other(version=2)), {("deployment", "deployment_not_promoted")}),
    "a promotion that was denied": (
        telling("promote", lambda said: {**said, "decision": {**said["decision"], "allow": False}}),
        {("deployment", "deployment_not_promoted")}),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_flagged(world: World, lie: str) -> None:
    lying, wanted = LIES[lie]
    world.run(lie=lying)

    assert flagged(world) == wanted


def test_what_somebody_else_read_is_not_what_the_run_read(world: World) -> None:
    begun = telling("begin", lambda _: None)
    world.run(lie=begun)
    refs = [json.loads(json.dumps(row)) for row in world.lineage.rows("lineage.dataset_version")]
    inputs = [
        {key: val for key, val in row.items() if key not in ("ts", "label_id")} for row in refs
    ]
    world.append(Kind.TRAIN, {"run_id": "r1", "inputs": inputs, "label": BUY.as_json(),
                              "decision_id": "none"}, who="svc:other")  # fmt: skip

    assert ("run", "no_read_record") in flagged(world, "r1")


def test_a_read_for_another_purpose_is_none(world: World) -> None:
    plan = world.guard.plan(TRAINER, Purpose.MONITORING, f"buy:{TABLE}")
    (ref,) = world.guard.refs(plan)
    world.lineage.add_dataset(ref, BUY)

    assert ("dataset", "no_read_record") in flagged(world)


CRASHES = [
    ("end", "run:r1", "run_not_in_lineage"),
    ("register", "model:house/1", "model_not_in_lineage"),
    ("promote", "model:house/1", "promotion_not_deployed"),
]


@pytest.mark.parametrize(("upto", "about", "kind"), CRASHES)
def test_a_crash_between_the_record_and_its_effect(
    world: World, upto: str, about: str, kind: str
) -> None:
    world.run(upto=upto)
    (flag,) = world.check().flags

    assert (flag.about, flag.kind) == (about, kind)
    assert flag.records


def test_a_run_that_is_not_at_its_end_is_told_and_not_flagged(world: World) -> None:
    world.run(upto="begin")

    assert (world.check().flags, world.check().unfinished) == ((), ("r1",))


def test_one_run_is_checked_alone(world: World) -> None:
    world.run()
    world.put(PUBLIC, range(10, 12))
    world.run("r2", telling("begin", lower), upto="end")
    world.lineage.add_run("r2", *_sources(world, "r1"))

    assert flagged(world, "r1") == set()
    assert ("run", "label") in flagged(world, "r2")
    with pytest.raises(Refused, match="no run r3"):
        world.check("r3")


def _sources(world: World, run: str) -> tuple[str, list[tuple[str, float, int, int]]]:
    rows = [row for row in world.lineage.rows("lineage.run_source") if row["run_id"] == run]
    names = ("dsv_id", "weight", "num_sequences", "num_consumed")
    return rows[0]["mix_sha"], [tuple(row[name] for name in names) for row in rows]  # pyright: ignore


def test_a_table_rewritten_behind_lineage_is_found(world: World, tmp_path: Path) -> None:
    """Somebody who can write the files drops a source from a run and lowers a number."""
    world.run()
    where = world.lake.location("system", "lineage.run_source")
    table = where.delta()
    table.delete("dsv_id = '" + table.to_pyarrow_table()["dsv_id"][0].as_py() + "'")
    where.delta().update({"num_consumed": "1"})

    assert {("run", "inputs"), ("run", "consumed"), ("run", "mixture")} <= flagged(world)


def test_findings_are_plain_data_and_the_same_each_time(world: World) -> None:
    world.run(lie=telling("begin", lower))
    first_, second = (json.dumps(world.check().as_json(), sort_keys=True) for _ in range(2))

    assert first_ == second
    assert json.loads(first_)["flags"][0]["records"]


def test_order_of_logs_does_not_matter(world: World) -> None:
    """Two processes: a run resumed elsewhere stands in another log, which may come first."""
    world.run()
    events = [event for _, _, event in read(world.home / "journal")]
    late = AuditEvent(Kind.TRAIN, TRAINER.subject, "training", {
        "run_id": "r1", "inputs": [], "label": PUBLIC.as_json(), "decision_id": "x",
    }, ts="2001-01-01T00:00:00.000000Z")  # fmt: skip

    assert check(world.lineage, told([*events, late.as_json()])).flags == ()
    assert check(world.lineage, told(reversed(events))).flags == ()


def test_a_model_made_from_a_model_carries_both(world: World) -> None:
    world.run()
    child = ModelRef("adapter", 1, "c" * 64, PUBLIC)
    world.step(Kind.REGISTER, "registered", {
        "model": "adapter", "version": 1, "run_id": "r1", "weights_sha256": "c" * 64,
        "label": PUBLIC.as_json(),
    })  # fmt: skip
    Lineage(world.lake).add_model(child, "r1", [Parent("house", 1, "adapter")])

    assert flagged(world) == {("model", "label")}


def test_rows_that_changed_since_are_flagged_when_they_are_read_again(world: World) -> None:
    """Somebody puts another file in a file's place: the same rows, other texts."""
    world.run()
    assert reread(world.lineage, world.check()).flags == ()
    (file,) = world.lake.path("buy", TABLE).glob("*.parquet")
    world.put(BUY, range(500, 503))
    (new,) = {*world.lake.path("buy", TABLE).glob("*.parquet")} - {file}
    file.write_bytes(new.read_bytes())
    world.lineage.rebuild()

    (flag,) = reread(world.lineage, world.check()).flags
    assert (flag.about.partition(":")[0], flag.kind) == ("dataset", "rows_now")
    file.unlink()
    world.lineage.rebuild()
    again = reread(world.lineage, world.check(), "r1")
    assert again.flags == ()
    assert again.unread


def test_a_run_checked_alone_knows_the_models_of_others(world: World) -> None:
    """An adapter of a public run on a confidential base carries the base's label: no lie."""
    world.run()
    where = telling("refs", lambda refs: refs[1:])
    public = telling(
        "ask", lambda said: {**said, "label": PUBLIC.as_json(), "compartment": "public"}
    )
    narrow = telling("begin", lower)
    world.run("r2", lambda step, said: where(step, public(step, narrow(step, said))), "end")
    (source,) = world.told().ended["r2"][-1].what["consumed"]
    mixture = world.told().mixed["r2"][-1].what["mixture_sha256"]
    world.lineage.add_run("r2", mixture, [(source["dsv_id"], source["weight"], 40, 20)])
    body = {"model": "adapter", "version": 1, "run_id": "r2", "weights_sha256": "c" * 64,
            "label": BUY.as_json()}  # fmt: skip
    world.step(Kind.REGISTER, "registered", body)
    child = ModelRef("adapter", 1, "c" * 64, BUY)
    world.lineage.add_model(child, "r2", [Parent("house", 1, "adapter")])

    assert flagged(world) == flagged(world, "r2") == set()


def test_outputs_are_counted_by_how_they_ended(world: World) -> None:
    world.run()
    for number, outcome in enumerate(["released", "released", "held", "denied"]):
        world.answer(f"01a1fcba-cd3d-7ae8-a9b0-a2654be011a{number}", outcome=outcome)
    told = "2 released, 1 denied, 1 held"
    trace, found = world.lineage.trace("model:house/1"), world.lineage.impact("run:r1")
    denied = world.lineage.trace("output:01a1fcba-cd3d-7ae8-a9b0-a2654be011a3")
    held = world.lineage.trace("output:01a1fcba-cd3d-7ae8-a9b0-a2654be011a2")

    assert [edge.kind for edge in trace.edges if edge.head == "outputs"] == [f"was asked: {told}"]
    assert found.as_json()["outputs"]["outcomes"] == {"released": 2, "held": 1, "denied": 1}
    assert any(line.startswith(f"  outputs: 4 ({told})") for line in found.lines())
    assert denied.edges[0].kind == "asked of"
    assert held.edges[0].kind == "answered by"


def test_rows_that_can_still_be_read_are_told_with_how_many_were_recorded(world: World) -> None:
    world.put(BUY, range(200, 205))
    world.run()
    files = sorted(
        (world.lake.path("buy", TABLE)).glob("*.parquet"), key=lambda f: f.stat().st_mtime
    )
    files[0].unlink()
    (held,) = (
        r for r in world.lineage.rows("lineage.dataset_version") if r["compartment"] == "buy"
    )
    lineage = Lineage(world.lake, folder=world.home / "other")
    found = lineage.impact("source:readmes")
    rows = lineage.dataset_rows(held["dsv_id"]).as_json()
    edges = [e.kind for e in lineage.trace("source:readmes").edges if held["dsv_id"] in e.head]

    assert (held["num_rows"], found.datasets[held["dsv_id"]]) == (8, 5)
    assert f"{held['dsv_id']} (5 rows that can still be read, of 8 recorded)" in " ".join(
        found.lines()
    )
    assert {"dsv_id": held["dsv_id"], "rows": 5, "recorded": 8} in (
        found.as_json()["datasets"]["first"]
    )
    assert (rows["num_rows"], rows["num_readable"]) == (8, 5)
    assert edges == ["5 rows that can still be read, of 8 recorded, in"]
