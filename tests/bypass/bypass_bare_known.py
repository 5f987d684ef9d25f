"""Mode 1: the attacks of the catalogue, 1 to 20, on a filter that a careful hand would write."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bypass_by_hand import JVM, bare, texts
from bypass_world import MINE, NUM_ALLOWED, SECRET, Evidence, Scene


@bare(1)
def read_path(scene: Scene) -> Evidence:
    return Evidence(texts(scene.spark.read.parquet(scene.world.path()).select("text")))


@bare(2)
def sql_on_files(scene: Scene) -> Evidence:
    return Evidence(texts(scene.spark.sql(f"SELECT text FROM delta.`{scene.world.path()}`")))


@bare(3)
def declare_location(scene: Scene) -> Evidence:
    spark = scene.spark
    spark.conf.set("spark.sql.runSQLOnFiles", "false")
    try:
        place = f"OPTIONS (path '{scene.world.path()}')"
        spark.sql(f"CREATE OR REPLACE TEMP VIEW declared USING parquet {place}")
        return Evidence(texts(spark.sql("SELECT text FROM declared")))
    finally:
        spark.conf.set("spark.sql.runSQLOnFiles", "true")


@bare(4)
def row_index_gaps(scene: Scene) -> Evidence:
    by_file = scene.spark.read.parquet(scene.world.path())
    found = texts(by_file.where(f"label_id = '{MINE.label_id}'").select("_metadata.row_index"))
    return Evidence(hidden=1 + max(found)[0] - len(found))


@bare(5)
def explain(scene: Scene) -> Evidence:
    shown = scene.mine()._jdf.queryExecution().toString()
    return Evidence(sign="the filter's labels and the path" if MINE.label_id in shown else "")


@bare(6)
def udf_before_filter(scene: Scene) -> Evidence:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    mine = MINE.label_id

    def is_mine(label_id: Any) -> Any:
        return label_id == mine

    is_mine.__annotations__.clear()
    may_see = F.udf(is_mine, "boolean", useArrow=False)
    seen = scene.place() / "seen"
    scene.raw().where(may_see("label_id")).where(spy(seen)("text")).count()
    return Evidence(seen.read_text())


def spy(seen: Path) -> Any:
    """A function that keeps every value it is given, and holds for each."""
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    place = str(seen)

    def keep(value: Any) -> Any:
        with open(place, "a") as file:
            file.write(f"{value}\n")
        return True

    keep.__annotations__.clear()  # Spark warns of those that it cannot use
    return F.udf(keep, "boolean", useArrow=False)


@bare(7)
def predicate_before_filter(scene: Scene) -> Evidence:
    """The filter is appended to what the user wrote, as a rewriting proxy does."""
    users = scene.raw().where("1 / (num_pii - 777) > -9")
    return told_by_error(users.where(f"label_id IN ('{MINE.label_id}')"))


def told_by_error(frame: Any) -> Evidence:
    try:
        return Evidence(texts(frame))
    except Exception as error:  # noqa: BLE001 - the error is the evidence
        told = "DIVIDE_BY_ZERO" in str(error)
        return Evidence(str(error), sign="an error only for a hidden value" if told else "")


@bare(8)
def file_statistics(scene: Scene) -> Evidence:
    import pyarrow.parquet as pq

    footers = [pq.read_metadata(file) for file in Path(scene.world.path()).glob("*.parquet")]
    return Evidence(
        [f.row_group(0).column(7).statistics for f in footers]
        + [f.row_group(0).column(0).statistics for f in footers]
    )


@bare(9)
def scan_metrics(scene: Scene) -> Evidence:
    return rows_scanned(scene.mine())


def rows_scanned(frame: Any) -> Evidence:
    from py4j.protocol import Py4JError

    count = len(frame.collect())
    shown = frame._jdf.queryExecution().executedPlan()
    with suppress(Py4JError):  # an adaptive plan keeps the one that ran inside
        shown = shown.executedPlan()
    metric = shown.collectLeaves().apply(0).metrics().apply("numOutputRows")
    return Evidence(hidden=int(metric.value()) - count)


@bare(10)
def count_from_log(scene: Scene) -> Evidence:
    return Evidence(hidden=scene.mine().count() - NUM_ALLOWED or None)


@bare(11)
def read_log(scene: Scene) -> Evidence:
    log = Path(scene.world.path()) / "_delta_log"
    return Evidence([page.read_text() for page in sorted(log.glob("*.json"))])


@bare(12)
def old_version(scene: Scene) -> Evidence:
    old = scene.spark.read.format("delta").option("versionAsOf", 0).load(scene.world.path())
    return Evidence(texts(old.select("text")))


@bare(13)
def change_feed(scene: Scene) -> Evidence:
    feed = scene.spark.read.format("delta").option("readChangeFeed", "true")
    changes = feed.option("startingVersion", 1).load(scene.world.path())
    return Evidence(texts(changes.select("text", "_change_type")))


@bare(14)
def count_by_deleting(scene: Scene) -> Evidence:
    path = scene.copy().path()
    done = scene.spark.sql(f"DELETE FROM delta.`{path}` WHERE num_pii = 777").collect()
    return Evidence(hidden=int(done[0][0]))


@bare(15)
def transform_script(scene: Scene) -> Evidence:
    script = f"cat {scene.world.path()}/_delta_log/00000000000000000000.json"
    found = scene.spark.sql(f"SELECT TRANSFORM (1) USING '{script}' AS (line STRING)")
    return Evidence(texts(found))


_RULES = ",".join(
    f"org.apache.spark.sql.catalyst.optimizer.{rule}"
    for rule in ("CombineFilters", "PushDownPredicates", "PruneFilters")
)


@bare(16)
def set_and_reset(scene: Scene) -> Evidence:
    return rules_off(scene, scene.mine())


def rules_off(scene: Scene, frame: Any) -> Evidence:
    spark = scene.spark
    spark.conf.set("spark.sql.optimizer.excludedRules", _RULES)
    try:
        return told_by_error(frame.where("1 / (num_pii - 777) > -9"))
    finally:
        spark.conf.unset("spark.sql.optimizer.excludedRules")


@bare(17)
def anothers_view(scene: Scene) -> Evidence:
    scene.raw().createOrReplaceGlobalTempView("carols")
    session = scene.spark.newSession()
    return Evidence(texts(session.sql("SELECT text FROM global_temp.carols")))


@bare(18)
def anothers_cache(scene: Scene) -> Evidence:
    return cached_by_carol(scene, scene.raw, scene.mine)


def cached_by_carol(scene: Scene, carols: Callable[[], Any], mine: Callable[[], Any]) -> Evidence:
    cached = carols().cache()
    try:
        cached.count()
        shown = mine()._jdf.queryExecution().toString()
        rows = texts(mine())
    finally:
        cached.unpersist()
    return Evidence(rows, sign="that another read this" if "InMemory" in shown else "")


@bare(19)
def function_while_planning(scene: Scene) -> Evidence:
    """`java_method` of constants is folded while the query is planned, on the driver."""
    jvm: Any = getattr(scene.spark, JVM)
    jvm.java.lang.System.setProperty("planted", SECRET)
    asked = "SELECT java_method('java.lang.System', 'getProperty', 'planted')"
    return Evidence(texts(scene.spark.sql(asked)))


@bare(20)
def through_the_jvm(scene: Scene) -> Evidence:
    jvm: Any = getattr(scene.spark, JVM)
    page = f"{scene.world.path()}/_delta_log/00000000000000000000.json"
    path = jvm.java.io.File(page).toPath()
    return Evidence(jvm.java.nio.file.Files.readString(path))
