"""The compliance report: complete, repeatable, escaped, and for compliance officers only."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import DeltaTable, write_deltalake

from halocline_governance import report, tables
from halocline_governance.errors import Denied, JournalCorrupt, Refused
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import PUBLIC, parse, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, InferenceRecord, Kind, row_uid
from halocline_governance.refs import ModelRef

BUY = parse_compact("confidential sides=buy")
OFFICER = Principal("cleo", ("compliance",), parse_compact("restricted sides=buy,sell"))
ANALYST = Principal("ana", ("analyst",), BUY)
TRAINER = Principal("svc:train", ("service",), BUY)
HOSTILE = "<script>alert('x')</script>"

Questions = dict[str, dict[str, Any]]


@dataclass
class World:
    """A small firm: some documents, a model of them, some answers."""

    root: Path
    journal: Journal
    signer: Signer
    gates: Gates
    questions: Questions

    @property
    def lake(self) -> Lake:
        return Lake(self.root / "lake")

    @property
    def sources(self) -> report.Sources:
        return report.Sources(
            guard=Guard(self.lake, self.gates),
            gates=self.gates,
            lineage=Lineage(self.lake),
            journal_dir=self.root / "journal",
            trust=self.signer.trust,
            ledger=[{"model": "house", "version": 1, "alias": "champion"}],
        )

    def ask(self, gate: Gate, **changed: Any) -> str:
        """One real decision about the gate's example question."""
        question = self.questions[gate.value]
        who = question["principal"]
        principal = Principal(who["subject"], tuple(who["roles"]), parse(who["clearance"]))
        resource = {**question["resource"], **changed}
        purpose = Purpose(question["purpose"])
        return self.gates.ask(gate, principal, purpose, resource, question["context"]).id

    def documents(self, count: int, source: str = "readmes", start: int = 0) -> None:
        rows: list[dict[str, Any]] = [
            {
                "row_uid": number,
                "label_id": self.lake.intern(BUY),
                "source": source,
                "licence": "MIT" if number % 2 else "Apache-2.0",
                "language": "en",
                "content_sha256": f"{number:064x}",
                "subject_keys": [],
                "num_pii": 0,
                "text": "t",
                "recipe": "r",
                "run_id": "r",
            }
            for number in range(start, start + count)
        ]
        self.write("curated.documents", rows)

    def model(self) -> ModelRef:
        """Recorded lineage from the documents to a deployed model."""
        guard, lineage = Guard(self.lake, self.gates), Lineage(self.lake)
        plan = guard.plan(TRAINER, Purpose.TRAINING, "buy:curated.documents")
        ids = [(lineage.add_dataset(ref, plan.label), 1.0) for ref in guard.refs(plan)]
        lineage.add_mixture("mix", "{}", ids)
        lineage.add_run("run-1", "mix", [(dsv_id, weight, 8, 8) for dsv_id, weight in ids])
        self.append(Kind.TRAIN, {"run_id": "run-1"})
        ref = ModelRef("house", 2, "a" * 64, BUY)
        lineage.add_model(ref, "run-1")
        self.append(Kind.REGISTER, {"weights_sha256": ref.weights_sha256})
        return ref

    def answer(self, request_id: str, text: str = "fine", **other: Any) -> None:
        """One call with real decisions, in the journal and in its table."""
        verdicts = [
            {**verdict, "sha256": sha(text)}
            for verdict in self.questions["release"]["resource"]["verdicts"]
        ]
        record = InferenceRecord(
            request_id=request_id,
            row_uid=row_uid(request_id),
            label_id=self.lake.intern(BUY),
            ts="2026-01-01T00:00:00.000000Z",
            finished_ts="2026-01-01T00:00:01.000000Z",
            subject="bea",
            endpoint="/v1/chat/completions",
            model="house",
            model_version=2,
            weights_sha256="a" * 64,
            serve_decision_id=self.ask(Gate.SERVE),
            release_decision_id=self.ask(Gate.RELEASE, sha256=sha(text), verdicts=verdicts),
            policy_revision=self.gates.revision,
            outcome="released",
            finish_reason="stop",
            prompt=HOSTILE,
            output=text,
            prompt_sha256=sha(HOSTILE),
            output_sha256=sha(text),
            released_sha256=sha(text),
            verdicts=json.dumps(verdicts),
            prompt_tokens=3,
            completion_tokens=4,
            mean_logprob=None,
            mean_entropy=None,
        )
        record = replace(record, **other)
        self.append(Kind.GENERATE, record.commitment())
        self.write(OUTPUTS, [record.as_json()])

    def append(self, kind: Kind, told: dict[str, Any]) -> None:
        self.journal.append(AuditEvent(kind, "svc", "inference", told))

    def write(self, table: str, rows: list[dict[str, Any]]) -> None:
        data = pa.Table.from_pylist(rows, schema=tables.table(table).arrow())
        with self.lake.lease("buy", table) as path:
            write_deltalake(path, data, mode="append")

    def report(self, request_id: str = "req-1", folder: str = "out", **other: Any) -> Built:
        paths = report.build(
            self.sources, other.get("who", OFFICER), request_id, self.root / folder,
            other.get("pin"),
        )  # fmt: skip
        return Built(paths.html.read_text(), paths.json.read_text(), paths)


