"""The Spark session: local or on a cluster, with Delta's JARs from a folder, not the network.

Knows no table and no policy.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from halocline_governance.errors import Refused

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOG4J = """\
status = error
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
logger.hadoop.name = org.apache.hadoop.util.NativeCodeLoader
logger.hadoop.level = off
logger.shell.name = org.apache.spark.api.python.PythonGatewayServer
logger.shell.level = error
"""


def session(
    jars: Path,
    scratch: Path,
    master: str = "local[*]",
    memory_gb: int = 3,
    s3_jars: Path | None = None,
) -> SparkSession:
    """A session that reads and writes Delta in UTC; the running one when there is one.

    It knows no bucket's credential: a reader or writer brings its own (`Location.spark_options`).

    Args:
        jars: folder of Delta's JARs, resolved once by the set-up.
        scratch: folder for warehouse, shuffles and spills; of no use after the session.
        master: Spark master.
        memory_gb: heap of the driver, which in local mode is all of Spark.
        s3_jars: folder of Hadoop's S3 client, for a lake with compartments in buckets.

    Raises:
        Refused: no JARs, no Java, or no pyspark.
    """
    found = sorted(jars.glob("*.jar"))
    if not any(jar.name.startswith("delta-spark") for jar in found):
        raise Refused(f"no Delta JARs in {jars}; run `make setup`, which resolves them once")
    if s3_jars and not any(s3_jars.glob("hadoop-aws-*.jar")):
        raise Refused(
            f"no JARs of Hadoop's S3 client in {s3_jars}; run `infra/setup/system s3-jars`"
        )
    _require_java()
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Refused("Spark is not installed; pip install 'halocline[spark]'") from error
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Spark starts `python3` from PATH and may bind to an outside interface unless told otherwise.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.Builder().master(master).appName("halocline")
    for key, value in _config(found, scratch, memory_gb).items():
        builder = builder.config(key, value)
    for part in ("driver", "executor") if s3_jars else ():
        # On the class path, where they lie: `spark.jars` would copy their 700 MB at each start.
        builder = builder.config(f"spark.{part}.extraClassPath", f"{s3_jars}/*")
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _config(jars: list[Path], scratch: Path, memory_gb: int) -> dict[str, str]:
    java = [
        f"-Dderby.system.home={scratch}",
        f"-Djava.io.tmpdir={_temporary(scratch)}",
        f"-Dlog4j.configurationFile={_log4j(scratch)}",
        "-Duser.timezone=UTC",
        # The JVM outlives one write of the demo, not days: quick start beats peak speed.
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseParallelGC",
    ]
    return {
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.memory": f"{memory_gb}g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join(java),
        "spark.local.dir": str(_temporary(scratch)),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
        # Documents are long: small batches keep one Arrow buffer far from its 2 GiB limit.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "256",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(16 * 1024 * 1024),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.files.maxPartitionBytes": str(16 * 1024 * 1024),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").is_file():
        return
    if shutil.which("java") is None:
        raise Refused(
            "Spark needs Java 17 or newer and none was found; on Debian or Ubuntu:"
            " apt-get install openjdk-17-jre-headless"
        )


def _temporary(scratch: Path) -> Path:
    folder = scratch / "tmp"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _log4j(scratch: Path) -> Path:
    """Spark's own log configuration, quiet; replaced whole, so that two starts cannot tear it."""
    handle, draft = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_LOG4J)
    return Path(draft).replace(scratch / "log4j2.properties")
