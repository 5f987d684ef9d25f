"""Reads through the guard: planning over 2,000 labels on either engine, and 10 M rows beside the
same filter written by hand, on Arrow and on Spark.

BENCH_ROWS makes the table smaller.
"""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard, Plan
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state.crossings import Crossings
from halocline_governance.state.facts import Facts
from halocline_governance.state.history import History
from halocline_governance.state.store import Store

TABLE = "curation.decisions"
NUM_LABELS = 2_000
NUM_ROWS = int(os.environ.get("BENCH_ROWS", "10000000"))
ROWS_A_FILE = 1_000_000
RUNS = 10


def main() -> None:
    measured: dict[str, Any] = {"rows": NUM_ROWS, "labels": NUM_LABELS}
    beside = Path(sys.prefix) / "bin" / "opa"
    opa = Path(shutil.which("opa") or beside)
    with tempfile.TemporaryDirectory(prefix="halocline-bench-") as folder:
        lake = Lake(Path(folder) / "lake")
        fill(lake)
        for name in ("embedded", "opa"):
            with guarded(lake, Path(folder) / name, name, opa) as guard:
                measured[f"plan_{name}"] = planned(guard)
        with guarded(lake, Path(folder) / "scan", "embedded", opa) as guard:
            plan = asked(guard)
            measured["arrow"] = beside_by_hand(
                lambda: drained(guard.reader(plan)), lambda: drained(by_hand(plan))
            )
            measured["same_rows"] = drained(guard.reader(plan)) == drained(by_hand(plan))
            measured["spark"] = on_spark(guard, plan, Path(folder))
    for key, value in measured.items():
        print(f"{key:16} {value}", file=sys.stderr)
    print(json.dumps(measured))


def reader() -> Principal:
    """Cleared for 60 of 64 agreements: so for about 4 of 5 labels."""
    ndas = tuple(f"n{number:02}" for number in range(60))
    return Principal("bench", ("service",), Label("confidential", ("buy",), ndas=ndas))


def labels() -> list[Label]:
    """Distinct labels as a firm has them: one to three of 64 agreements each."""
    names = [f"n{number:02}" for number in range(64)]
    groups = [group for size in (1, 2, 3) for group in combinations(names, size)]
    return [Label("internal", ("buy",), ndas=group) for group in groups[:NUM_LABELS]]


def fill(lake: Lake) -> None:
    ids = pa.array([lake.intern(label) for label in labels()])
    random = np.random.default_rng(7)
    schema = tables.table(TABLE).arrow()
    for start in range(0, NUM_ROWS, ROWS_A_FILE):
        count = min(ROWS_A_FILE, NUM_ROWS - start)
        text = pa.array([f"rule-{number}" for number in range(50)])
        words = text.take(pa.array(random.integers(0, 50, count)))
        filled = {field.name: words for field in schema if field.type == pa.string()}
        filled["row_uid"] = pa.array(np.arange(start, start + count))
        filled["kept_uid"] = pa.nulls(count, pa.int64())
        filled["label_id"] = ids.take(pa.array(random.integers(0, NUM_LABELS, count)))
        rows = pa.table([filled[name] for name in schema.names], schema=schema)
        with lake.lease("buy", TABLE) as place:
            write_deltalake(place.uri, rows, mode="append")


@contextmanager
def guarded(lake: Lake, home: Path, engine: str, opa: Path) -> Generator[Guard]:
    policy = open_engine(engine, opa, {"restricted_issuers": []})
    home.mkdir()
    store = Store(f"sqlite:///{home / 'state.sqlite'}")
    facts = Facts(store, Crossings(store), History(store))
    with Journal.open(home / "journal", Signer(Ed25519PrivateKey.generate())) as journal:
        yield Guard(Lake(lake.root), Gates(policy, journal, facts=facts))
    store.close()
    policy.close()


def asked(guard: Guard) -> Plan:
    return guard.plan(reader(), Purpose.CURATION, f"buy:{TABLE}")


def planned(guard: Guard) -> dict[str, float]:
    """The first plan of a process, then the same one again: each ends in a durable record."""
    times = [timed(lambda: asked(guard)) * 1000 for _ in range(201)]
    later = statistics.quantiles(times[1:], n=100)
    return {
        "first_ms": round(times[0], 3),
        "again_p50_ms": round(later[49], 3),
        "again_p99_ms": round(later[98], 3),
    }


def by_hand(plan: Plan) -> pa.RecordBatchReader:
    """What one would write without a guard: the table's rows of these labels."""
    (grant,) = plan.grants
    table = DeltaTable(grant.location.uri, version=grant.version).to_pyarrow_dataset()
    mine = pc.field("label_id").isin(list(grant.label_ids))
    return table.scanner(columns=list(plan.columns), filter=mine).to_reader()


def drained(rows: pa.RecordBatchReader) -> tuple[int, int]:
    count = total = 0
    for batch in rows:
        count += batch.num_rows
        total += pc.sum(batch["row_uid"]).as_py() or 0
    return count, total


def beside_by_hand(guard: Callable[[], object], hand: Callable[[], object]) -> dict[str, Any]:
    """Medians over pairs of runs, after two of each to warm the caches. Who goes first alternates,
    so that neither always runs in the other's wake; the quartiles tell what a pair says."""
    for act in (guard, hand, hand, guard):
        act()
    pairs = list[tuple[float, float]]()
    for run in range(RUNS):
        if run % 2:
            theirs, ours = timed(hand), timed(guard)
        else:
            ours, theirs = timed(guard), timed(hand)
        pairs.append((ours, theirs))
    low, ratio, high = statistics.quantiles((ours / theirs for ours, theirs in pairs), n=4)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "guard_s": round(ours, 3),
        "by_hand_s": round(theirs, 3),
        "ratio": round(ratio, 3),
        "ratio_quartiles": [round(low, 3), round(high, 3)],
        "runs": RUNS,
    }


def on_spark(guard: Guard, plan: Plan, folder: Path) -> dict[str, Any]:
    from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

    from halocline_pipelines.spark import session

    spark = session(Path(sys.prefix) / "jars", scratch=folder / "scratch")
    (grant,) = plan.grants
    ours = guard.frame(spark, plan)
    hand = (
        spark.read.format("delta")
        .option("versionAsOf", grant.version)
        .load(grant.location.uri)
        .where(F.col("label_id").isin(list(grant.label_ids)))
        .select(*plan.columns)
    )
    measured: dict[str, Any] = beside_by_hand(
        lambda: ours.agg(F.sum("row_uid")).collect(), lambda: hand.agg(F.sum("row_uid")).collect()
    )
    measured["same_files"] = sorted(ours.inputFiles()) == sorted(hand.inputFiles())
    spark.stop()
    return measured


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
