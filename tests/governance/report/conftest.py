"""A small firm to report on: some documents, a model of them, some answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from deltalake import write_deltalake

from halocline_governance import report, tables
from halocline_governance.gates import Gate, Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse, parse_compact
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.policy import Engine
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import (
    AuditEvent,
    InferenceRecord,
    Kind,
    committed,
    row_uid,
    timestamp,
)
from halocline_governance.refs import ModelRef
from halocline_governance.report import Entry, period, pin, record

BUY = parse_compact("confidential sides=buy")
OFFICER = Principal("cleo", ("compliance",), parse_compact("restricted sides=buy,sell"))
ANALYST = Principal("ana", ("analyst",), BUY)
TRAINER = Principal("svc:train", ("service",), BUY)
KEY = "c" * 64
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
            lake=self.lake,
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
        checked = self.questions["release"]["resource"]["verdicts"]
        verdicts = [{**verdict, "sha256": sha(text)} for verdict in checked]
        sealed = committed(KEY, sha(text))
        asked = [{**verdict, "sha256": sealed} for verdict in checked]
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
            release_decision_id=self.ask(Gate.RELEASE, sha256=sealed, verdicts=asked),
            policy_revision=self.gates.revision,
            outcome="released",
            finish_reason="stop",
            prompt=HOSTILE,
            output=text,
            prompt_sha256=sha(HOSTILE),
            output_sha256=sha(text),
            released_sha256=sha(text),
            commitment_key=KEY,
            verdicts=json.dumps(verdicts),
            prompt_tokens=3,
            completion_tokens=4,
            mean_logprob=None,
            mean_entropy=None,
        )
        record = replace(record, **other)
        self.append(Kind.GENERATE, record.commitment())
        self.write(OUTPUTS, [record.as_json()])

    def entries(self) -> list[Entry]:
        """The journal as a report reads it."""
        folder = self.root / "journal"
        return list(record.load(folder, pin.take(folder)).entries)

    def append(self, kind: Kind, told: dict[str, Any]) -> None:
        self.journal.append(AuditEvent(kind, "svc", "inference", told))

    def write(self, table: str, rows: list[dict[str, Any]], compartment: str = "buy") -> None:
        data = pa.Table.from_pylist(rows, schema=tables.table(table).arrow())
        with self.lake.lease(compartment, table) as place:
            write_deltalake(place.uri, data, mode="append")

    def report(self, request_id: str = "req-1", folder: str = "out", **other: Any) -> Built:
        paths = report.build(
            self.sources, other.get("who", OFFICER), request_id, self.root / folder,
            other.get("pin"),
        )  # fmt: skip
        return Built(paths.html.read_text(), paths.json.read_text(), paths)

    @property
    def period_sources(self) -> period.Sources:
        """What a period's report is made from."""
        return period.Sources(
            guard=Guard(self.lake, self.gates),
            gates=self.gates,
            lake=self.lake,
            lineage=Lineage(self.lake),
            journal=self.journal,
            journal_dir=self.root / "journal",
            trust=self.signer.trust,
        )

    @property
    def officer(self) -> Principal:
        """Who may have reports."""
        return OFFICER

    def period_document(self) -> period.Document:
        """The report of this year, as its JSON file has it."""
        return period.Document.parse(self.of_period().json.read_bytes())

    def of_period(
        self,
        duty: str = "all",
        *,
        who: Principal = OFFICER,
        folder: str = "period",
        earlier: period.Document | None = None,
    ) -> period.Paths:
        """The report of this year."""
        year = timestamp()[:4]
        question = period.Question(period.parse(year), period.Duty(duty))
        asked = None if earlier else question
        return period.build(self.period_sources, who, asked, self.root / folder, earlier)


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