@dataclass
class Built:
    html: str
    json: str
    paths: report.ReportPaths

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.json)


OUTPUTS = "serving.outputs"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def world(tmp_path: Path, embedded: Engine, questions: Questions) -> Iterator[World]:
    signer = Signer(Ed25519PrivateKey.generate())
    with Journal.open(tmp_path / "journal", signer) as journal:
        yield World(tmp_path, journal, signer, Gates(embedded, journal), questions)


@pytest.fixture
def told(world: World) -> World:
    world.documents(6)
    world.model()
    world.answer("req-1")
    return world


def test_it_answers_every_question_about_one_output(told: World) -> None:
    content = told.report().content
    answer = content["answer"]

    assert content["gaps"] == []
    assert content["journal"]["verified"] is True
    assert answer["asked"]["subject"] == "bea"
    assert [d["gate"] for d in answer["decisions"]] == ["serve", "release"]
    assert all(d["revision"] == told.gates.revision for d in answer["decisions"])
    assert answer["model"]["weights_sha256"] == answer["model"]["recorded_weights_sha256"]
    assert [run["run_id"] for run in answer["runs"]] == ["run-1"]
    dataset = answer["datasets"][0]
    assert (dataset["num_rows"], dataset["intact"]) == (6, True)
    assert dataset["licences"] == {"Apache-2.0": 3, "MIT": 3}
    assert [row["row_uid"] for row in dataset["first"]] == list("012345")


def test_every_proof_is_where_it_says(told: World) -> None:
    content = told.report().content
    places = {(p["log"], p["seq"]) for p in proofs(content)}
    sizes = {log["name"]: log["size"] for log in content["journal"]["logs"]}

    assert places
    assert all(0 <= seq < sizes[log] for log, seq in places)


def test_the_same_pin_gives_the_same_bytes(told: World) -> None:
    first = told.report()
    told.documents(3, start=100)
    told.answer("req-2")
    pin = report.parse(first.content["pin"])

    again = told.report(folder="again", pin=pin)

    assert (again.html, again.json) == (first.html, first.json)
    assert told.report(folder="now").json != first.json


@pytest.mark.parametrize(("rows", "answers"), [(4, 1), (9, 3)])
def test_the_numbers_follow_the_data(world: World, rows: int, answers: int) -> None:
    world.documents(rows)
    world.model()
    for number in range(answers):
        world.answer(f"req-{number}", outcome="held" if number else "released")
    world.ask(Gate.INGEST, licence={"expression": "GPL-3.0-only", "choices": [["GPL-3.0-only"]]})

    content = world.report("req-0").content

    assert content["answer"]["datasets"][0]["num_rows"] == rows
    assert content["period"]["outputs"]["num_outputs"] == answers
    assert content["period"]["outputs"]["by_outcome"].get("held", 0) == answers - 1
    assert content["period"]["ingest"]["num_refused"] == 1
    walls = {gate["gate"]: gate["denied"] for gate in content["period"]["walls"]["by_gate"]}
    assert walls["ingest"] == 1


def test_promotions_show_who_approved(told: World) -> None:
    told.ask(Gate.PROMOTE)
    told.ask(Gate.PROMOTE, approvals=[])

    shown = told.report().content["period"]["promotions"]

    assert [len(row["approvers"]) > 1 for row in shown["decisions"]] == [True, False]
    assert [row["allow"] for row in shown["decisions"]][1] is False
    assert shown["ledger"][0]["alias"] == "champion"


def test_hostile_text_is_text(world: World) -> None:
    world.documents(4, source=HOSTILE)
    world.model()
    world.answer("req-1", HOSTILE)
    world.ask(Gate.INGEST, source=HOSTILE)

    html = world.report().html

    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4
    assert 'http-equiv="Content-Security-Policy"' in html
    assert 'src="' not in html


@pytest.mark.parametrize(
    "who",
    [
        ANALYST,
        Principal("eve", (), OFFICER.clearance),
        Principal("mia", ("ml-engineer",), OFFICER.clearance),
        Principal("pat", ("compliance",), PUBLIC),
    ],
)
def test_nobody_else_gets_one(told: World, who: Principal) -> None:
    with pytest.raises(Denied):
        told.report(who=who)

    assert not (told.root / "out").exists()


