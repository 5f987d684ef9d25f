"""A Spark job over buckets, in a process of its own: a JVM keeps whatever bucket it opened.

    spark_job.py JARS HOME-WITH-BOTH-CREDENTIALS HOME-OF-THE-SELL-SIDE SCRATCH

Prints, as JSON, what it read of each side and what it could not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake, Location
from halocline_governance.policy import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_pipelines.spark import session

TABLE = "curated.documents"


def main(jars: Path, both: Path, sell: Path, scratch: Path) -> dict[str, Any]:
    spark: Any = session(
        jars, scratch / "spark", "local[2]", memory_gb=1, s3_jars=jars.with_name("jars-s3")
    )
    lake, sells = Lake.at(both), Lake.at(sell)
    told: dict[str, Any] = {}
    with sells.lease("sell", TABLE) as place:
        rows = spark.read.format("delta").options(**place.spark_options).load(place.spark_uri)
        more = rows.withColumn("row_uid", rows["row_uid"] + 1000)
        writer = more.write.format("delta").mode("append").options(**place.spark_options)
        writer.save(place.spark_uri)
    key = Signer(Ed25519PrivateKey.generate())
    with Journal.open(scratch / "journal", key) as journal:
        engine = open_engine("embedded", None, {"restricted_issuers": []})
        for clearance in ("restricted sides=buy,sell", "internal sides=sell"):
            guard = Guard(lake, Gates(engine, journal))
            who = Principal("job", ("analyst",), parse_compact(clearance))
            frame = guard.frame(spark, guard.plan(who, Purpose.ANALYSIS, TABLE))
            told[clearance] = sorted(row["row_uid"] for row in frame.select("row_uid").collect())
        engine.close()
    own, theirs = sells.location("sell", TABLE), lake.location("buy", TABLE)
    told["stolen"] = stolen(spark, own, theirs)
    spark.stop()
    return told


def stolen(spark: Any, own: Location, theirs: Location) -> list[str]:
    """What the sell side's key opens of the buy side's bucket, through a client of its own."""
    buy, sell = (place.uri.split("/")[2] for place in (theirs, own))
    as_theirs = {name.replace(sell, buy): value for name, value in own.spark_options.items()}
    options = {**as_theirs, "fs.s3a.impl.disable.cache": "true"}
    got: list[str] = []
    for form, path in (
        ("delta", theirs.spark_uri),
        ("parquet", theirs.spark_uri),
        ("binaryFile", theirs.spark_uri + "/_delta_log"),
    ):
        try:
            read = spark.read.format(form).options(**options).load(path)
            got.append(f"{form}: {read.count()} rows")
        except Exception as error:  # noqa: BLE001 - py4j's, pyspark's, any
            refused = any(word in str(error) for word in ("AccessDenied", "403", "Forbidden"))
            if not refused:
                got.append(f"{form}: {type(error).__name__}")
    return got


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(Path, sys.argv[1:]))))
