"""A run as the pipelines carry it out, step by step, with real gates, guard, journal and lineage.

Each step can be made to lie: `World.run(lie=...)`, where a lie changes what a step says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import rfc8785
from deltalake import write_deltalake

from halocline_governance import keys, tables
from halocline_governance.gates import Engine, Gate, Gates
from halocline_governance.guard import Guard
from halocline_governance.journal import Journal, Signer, read
from halocline_governance.label import PUBLIC, Label, join
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage
from halocline_governance.lineage.checks import Checked, check
from halocline_governance.lineage.checks_told import Told, heard, told
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import AuditEvent, InferenceRecord, Kind, row_uid, timestamp
from halocline_governance.refs import DatasetRef, ModelRef

TABLE = "curated.documents"
BUY = Label("confidential", sides=("buy",))
TRAINER = Principal("svc:train", ("service",), BUY)
WHOLE = join([PUBLIC, BUY])

Lie = Callable[[str, Any], Any]


def honest(_step: str, said: Any) -> Any:
    return said


class World:
    """One home. Steps are named `refs`, `begin`, `mix`, `end`, `record`, `model`, `register`."""

    def __init__(self, home: Path, engine: Engine) -> None:
        self.home, self.lake, self.num_steps = home, Lake(home / "lake"), 0
        self.journal = Journal.open(
            home / "journal", Signer(keys.ed25519(home / "keys" / "journal.key"))
        )
        self.gates = Gates(engine, self.journal)
        self.guard, self.lineage = Guard(self.lake, self.gates), Lineage(self.lake)
        self.put(PUBLIC, range(5))
        self.put(BUY, range(100, 103))

    def put(self, label: Label, uids: range) -> None:
        where = label.compartment
        rows: list[dict[str, Any]] = [
            {
                "row_uid": uid, "label_id": self.lake.intern(label), "source": "readmes",
                "licence": "MIT", "language": "en", "content_sha256": f"{uid:064x}",
                "subject_keys": [], "num_pii": 0, "text": "t", "recipe": "r", "run_id": "t",
            }
            for uid in uids
        ]  # fmt: skip
        self._write(where, TABLE, rows)

    def _write(self, where: str, table: str, rows: list[dict[str, Any]]) -> None:
        data = pa.Table.from_pylist(rows, schema=tables.table(table).arrow())
        with self.lake.lease(where, table) as place:
            write_deltalake(place.uri, data, mode="append")

    def answer(
        self, request_id: str, ts: str | None = None, outcome: str = "released"
    ) -> InferenceRecord:
        """One output of house v1, in its table."""
        when, text = ts or timestamp(), hashlib.sha256(b"text").hexdigest()
        record = InferenceRecord(
            request_id=request_id, row_uid=row_uid("serving.outputs", request_id),
            label_id=self.lake.intern(BUY), ts=when, finished_ts=when, subject="bea",
            endpoint="/v1/completions", model="house", model_version=1, weights_sha256="a" * 64,
            serve_decision_id="s", release_decision_id="r", policy_revision="p",
            outcome=outcome, finish_reason="stop", prompt="text", output="text",
            prompt_sha256=text, output_sha256=text, released_sha256=text,
            commitment_key="0" * 64, verdicts="[]",
            prompt_tokens=1, completion_tokens=1, mean_logprob=None, mean_entropy=None,
        )  # fmt: skip
        self.journal.append(
            AuditEvent(Kind.GENERATE, "bea", Purpose.INFERENCE.value, record.commitment())
        )
        self._write("buy", "serving.outputs", [record.as_json()])
        return record

    def append(self, kind: Kind, what: Mapping[str, Any], who: str = TRAINER.subject) -> None:
        self.journal.append(AuditEvent(kind, who, Purpose.TRAINING.value, dict(what)))

    def run(self, run_id: str = "r1", lie: Lie = honest, upto: str = "deploy") -> None:
        """From the read to the deployment; ends right after the step `upto`."""
        refs = lie("refs", self._refs())
        label = self._begin(run_id, refs, lie)
        shares = [(ref.dsv_id, 1 / len(refs)) for ref in refs]
        mixture = {"sources": [{"dsv_id": dsv_id, "weight": 1} for dsv_id, _ in shares]}
        text = rfc8785.dumps(mixture).decode()
        sha = hashlib.sha256(text.encode()).hexdigest()
        self.append(Kind.TRAIN, lie("mix", {"run_id": run_id, "mixture_sha256": sha}))
        for ref in refs:
            of = {"public": PUBLIC, "buy": BUY}[ref.compartment]
            self.lineage.add_dataset(*lie("dataset", (ref, of)))
        self.lineage.add_mixture(sha, text, shares)
        consumed = [(dsv_id, weight, 40, 20) for dsv_id, weight in shares]
        names = ("dsv_id", "weight", "num_sequences", "num_consumed")
        ended = [dict(zip(names, row, strict=True)) for row in consumed]
        if upto == "begin":
            return
        self.append(Kind.TRAIN, lie("end", {"run_id": run_id, "consumed": ended}))
        if upto == "end":
            return
        self.lineage.add_run(*lie("record", (run_id, sha, consumed)))
        model = ModelRef("house", 1, "a" * 64, label)
        said = lie("register", {
            "model": model.name, "version": model.version, "run_id": run_id,
            "weights_sha256": model.weights_sha256, "label": model.label.as_json(),
            "folder": "buy/house/m", "manifest_sha256": "m" * 64,
        })  # fmt: skip
        if said is not None:
            self.step(Kind.REGISTER, "registered", said)
        if upto == "register":
            return
        self.lineage.add_model(lie("model", model), run_id)
        self._deploy(model, lie, upto)

    def _refs(self) -> list[DatasetRef]:
        plans = [
            self.guard.plan(TRAINER, Purpose.TRAINING, f"{where}:{TABLE}")
            for where in ("buy", "public")
        ]
        return [ref for plan in plans for ref in self.guard.refs(plan)]

    def _begin(self, run_id: str, refs: list[DatasetRef], lie: Lie) -> Label:
        known = {label.label_id: label for label in (PUBLIC, BUY)}
        asked = [
            {
                "table": ref.table, "compartment": ref.compartment, "version": ref.version,
                "labels": {id_: known[id_].as_json() for id_ in ref.label_ids},
            }
            for ref in refs
        ]  # fmt: skip
        decision = self.gates.require(Gate.TRAIN, TRAINER, Purpose.TRAINING, lie("ask", {
            "inputs": asked, "label": WHOLE.as_json(), "base_model": None, "compartment": "buy",
        }))  # fmt: skip
        said = lie("begin", {
            "run_id": run_id, "label": WHOLE.as_json(), "compartment": "buy",
            "inputs": [{"dsv_id": ref.dsv_id, **ref.as_json()} for ref in refs],
            "decision_id": decision.id, "recipe": {},
        })  # fmt: skip
        if said is not None:
            self.append(Kind.TRAIN, said)
        return WHOLE

    def _deploy(self, model: ModelRef, lie: Lie, upto: str) -> None:
        if upto == "model":
            return
        id_ = f"promote-{model.version}"
        decision = {"id": id_, "allow": True}
        body = lie("promote", {
            "model": model.name, "version": model.version, "alias": "champion",
            "decision": decision,
        })  # fmt: skip
        when = timestamp()
        if body is not None:
            self.step(Kind.PROMOTE, "promoted", body, when)
        if upto != "promote":
            self.lineage.deploy("house@champion", model, id_, when)

    def step(self, kind: Kind, step: str, body: Mapping[str, Any], ts: str | None = None) -> None:
        """A row of the promotion ledger, as the registry journals it."""
        self.num_steps += 1
        row = {"seq": self.num_steps, "step": step, "ts": ts or timestamp(), "body": dict(body)}
        self.append(kind, {"row": row})

    def told(self) -> Told:
        """By the journal's search, which reads no more than it must, and by reading it whole."""
        found = heard(self.home / "journal")
        assert found == told(event for _, _, event in read(self.home / "journal"))
        return found

    def check(self, run: str | None = None) -> Checked:
        return check(self.lineage, self.told(), run)


def telling(step: str, change: Callable[[Any], Any]) -> Lie:
    """A lie in one step alone."""
    return lambda at, said: change(said) if at == step else said


def first(**other: Any) -> Callable[[list[DatasetRef]], list[DatasetRef]]:
    """The first dataset version with other facts."""
    return lambda refs: [replace(refs[0], **other), *refs[1:]]
