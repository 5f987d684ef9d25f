"""Mode 1: our own attacks, from 23 on, on a filter that a careful hand would write."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from bypass_by_hand import bare, texts
from bypass_names import COLUMN_TRICKS
from bypass_world import ABOVE, MINE, NUM_ALLOWED, SECRET, Evidence, Scene, row


@bare(23)
def delta_rs(scene: Scene) -> Evidence:
    from deltalake import DeltaTable

    return Evidence(DeltaTable(scene.world.path()).to_pyarrow_table()["text"].to_pylist())


@bare(24)
def duckdb_glob(scene: Scene) -> Evidence:
    import duckdb

    asked = f"SELECT text FROM read_parquet('{scene.world.path()}/*.parquet')"
    with duckdb.connect() as connection:
        return Evidence(connection.execute(asked).fetchall())


@bare(25)
def shallow_clone(scene: Scene) -> Evidence:
    spark, place = scene.spark, scene.place() / "clone"
    spark.sql(f"CREATE OR REPLACE TABLE delta.`{place}` SHALLOW CLONE delta.`{scene.world.path()}`")
    return Evidence(texts(spark.sql(f"SELECT text FROM delta.`{place}`")))


@bare(26)
def source_without_catalog(scene: Scene) -> Evidence:
    path = f"{scene.world.path()}@v0"
    return Evidence(texts(scene.spark.read.format("delta").load(path).select("text")))


@bare(27)
def around_the_view(scene: Scene) -> Evidence:
    scene.mine().createOrReplaceTempView("mine")
    asked = (
        f"WITH mine AS (SELECT * FROM delta.`{scene.world.path()}`)"
        " SELECT text FROM mine UNION ALL SELECT text FROM (SELECT * FROM mine)"
    )
    return Evidence(texts(scene.spark.sql(asked)))


@bare(28)
def old_time(scene: Scene) -> Evidence:
    path = scene.world.path()
    newest = scene.spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 1").select("timestamp")
    reader = scene.spark.read.format("delta").option("timestampAsOf", str(texts(newest)[0][0]))
    return Evidence(texts(reader.load(path).select("text")))


@bare(29)
def leftover_files(scene: Scene) -> Evidence:
    """A deleted row's file stays until it is vacuumed."""
    import pyarrow.parquet as pq
    from deltalake import DeltaTable

    live = {Path(uri).name for uri in DeltaTable(scene.world.path()).file_uris()}
    files = [f for f in Path(scene.world.path()).glob("*.parquet") if f.name not in live]
    return Evidence([pq.ParquetFile(file).read(["text"]).to_pylist() for file in files])


@bare(30)
def edited_label(scene: Scene) -> Evidence:
    return by_labels(scene, edit_label)


def by_labels(scene: Scene, change: Callable[[Path], None]) -> Evidence:
    """A hand-written filter takes a label file for what it says."""
    world = scene.copy()
    change(world.lake.root)
    folder = world.lake.root / "buy" / "_labels"
    said = {page.name: json.loads(page.read_bytes()) for page in folder.iterdir()}
    ids = [name for name, label in said.items() if label["sensitivity"] != "restricted"]
    shown = scene.spark.read.format("delta").load(world.path())
    return Evidence(texts(shown.where(shown.label_id.isin(ids)).select("text")))


def edit_label(root: Path) -> None:
    (root / "buy" / "_labels" / ABOVE.label_id).write_bytes(MINE.canonical())


@bare(31)
def replaced_label(scene: Scene) -> Evidence:
    return by_labels(scene, replace_label)


def replace_label(root: Path) -> None:
    """The file is gone; a link to a lower label stands in its place."""
    place = root / "buy" / "_labels" / ABOVE.label_id
    place.unlink()
    place.symlink_to(root / "buy" / "_labels" / MINE.label_id)


@bare(32)
def unlabelled_rows(scene: Scene) -> Evidence:
    """A hand-written filter that hides the labels it knows."""
    world = scene.copy()
    append_unlabelled(world.path())
    shown = scene.spark.read.format("delta").load(world.path())
    return Evidence(texts(shown.where(f"label_id <> '{ABOVE.label_id}'").select("text")))


