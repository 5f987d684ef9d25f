"""Curation against the firm's ground truth, and against itself when killed, grown, changed."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path
from typing import cast

import pytest

from halocline_governance.detect.pii import PiiDetector
from halocline_governance.errors import Denied, LeaseHeld
from halocline_governance.journal import read
from halocline_governance.label import Label
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import row_uid
from halocline_governance.scrub.pseudonym import TOKEN, PseudonymKey
from halocline_governance.scrub.vault import Vault
from halocline_pipelines.curate import CurateReport, curate
from halocline_pipelines.filters.gopher_quality import GopherQuality
from halocline_pipelines.filters.toxicity import Toxicity
from halocline_pipelines.ingest.run import ingest
from halocline_pipelines.ingest.source import Document, Source
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import CurationRecipe, english
from halocline_pipelines.recipes.firm import Firm, FirmConfig, generate
from halocline_pipelines.recipes.firm_truth import Truth
from tests.pipelines.conftest import sound

pytestmark = pytest.mark.spark

RAW, SIGNALS = "raw.documents", "curation.signals"
LEDGER, CURATED = "curation.decisions", "curated.documents"
BUY = Label("confidential", sides=("buy",))
Narrow = Callable[[Job, str], Job]
Row = dict[str, object]


def rows(job: Job, compartment: str, table: str) -> list[Row]:
    plan = job.guard.plan(job.principal, Purpose.CURATION, f"{compartment}:{table}")
    return job.guard.table(plan).to_pylist()


@dataclass(frozen=True)
class Done:
    """A whole firm, ingested and curated."""

    job: Job
    home: Path
    truth: Truth
    reports: dict[str, CurateReport]
    raw: dict[str, Row]
    ledger: dict[str, Row]
    curated: dict[str, Row]
    signals: dict[str, list[Row]]


@pytest.fixture(scope="module")
def done(
    open_job: Callable[[Path], Job],
    small_firm: Firm,
    narrowed: Narrow,
    tmp_path_factory: pytest.TempPathFactory,
) -> Done:
    home = tmp_path_factory.mktemp("done")
    job = open_job(home)
    places = ingest(job, small_firm.sources).compartments
    reports = {place: curate(narrowed(job, place), place, english()) for place in places}
    raw = {str(row["external_id"]): row for place in places for row in rows(job, place, RAW)}
    names = {row["row_uid"]: name for name, row in raw.items()}
    signals: dict[str, list[Row]] = {}
    for place in places:
        for row in rows(job, place, SIGNALS):
            signals.setdefault(names[row["row_uid"]], []).append(row)
    ledger, curated = (
        {names[row["row_uid"]]: row for place in places for row in rows(job, place, table)}
        for table in (LEDGER, CURATED)
    )
    return Done(job, home, small_firm.truth, reports, raw, ledger, curated, signals)


def test_every_row_is_decided_once_with_a_reason(done: Done) -> None:
    every = [row for place in done.reports for row in rows(done.job, place, LEDGER)]
    assert len(every) == len(done.raw) == len(done.ledger)
    for name, row in done.ledger.items():
        assert row["outcome"] in ("kept", "dropped", "quarantined")
        assert row["reason"]
        assert "@" in str(row["rule"])
        assert row["recipe"] == english().id
        assert row["policy_revision"] == done.job.gates.revision
        assert row["label_id"] == done.raw[name]["label_id"]


def test_reports_are_what_the_ledger_says(done: Done) -> None:
    for place, report in done.reports.items():
        here = rows(done.job, place, LEDGER)
        found = Counter(str(row["outcome"]) for row in here)
        assert report.kept == found["kept"]
        assert sum(report.dropped.values()) == found["dropped"]
        assert sum(report.quarantined.values()) == found["quarantined"] == 0
        assert report.dropped == Counter(
            str(row["rule"]) for row in here if row["outcome"] == "dropped"
        )
        assert report.num_pii == sum(
            len(TOKEN.findall(str(row["text"]))) for row in rows(done.job, place, CURATED)
        )


def test_what_is_kept_is_curated_under_its_label(done: Done) -> None:
    kept = {name for name, row in done.ledger.items() if row["outcome"] == "kept"}
    assert set(done.curated) == kept
    for name, row in done.curated.items():
        raw = done.raw[name]
        for column in ("label_id", "source", "licence", "subject_keys"):
            assert row[column] == raw[column]
        assert row["language"] == "en"


def test_what_is_sound_is_kept(done: Done) -> None:
    copies = {pair.copy for pair in (*done.truth.exact_duplicates, *done.truth.near_duplicates)}
    originals = {pair.original for pair in done.truth.exact_duplicates + done.truth.near_duplicates}
    sound = set(done.raw) - done.truth.faulty - copies - originals
    lost = [name for name in sound if done.ledger[name]["outcome"] != "kept"]
    assert len(lost) <= 0.02 * len(sound)


def is_likely(found: int, num: int, recall: float) -> bool:
    """Whether so few come by a chance of more than 1 in 10,000."""
    return (
        sum(comb(num, k) * recall**k * (1 - recall) ** (num - k) for k in range(found + 1)) > 1e-4
    )


def test_faults_are_found(done: Done) -> None:
    def dropped(names: tuple[str, ...]) -> float:
        return sum(done.ledger[name]["outcome"] == "dropped" for name in names) / len(names)

    assert dropped(done.truth.foreign) == 1
    assert dropped(done.truth.low_quality) == 1
    num = len(done.truth.toxic)
    assert is_likely(round(dropped(done.truth.toxic) * num), num, 0.93)
    rules = {name: str(row["rule"]).partition("@")[0] for name, row in done.ledger.items()}
    toxic = [name for name, rule in rules.items() if rule == "toxicity"]
    assert set(toxic) <= set(done.truth.toxic)


def test_of_duplicates_one_is_kept(done: Done) -> None:
    uids = {name: row["row_uid"] for name, row in done.raw.items()}
    for pair in done.truth.exact_duplicates:
        one, two = done.ledger[pair.original], done.ledger[pair.copy]
        assert [one["outcome"], two["outcome"]].count("kept") == 1
        gone, stays = (one, two) if two["outcome"] == "kept" else (two, one)
        assert (gone["rule"], gone["kept_uid"]) == ("exact@1", stays["row_uid"])
    caught = sum(
        [done.ledger[one]["outcome"] for one in (pair.original, pair.copy)].count("kept") == 1
        for pair in done.truth.near_duplicates
    )
    assert is_likely(caught, len(done.truth.near_duplicates), 0.95)
    truly = done.truth.exact_duplicates + done.truth.near_duplicates
    paired = {frozenset((uids[pair.original], uids[pair.copy])) for pair in truly}
    for row in done.ledger.values():
        if row["kept_uid"] is not None:
            assert frozenset((row["row_uid"], row["kept_uid"])) in paired


def spans_of(row: Row) -> list[dict[str, object]]:
    return cast("list[dict[str, object]]", row["spans"])


def test_planted_values_are_found_and_gone(done: Done) -> None:
    found = 0
    for span in done.truth.pii:
        spans = [
            (one["start"], one["end"], one["kind"])
            for row in done.signals[span.external_id]
            for one in (spans_of(row) if row["rule"] == PiiDetector().id else ())
        ]
        found += (span.start, span.end, span.kind) in spans
        text = str(done.curated.get(span.external_id, {}).get("text", ""))
        assert span.value not in text
    assert found >= 0.99 * len(done.truth.pii)
    for span in done.truth.near_misses:
        if span.external_id in done.curated:
            assert span.value in str(done.curated[span.external_id]["text"])


def test_canaries_reach_the_curated_text(done: Done) -> None:
    for planted in done.truth.canaries:
        for name in planted.external_ids:
            assert planted.sentence in str(done.curated[name]["text"])


def test_signals_hold_no_values(done: Done) -> None:
    files = list((done.home / "lake").rglob("curation/*/*.parquet"))
    values = [span.value.encode() for span in done.truth.pii]
    assert files
    for signals in done.signals.values():
        assert {row["recipe"] for row in signals} == {english().signals_id}
        assert Counter(row["rule"] for row in signals).most_common(1)[0][1] == 1
    for file in files:
        content = file.read_bytes()
        assert not [value for value in values if value in content]


def test_a_second_run_changes_nothing(done: Done, narrowed: Narrow) -> None:
    lake = done.job.lake
    tables = [(place, table) for place in done.reports for table in (SIGNALS, CURATED, LEDGER)]
    before = {one: lake.version(*one) for one in tables}
    for place, first in done.reports.items():
        report = curate(replace(narrowed(done.job, place), run_id="run-2"), place, english())
        assert (report.kept, report.dropped, report.quarantined) == (0, {}, {})
        assert report.num_earlier == first.kept + sum(first.dropped.values())
    assert {one: lake.version(*one) for one in tables} == before


def test_the_journal_tells_before_it_is_written(done: Done) -> None:
    events = [event for _, _, event in read(done.home / "journal") if event["kind"] == "curate"]
    told = {event["object"]["compartment"]: event["object"]["kept"] for event in events}
    assert told == {place: report.kept for place, report in done.reports.items()}


def source(name: str, *documents: Document, label: Label = BUY) -> Source:
    return Source(name, "LicenseRef-Internal", label, lambda: iter(documents))


def buy_side(firm: Firm) -> list[Document]:
    (rationales,) = (one for one in firm.sources if one.name == "firm:rationales")
    return list(rationales.documents())


def state(job: Job) -> dict[str, list[Row]]:
    """Everything written but who wrote it."""
    found: dict[str, list[Row]] = {}
    for table in (SIGNALS, LEDGER, CURATED):
        cleaned = [
            {k: v for k, v in row.items() if k != "run_id"} for row in rows(job, "buy", table)
        ]
        found[table] = sorted(cleaned, key=repr)
    return found


class Killed(BaseException):
    """Nothing in the code under test may catch this."""


@pytest.fixture(scope="module")
def raw_home(
    open_job: Callable[[Path], Job], small_firm: Firm, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A lake with the buy side's raw documents, to copy."""
    home = tmp_path_factory.mktemp("raw")
    documents = buy_side(small_firm)
    ingest(open_job(home), [source("a", *documents[::2]), source("b", *documents[1::2])])
    return home


