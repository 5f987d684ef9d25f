"""The whole story, small: its numbers follow from its input, and a kill at any step loses nothing.

Runs the command as a user does, in a home of its own, and holds what it says against the ground
truth of the generator and against what other readers find in the files it left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from halocline_governance.journal import Trust, read, verify
from halocline_infra.demo.scene import Inputs
from halocline_infra.demo.sources import firm_of

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]

HALOCLINE = Path(sys.executable).parent / "halocline"
# How far into each of the eight steps a kill may come, in seconds: most take that long at least.
STEPS = (4.0, 4.0, 0.1, 4.0, 1.0, 2.0, 1.5, 0.3)
TABLES = ("raw/documents", "curated/documents", "curation/decisions", "serving/outputs")


def command(seed: int, scale: float) -> list[str]:
    return [
        str(HALOCLINE),
        "demo",
        "--json",
        *("--seed", str(seed)),
        *("--scale", str(scale)),
        *("--train-seconds", "6"),
    ]


def environment(home: Path) -> dict[str, str]:
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    return {**kept, "HALOCLINE_HOME": str(home)}


def tell(home: Path, seed: int, scale: float) -> dict[str, Any]:
    done = subprocess.run(
        command(seed, scale), env=environment(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def check_against_truth(home: Path, told: dict[str, Any], seed: int, scale: float) -> None:
    """Every count the story tells, from the generator's side."""
    firm = firm_of(Inputs(seed=seed, scale=scale))
    written: Counter[str] = Counter()
    for source in firm.sources:
        if source.name not in firm.truth.refused_sources and source.label is not None:
            written[source.label.compartment] += sum(1 for _ in source.documents())
    rows: dict[str, int] = told["ingest"]["notes"]["rows"]
    refused: list[str] = told["ingest"]["notes"]["refused"]
    assert {c: n for c, n in rows.items() if c != "public"} == dict(written)
    assert rows == {c: count_raw(home, c) for c in rows}
    assert {f"source {name}" for name in firm.truth.refused_sources} <= set(refused)
    dropped: dict[str, int] = told["curate"]["notes"]["reports"]["buy"]["dropped"]
    assert dropped.get("exact@1", 0) > 0
    counts: dict[str, dict[str, int]] = told["read"]["notes"]["counts"]
    assert set(counts["ana.buy"]) == {"buy", "public"}
    assert set(counts["ben.sell"]) == {"public", "sell"}
    reports: dict[str, Any] = told["curate"]["notes"]["reports"]
    assert counts["cleo.compliance"] == {c: r["kept"] for c, r in reports.items()}
    assert 0 < counts["ana.buy"]["buy"] < counts["cleo.compliance"]["buy"]
    chosen = f"adam.advisory reads {counts['cleo.compliance']['sell.acme']} of acme"
    assert any(fact.startswith(chosen) for fact in told["read"]["facts"])
    denials = [one["who"] for one in told["read"]["denied"]]
    assert denials == ["ana.buy", "ben.sell", "adam.advisory"]


def count_raw(home: Path, compartment: str) -> int:
    return DeltaTable(home / "lake" / compartment / "raw" / "documents").to_pyarrow_table().num_rows


def check_nothing_lost_or_doubled(home: Path) -> None:
    """Every row once, every raw row decided once, every recorded answer in the table once."""
    for compartment in ("public", "buy", "sell", "sell.acme", "sell.globex"):
        for table in TABLES:
            path = home / "lake" / compartment / table
            if not path.exists():
                continue
            uids = DeltaTable(path).to_pyarrow_table(columns=["row_uid"])["row_uid"].to_pylist()
            assert len(uids) == len(set(uids)), f"{compartment}/{table}"
        raw, decided = (
            {*DeltaTable(home / "lake" / compartment / t).to_pyarrow_table()["row_uid"].to_pylist()}
            for t in ("raw/documents", "curation/decisions")
        )
        assert raw <= decided
    answered: Counter[str] = Counter()
    for _, _, event in read(home / "journal"):
        if event["kind"] in ("generate", "abort"):
            answered[event["object"]["request_id"]] += 1
    stored: list[str] = []
    for compartment in ("public", "buy"):
        path = home / "lake" / compartment / "serving" / "outputs"
        if path.exists():
            stored += DeltaTable(path).to_pyarrow_table()["request_id"].to_pylist()
    assert Counter(stored) == Counter(set(answered))


