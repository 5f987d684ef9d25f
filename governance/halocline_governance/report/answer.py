"""What a report says of one output: who, under which decisions, which model, run, data, rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from halocline_governance.label import Label
from halocline_governance.lineage import rows as dataset_rows
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.lineage import DATASET, MODEL, RUN, Lineage
from halocline_governance.lineage.trace import Trace
from halocline_governance.principal import Principal
from halocline_governance.records import Kind, differences, output_committed
from halocline_governance.report.passage import passage
from halocline_governance.report.record import Entry, Record

if TYPE_CHECKING:
    from halocline_governance.guard import Guard

_TEXT_CHARACTERS = 4000
_FIRST_ROWS = 20


@dataclass(slots=True)
class Answer:
    """Built part by part; `gaps` collects what could not be shown."""

    record: Record
    lineage: Lineage
    output: Row
    label: Label
    gaps: list[str] = field(default_factory=list[str])

    def build(self, guard: Guard, principal: Principal) -> dict[str, Any]:
        """Everything about the output, as plain JSON."""
        trace = self.lineage.trace_output(self.output["request_id"], self.output)
        self.gaps += trace.gaps
        return {
            "asked": self._asked(),
            "decisions": self._decisions(),
            "model": self._model(),
            "runs": self._runs(trace),
            "datasets": [self._dataset(row, guard, principal) for row in self._dataset_rows(trace)],
            "passage": passage(self.record, self._behind(trace), self.gaps),
            "trace": {**trace.as_json(), "tree": trace.tree(), "mermaid": trace.mermaid()},
        }

    def _asked(self) -> dict[str, Any]:
        names = (
            "request_id", "ts", "finished_ts", "subject", "endpoint", "outcome", "finish_reason",
            "prompt_sha256", "output_sha256", "released_sha256", "prompt_tokens",
            "completion_tokens", "policy_revision", "commitment_key",
        )  # fmt: skip
        request_id = self.output["request_id"]
        entries = self.record.naming(request_id=request_id)
        if not entries:
            self.gaps.append(f"output {request_id}: no journal entry names it")
        return {
            **{name: self.output[name] for name in names},
            "intact": self._is_intact(entries),
            "label": {"id": self.output["label_id"], **self.label.as_json()},
            "prompt": _cut(self.output["prompt"]),
            "output": _cut(self.output["output"]),
            "verdicts": json.loads(self.output["verdicts"] or "[]"),
            "proof": [{"kind": entry.kind, **entry.proof()} for entry in entries],
        }

    def _is_intact(self, entries: list[Entry]) -> bool:
        """Whether the row is what the journal was told, and its texts have the hashes it names."""
        told = [entry for entry in entries if entry.kind in (Kind.GENERATE, Kind.ABORT)]
        changed = {name for entry in told for name in differences(self.output, entry.object)}
        if changed:
            request_id = self.output["request_id"]
            what = ", ".join(sorted(changed))
            self.gaps.append(f"output {request_id}: the row's {what} differ from the record")
        return bool(told) and not changed

    def _decisions(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for gate in ("serve", "release"):
            decision_id = self.output[f"{gate}_decision_id"]
            if not decision_id and self.output["outcome"] != "released":
                continue  # the call ended before this gate was asked
            entry = self.record.decision(decision_id)
            if entry is None or entry.object.get("gate") != gate:
                self.gaps.append(f"{gate} decision {decision_id or '(none)'}: not in the journal")
                continue
            about = self._is_about_this(gate, entry)
            told.append({"gate": gate, **_decision(entry), "about_this": about})
        return told

    def _is_about_this(self, gate: str, entry: Entry) -> bool:
        """Whether the decision was asked for this subject, endpoint, model and bytes."""
        asked: Mapping[str, Any] = entry.object["input"]
        resource: Mapping[str, Any] = asked["resource"]
        pairs = [
            (asked["principal"]["subject"], self.output["subject"]),
            (resource.get("endpoint"), self.output["endpoint"]),
        ]
        if gate == "serve":
            model: Mapping[str, Any] = resource["model"]
            pairs += [
                (model["name"], self.output["model"]),
                (model["version"], self.output["model_version"]),
                (model["weights_sha256"], self.output["weights_sha256"]),
            ]
        elif self.output["outcome"] == "released":
            pairs.append((resource["sha256"], output_committed(self.output)))
        if all(decided == recorded for decided, recorded in pairs):
            return True
        self.gaps.append(f"{gate} decision {entry.object['answer'].get('id')}: about another call")
        return False

    def _model(self) -> dict[str, Any]:
        name, version = self.output["model"], self.output["model_version"]
        weights = self.output["weights_sha256"]
        edges = [
            edge
            for edge in self.lineage.rows(MODEL)
            if (edge["model"], edge["version"]) == (name, version)
        ]
        proofs = self.record.naming(weights_sha256=weights)
        shown = [entry for entry in proofs if entry.kind in (Kind.REGISTER, Kind.PROMOTE)]
        return {
            "name": name,
            "version": version,
            "weights_sha256": weights,
            "recorded_weights_sha256": edges[0]["weights_sha256"] if edges else None,
            "label": self._label(edges[0]["label_id"]) if edges else None,
            "parents": sorted(
                f"{edge['parent_model']} v{edge['parent_version']} ({edge['kind']})"
                for edge in edges
                if edge["parent_model"] is not None
            ),
            "proof": [{"kind": entry.kind, **entry.proof()} for entry in shown],
        }

    def _runs(self, trace: Trace) -> list[dict[str, Any]]:
        sources = self.lineage.rows(RUN)
        told: list[dict[str, Any]] = []
        for node in trace.of("run"):
            of_run = [row for row in sources if row["run_id"] == node.name]
            entries = self.record.naming(run_id=node.name)
            trained = [entry for entry in entries if entry.kind == Kind.TRAIN]
            if not trained:
                self.gaps.append(f"run {node.name}: no training entry names it in the journal")
            names = ("dsv_id", "weight", "num_sequences", "num_consumed")
            told.append(
                {
                    "run_id": node.name,
                    "mix_sha": of_run[0]["mix_sha"],
                    "sources": sorted(
                        ({name: row[name] for name in names} for row in of_run),
                        key=lambda row: str(row["dsv_id"]),
                    ),
                    "proof": [{"kind": entry.kind, **entry.proof()} for entry in trained],
                }
            )
        return told

    def _dataset_rows(self, trace: Trace) -> list[Row]:
        names = {node.name for node in trace.of("dataset")}
        found = [row for row in self.lineage.rows(DATASET) if row["dsv_id"] in names]
        return sorted(found, key=lambda row: str(row["dsv_id"]))

    def _dataset(self, row: Row, guard: Guard, principal: Principal) -> dict[str, Any]:
        held = dataset_rows.read(guard, principal, row, _FIRST_ROWS)
        # Decision ids of this very reading would differ between two builds of the same report.
        self.gaps += [gap.partition(" (decision ")[0] for gap in held.gaps]
        entry = self.record.decision(row["decision_id"])
        if entry is None:
            self.gaps.append(f"dataset version {row['dsv_id']}: its read decision is not on record")
        return {
            "dsv_id": row["dsv_id"],
            "table": f"{row['compartment']}:{row['table']}",
            "version": row["version"],
            "num_rows": row["num_rows"],
            "fingerprint": row["fingerprint"],
            "label": self._label(row["label_id"]),
            **held.as_json(),
            "proof": [{"kind": entry.kind, **entry.proof()}] if entry else [],
        }

    def _behind(self, trace: Trace) -> list[Entry]:
        """The decisions that led to the output, each once, in the order of the journal."""
        ids = {self.output["serve_decision_id"], self.output["release_decision_id"]}
        ids |= {row["decision_id"] for row in self._dataset_rows(trace)}
        for node in trace.of("run"):
            for entry in self.record.naming(run_id=node.name):
                if entry.kind == Kind.TRAIN:
                    ids.add(entry.object.get("decision_id"))
        return [
            entry
            for entry in self.record.decisions()
            if entry.object["answer"].get("id") in ids or self._promoted(entry)
        ]

    def _promoted(self, entry: Entry) -> bool:
        """Whether this decision gave the weights an alias."""
        if entry.object["gate"] != "promote" or entry.object["answer"].get("allow") is not True:
            return False
        model: Mapping[str, Any] = entry.object["input"]["resource"].get("model") or {}
        return model.get("weights_sha256") == self.output["weights_sha256"]

    def _label(self, label_id: str) -> dict[str, Any]:
        label = self.lineage.labels().get(label_id)
        if label is None:
            self.gaps.append(f"label {label_id}: not known")
        return {"id": label_id, **(label.as_json() if label else {})}


def _decision(entry: Entry) -> dict[str, Any]:
    answer: Mapping[str, Any] = entry.object["answer"]
    return {
        **entry.head(),
        "id": answer.get("id"),
        "allow": answer.get("allow"),
        "reasons": sorted(map(str, answer.get("reasons", []))),
        "revision": answer.get("revision"),
        "proof": entry.proof(),
    }


def _cut(text: str) -> str:
    if len(text) <= _TEXT_CHARACTERS:
        return text
    return text[:_TEXT_CHARACTERS] + f" [cut: {len(text)} characters in all]"