def test_an_officer_of_the_other_side_sees_no_output(told: World) -> None:
    officer = Principal("cyd", ("compliance",), parse_compact("restricted sides=sell"))

    with pytest.raises(Denied):
        told.report(who=officer)


def test_an_output_that_is_not_there_is_refused(told: World) -> None:
    with pytest.raises(Refused, match="no output req-9"):
        told.report("req-9")


def test_rewritten_rows_are_told(told: World) -> None:
    shutil.rmtree(told.lake.path("buy", "curated.documents"))
    told.documents(6, start=1)

    content = told.report().content

    assert content["answer"]["datasets"][0]["intact"] is False
    assert "not the rows that were recorded" in content["gaps"][0]


def test_rows_that_cannot_be_read_are_told(told: World) -> None:
    part = next(told.lake.path("buy", "curated.documents").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-8] + b"whatever")

    content = told.report().content

    assert content["answer"]["datasets"][0]["intact"] is None
    assert "cannot be read" in content["gaps"][0]


def test_a_journal_cut_below_the_pin_gives_no_report(told: World) -> None:
    pin = report.parse(told.report().content["pin"])
    name, log = next(iter(pin.logs.items()))
    wrong = report.Pin({name: type(log)(log.size, "0" * 64, log.sealed)}, pin.tables)

    with pytest.raises(JournalCorrupt, match="not those pinned"):
        told.report(pin=wrong)


def test_a_flipped_byte_is_told_in_the_report(told: World) -> None:
    pin = report.parse(told.report().content["pin"])
    told.journal.close()
    head = told.root / "journal" / told.journal.name / "checkpoint"
    head.write_text(head.read_text().replace("halocline/", "haloclina/"))
    with Journal.open(told.root / "journal2", told.signer) as other:
        told.gates = Gates(told.gates._engine, other)  # pyright: ignore[reportPrivateUsage]

        content = told.report(pin=pin).content

    assert content["journal"]["verified"] is False
    assert content["journal"]["problems"]


@pytest.mark.parametrize(
    ("other", "gap"),
    [
        ({"model": "ghost"}, "no run is on record"),
        ({"serve_decision_id": "nope"}, "serve decision nope: not in the journal"),
        ({"weights_sha256": "b" * 64}, "other weights"),
        ({"subject": "ana"}, "about another call"),
        ({"endpoint": "/v1/completions"}, "about another call"),
        ({"output_sha256": "b" * 64}, "output differ from the record"),
    ],
)
def test_what_cannot_be_shown_is_said(world: World, other: dict[str, str], gap: str) -> None:
    world.documents(3)
    world.model()
    world.answer("req-1", **other)

    built = world.report()

    assert any(gap in text for text in built.content["gaps"])
    assert gap in built.html


def test_a_row_changed_after_the_fact_is_told(told: World) -> None:
    path = told.lake.path("buy", OUTPUTS)
    rows = DeltaTable(path).to_pyarrow_table().to_pylist()
    shutil.rmtree(path)
    told.write(OUTPUTS, [{**row, "outcome": "held", "output": "milder"} for row in rows])

    content = told.report().content

    assert content["answer"]["asked"]["intact"] is False
    assert "output req-1: the row's outcome, output differ from the record" in content["gaps"]


def test_outputs_and_journal_are_reconciled(told: World) -> None:
    told.append(Kind.GENERATE, {"request_id": "lost"})

    gaps = told.report().content["gaps"]

    assert any(gap.startswith("1 outputs in the journal are not among") for gap in gaps)


def test_the_record_comes_before_the_files(told: World) -> None:
    told.report()
    events = [e.event for e in entries(told) if e.event["kind"] == Kind.REPORT]

    shown = (told.root / "out").glob("*.json")
    digest = hashlib.sha256(next(shown).read_bytes()).hexdigest()
    assert [event["object"]["json_sha256"] for event in events] == [digest]


def test_the_files_are_the_owners_alone(told: World) -> None:
    paths = told.report().paths

    assert paths.html.stat().st_mode & 0o077 == paths.json.stat().st_mode & 0o077 == 0
    assert paths.html.parent.stat().st_mode & 0o077 == 0


def entries(world: World) -> list[Any]:
    from halocline_governance.report import pin, record

    folder = world.root / "journal"
    return list(record.load(folder, pin.take(folder)).entries)


def proofs(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if {"log", "seq", "check"} <= set(found):
            yield found
        value = list(found.values())
    if isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from proofs(inner)