@pytest.fixture
def raw_job(open_job: Callable[[Path], Job], raw_home: Path, tmp_path: Path) -> Job:
    shutil.copytree(raw_home / "lake", tmp_path / "lake")
    return open_job(tmp_path)


@pytest.fixture(scope="module")
def whole(
    open_job: Callable[[Path], Job], raw_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Row]]:
    """What an undisturbed run leaves."""
    home = tmp_path_factory.mktemp("whole")
    shutil.copytree(raw_home / "lake", home / "lake")
    job = open_job(home)
    curate(job, "buy", english())
    return state(job)


@pytest.mark.parametrize("step", range(1, 5))
def test_killed_anywhere_and_run_again(
    raw_job: Job, whole: dict[str, list[Row]], step: int
) -> None:
    told: list[str] = []

    def progress(message: str) -> None:
        told.append(message)
        if len(told) == step:
            raise Killed

    with pytest.raises(Killed):
        curate(replace(raw_job, progress=progress), "buy", english())
    curate(replace(raw_job, run_id="run-2"), "buy", english())
    assert state(raw_job) == whole


def test_the_reduced_comparison_finds_the_same(raw_job: Job, whole: dict[str, list[Row]]) -> None:
    curate(raw_job, "buy", english(), max_driver_rows=0)
    assert state(raw_job) == whole


