"""Mode 2: code inside a trusted job, which holds the guard, the files and the process."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import bypass_bare_known as known
import bypass_bare_own as own
from bypass_bare import BARE, texts
from bypass_names import COLUMN_TRICKS, INJECTIONS, TRAVERSALS
from bypass_world import ABOVE, ANA, CAROL, MINE, NUM_ALLOWED, TABLE, Attack, Evidence, Scene

from halocline_governance.errors import HaloclineError
from halocline_governance.guard import Condition
from halocline_governance.principal import Principal, Purpose

# These go by the files, the JVM or the process itself, all of which a trusted job has.
AS_BARE = (1, 2, 3, 8, 11, 15, 19, 20, 23, 24, 25, 26, 29, 39, 44, 45, 46, 47)
LIBRARY: dict[int, Attack] = {number: BARE[number] for number in AS_BARE}


def library(number: int) -> Any:
    def register(attack: Attack) -> Attack:
        assert number not in LIBRARY
        LIBRARY[number] = attack
        return attack

    return register


@library(4)
def row_index_gaps(scene: Scene) -> Evidence:
    frame = scene.granted()
    for name in ("_metadata.row_index", "_metadata.file_path", "input_file_name()"):
        with suppress(Exception):
            found = texts(frame.selectExpr(name))
            return Evidence(found, sign=f"{name}" if any(value for (value,) in found) else "")
    return Evidence(sign="the files' names" if frame.inputFiles() else "")


@library(5)
def explain(scene: Scene) -> Evidence:
    shown = scene.granted()._jdf.queryExecution().toString()
    return Evidence(sign="the filter's labels and the path" if MINE.label_id in shown else "")


@library(6)
def udf_before_filter(scene: Scene) -> Evidence:
    seen = scene.place() / "seen"
    scene.granted().where(known.spy(seen)("text")).count()
    found = seen.read_text()
    assert "plain text" in found, "the function saw nothing: the attack proves nothing"
    return Evidence(found)


@library(7)
def predicate_before_filter(scene: Scene) -> Evidence:
    return known.told_by_error(scene.granted().where("1 / (num_pii - 777) > -9"))


@library(9)
def scan_metrics(scene: Scene) -> Evidence:
    return known.rows_scanned(scene.granted())


@library(10)
def count_from_log(scene: Scene) -> Evidence:
    return Evidence(hidden=scene.granted().count() - NUM_ALLOWED or None)


@library(12)
def old_version(scene: Scene) -> Evidence:
    """As somebody who may pin versions at all."""
    who, table = replace(ANA, roles=("service",)), f"buy:{TABLE}"
    plans = [scene.guard.plan(who, Purpose.EVALUATION, table, version=v) for v in (0, 1, 2)]
    return Evidence([texts(scene.guard.frame(scene.spark, plan)) for plan in plans])


@library(13)
def change_feed(scene: Scene) -> Evidence:
    scene.granted().createOrReplaceTempView("granted")
    with_feed = errors_or_rows(scene, "SELECT * FROM table_changes('granted', 0)")
    return Evidence([with_feed, read_or_error(scene, columns=["text", "_change_type"])])


def errors_or_rows(scene: Scene, asked: str) -> object:
    try:
        return texts(scene.spark.sql(asked))
    except Exception as error:  # noqa: BLE001 - refused in whatever way
        return str(error)[:300]


@library(14)
def count_by_deleting(scene: Scene) -> Evidence:
    """Delta writes through a view, and counts; a frame of one version it does not."""
    guard = scene.guarding(scene.copy())
    plan = guard.plan(ANA, Purpose.ANALYSIS, f"buy:{TABLE}")
    guard.frame(scene.spark, plan).createOrReplaceTempView("granted")
    asked = (
        "DELETE FROM granted WHERE num_pii = 777",
        "UPDATE granted SET text = 'x' WHERE num_pii = 777",
        "MERGE INTO granted USING (SELECT 777 AS n) ON num_pii = n WHEN MATCHED THEN DELETE",
    )
    done = [errors_or_rows(scene, one) for one in asked]
    hit = [rows for rows in done if not isinstance(rows, str)]
    return Evidence(done, sign="a granted frame could be written through" if hit else "")


@library(16)
def set_and_reset(scene: Scene) -> Evidence:
    return known.rules_off(scene, scene.granted())


@library(17)
def anothers_plan(scene: Scene) -> Evidence:
    """A plan is a thing that a job holds; it does not know who holds it."""
    carols = scene.guard.plan(CAROL, Purpose.ANALYSIS, f"buy:{TABLE}")
    return Evidence(texts(scene.guard.frame(scene.spark, carols).select("text")))


@library(18)
def anothers_cache(scene: Scene) -> Evidence:
    carols = scene.guard.plan(CAROL, Purpose.ANALYSIS, f"buy:{TABLE}")
    return known.cached_by_carol(
        scene, lambda: scene.guard.frame(scene.spark, carols), scene.granted
    )


@library(27)
def around_the_view(scene: Scene) -> Evidence:
    scene.granted().createOrReplaceTempView("granted")
    asked = (
        "WITH granted AS (SELECT * FROM granted) SELECT text, row_uid FROM granted"
        " UNION ALL SELECT text, row_uid FROM (SELECT * FROM granted WHERE num_pii >= 0)"
        " UNION ALL SELECT g.text, g.row_uid FROM granted g FULL JOIN granted h USING (row_uid)"
    )
    return Evidence(texts(scene.spark.sql(asked)))


@library(28)
def old_time(scene: Scene) -> Evidence:
    who, when = replace(ANA, roles=("service",)), cast("int", "2026-01-01")
    plan = scene.guard.plan(who, Purpose.EVALUATION, f"buy:{TABLE}", version=when)
    return Evidence(scene.guard.table(plan).to_pylist())


@library(30)
def edited_label(scene: Scene) -> Evidence:
    return after(scene, own.edit_label)


@library(31)
def replaced_label(scene: Scene) -> Evidence:
    return after(scene, own.replace_label)


@library(33)
def linked_compartment(scene: Scene) -> Evidence:
    return after(scene, own.link_compartment)


def after(scene: Scene, change: Callable[[Path], None]) -> Evidence:
    """What the guard gives of a lake that was changed behind its back."""
    world = scene.copy()
    change(world.lake.root)
    guard = scene.guarding(world)
    return Evidence(guard.table(guard.plan(ANA, Purpose.ANALYSIS, TABLE)).to_pylist())


@library(32)
def unlabelled_rows(scene: Scene) -> Evidence:
    world = scene.copy()
    own.append_unlabelled(world.path())
    own.append_null_label(world.path())
    guard = scene.guarding(world)
    plan = guard.plan(ANA, Purpose.ANALYSIS, f"buy:{TABLE}")
    return Evidence([guard.table(plan).to_pylist(), texts(guard.frame(scene.spark, plan))])


@library(34)
def path_traversal(scene: Scene) -> Evidence:
    return Evidence([read_or_error(scene, table=name) for name in TRAVERSALS])


def read_or_error(scene: Scene, **asked: Any) -> object:
    try:
        return scene.guard.table(scene.plan(**asked)).to_pylist()
    except HaloclineError as error:
        return str(error)


@library(35)
def column_tricks(scene: Scene) -> Evidence:
    found: list[object] = []
    for name in COLUMN_TRICKS:
        try:
            found.append(scene.guard.table(scene.plan(columns=[name])).to_pylist())
        except HaloclineError as error:
            found.append(str(error))
        try:
            found.append(texts(scene.granted().selectExpr(name).limit(5)))
        except Exception as error:  # noqa: BLE001 - most names are none
            found.append(str(error)[:200])
    return Evidence(found)


@library(36)
def predicate_injection(scene: Scene) -> Evidence:
    found: list[object] = []
    for column, op, value in INJECTIONS:
        try:
            where = [Condition(column, op, value)]
            rows = scene.guard.reader(scene.plan(), where).read_all()
            found.append(rows.to_pylist())
        except HaloclineError as error:
            found.append(str(error))
    return Evidence(found)


@library(37)
def error_message(scene: Scene) -> Evidence:
    """Only hidden rows would fail, had they come so far."""
    asked = scene.granted().where("num_pii < 777 OR cast(text AS int) > 0")
    return Evidence(texts(asked.select("row_uid")))


@library(38)
def limits(scene: Scene) -> Evidence:
    rows = [scene.guard.reader(scene.plan(), limit=n).read_all().num_rows for n in (101, 10**9)]
    found = own.limits_of(scene.granted())
    return replace(found, hidden=max(found.hidden or 0, max(rows) - NUM_ALLOWED) or None)


@library(40)
def held_after_revocation(scene: Scene) -> Evidence:
    held = scene.plan()
    fired = Principal("ana", (), MINE)
    try:
        scene.guard.plan(fired, Purpose.ANALYSIS, TABLE)
    except HaloclineError:
        late = scene.guard.table(held).num_rows
        return Evidence(sign="rows after the right to them ended" if late else "")
    return Evidence(sign="no revocation at all")


@library(41)
def forged_permission(scene: Scene) -> Evidence:
    plan = scene.plan(columns=["text"])
    grant = plan.grants[0]
    forged = replace(grant, label_ids=(ABOVE.label_id,), columns=(*grant.columns, "subject_keys"))
    return Evidence(scene.guard.table(replace(plan, grants=(forged,))).to_pylist())


@library(42)
def forged_identity(scene: Scene) -> Evidence:
    """No token can be forged; but a job that is trusted says itself who its principal is."""
    asked = Principal("ana", ("compliance",), ABOVE)
    return Evidence(scene.guard.table(scene.guard.plan(asked, Purpose.ANALYSIS, TABLE)).to_pylist())


@library(43)
def dataset_profile(scene: Scene) -> Evidence:
    mlflow_data: Any = import_module("mlflow.data")

    plan = scene.plan()
    tracked: Any = mlflow_data.from_spark(scene.granted(), path="granted")
    refs = [ref.as_json() for ref in scene.guard.refs(plan)]
    return Evidence(refs, hidden=tracked.profile["approx_count"] - NUM_ALLOWED)


@library(48)
def replaced_policy(scene: Scene) -> Evidence:
    """Python hides nothing from code in the same process: lengthen a decision that was given."""
    plan = scene.plan()
    grants = [thing for thing in gc.get_referents(plan.grants) if hasattr(thing, "label_ids")]
    object.__setattr__(grants[0], "label_ids", (ABOVE.label_id,))
    return Evidence(scene.guard.table(plan)["text"].to_pylist())


@library(49)
def condition_on_ungranted(scene: Scene) -> Evidence:
    try:
        rows = scene.guard.reader(scene.plan(), [Condition("subject_keys", "not_null")]).read_all()
        return Evidence(sign=f"a comparison with a column not granted: {rows.num_rows}")
    except HaloclineError:
        return own.ask_by_condition(scene.granted())


@library(50)
def newest_version(scene: Scene) -> Evidence:
    return Evidence(
        sign="commits of hidden rows only" if scene.plan().grants[0].version == 2 else ""
    )


@library(51)
def hidden_or_missing(scene: Scene) -> Evidence:
    told: set[object] = set()
    for where in ("sell", "sella", "buy.acme"):
        answer = str(read_or_error(scene, table=f"{where}:{TABLE}"))
        told.add(answer.split("(decision")[0])
    return Evidence(told, sign="whether a hidden table is there" if len(told) > 1 else "")