def append_unlabelled(path: str) -> None:
    """Rows of an unknown, an empty and no label, appended past every writer of ours."""
    import pyarrow as pa
    from bypass_world import TABLE
    from deltalake import write_deltalake

    from halocline_governance import tables

    schema = tables.table(TABLE).arrow()
    for label_id in ("l" + "0" * 32, "", ABOVE.label_id + " "):
        one = {**row(9000, MINE, f"{SECRET} unlabelled", 0), "label_id": label_id}
        write_deltalake(path, pa.Table.from_pylist([one], schema=schema), mode="append")


def append_null_label(path: str) -> None:
    """A commit by hand, which no writer would make: the column is declared NOT NULL."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from bypass_names import TABLE

    from halocline_governance import tables

    schema = tables.table(TABLE).arrow()
    nullable = schema.set(1, pa.field("label_id", pa.string(), nullable=True))
    one = {**row(9001, MINE, f"{SECRET} without", 0), "label_id": None}
    place = Path(path) / "forged.parquet"
    pq.write_table(pa.Table.from_pylist([one], schema=nullable), place)
    log = Path(path) / "_delta_log"
    version = len(list(log.glob("*.json")))
    action: dict[str, Any] = {
        "add": {
            "path": place.name,
            "partitionValues": {},
            "size": place.stat().st_size,
            "modificationTime": 0,
            "dataChange": True,
        }
    }
    (log / f"{version:020d}.json").write_text(json.dumps(action) + "\n")


@bare(33)
def linked_compartment(scene: Scene) -> Evidence:
    world = scene.copy()
    link_compartment(world.lake.root)
    shown = scene.spark.read.format("delta").load(world.path("public"))
    return Evidence(texts(shown.select("text")))


def link_compartment(root: Path) -> None:
    """`public` becomes another name of `sell`, labels and all."""
    for part in ("curated", "_labels"):
        (root / "public" / part).rename(root / f"was-{part}")
        (root / "public" / part).symlink_to(root / "sell" / part)


@bare(34)
def path_traversal(scene: Scene) -> Evidence:
    path = f"{scene.world.lake.root}/public/../sell/curated/documents"
    return Evidence(texts(scene.spark.read.format("delta").load(path).select("text")))


@bare(35)
def column_tricks(scene: Scene) -> Evidence:
    found: list[object] = []
    for name in COLUMN_TRICKS:
        try:
            found.append(texts(scene.mine().selectExpr(name).limit(5)))
        except Exception as error:  # noqa: BLE001 - most names are none
            found.append(str(error)[:200])
    return Evidence(found)


@bare(36)
def predicate_injection(scene: Scene) -> Evidence:
    scene.raw().createOrReplaceTempView("everything")
    given = "x' OR label_id LIKE 'l%' -- "
    asked = f"SELECT text FROM everything WHERE source = '{given}' AND label_id = '{MINE.label_id}'"
    return Evidence(texts(scene.spark.sql(asked)))


@bare(37)
def error_message(scene: Scene) -> Evidence:
    users = scene.raw().where("num_pii < 777 OR cast(text AS int) > 0")
    return Evidence(texts(users.where(f"label_id IN ('{MINE.label_id}')").select("row_uid")))


@bare(38)
def limits(scene: Scene) -> Evidence:
    return limits_of(scene.mine())


def limits_of(frame: Any) -> Evidence:
    """Ask for ever more rows, for positions and for shares of them."""
    most = max(len(frame.limit(n).collect()) for n in (NUM_ALLOWED, 101, 10**6))
    ids = texts(frame.selectExpr("monotonically_increasing_id() AS at", "text").orderBy("text"))
    shares = texts(frame.selectExpr("count(*)", "count_if(num_pii > 0)", "max(row_uid)"))
    gap = 1 + max(at for at, _ in ids) - len(ids)
    return Evidence((ids, shares), hidden=max(gap, most - NUM_ALLOWED) or None)


@bare(39)
def row_group_counts(scene: Scene) -> Evidence:
    from deltalake import DeltaTable

    fragments = DeltaTable(scene.world.path()).to_pyarrow_dataset().get_fragments()
    rows = sum(fragment.metadata.num_rows for fragment in fragments)
    return Evidence(hidden=rows - NUM_ALLOWED)


@bare(40)
def held_after_revocation(scene: Scene) -> Evidence:
    """Rows of a view that was handed out before; nobody asks again."""
    held = scene.mine()
    return Evidence(sign="rows after the right to them ended" if held.count() else "")


@bare(41)
def forged_permission(scene: Scene) -> Evidence:
    scene.spark.sql(
        f"CREATE OR REPLACE TEMP VIEW mine AS SELECT * FROM delta.`{scene.world.path()}`"
    )
    return Evidence(texts(scene.spark.sql("SELECT text FROM mine")))


@bare(42)
def forged_identity(scene: Scene) -> Evidence:
    """There is no caller: whoever says that it is Carol is."""
    held = {"carol": scene.raw, "ana": scene.mine}
    return Evidence(texts(held["carol"]().select("text")))


@bare(43)
def dataset_profile(scene: Scene) -> Evidence:
    """What a tracker keeps of its input: a sample and a profile of the path it is given."""
    mlflow_data: Any = import_module("mlflow.data")

    tracked: Any = mlflow_data.from_spark(scene.raw(), path=scene.world.path())
    return Evidence(
        str(tracked.source.to_json()), hidden=tracked.profile["approx_count"] - NUM_ALLOWED
    )


@bare(44)
def spilled(scene: Scene) -> Evidence:
    """Another's blocks on disk, read by whoever runs as the same user."""
    from pyspark import StorageLevel

    kept = scene.raw().select("text").rdd.flatMap(tuple).persist(StorageLevel.DISK_ONLY)
    kept.count()
    folder = Path(scene.spark.sparkContext.getConf().get("spark.local.dir") or "")
    found = [page.read_bytes() for page in folder.rglob("rdd_*") if page.is_file()]
    kept.unpersist()
    return Evidence(b"".join(found))


