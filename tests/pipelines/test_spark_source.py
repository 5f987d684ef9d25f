"""Spark reads through the guard server: the caller's rows, and no credential to take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from halocline_governance import tables
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.guard.server import GuardServer
from halocline_governance.identity import Issuer, Verifier
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_pipelines.spark_source import Halocline

pytestmark = pytest.mark.spark

DOCUMENTS = "curated.documents"
LABELS = {"public": 0, "confidential sides=buy": 100, "restricted sides=sell": 200}


@dataclass
class Place:
    spark: SparkSession
    url: str
    issuer: Issuer
    folder: Path

    def read(self, clearance: str, **options: str) -> DataFrame:
        file = self.folder / f"{clearance}.jwt"
        file.write_text(self.issuer.issue("ana", ["analyst"], parse_compact(clearance)))
        base = {"url": self.url, "table": DOCUMENTS, "tokenfile": str(file)}
        return self.spark.read.format("halocline").options(**{**base, **options}).load()


@pytest.fixture(scope="module")
def place(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("served")
    lake, key = Lake(home / "lake"), Ed25519PrivateKey.generate()
    for label, first in LABELS.items():
        told = parse_compact(label)
        plain: dict[str, object] = {
            "source": "s",
            "licence": "MIT",
            "language": "en",
            "subject_keys": [],
        }
        rows: list[dict[str, object]] = [
            {
                **plain,
                "row_uid": number,
                "label_id": lake.intern(told),
                "content_sha256": f"{number:064x}",
                "subject_keys": [],
                "num_pii": number % 3,
                "text": f"text {number}",
                "recipe": "r",
                "run_id": "t",
            }
            for number in range(first, first + 50)
        ]
        data = pa.Table.from_pylist(rows, schema=tables.table(DOCUMENTS).arrow())
        with lake.lease(told.compartment, DOCUMENTS) as place:
            write_deltalake(place.uri, data)
    spark.dataSource.register(Halocline)
    with Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        gates = Gates(open_engine("embedded", None, {"restricted_issuers": []}), journal)
        server = GuardServer(Guard(lake, gates), Verifier(key.public_key()).verify)
        yield Place(spark, server.url, Issuer(key), home)
        assert server.stop()


def test_spark_gets_the_callers_rows(place: Place) -> None:
    buyer = place.read("confidential sides=buy")

    assert {row.row_uid for row in buyer.collect()} == {*range(50), *range(100, 150)}
    assert buyer.rdd.getNumPartitions() == 2
    assert "subject_keys" not in buyer.columns
    assert place.read("public").count() == 50
    few = place.read("confidential sides=buy", columns="text,row_uid", limit="7")
    assert few.columns == ["text", "row_uid"]
    assert few.count() == 7
    asked = place.read("confidential sides=buy", where='[["num_pii", "=", 2]]')
    assert {row.num_pii for row in asked.collect()} == {2}


def test_filters_go_to_the_guard_and_change_no_answer(place: Place) -> None:
    place.spark.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    try:
        rows = place.read("confidential sides=buy", pushdown="true")
        found = rows.where("row_uid >= 120 AND num_pii IN (0, 1) AND text LIKE '%5'").collect()
    finally:
        place.spark.conf.unset("spark.sql.python.filterPushdown.enabled")
    expected = {n for n in range(120, 150) if n % 3 in (0, 1) and str(n).endswith("5")}
    assert {row.row_uid for row in found} == expected


def test_what_is_hidden_or_wrong_is_an_error_and_no_plan_shows_a_token(place: Place) -> None:
    for options in (
        {"table": f"sell:{DOCUMENTS}"},
        {"table": "no.table"},
        {"columns": "subject_keys"},
        {"tokenfile": "missing.jwt"},
        {"token": "a token"},
        {"where": "x"},
    ):
        with pytest.raises(PySparkException):
            place.read("confidential sides=buy", **options).collect()
    rows = place.read("confidential sides=buy")
    token = (place.folder / "confidential sides=buy.jwt").read_text()
    plan = rows._jdf.queryExecution().toString()  # pyright: ignore[reportOptionalCall, reportPrivateUsage, reportCallIssue, reportUnknownVariableType, reportUnknownMemberType]
    assert token not in plan
    assert token.split(".")[2] not in plan
