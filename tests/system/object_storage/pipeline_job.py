"""Ingest and curate into a bucket, in a process of its own: a JVM keeps whatever bucket it opened.

    pipeline_job.py JARS HOME SCRATCH

Prints, as JSON, what two runs reported and who may read what of it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import Denied
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import join, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.policy import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_pipelines.curate import curate
from halocline_pipelines.ingest.run import ingest
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import english
from halocline_pipelines.recipes.firm import FirmConfig, generate
from halocline_pipelines.spark import session

TABLES = ("raw.documents", "curation.signals", "curation.decisions", "curated.documents")


def main(jars: Path, home: Path, scratch: Path) -> dict[str, Any]:
    firm = generate(FirmConfig(num_rationales=24, num_memos=0, num_tickets=0, canary_repeats=4))
    sources = [one for one in firm.sources if one.name.startswith("firm:rationales")]
    spark: Any = session(
        jars, scratch / "spark", "local[2]", memory_gb=1, s3_jars=jars.with_name("jars-s3")
    )
    lake, engine = Lake.at(home), open_engine("embedded", None, firm.policy_data())
    with Journal.open(scratch / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        gates = Gates(engine, journal)
        whole = join(one.label for one in sources if one.label)
        service = Principal("svc:test", ("service",), whole)
        job = Job(spark, lake, gates, Guard(lake, gates), service, "run-1", b"k" * 32)
        told: dict[str, Any] = {"documents": sum(len([*one.documents()]) for one in sources)}
        for run_id in ("run-1", "run-2"):
            again = replace(job, run_id=run_id)
            accepted = dict(ingest(again, sources).accepted)
            report = curate(again, "buy", english())
            told[run_id] = {"accepted": accepted, "kept": report.kept}
        told["rows"] = {name: uids(job.guard, service, name) for name in TABLES}
        for clearance in ("restricted", "restricted sides=sell"):
            who = Principal("ana", ("analyst",), parse_compact(clearance))
            told[clearance] = uids(job.guard, who, "curated.documents")
        told["spark"] = sorted(spark_uids(job))
    spark.stop()
    engine.close()
    told["left here"] = [str(path.relative_to(home)) for path in home.rglob("*.parquet")]
    return told


def uids(guard: Guard, who: Principal, table: str) -> list[int]:
    try:
        plan = guard.plan(who, Purpose.CURATION, f"buy:{table}")
    except Denied:
        return []
    return sorted(guard.table(plan)["row_uid"].to_pylist())


def spark_uids(job: Job) -> list[int]:
    plan = job.guard.plan(job.principal, Purpose.CURATION, "buy:curated.documents")
    rows = job.guard.frame(job.spark, plan).select("row_uid").collect()
    return [int(row["row_uid"]) for row in rows]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(Path, sys.argv[1:]))))
