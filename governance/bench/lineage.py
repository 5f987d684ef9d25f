"""Lineage's questions on 5,000 runs of 8 sources, 800,000 rows and 10 M outputs, beside MLflow's.

`BENCH_SCALE=0.1` makes everything a tenth as large. Tables are written with delta-rs, as the
platform's are; the indexes are built from them, and every question is asked in this process.
"""

import hashlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage, fingerprint
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN
from halocline_governance.records import row_uid, timestamp

SCALE = float(os.environ.get("BENCH_SCALE") or 1)
RUNS, SOURCES = max(int(5_000 * SCALE), 50), 8
PLACES, VERSIONS = 40, 25
ROWS = max(int(800_000 * SCALE), PLACES * VERSIONS * 2)
OUTPUTS, PER_FILE = max(int(10_000_000 * SCALE), 20_000), 500_000
ENDPOINTS = 10
# MLflow writes a run in some 50 ms: it is asked about fewer, and told so.
MLFLOW_RUNS = min(RUNS, 300)
ASKED = 400
CURATED, ANSWERS = "curated.documents", "serving.outputs"
START = datetime(2026, 1, 1, tzinfo=UTC)
RNG = random.Random(5)

Row = dict[str, Any]


def main() -> None:
    measured: dict[str, Any] = {
        "runs": RUNS,
        "sources_of_a_run": SOURCES,
        "rows": ROWS,
        "outputs": OUTPUTS,
    }
    with tempfile.TemporaryDirectory(prefix="halocline-bench-") as name:
        lake = Lake(Path(name) / "lake")
        began = time.perf_counter()
        deployments = lineage_tables(lake, documents(lake))
        answers(lake, deployments)
        say(f"tables written in {time.perf_counter() - began:.0f} s")
        lineage = Lineage(lake)
        measured |= built(lineage, Path(name))
        measured |= asked(lineage)
        measured |= outputs(lineage, deployments)
        measured |= fingerprints(lineage)
        measured |= mlflow(Path(name))
    for key, value in measured.items():
        say(f"{key:44} {value}")
    print(json.dumps(measured))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def place_of(number: int) -> str:
    return f"side{number:02d}"


def label_of(number: int) -> Label:
    return Label("internal", (place_of(number),))


def at(share: float) -> str:
    """A moment of a year of lineage."""
    return timestamp((START + timedelta(days=365) * share).timestamp())


def filled(table: str, num: int, **given: Any) -> pa.Table:
    """Rows of a table; columns that are not given are empty."""
    schema = tables.table(table).arrow()
    columns: list[Any] = []
    for field in schema:
        value = given.get(field.name)
        if isinstance(value, list | pa.Array):
            columns.append(pa.array(value, field.type))
        elif value is not None or field.nullable:
            columns.append(pa.repeat(pa.scalar(value, field.type), num))
        else:
            empty: Any = {"string": "", "int64": 0, "int32": 0}.get(str(field.type), [])
            columns.append(pa.array([empty] * num, field.type))
    return pa.table(columns, schema=schema)


def documents(lake: Lake) -> list[tuple[int, int]]:
    """20 tables that grow and are deleted from; every one of their versions, by place."""
    versions: list[tuple[int, int]] = []
    grows = VERSIONS * 4 // 5
    per_commit = ROWS // PLACES // grows
    for number in range(PLACES):
        label_id = lake.intern(label_of(number))
        uri = lake.location(place_of(number), CURATED).uri
        for commit in range(grows):
            uids = [RNG.getrandbits(62) for _ in range(per_commit)]
            rows = filled(
                CURATED,
                per_commit,
                row_uid=uids,
                label_id=label_id,
                source=[f"source-{uid % 40}" for uid in uids],
                licence=[("MIT", "CC0-1.0", "CC-BY-4.0")[uid % 3] for uid in uids],
                content_sha256=[f"{uid:064x}" for uid in uids],
                subject_keys=[[f"s{uid % 9973}"] if uid % 5 == 0 else [] for uid in uids],
                text="t",
            )
            write_deltalake(uri, rows, mode="append")
            if commit % 4 == 3:
                low = RNG.getrandbits(62)
                DeltaTable(uri).delete(f"row_uid >= {low} AND row_uid < {low + (1 << 58)}")
        newest = DeltaTable(uri).version()
        versions += [(number, version) for version in range(newest + 1)]
    return versions