def test_what_comes_later_is_compared_with_what_was_kept(
    job: Job, small_firm: Firm, whole: dict[str, list[Row]]
) -> None:
    documents = buy_side(small_firm)
    ingest(job, [source("a", *documents[::2])])
    first = curate(job, "buy", english())
    early = {row["row_uid"]: row for row in rows(job, "buy", LEDGER)}
    ingest(job, [source("b", *documents[1::2])])
    second = curate(job, "buy", english())
    late = {row["row_uid"]: row for row in rows(job, "buy", LEDGER)}
    assert second.num_earlier == len(early) == first.kept + sum(first.dropped.values())
    assert {uid: late[uid] for uid in early} == early
    assert len(late) == len(rows(job, "buy", LEDGER)) == len(documents)
    at_once = Counter(row["outcome"] for row in whole[LEDGER])
    assert Counter(row["outcome"] for row in late.values()) == at_once
    assert any(row["kept_uid"] in early for uid, row in late.items() if uid not in early)
    assert len(rows(job, "buy", CURATED)) == at_once["kept"]


def test_killed_between_text_and_ledger_then_grown(job: Job, small_firm: Firm) -> None:
    """What stands in the curated text stays, though a smaller duplicate comes before its entry."""
    text = next(sound(buy_side(small_firm)))
    ids = sorted(range(20), key=lambda n: row_uid("buy", "s", str(n), _sha256(text)))
    late, early = str(ids[0]), str(ids[-1])

    def progress(message: str) -> None:
        if LEDGER in message:
            raise Killed

    ingest(job, [source("s", Document(early, text))])
    with pytest.raises(Killed):
        curate(replace(job, progress=progress), "buy", english())
    ingest(job, [source("s", Document(late, text))])
    curate(job, "buy", english())
    outcomes = {row["outcome"]: row["row_uid"] for row in rows(job, "buy", LEDGER)}
    (curated,) = rows(job, "buy", CURATED)
    assert outcomes["kept"] == curated["row_uid"] == row_uid("buy", "s", early, _sha256(text))
    assert set(outcomes) == {"kept", "dropped"}


