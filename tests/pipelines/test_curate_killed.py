"""kill -9 in the middle of a write, the JVM left to do as it likes; then the same run again."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from halocline_governance import keys
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_pipelines.curate import curate
from halocline_pipelines.ingest.run import ingest
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import english
from halocline_pipelines.recipes.firm import Firm, FirmConfig, generate
from halocline_pipelines.spark import session

pytestmark = [pytest.mark.spark, pytest.mark.slow]

BUY = Label("restricted", sides=("buy",), issuers=("brightwater",))


def firm() -> Firm:
    return generate(FirmConfig(num_rationales=60, num_memos=0, num_tickets=0, canary_repeats=4))


def run(job: Job) -> None:
    ingest(job, [source for source in firm().sources if source.name.startswith("firm:rationales")])
    curate(job, "buy", english())


def test_no_row_is_lost_or_doubled(open_job: Callable[[Path], Job], tmp_path: Path) -> None:
    """Killed in each write, one run after the other; what their JVMs still do comes between."""
    with ExitStack() as leaving:
        for at in ("documents to buy", "curation.signals of", "curated.documents of"):
            _kill(tmp_path, at, leaving)
        job = open_job(tmp_path)
        run(job)
        tables = ("raw.documents", "curation.decisions", "curated.documents")
        raw, ledger, curated = (_uids(job, table) for table in tables)
        signals = _uids(job, "curation.signals")
    documents = [one for source in firm().sources[:2] for one in source.documents()]
    assert len(raw) == len(set(raw)) == len(documents)
    assert sorted(ledger) == sorted(raw)
    assert len(curated) == len(set(curated)) < len(raw)
    assert set(signals) == set(raw)
    assert len(signals) % len(raw) == 0


def _kill(home: Path, at: str, leaving: ExitStack) -> None:
    """Kill a run once it says that it writes this; its JVM, when all is over."""
    child = subprocess.Popen(
        [sys.executable, __file__, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    leaving.callback(_end, child.pid)
    assert child.stdout is not None
    with child.stdout as told:
        line = next((line for line in told if at in line), None)
        child.send_signal(signal.SIGKILL)
    child.wait()
    assert line is not None


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _uids(job: Job, table: str) -> list[int]:
    plan = job.guard.plan(job.principal, Purpose.CURATION, f"buy:{table}", ["row_uid"])
    return job.guard.table(plan)["row_uid"].to_pylist()


def main(home: Path) -> None:
    """What the child does: the run, told line by line."""
    spark = session(Path(sys.prefix) / "jars", home / "spark", master="local[1]", memory_gb=1)
    with Journal.open(home / "journal", Signer(keys.ed25519(home / "keys" / "journal"))) as journal:
        gates = Gates(open_engine("embedded", None, firm().policy_data()), journal)
        lake = Lake(home / "lake")
        service = Principal("svc:test", ("service",), BUY)
        secret = b"a master key that only tests use"
        run(Job(spark, lake, gates, Guard(lake, gates), service, "run-0", secret, tell))


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