def lineage_tables(lake: Lake, versions: list[tuple[int, int]]) -> list[Row]:
    """5,000 runs, each of 8 dataset versions; a model of each, a tenth made from another."""
    datasets: list[Row] = []
    for number, version in versions:
        facts = {"table": CURATED, "compartment": place_of(number), "version": version}
        same = {"num_rows": 0, "fingerprint": "f", "decision_id": "d", "ts": at(0)}
        label = label_of(number).label_id
        name = f"d{hashlib.sha256(f'{number}/{version}'.encode()).hexdigest()[:32]}"
        datasets.append({"dsv_id": name, **facts, **same, "label_ids": [label], "label_id": label})
    mixtures: list[Row] = []
    runs: list[Row] = []
    models: list[Row] = []
    for number in range(RUNS):
        ts, mixture, run = at(number / RUNS), f"mix-{number}", f"run-{number}"
        chosen = [row["dsv_id"] for row in RNG.sample(datasets, SOURCES)]
        weights = [{"dsv_id": dsv_id, "weight": 1 / SOURCES} for dsv_id in chosen]
        mixtures.append({"mix_sha": mixture, "mixture": "{}", "sources": weights, "ts": ts})
        counts = {"num_sequences": 1000, "num_consumed": 900, "ts": ts}
        of_run = {"run_id": run, "mix_sha": mixture, **counts}
        runs += [{**of_run, **weight} for weight in weights]
        parent = RNG.randrange(number) if number and number % 10 == 0 else None
        models.append(
            {
                "model": "house",
                "version": number,
                "weights_sha256": f"w{number}",
                "label_id": "l",
                "run_id": run,
                "parent_model": None if parent is None else "house",
                "parent_version": parent,
                "kind": "trained" if parent is None else "base",
                "ts": ts,
            }
        )
    deployments = deployed()
    for table, rows in (
        (DATASET, datasets),
        (MIXTURE, mixtures),
        (RUN, runs),
        (MODEL, models),
        (DEPLOYMENT, deployments),
    ):
        where = lake.location(SYSTEM, table).uri
        write_deltalake(where, pa.Table.from_pylist(rows, tables.table(table).arrow()))
    return deployments


def deployed() -> list[Row]:
    """Ten endpoints, each of which answers with every hundredth model in turn."""
    rows: list[Row] = []
    for endpoint in range(ENDPOINTS):
        mine = range(endpoint, RUNS, ENDPOINTS * 10)
        for version in mine:
            after = version + ENDPOINTS * 10
            rows.append(
                {
                    "endpoint": f"chat{endpoint}",
                    "model": "house",
                    "version": version,
                    "from_ts": at(version / RUNS),
                    "to_ts": at(after / RUNS) if after < RUNS else None,
                    "decision_id": "d",
                }
            )
    return rows


