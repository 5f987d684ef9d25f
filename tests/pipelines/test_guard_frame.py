"""The guard on Spark hands over what it hands over on Arrow: rows, masks, versions."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from halocline_governance import tables
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard, Plan
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose

pytestmark = pytest.mark.spark

OUTPUTS = "serving.outputs"
READER = Principal("ana", ("analyst",), parse_compact("internal sides=buy"))
SUBJECTS = ["ana", "boris", "", "ana"]
TIMES = ["2026-11-21T07:00:00Z", "1999-01-01T00:00:00Z", "", "26-11"]


def put(lake: Lake, label: Label, start: int) -> None:
    import pyarrow as pa

    schema = tables.table(OUTPUTS).arrow()
    blank: dict[str, Any] = {"int64": 0, "string": "x", "double": None}
    rows = [
        {field.name: blank[str(field.type)] for field in schema}
        | {"row_uid": start + n, "label_id": lake.intern(label), "subject": subject, "ts": ts}
        for n, (subject, ts) in enumerate(zip(SUBJECTS, TIMES, strict=True))
    ]
    with lake.lease(label.compartment, OUTPUTS) as place:
        write_deltalake(place.uri, pa.Table.from_pylist(rows, schema=schema), mode="append")


def test_spark_and_arrow_hand_over_the_same(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake, parse_compact("internal sides=buy"), 0)
    put(lake, parse_compact("restricted sides=buy"), 100)
    put(lake, parse_compact("internal sides=buy issuers=free"), 200)
    put(lake, Label("public"), 300)
    engine = open_engine("embedded", None, {"restricted_issuers": []})
    with Journal.open(tmp_path / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        guard = Guard(lake, Gates(engine, journal), b"k" * 32)
        whole = guard.plan(READER, Purpose.ANALYSIS, OUTPUTS)
        service = Principal("svc:watch", ("service",), READER.clearance)
        first = guard.plan(service, Purpose.MONITORING, f"buy:{OUTPUTS}", version=0)
        assert whole.transforms
        assert alike(spark, guard, whole) == {0, 1, 2, 3, 200, 201, 202, 203, *range(300, 304)}
        assert alike(spark, guard, first) == {0, 1, 2, 3}
        explained: Any = guard.frame(spark, whole)._jdf  # pyright: ignore[reportPrivateUsage]
        text = str(explained.queryExecution().toString())
        assert (b"k" * 32).decode() not in text, "the masking key stands in the query plan"


def alike(spark: SparkSession, guard: Guard, plan: Plan) -> set[int]:
    arrow = {row["row_uid"]: row for row in guard.table(plan).to_pylist()}
    frame = {row["row_uid"]: row.asDict() for row in guard.frame(spark, plan).collect()}
    assert frame == arrow
    return set(arrow)
