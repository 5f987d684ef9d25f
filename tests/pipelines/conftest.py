"""One Spark session for all, and a small real platform for each: lake, journal, policies."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from halocline_governance import keys
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import Label, join
from halocline_governance.lake import Lake
from halocline_governance.policy.choose import open_engine
from halocline_governance.principal import Principal
from halocline_governance.scrub.pseudonym import PseudonymKey
from halocline_pipelines.assessment import Assessor
from halocline_pipelines.ingest.source import Document
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import english
from halocline_pipelines.recipes.firm import Firm, FirmConfig, generate
from halocline_pipelines.spark import session

SECRET = b"a master key that only tests use"

OpenJob = Callable[..., Job]


@pytest.fixture(scope="session")
def jars() -> Path:
    return Path(sys.prefix) / "jars"


@pytest.fixture(scope="session")
def spark(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    running = session(jars, tmp_path_factory.mktemp("spark"), master="local[2]", memory_gb=2)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def small_firm(seed: int) -> Firm:
    """A firm of another seed in each run; some of everything is in it."""
    return generate(
        FirmConfig(
            seed=seed,
            num_rationales=60,
            num_memos=40,
            num_tickets=40,
            share_exact=0.1,
            share_near=0.1,
            share_toxic=0.1,
            share_low_quality=0.1,
            share_foreign=0.1,
            canary_repeats=6,
        )
    )


@pytest.fixture(scope="session")
def open_job(spark: SparkSession, small_firm: Firm) -> Iterator[OpenJob]:
    """`open_job(home)` is a job of a service cleared for the whole firm, on a lake in `home`."""
    journals: list[Journal] = []

    def opened(home: Path, run_id: str = "run-1") -> Job:
        journal = Journal.open(home / "journal", Signer(keys.ed25519(home / "keys" / "journal")))
        journals.append(journal)
        gates = Gates(open_engine("embedded", None, small_firm.policy_data()), journal)
        lake = Lake(home / "lake")
        service = Principal("svc:test", ("service",), clearance(small_firm))
        return Job(spark, lake, gates, Guard(lake, gates), service, run_id, SECRET)

    yield opened
    for journal in journals:
        journal.close()


@pytest.fixture
def job(open_job: OpenJob, tmp_path: Path) -> Job:
    return open_job(tmp_path)


@pytest.fixture(scope="session")
def narrowed() -> Callable[[Job, str], Job]:
    """The same job, as the service of one compartment."""

    def narrow(job: Job, compartment: str) -> Job:
        whole = join(job.lake.labels(compartment).values())
        return replace(job, principal=Principal(f"svc:{compartment}", ("service",), whole))

    return narrow


def clearance(firm: Firm) -> Label:
    return join(source.label for source in firm.sources if source.label)


def sound(documents: Iterable[Document]) -> Iterator[str]:
    """The texts that `english` keeps, duplicates aside: of a firm, others with each seed."""
    assessor = Assessor(english(), PseudonymKey.derive(SECRET, "buy"))
    texts = (one.text or "" for one in documents)
    return (text for text in texts if assessor.assess(text).outcome == "kept")