def check_journal(home: Path) -> None:
    trust = Trust.parse((home / "keys" / "journal.pub").read_text())
    assert verify(home / "journal", trust).problems == ()


@pytest.mark.soak
def test_a_story_that_nothing_disturbs_follows_from_its_input(tmp_path: Path, seed: int) -> None:
    check_story(tmp_path, seed, 0.5)


@pytest.mark.filterwarnings("ignore")  # of what MLflow and openai use
def test_a_story_killed_at_any_step_is_finished_and_follows_from_its_input(
    tmp_path: Path, seed: int, scale: Callable[[int, int], int]
) -> None:
    rng = random.Random(seed)
    size = rng.choice([0.15, 0.2, 0.25])
    killed = rng.sample(range(len(STEPS)), scale(3, len(STEPS)))
    for step in sorted(killed):
        kill_during(tmp_path, step + 1, rng.uniform(0.0, STEPS[step]), command(seed, size))

    told = check_story(tmp_path, seed, size)

    assert tell(tmp_path, seed, size) == told
    check_mlflow(tmp_path, told)
    check_plain_spark(tmp_path)
    check_served_again(tmp_path)
    check_nothing_lost_or_doubled(tmp_path)


def check_story(home: Path, seed: int, scale: float) -> dict[str, Any]:
    """Tell it to its end; what it told."""
    told = tell(home, seed, scale)
    check_against_truth(home, told, seed, scale)
    check_nothing_lost_or_doubled(home)
    check_journal(home)
    report = json.loads(Path(told["report"]["artefacts"]["report, for machines"]).read_text())
    assert report["request_id"] == told["serve"]["notes"]["request_id"]
    return told


def check_mlflow(home: Path, told: dict[str, Any]) -> None:
    """A plain client finds the run, what it read, and the alias."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{home}/mlflow/mlflow.db"
    client: Any = MlflowClient(tracking_uri=uri, registry_uri=uri)
    version = client.get_model_version_by_alias("research-note", "champion")
    run = client.get_run(version.run_id)
    assert int(version.version) == told["promote"]["notes"]["version"]
    assert {one.dataset.name.partition(":")[0] for one in run.inputs.dataset_inputs} >= {"buy"}
    assert run.data.metrics


def check_plain_spark(home: Path) -> None:
    """Whoever holds a compartment's folder reads it with Spark alone."""
    from halocline_pipelines.spark import session

    spark: Any = session(Path(sys.prefix) / "jars", scratch=home / "plain")
    try:
        for table in ("curated/documents", "serving/outputs"):
            path = home / "lake" / "buy" / table
            rows = spark.read.format("delta").load(str(path)).count()
            assert rows == DeltaTable(path).to_pyarrow_table().num_rows > 0
    finally:
        spark.stop()


def check_served_again(home: Path) -> None:
    """`serve run` serves what the demo promoted; the openai client gets an answer, on record."""
    from openai import OpenAI

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    issue = ["token", "issue", "--sub", "app", "--role", "application"]
    issue += ["--label", "confidential sides=buy"]
    token = subprocess.run(
        [HALOCLINE, *issue], env=environment(home), capture_output=True, text=True, check=True
    ).stdout.strip()
    server = subprocess.Popen(
        [HALOCLINE, "serve", "run", "--model", "research-note", "--port", str(port)],
        env=environment(home),
        stderr=subprocess.DEVNULL,
    )
    try:
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token, max_retries=0)
        wait_for(lambda: _listens(port), 60)
        answer = client.completions.create(model="research-note", prompt="The", max_tokens=8)
        assert answer.choices[0].finish_reason in ("stop", "length", "content_filter")
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kill_during(home: Path, number: int, after_s: float, words: list[str]) -> None:
    """Start the story and kill it, and everything it started, a while into a step."""
    log = home / f"{number}.log"
    home.mkdir(exist_ok=True)
    with log.open("w") as out:
        story = subprocess.Popen(
            words,
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=out,
            start_new_session=True,
        )
        wait_for(lambda: _begun(log, number) or story.poll() is not None)
        time.sleep(after_s)
        if story.poll() is None:
            os.killpg(story.pid, signal.SIGKILL)
        story.wait()


def _begun(log: Path, number: int) -> bool:
    return any(line.startswith(f"{number}. ") for line in log.read_text().splitlines())


def wait_for(condition: Callable[[], bool], timeout_s: float = 400.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the story did not get there"
        time.sleep(0.1)