@bare(45)
def environment_of_process(scene: Scene) -> Evidence:
    status = Path(f"/proc/{os.getpid()}/environ").read_bytes()
    return Evidence(sign="the environment, and what is in it" if b"PATH=" in status else "")


@bare(46)
def platform_files(scene: Scene) -> Evidence:
    """Keys and journal belong to the user whom the job runs as."""
    key = (scene.world.home / "keys" / "journal.key").read_text()
    return Evidence(sign="the key that signs the journal" if "PRIVATE" in key else "")


@bare(47)
def memory_of_process(scene: Scene) -> Evidence:
    planted = bytearray(f"{SECRET} in memory".encode())
    place = int(__import__("ctypes").addressof(__import__("ctypes").c_char.from_buffer(planted)))
    with open("/proc/self/mem", "rb") as memory:
        memory.seek(place)
        return Evidence(memory.read(len(planted)))


@bare(48)
def replaced_policy(scene: Scene) -> Evidence:
    """The filter is a string in the attacker's own program."""
    return Evidence(texts(scene.raw().where("true").select("text")))


@bare(49)
def condition_on_ungranted(scene: Scene) -> Evidence:
    return ask_by_condition(scene.mine())


def ask_by_condition(frame: Any) -> Evidence:
    """Learn a column that is not handed over by filtering and sorting with it."""
    met = frame.where("subject_keys[0] LIKE '%client-3'").count()
    return Evidence(sign="a comparison with a column not granted" if met == 1 else "")


@bare(51)
def hidden_or_missing(scene: Scene) -> Evidence:
    found = sorted(entry.name for entry in scene.world.lake.root.iterdir())
    return Evidence(sign="that `sell` holds this table" if "sell" in found else "")


@bare(50)
def newest_version(scene: Scene) -> Evidence:
    history = scene.spark.sql(f"DESCRIBE HISTORY delta.`{scene.world.path()}`").collect()
    return Evidence(sign="commits of hidden rows only" if len(history) == 3 else "")