def test_another_recipe_takes_the_place_and_the_first_comes_back(
    raw_job: Job, whole: dict[str, list[Row]]
) -> None:
    strict = replace(english(), name="strict", filters=(GopherQuality(min_words=230),))
    curate(raw_job, "buy", english())
    num_signals = len(rows(raw_job, "buy", SIGNALS))
    report = curate(raw_job, "buy", strict)
    curated = rows(raw_job, "buy", CURATED)
    assert {row["recipe"] for row in curated} == {strict.id}
    assert 0 < report.kept == len(curated) < len(whole[LEDGER])
    assert len(rows(raw_job, "buy", SIGNALS)) == num_signals
    curate(raw_job, "buy", english())
    assert state(raw_job)[CURATED] == whole[CURATED]
    ledger = [row for row in state(raw_job)[LEDGER] if row["recipe"] == english().id]
    assert ledger == whole[LEDGER]


def test_a_row_never_goes_for_one_its_readers_may_not_see(job: Job, seed: int) -> None:
    # Neither copies nor other languages among them: nothing else to drop a row for.
    alone = generate(FirmConfig(seed=seed, share_exact=0, share_near=0, share_foreign=0))
    texts = [one.text or "" for one in buy_side(alone) if len(one.text or "") > 900][:4]
    assert len(texts) == 4
    restricted = Label("restricted", sides=("buy",), issuers=("corvane",))
    plain = source("plain", *(Document(str(n), text) for n, text in enumerate(texts)))
    secret = source(
        "secret", *(Document(str(n), text) for n, text in enumerate(texts)), label=restricted
    )
    ingest(job, [secret, plain])
    curate(job, "buy", replace(english(), filters=(Toxicity(max_score=1),)))
    ledger = rows(job, "buy", LEDGER)
    assert {row["outcome"] for row in ledger if row["label_id"] == BUY.label_id} == {"kept"}
    assert {row["outcome"] for row in ledger if row["label_id"] == restricted.label_id} == {
        "dropped"
    }


def test_who_may_not_read_cannot_curate(raw_job: Job) -> None:
    outsider = Principal("svc:sell", ("service",), Label("restricted", sides=("sell",)))
    with pytest.raises(Denied):
        curate(replace(raw_job, principal=outsider), "buy", english())
    assert raw_job.lake.version("buy", CURATED) is None


def test_one_curation_at_a_time(raw_job: Job) -> None:
    with raw_job.lake.lease("buy", CURATED), pytest.raises(LeaseHeld):
        curate(raw_job, "buy", english())


def test_a_document_that_cannot_be_scanned_is_in_quarantine(
    job: Job, small_firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weights file that is missing in the worker: the detector scans nothing, and says so."""
    from halocline_governance.detect.toxicity import ToxicityDetector
    from halocline_pipelines import curate as module
    from halocline_pipelines.assessment import Assessor

    def broken(recipe: CurationRecipe, key: PseudonymKey, vault: Vault | None) -> Assessor:
        return Assessor(recipe, key, scorers=(ToxicityDetector(Path("nowhere")),), vault=vault)

    monkeypatch.setattr(module, "Assessor", broken)
    ingest(job, [source("s", *buy_side(small_firm)[:5])])
    report = curate(job, "buy", english())
    assert report.quarantined == {ToxicityDetector(Path("nowhere")).id: 5}
    assert rows(job, "buy", CURATED) == []
    assert {row["reason"] for row in rows(job, "buy", LEDGER)} == {"unscanned: failed: Refused"}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
