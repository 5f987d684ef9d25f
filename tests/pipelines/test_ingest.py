"""Through the ingest gate into `raw.documents`: what, where, under which label, and once only."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from halocline_governance import tables as governed
from halocline_governance.errors import LeaseHeld, Refused
from halocline_governance.journal import read
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Location
from halocline_governance.principal import Principal, Purpose
from halocline_pipelines import tables
from halocline_pipelines.ingest.run import LEDGER, RAW, ingest
from halocline_pipelines.ingest.source import Document, Source
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.firm import GPL_SOURCE, UNLABELLED_SOURCE, Firm

pytestmark = pytest.mark.spark

BUY = Label("confidential", sides=("buy",))


def source(name: str, *documents: Document, label: Label | None = BUY) -> Source:
    return Source(name, "LicenseRef-Internal", label, lambda: iter(documents))


def rows(job: Job, compartment: str, table: str = RAW) -> list[dict[str, object]]:
    plan = job.guard.plan(job.principal, Purpose.CURATION, f"{compartment}:{table}")
    return job.guard.table(plan).to_pylist()


def events(home: Path, kind: str) -> list[dict[str, object]]:
    return [event for _, _, event in read(home / "journal") if event["kind"] == kind]


def test_the_firm_lies_where_its_labels_say(job: Job, small_firm: Firm, tmp_path: Path) -> None:
    report = ingest(job, small_firm.sources)
    assert {one.source for one in report.refused} == {GPL_SOURCE, UNLABELLED_SOURCE}
    assert all(one.decision_id and one.reasons for one in report.refused)
    assert report.quarantined == ()
    expected: dict[str, dict[tuple[str, str], str]] = {}
    for one in small_firm.sources:
        if one.name not in small_firm.truth.refused_sources and one.label:
            place = expected.setdefault(one.label.compartment, {})
            place |= {(one.name, d.external_id): d.text or "" for d in one.documents()}
    assert report.accepted == {name: len(texts) for name, texts in expected.items()}
    assert report.compartments == ("buy", "sell", "sell.acme", "sell.globex")
    labels = {one.name: one.label for one in small_firm.sources}
    for compartment, texts in expected.items():
        found = rows(job, compartment)
        assert {(row["source"], row["external_id"]): row["text"] for row in found} == texts
        assert len({row["row_uid"] for row in found}) == len(texts)
        for row in found:
            label = labels[str(row["source"])]
            assert label is not None
            assert row["label_id"] == label.label_id
            assert all("@" not in key for key in row["subject_keys"])  # type: ignore[union-attr]
    told = events(tmp_path, "ingest")
    assert {event["object"]["compartment"]: event["object"]["num_rows"] for event in told} == {  # type: ignore[index]
        name: len(texts) for name, texts in expected.items()
    }
    assert not list((tmp_path / "lake").rglob("_staging"))


def test_a_second_run_writes_nothing(job: Job, tmp_path: Path) -> None:
    some = source("s", Document("1", "one"), Document("2", "two"))
    first = ingest(job, [some])
    version = job.lake.version("buy", RAW)
    second = ingest(replace(job, run_id="run-2"), [some])
    assert (first.accepted, second.accepted) == ({"buy": 2}, {"buy": 0})
    assert second.present == {"buy": 2}
    assert job.lake.version("buy", RAW) == version
    assert len(events(tmp_path, "ingest")) == 1


def test_what_is_new_is_added_under_the_same_run(job: Job) -> None:
    one, two, changed = Document("1", "one"), Document("2", "two"), Document("1", "one, again")
    ingest(job, [source("s", one)])
    report = ingest(job, [source("s", one, two, changed, two)])
    assert (report.accepted, report.present) == ({"buy": 2}, {"buy": 1})
    assert sorted(str(row["text"]) for row in rows(job, "buy")) == ["one", "one, again", "two"]


class Killed(BaseException):
    """Nothing in the code under test may catch this."""


@pytest.mark.parametrize("step", range(1, 5))
def test_killed_anywhere_and_run_again(job: Job, step: int) -> None:
    sources = [
        source("s", Document("1", "one"), Document("2", "two")),
        source("p", Document("1", "three"), label=PUBLIC),
    ]
    told: list[str] = []

    def progress(message: str) -> None:
        told.append(message)
        if len(told) == step:
            raise Killed

    with pytest.raises(Killed):
        ingest(replace(job, progress=progress), sources)
    ingest(job, sources)
    assert sorted(str(row["text"]) for row in rows(job, "buy")) == ["one", "two"]
    assert [row["text"] for row in rows(job, "public")] == ["three"]


def test_a_refused_source_is_not_read(job: Job) -> None:
    def unread() -> Iterator[Document]:
        raise AssertionError("a refused source was read")

    sources = [
        Source("no label", "MIT", None, unread),
        Source("no licence", None, PUBLIC, unread),
        Source("gpl", "GPL-3.0-only", PUBLIC, unread),
        Source("unknown", "to be discussed", PUBLIC, unread),
        Source("two sides", "MIT", Label("internal", sides=("buy", "sell")), unread),
        Source("above clearance", "MIT", Label("restricted", sides=("legal",)), unread),
    ]
    report = ingest(job, sources)
    assert [one.source for one in report.refused] == [one.name for one in sources]
    assert job.lake.compartments() == []


def test_a_caller_without_the_role_brings_in_nothing(job: Job) -> None:
    analyst = Principal("ana", ("analyst",), job.principal.clearance)
    report = ingest(replace(job, principal=analyst), [source("s", Document("1", "one"))])
    assert [one.source for one in report.refused] == ["s"]


def test_unreadable_documents_are_in_quarantine_with_a_reason(job: Job) -> None:
    some = source(
        "s",
        Document("good", "text"),
        Document("bad", error="not UTF-8 text"),
        Document("torn", "half a \ud83d pair"),
    )
    report = ingest(job, [some])
    assert [(one.external_id, one.reason) for one in report.quarantined] == [
        ("bad", "not UTF-8 text"),
        ("torn", "not Unicode text"),
    ]
    ledger = rows(job, "buy", LEDGER)
    assert {row["outcome"] for row in ledger} == {"quarantined"}
    assert {row["reason"] for row in ledger} == {"not UTF-8 text", "not Unicode text"}
    assert {row["policy_revision"] for row in ledger} == {job.gates.revision}
    ingest(replace(job, run_id="run-2"), [some])
    assert len(rows(job, "buy", LEDGER)) == 2
    assert [row["text"] for row in rows(job, "buy")] == ["text"]


def test_a_label_is_not_changed_by_ingesting_again(job: Job) -> None:
    ingest(job, [source("s", Document("1", "one"))])
    raised = Label("restricted", sides=("buy",))
    new = source("new", Document("1", "x"))
    with pytest.raises(Refused, match="under another label"):
        ingest(job, [new, source("s", Document("1", "one"), label=raised)])
    assert [row["text"] for row in rows(job, "buy")] == ["one"]


def test_one_writer_at_a_time(job: Job) -> None:
    with job.lake.lease("buy", RAW), pytest.raises(LeaseHeld):
        ingest(job, [source("s", Document("1", "one"))])


def test_no_text_lies_in_a_delta_log(job: Job, tmp_path: Path) -> None:
    ingest(job, [source("s", Document("1", "unmistakable words"))])
    logs = list((tmp_path / "lake").rglob("_delta_log/*.json"))
    assert logs
    assert not [log for log in logs if "unmistakable" in log.read_text()]


def test_an_orphaned_jvm_and_the_repetition_are_one_write(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Both looked at the same version and write the same rows; the later commit does nothing."""
    place = Location(str(tmp_path / "ledger"))
    tables.create(place, LEDGER)
    row = dict.fromkeys(("label_id", "source", "outcome", "reason", "rule", "recipe"), "x")
    row |= {"policy_revision": "x", "run_id": "x"}
    frame = spark.createDataFrame(
        pa.Table.from_pylist(
            [{**row, "row_uid": 1, "kept_uid": None}],
            schema=governed.table(LEDGER).arrow(),
        )
    )
    seen = tables.version(place)
    for _ in range(2):
        tables.append(frame, place, LEDGER, tables.app_id(b"k" * 32, place, seen, [1]))
    assert tables.count(place) == 1
    tables.append(frame, place, LEDGER, tables.app_id(b"k" * 32, place, tables.version(place), [1]))
    assert tables.count(place) == 2
