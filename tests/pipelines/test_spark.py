"""The session: refuses what it lacks at once, and keeps to itself what it should."""

import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from halocline_governance.errors import Refused
from halocline_pipelines.spark import session


def test_no_jars_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="make setup"):
        session(tmp_path / "nothing", tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()


def test_no_java_is_told_with_the_command(
    tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(Refused, match="apt-get install"):
        session(jars, tmp_path / "scratch")


@pytest.mark.spark
def test_delta_in_utc_on_loopback(spark: SparkSession, tmp_path: Path) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.sparkContext.getConf().get("spark.driver.bindAddress") == "127.0.0.1"
    assert spark.sparkContext.uiWebUrl is None
    spark.range(3).write.format("delta").save(str(tmp_path / "t"))
    assert spark.read.format("delta").load(str(tmp_path / "t")).count() == 3


@pytest.mark.spark
def test_workers_run_this_python(spark: SparkSession) -> None:
    found = spark.sparkContext.parallelize([0], 1).map(lambda _: __import__("sys").executable)
    assert found.collect() == [sys.executable]