def answers(lake: Lake, deployments: list[Row]) -> None:
    """10 M outputs over the year, each by what its endpoint answered with then."""
    by_endpoint: list[list[Row]] = [[] for _ in range(ENDPOINTS)]
    for row in deployments:
        by_endpoint[int(row["endpoint"][4:])].append(row)
    label_id = lake.intern(label_of(0))
    for start in range(0, OUTPUTS, PER_FILE):
        numbers = range(start, min(start + PER_FILE, OUTPUTS))
        ids = [f"018f0000-0000-7000-8000-{number:012d}" for number in numbers]
        now: list[int] = []
        for number in numbers:
            mine = by_endpoint[number % ENDPOINTS]
            now.append(mine[min(number * len(mine) // OUTPUTS, len(mine) - 1)]["version"])
        began, step = START.timestamp(), 365 * 86_400 / OUTPUTS
        rows = filled(
            ANSWERS,
            len(ids),
            row_uid=[row_uid(ANSWERS, id_) for id_ in ids],
            request_id=ids,
            label_id=label_id,
            ts=[timestamp(began + number * step) for number in numbers],
            endpoint=[f"chat{number % ENDPOINTS}" for number in numbers],
            model="house",
            model_version=now,
            weights_sha256=[f"w{version}" for version in now],
            outcome="released",
        )
        write_deltalake(lake.location(place_of(0), ANSWERS).uri, rows, mode="append")


def built(lineage: Lineage, home: Path) -> dict[str, Any]:
    """How long everything takes to index, of that the graph and the outputs, and to find that
    nothing is new."""
    took: list[float] = []
    for build in (lambda: lineage.trace("endpoint:chat0"), lineage.outputs, lineage.rebuild):
        began = time.perf_counter()
        build()
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    lineage.outputs([])
    files = (home / "state" / "lineage").iterdir()
    return {
        "index_of_graph_and_outputs_s": round(took[0] + took[1], 1),
        "index_built_anew_s": round(took[2], 1),
        "nothing_new_ms": round((time.perf_counter() - began) * 1e3, 2),
        "index_mb": round(sum(path.stat().st_size for path in files) / 1e6),
    }


def timed(name: str, ask: Callable[[int], int]) -> dict[str, Any]:
    """p50 and p99 in ms of a question, and p99 of the time that this thread was at work: on a
    machine that others use too the two differ. `ask` gives how many things it found."""
    times: list[float] = []
    worked: list[float] = []
    found: list[int] = []
    for number in range(ASKED + 20):
        began, busy = time.perf_counter(), time.thread_time()
        num = ask(number)
        if number >= 20:
            times.append((time.perf_counter() - began) * 1e3)
            worked.append((time.thread_time() - busy) * 1e3)
            found.append(num)
    return {
        f"{name}_p99_cpu_ms": round(statistics.quantiles(worked, n=100)[98], 2),
        f"{name}_p50_ms": round(statistics.median(times), 2),
        f"{name}_p99_ms": round(statistics.quantiles(times, n=100)[98], 2),
        f"{name}_found_mean": round(statistics.mean(found)),
    }


def asked(lineage: Lineage) -> dict[str, Any]:
    rows: list[tuple[str, int]] = []
    for dsv_id in RNG.sample(list(all_datasets(lineage)), 40):
        held = lineage.dataset_rows(dsv_id)
        rows += [
            (held.version.compartment, uid)
            for uid in RNG.sample(held.first, min(20, len(held.first)))
        ]
    RNG.shuffle(rows)
    ids = [f"018f0000-0000-7000-8000-{RNG.randrange(OUTPUTS):012d}" for _ in range(ASKED + 20)]

    def row(number: int) -> str:
        place, uid = rows[number % len(rows)]
        return f"row:{place}:{CURATED}/{uid}"

    def to_rows(number: int) -> int:
        trace = lineage.trace(f"output:{ids[number]}")
        found = lineage.all_dataset_rows(node.name for node in trace.of("dataset"))
        assert all(one.num_rows and len(one.first) == min(1000, one.num_rows) for one in found)
        return len(found)

    return {
        **timed("row_to_all_models", lambda n: len(list(lineage.reached(row(n), "model")))),
        **timed("row_traced", lambda n: lineage.trace(row(n)).counts.get("model", 0)),
        # Of most versions nobody asked before; then, of none.
        **timed("output_to_dataset_versions_and_rows", to_rows),
        **timed("output_to_dataset_versions_and_rows_again", to_rows),
    }


def all_datasets(lineage: Lineage) -> list[str]:
    return [row["dsv_id"] for row in lineage.rows(DATASET)]


def outputs(lineage: Lineage, deployments: list[Row]) -> dict[str, Any]:
    began = time.perf_counter()
    impact = lineage.impact("source:source-7")
    took = time.perf_counter() - began
    model = f"house/{deployments[3]['version']}"
    began = time.perf_counter()
    some = lineage.outputs([model], since=at(0.001), until=at(0.999))
    interval = time.perf_counter() - began
    whole = lineage.outputs()
    assert whole.num == OUTPUTS
    return {
        "impact_of_a_source_s": round(took, 3),
        "impact_models": len(impact.models) + len(impact.descendants),
        "impact_outputs": impact.outputs.num,
        "outputs_of_a_model_in_an_interval_ms": round(interval * 1e3, 2),
        "outputs_of_a_model_in_an_interval": some.num,
    }


def fingerprints(lineage: Lineage) -> dict[str, Any]:
    place = place_of(1)
    began = time.perf_counter()
    num, first = lineage.fingerprint_of(place, CURATED, VERSIONS - 2)
    took = time.perf_counter() - began
    began = time.perf_counter()
    _, again = lineage.fingerprint_of(place, CURATED, VERSIONS - 2)
    kept = time.perf_counter() - began
    assert first == again
    running = fingerprint.Fingerprint()
    pairs = [(number, f"{number:064x}") for number in range(20_000)]
    began = time.perf_counter()
    running.add_all(pairs)
    rate = len(pairs) / (time.perf_counter() - began)
    return {
        "fingerprint_rows": num,
        "fingerprint_from_scratch_ms": round(took * 1e3, 1),
        "fingerprint_from_kept_states_ms": round(kept * 1e3, 2),
        "fingerprint_rows_per_s": round(rate),
    }


def mlflow(home: Path) -> dict[str, Any]:
    """MLflow's answer to the nearest question it knows: the runs with a dataset of this digest."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag

    client = MlflowClient(f"sqlite:///{home / 'mlflow.sqlite'}")
    experiment = client.create_experiment("bench", str(home / "artifacts"))
    names = [f"d{number:03d}" for number in range(max(MLFLOW_RUNS * SOURCES // 80, SOURCES))]
    began = time.perf_counter()
    for _ in range(MLFLOW_RUNS):
        run = client.create_run(experiment)
        chosen = RNG.sample(names, SOURCES)
        tags = [InputTag("mlflow.data.context", "training")]
        held = [DatasetInput(Dataset(one, one, "delta", "{}"), tags) for one in chosen]
        client.log_inputs(run.info.run_id, held)
    seeding = time.perf_counter() - began
    times: list[float] = []
    found = 0
    for number in range(30):
        began = time.perf_counter()
        wanted = f"dataset.digest = '{names[number % len(names)]}'"
        found += len(client.search_runs([experiment], wanted, max_results=5000))
        times.append((time.perf_counter() - began) * 1e3)
    return {
        "mlflow_runs": MLFLOW_RUNS,
        "mlflow_seeding_s": round(seeding, 1),
        "mlflow_runs_by_dataset_p50_ms": round(statistics.median(times), 1),
        "mlflow_runs_by_dataset_max_ms": round(max(times), 1),
        "mlflow_runs_by_dataset_found_mean": round(found / 30),
    }


if __name__ == "__main__":
    main()
