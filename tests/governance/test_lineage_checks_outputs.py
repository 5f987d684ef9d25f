"""Outputs and deployments are held to the journal: each change of a table is found, alone, and
what the platform itself does to them is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from halocline_governance.audit import rotation
from halocline_governance.erasure import Order, What
from halocline_governance.erasure.room import ErasureRoom, Site
from halocline_governance.gates import Engine
from halocline_governance.journal import Spool
from halocline_governance.journal.evidence import segments
from halocline_governance.label import parse_compact
from halocline_governance.lineage import checks, checks_outputs
from halocline_governance.policy.firm import Firm
from halocline_governance.principal import Principal
from halocline_governance.records import Kind, timestamp
from halocline_governance.refs import ModelRef
from tests.governance.audit_world import Home
from tests.governance.lineage_told_world import WHOLE, World

Rows = list[dict[str, Any]]
CLEO = Principal("cleo", ("compliance",), parse_compact("restricted sides=buy,sell"))
OMAR = replace(CLEO, subject="omar")
OUTPUTS, DEPLOYMENT = "serving.outputs", "lineage.deployment"
DATASET, MIXTURE = "lineage.dataset_version", "lineage.mixture"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, embedded: Engine) -> Iterator[World]:
    """Promotions, one of which changes nothing, and an answer for each of CHANGED. Every attack is
    taken back."""
    world = World(tmp_path_factory.mktemp("home"), embedded)
    world.run()
    model = ModelRef("house", 2, "c" * 64, WHOLE)
    world.lineage.add_model(model, "r1")
    world.step(Kind.REGISTER, "registered", {
        "model": "house", "version": 2, "run_id": "r1", "weights_sha256": "c" * 64,
        "label": WHOLE.as_json(), "folder": "buy/house/n", "manifest_sha256": "n" * 64,
    })  # fmt: skip
    for number, version in enumerate((2, 2, 1), 1):
        promote(world, version, f"later-{number}")
    for number in range(len(CHANGED)):
        world.answer(f"req-{number:02}")
    yield world
    world.journal.close()


def promote(world: World, version: int, decision: str, seq: int | None = None) -> None:
    """As the registry does it: journaled, then told to lineage. With `seq` killed in between."""
    body = {"model": "house", "version": version, "alias": "champion",
            "decision": {"id": decision, "allow": True}}  # fmt: skip
    when = timestamp()
    world.step(Kind.PROMOTE, "promoted", body, when)
    if seq is not None:
        world.num_steps = seq - 1
        return
    model = ModelRef("house", version, {1: "a", 2: "c"}[version] * 64, WHOLE)
    world.lineage.deploy("house@champion", model, decision, when)


def found(world: World) -> checks.Checked:
    return checks.held(world.lake, world.home / "journal", world.check())


def kinds(checked: checks.Checked) -> set[tuple[str, str]]:
    return {(flag.about.partition(":")[0], flag.kind) for flag in checked.flags}


def rewritten(world: World, table: str, change: Callable[[Rows], Rows]) -> Callable[[], object]:
    """Overwrite a table, as somebody with the files may; gives what takes it back."""
    place = world.lake.location("buy" if table == OUTPUTS else "system", table)
    data = place.delta().to_pyarrow_table()
    before = place.delta().version()
    made = pa.Table.from_pylist(change(data.to_pylist()), schema=data.schema)
    write_deltalake(place.uri, made, mode="overwrite")
    return lambda: place.delta().restore(before)


def put(column: str, value: object, at: int = 3) -> Callable[[Rows], Rows]:
    """One row with another value."""

    def change(rows: Rows) -> Rows:
        rows.sort(key=lambda row: row.get("request_id") or row.get("from_ts") or "")
        return [row | ({column: value} if n == at else {}) for n, row in enumerate(rows)]

    return change


def swapped(rows: Rows) -> Rows:
    rows.sort(key=lambda row: row["request_id"])
    first, second, *rest = rows
    return [first | {"request_id": "req-01"}, second | {"request_id": "req-00"}, *rest]


# Of each output one column, and what is told to differ.
CHANGED: list[tuple[str, object, str]] = [
    ("endpoint", "/v1/other", "endpoint"),
    ("model", "other", "model"),
    ("model_version", 3, "model_version"),
    ("weights_sha256", "b" * 64, "weights_sha256"),
    ("label_id", "l" + "0" * 32, "label_id"),
    ("ts", "2026-02-01T00:00:00.000000Z", "ts"),
    ("outcome", "held", "outcome"),
    ("subject", "ana", "subject"),
    ("output", "other words", "output"),
    ("prompt", "other words", "prompt"),
    ("output_sha256", hashlib.sha256(b"other").hexdigest(), "output"),
    ("commitment_key", "1" * 64, "prompt, output, released"),
    ("verdicts", "[{}]", "row"),
    ("mean_entropy", 0.5, "row"),
]
FIRST, LATE = "2001-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"
# Of each: the table, what is done to it, and what must be found.
ATTACKS: dict[str, tuple[str, Callable[[Rows], Rows], set[tuple[str, str]]]] = {
    "two outputs changed places": (OUTPUTS, swapped, {("output", "output_changed")}),
    "an output is gone": (OUTPUTS, lambda rows: rows[1:], {("output", "output_missing")}),
    "all outputs are gone": (OUTPUTS, lambda _: [], {("output", "output_missing")}),
    "an output twice": (OUTPUTS, lambda rows: [*rows, rows[2]], {("output", "output_twice")}),
    "an output of nobody": (
        OUTPUTS, lambda rows: [*rows, rows[2] | {"request_id": "never"}],
        {("output", "output_not_recorded")}),
    "a deployment begins earlier": (
        DEPLOYMENT, put("from_ts", FIRST, 0), {("deployment", "deployment_times")}),
    "a deployment ends earlier": (
        DEPLOYMENT, put("to_ts", FIRST, 1), {("deployment", "deployment_times")}),
    "a deployment ends later": (
        DEPLOYMENT, put("to_ts", LATE, 1),
        {("deployment", "deployment_times"), ("deployment", "deployment_overlap")}),
    "the last deployment ended": (
        DEPLOYMENT, put("to_ts", LATE, 2), {("deployment", "deployment_times")}),
    "a deployment of another version": (
        DEPLOYMENT, put("version", 2, 0), {("deployment", "deployment_not_promoted")}),
    "a deployment nobody promoted": (
        DEPLOYMENT, lambda rows: [*rows, rows[0] | {"endpoint": "house@other"}],
        {("deployment", "deployment_not_promoted")}),
    "a deployment is gone": (
        DEPLOYMENT, lambda rows: [row for row in rows if row["decision_id"] != "later-1"],
        {("model", "promotion_not_deployed")}),
    "a mixture is rewritten": (
        MIXTURE, put("mixture", "{}", 0), {("mixture", "identity")}),
    "a dataset version is rewritten": (
        DATASET, put("version", 9, 0), {("dataset", "identity"), ("dataset", "inputs")}),
}  # fmt: skip


def test_a_clean_world_has_no_findings(world: World) -> None:
    checked = found(world)

    assert (checked.flags, checked.unchecked, checked.more) == ((), (), {})
    assert (checked.num_outputs, checked.num_deployments) == (len(CHANGED), 3)
    assert checks.check(world.lineage, world.told(), "r1").flags == ()


def test_each_attack_is_found_and_nothing_else(world: World) -> None:
    for name, (table, change, wanted) in ATTACKS.items():
        back = rewritten(world, table, change)
        checked = found(world)
        assert kinds(checked) == wanted, name
        back()
    assert found(world).flags == ()


def test_whatever_is_changed_in_an_output_is_named(world: World) -> None:
    def change(rows: Rows) -> Rows:
        rows.sort(key=lambda row: row["request_id"])
        return [row | {name: value} for row, (name, value, _) in zip(rows, CHANGED, strict=True)]

    back = rewritten(world, OUTPUTS, change)
    told = [(flag.about, flag.kind, flag.what) for flag in found(world).flags]
    back()

    assert told == [
        (
            f"output:req-{n:02}",
            "output_changed",
            f"buy:{OUTPUTS} tells another {differs} than its record",
        )
        for n, (_, _, differs) in enumerate(CHANGED)
    ]


def test_what_differs_is_told_with_its_place_and_its_record(world: World) -> None:
    back = rewritten(world, OUTPUTS, put("model", "other"))
    (flag,) = found(world).flags
    back()

    told = flag.as_json()
    (event,) = told.pop("records")
    assert told == {
        "kind": "output_changed", "about": "output:req-03",
        "what": f"buy:{OUTPUTS} tells another model than its record", "todo": flag.todo,
    }  # fmt: skip
    assert event in (world.home / "journal" / "log-0000" / f"{0:012}.seg").read_bytes().decode(
        "latin-1"
    )
    assert json.loads(json.dumps(told)) == told


def test_findings_beyond_those_that_are_named_are_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks_outputs, "NAMED", 3)
    back = rewritten(world, OUTPUTS, lambda rows: rows[:1])
    checked = found(world)
    back()

    assert (len(checked.flags), checked.more) == (3, {"output_missing": len(CHANGED) - 4})


def test_a_journal_cut_short_leaves_outputs_without_a_record(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.home / "journal", tmp_path / "journal")
    (file,) = segments(tmp_path / "journal" / "log-0000")
    data = file.read_bytes()
    cut = data.rindex(b'"request_id":"req-12"')
    file.write_bytes(data[: data.rindex(b'{"', 0, data.rindex(b'"kind":"generate"', 0, cut)) - 8])
    told = checks.held(world.lake, tmp_path / "journal", world.check())

    assert [(flag.about, flag.kind) for flag in told.flags] == [
        ("output:req-12", "output_not_recorded"), ("output:req-13", "output_not_recorded"),
    ]  # fmt: skip


def test_an_answer_on_its_way_to_its_table_is_not_missed(world: World) -> None:
    record = world.answer("waits")
    back = rewritten(
        world, OUTPUTS, lambda rows: [row for row in rows if row["request_id"] != "waits"]
    )
    assert kinds(found(world)) == {("output", "output_missing")}
    folder = world.lake.work("buy", "spool") / "outputs-1"
    spool = Spool(folder)
    spool.append({"state": "done", "record": record.as_json()})
    assert found(world).flags == ()
    spool.close()
    shutil.rmtree(folder)
    back()


def test_a_promotion_whose_process_was_killed_counts_once_it_was_told_again(world: World) -> None:
    """The ledger has one row of a number; the journal has both."""
    promote(world, 2, "killed", seq=world.num_steps + 1)
    assert kinds(found(world)) == {("model", "promotion_not_deployed")}
    promote(world, 2, "again")

    assert found(world).flags == ()


def test_erasure_withdrawal_and_a_change_of_keys_are_no_findings(world: World) -> None:
    firm = Firm(world.home / "policy" / "firm.json")
    firm.begin()
    site = Site(
        lake=world.lake, journal_dir=world.home / "journal", journal=world.journal,
        lineage=world.lineage,
        withdraw=lambda names, by: firm.withdraw(names, by, world.journal),
    )  # fmt: skip
    room, asked = (
        ErasureRoom(site),
        Order("e-0123456789", What.OUTPUT, ("req-05",), "asked", "cleo"),
    )
    place = world.lake.location("buy", OUTPUTS)
    before = place.delta().to_pyarrow_table()
    room.request(CLEO, asked)
    room.approve(OMAR, asked.id)
    room.run(CLEO, asked.id)
    assert (found(world).flags, found(world).num_outputs) == ((), before.num_rows - 1)

    firm.withdraw(["readmes"], CLEO, world.journal)
    assert found(world).flags == ()
    write_deltalake(place.uri, before, mode="overwrite")
    assert [(flag.about, flag.kind) for flag in found(world).flags] == [
        ("output:req-05", "output_not_erased")
    ]
    write_deltalake(
        place.uri, before.filter([name != "req-05" for name in before["request_id"].to_pylist()]),
        mode="overwrite",
    )  # fmt: skip

    world.journal.close()
    home = Home(world.home)
    rotation.change(home.keys)
    assert rotation.hand_over(home.directory, home.signer).signed == ("log-0000",)
    home.write(3)
    assert found(world).flags == ()
