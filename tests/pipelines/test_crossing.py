"""What belongs to both sides: in under a crossing, curated, read, and denied when that ends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from halocline_governance import keys
from halocline_governance.control_room import ControlRoom
from halocline_governance.errors import Denied, NoCompartment
from halocline_governance.gates import Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import Label
from halocline_governance.lake import Lake
from halocline_governance.policy import open_engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.state import Crossings, Facts, History, Store
from halocline_governance.state.crossings import Request
from halocline_pipelines.curate import curate
from halocline_pipelines.ingest.files import files
from halocline_pipelines.ingest.run import ingest
from halocline_pipelines.ingest.source import Document, Source
from halocline_pipelines.job import Job
from halocline_pipelines.recipes.curation import english
from halocline_pipelines.recipes.firm import Firm
from halocline_pipelines.training.inputs import TrainRequest, TrainSource, admit, open_sources

pytestmark = pytest.mark.spark

NOW = 1_700_000_000
HOUR = 3600
PLACE = "x.c-merger"
RAW, CURATED = "raw.documents", "curated.documents"
TABLES = (RAW, "curation.signals", "curation.decisions", CURATED)
BUY = Label("confidential", ("buy",))
BOTH = Label("confidential", ("buy", "sell"))
WHOLE = Label("restricted", ("buy", "sell"), ("acme", "globex", "initech"))
ENGINEER = Principal("dana", ("data-engineer",), BUY)
BEA = Principal("bea", ("analyst",), BUY)
DAN = Principal("dan", ("analyst",), BUY)
CORA = Principal("cora", ("analyst",), BOTH)
MIA = Principal("mia", ("banker",), BUY)
ADA = Principal("ada", ("approver",), WHOLE)
BEN = Principal("ben", ("compliance",), WHOLE)
TRAINER = Principal("svc:train", ("service",), BOTH)


@dataclass
class World:
    job: Job
    room: ControlRoom
    home: Path
    now: float = NOW
    ticks: float = 0.0

    def opened(
        self, ident: str, purpose: Purpose, who: str, *sides: str, tenants: str = ""
    ) -> None:
        asked = Request(
            id=ident,
            requester="mia",
            subjects=(who,),
            purpose=purpose,
            sides=sides,
            tenants=tuple(tenants.split()),
            reason="fairness opinion for the merger",
            not_before=NOW,
            expires=NOW + HOUR,
        )
        self.room.request(MIA, asked)
        self.room.approve(ADA, ident)
        _, decision = self.room.approve(BEN, ident)
        assert decision is not None
        assert decision.allow, decision.reasons

    def texts(self, who: Principal, table: str = f"{PLACE}:{CURATED}") -> list[str]:
        plan = self.job.guard.plan(who, Purpose.ANALYSIS, table, ["label_id", "text"])
        found = self.job.guard.table(plan).to_pylist()
        assert {row["label_id"] for row in found} == {BOTH.label_id}
        return sorted(row["text"] for row in found)

    def versions(self) -> list[int | None]:
        return [self.job.lake.version(PLACE, table) for table in TABLES]

    def refused(self, source: Source) -> bool:
        return [one.source for one in ingest(self.job, [source]).refused] == [source.name]

    def steady(self) -> float:
        """Every look at the clock is two seconds after the one before."""
        self.ticks += 2
        return self.ticks


@pytest.fixture
def world(spark: SparkSession, tmp_path: Path) -> Iterator[World]:
    firm = {"restricted_issuers": [], "competitors": [["acme", "globex"]]}
    signer = Signer(keys.ed25519(tmp_path / "keys" / "journal"))
    with Journal.open(tmp_path / "journal", signer) as kept:
        store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
        made: list[World] = []
        facts = Facts(store, Crossings(store), History(store))
        gates = Gates(open_engine("embedded", None, firm), kept, lambda: made[0].now, facts)
        lake = Lake(tmp_path / "lake")
        guard = Guard(lake, gates, None, lambda: made[0].now, lambda: made[0].steady())
        job = Job(spark, lake, gates, guard, ENGINEER, "run-1", b"a master key that only tests use")
        room = ControlRoom(Crossings(store), gates, lambda: made[0].now)
        made.append(World(job, room, tmp_path))
        yield made[0]
        store.close()


@pytest.fixture
def folder(tmp_path: Path, small_firm: Firm) -> Path:
    """Documents of both sides, and the manifest that names the crossing."""
    path = tmp_path / "merger"
    path.mkdir()
    (rationales,) = (one for one in small_firm.sources if one.name == "firm:rationales")
    for number, document in zip(range(12), rationales.documents(), strict=False):
        (path / f"{number}.txt").write_text(document.text or "")
    (path / "halocline.yaml").write_text(
        "source: merger\nlicence: LicenseRef-Internal\nlabel: confidential sides=buy,sell\n"
        "crossing: c-merger\n"
    )
    return path


def source(name: str = "more", label: Label = BOTH, crossing: str | None = "c-merger") -> Source:
    documents = (Document("1", "one"),)
    return Source(name, "LicenseRef-Internal", label, lambda: iter(documents), crossing)


def test_from_ingest_to_reading_and_not_beyond_the_crossing(world: World, folder: Path) -> None:
    assert world.refused(files(folder))
    assert world.job.lake.compartments() == []

    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")
    assert ingest(world.job, [files(folder)]).accepted == {PLACE: 12}
    assert curate(world.job, PLACE, english()).kept > 0
    assert world.job.lake.compartments() == [PLACE]
    allowed = [one for one in answers(world.home, "ingest") if one["allow"]]
    assert allowed
    for one in allowed:
        assert one["obligations"]["crossings"] == ["c-merger"]
        assert one["obligations"]["until"] == NOW + HOUR

    # Of one side, nobody reads it; the crossing was for curation and for her.
    for who in (BEA, DAN, ENGINEER):
        with pytest.raises(Denied):
            world.texts(who)
    read_by_cora = world.texts(CORA)
    assert read_by_cora
    # Any crossing for analysis over what she lacks: the label says what it takes, not the name.
    world.opened("c-opinion", Purpose.ANALYSIS, "bea", "sell")
    assert world.texts(BEA) == world.texts(BEA, CURATED) == read_by_cora
    with pytest.raises(Denied):
        world.texts(DAN)

    world.room.revoke(MIA, "c-merger")
    before = world.versions()
    assert world.refused(source())
    with pytest.raises(Denied):
        curate(world.job, PLACE, english())
    cleared = replace(world.job, principal=replace(ENGINEER, clearance=BOTH))
    assert [one.source for one in ingest(cleared, [source()]).refused] == ["more"]
    assert world.versions() == before
    assert world.texts(BEA) == read_by_cora

    world.room.revoke(MIA, "c-opinion")
    with pytest.raises(Denied):
        world.texts(BEA)
    assert world.texts(CORA) == read_by_cora


def test_it_ends_by_itself(world: World) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")
    world.opened("c-opinion", Purpose.ANALYSIS, "bea", "buy", "sell")
    ingest(world.job, [source()])
    world.now = NOW + HOUR
    assert world.refused(source("later"))
    with pytest.raises(Denied):
        curate(world.job, PLACE, english())
    with pytest.raises(Denied):
        world.texts(BEA)
    assert world.job.lake.version(PLACE, CURATED) is None


def test_revoked_while_the_documents_are_read(world: World) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")

    def documents() -> Iterator[Document]:
        yield Document("1", "one")
        world.room.revoke(MIA, "c-merger")

    late = Source("late", "LicenseRef-Internal", BOTH, documents, "c-merger")
    with pytest.raises(Denied):
        ingest(world.job, [late])
    assert world.versions() == [None] * len(TABLES)
    assert not list((world.home / "lake").rglob("_staging"))


def test_revoked_while_it_is_curated(world: World) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")
    ingest(world.job, [source()])

    def progress(message: str) -> None:
        if message.startswith(f"writing {CURATED}"):
            world.room.revoke(MIA, "c-merger")

    with pytest.raises(Denied):
        curate(replace(world.job, progress=progress), PLACE, english())
    raw, signals, ledger, curated = world.versions()
    assert raw is not None
    assert (signals, ledger, curated) == (1, 0, 0)


def test_competitors_do_not_meet_under_a_crossing(world: World) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell", tenants="acme globex initech")
    rivals = Label("confidential", ("sell",), ("acme", "globex"))
    friends = Label("confidential", ("sell",), ("acme", "initech"))
    assert world.refused(source("rivals", rivals))
    assert ingest(world.job, [source("friends", friends)]).accepted == {PLACE: 1}
    other = Label("confidential", ("sell",), ("globex", "initech"))
    assert world.refused(source("the competitor of what was touched", other))


@pytest.mark.parametrize(
    "unfit",
    [
        source(label=Label("confidential", ("sell",))),
        source(label=Label("confidential", ("buy",))),
        source(label=Label("public")),
        source(crossing="c-other"),
        source(crossing="../buy"),
        source(crossing=None),
        source(label=Label("restricted", ("buy", "sell"))),
    ],
    ids=["sell", "buy", "public", "unknown", "malformed", "none", "restricted"],
)
def test_nothing_else_goes_there(world: World, unfit: Source) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")
    assert world.refused(unfit)
    assert world.job.lake.compartments() == []


def test_nothing_is_made_of_it_that_has_nowhere_to_lie(world: World, folder: Path) -> None:
    world.opened("c-merger", Purpose.CURATION, "dana", "buy", "sell")
    ingest(world.job, [files(folder)])
    curate(world.job, PLACE, english())
    request = TrainRequest(TRAINER, (TrainSource(f"{PLACE}:{CURATED}"),))
    opened = open_sources(world.job.guard, request)
    assert {label for one in opened for label in one.labels.values()} == {BOTH}
    with pytest.raises(Denied) as denied:
        admit(world.job.gates, TRAINER, opened)
    assert "the run would join more than one side or tenant" in denied.value.decision.reasons
    with pytest.raises(NoCompartment, match=r"cross\.md"):
        world.job.lake.intern(BOTH)


def answers(home: Path, gate: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [event["object"] for _, _, event in read(home / "journal")]
    return [one["answer"] for one in told if one.get("gate") == gate]
