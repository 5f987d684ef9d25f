"""Lineage as OpenLineage events (specification 2-0-2), for tools that draw such graphs.

A training run is a run with its dataset versions in and its models out; a deployment is a run of a
service with its model in and the outputs' table out. Run ids are made from ours, and the same
lineage gives the same events. Labels, fingerprints and decisions go in facets of our own, whose
schemas lie in `facets/` beside this. No row, name of a source or text is in an event.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from halocline_governance.lineage.checks_told import Record, Told
from halocline_governance.lineage.keyed import Row
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MODEL, RUN, Lineage

REPOSITORY = "https://github.com/halocline/halocline"
FACETS = f"{REPOSITORY}/blob/main/governance/halocline_governance/lineage/facets"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_STANDARD = {
    "version": "facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "datasetType": "facets/1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet",
    "storage": "facets/1-0-1/StorageDatasetFacet.json#/$defs/StorageDatasetFacet",
    "jobType": "facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "inputStatistics": "facets/1-0-0/InputStatisticsInputDatasetFacet.json"
    "#/$defs/InputStatisticsInputDatasetFacet",
    "outputStatistics": "facets/1-0-2/OutputStatisticsOutputDatasetFacet.json"
    "#/$defs/OutputStatisticsOutputDatasetFacet",
}
_OWN = {
    "haloclineDataset": "HaloclineDatasetFacet",
    "haloclineConsumption": "HaloclineConsumptionInputDatasetFacet",
    "haloclineModel": "HaloclineModelDatasetFacet",
    "haloclineRun": "HaloclineRunFacet",
}
_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, f"{REPOSITORY}#runs")

Event = dict[str, Any]
_Models = Mapping[tuple[str, int], Row]
# How many outputs a model (`NAME/VERSION`) gave from one time up to another (None: now); None:
# not known.
CountOutputs = Callable[[str, str, str | None], int | None]


@dataclass(frozen=True, slots=True)
class Export:
    """What events are made of.

    Args:
        lineage: the truth.
        heard: what the journal tells: when runs began, and under which decision.
        namespace: of jobs and datasets; one for each installation that a tool collects from.
        count: outputs of a model, `NAME/VERSION`, in an interval.
        sees: which things, as nodes of a trace, may be in it; others are left out.
    """

    lineage: Lineage
    heard: Told
    namespace: str = "halocline"
    count: CountOutputs = lambda _model, _start, _end: None
    sees: Callable[[str], bool] = lambda _id: True

    def events(self) -> list[Event]:
        """Every event, in the order of time; of equal times, a start before an end."""
        found = [*self._training(), *self._serving()]
        order = {"START": 0, "COMPLETE": 1}
        found.sort(key=lambda e: (e["eventTime"], order[e["eventType"]], e["run"]["runId"]))
        return found

    def _training(self) -> Iterator[Event]:
        datasets = {row["dsv_id"]: row for row in self.lineage.rows(DATASET)}
        runs: dict[str, list[Row]] = defaultdict(list)
        for row in self.lineage.rows(RUN):
            runs[row["run_id"]].append(row)
        models, made_by = self._models()
        for run_id, rows in runs.items():
            if not self.sees(f"run:{run_id}"):
                continue
            made = made_by.get(run_id, [])
            parents = {
                (row["parent_model"], row["parent_version"])
                for row in made
                if row["parent_model"] is not None
            }
            inputs = [
                self._dataset_in(row, datasets[row["dsv_id"]])
                for row in sorted(rows, key=lambda row: row["dsv_id"])
                if row["dsv_id"] in datasets
            ]
            inputs += [self._model(*parent, models) for parent in self._seen(parents)]
            outputs = [
                self._model(*version, models)
                for version in self._seen({(row["model"], row["version"]) for row in made})
            ]
            begun, ended = self.heard.begun.get(run_id, []), max(row["ts"] for row in rows)
            started = min([record.ts for record in begun] + [ended])
            job = self._job("train", "BATCH", "TRAINING")
            mixture = rows[0]["mix_sha"] if self.sees(f"mixture:{rows[0]['mix_sha']}") else None
            run = _run(f"run:{run_id}", run_id, mixture, _decision(begun))
            yield _event("START", started, run, job, inputs, [])
            yield _event("COMPLETE", ended, run, job, inputs, outputs)
        yield from self._unfinished(runs)

    def _unfinished(self, runs: Mapping[str, object]) -> Iterator[Event]:
        """Runs that began and of which lineage knows nothing: still running, or killed."""
        for run_id, begun in self.heard.begun.items():
            if run_id not in runs and self.sees(f"run:{run_id}"):
                job = self._job("train", "BATCH", "TRAINING")
                run = _run(f"run:{run_id}", run_id, None, _decision(begun))
                inputs = [self._declared(one) for one in begun[-1].what["inputs"]]
                yield _event("START", begun[0].ts, run, job, inputs, [])

    def _serving(self) -> Iterator[Event]:
        models, _ = self._models()
        for row in self.lineage.rows(DEPLOYMENT):
            id_ = f"deployment:{row['endpoint']}/{row['from_ts']}"
            if not self.sees(id_):
                continue
            job = self._job(f"serve/{row['endpoint']}", "SERVICE", "INFERENCE")
            run = _run(id_, id_, None, row["decision_id"])
            inputs = [self._model(row["model"], row["version"], models)]
            outputs = [self._outputs(row)]
            yield _event("START", row["from_ts"], run, job, inputs, outputs)
            if row["to_ts"] is not None:
                yield _event("COMPLETE", row["to_ts"], run, job, inputs, outputs)

    def _seen(self, models: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        return [one for one in sorted(models) if self.sees(f"model:{one[0]}/{one[1]}")]

    def _job(self, name: str, processing: str, kind: str) -> dict[str, Any]:
        facets = _facets(
            jobType={"processingType": processing, "integration": "HALOCLINE", "jobType": kind}
        )
        return {"namespace": self.namespace, "name": name, "facets": facets}

    def _declared(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A dataset version as a run declared it; its label is not on record yet."""
        return {
            "namespace": self.namespace,
            "name": f"{row['compartment']}/{row['table']}",
            "facets": _facets(
                version={"datasetVersion": str(row["version"])},
                datasetType={"datasetType": "TABLE"},
                storage={"storageLayer": "delta", "fileFormat": "parquet"},
            ),
            "inputFacets": _facets(inputStatistics={"rowCount": row["num_rows"]}),
        }

    def _dataset_in(self, row: Row, dataset: Row) -> dict[str, Any]:
        declared = self._declared(dataset)
        declared["facets"] |= _facets(
            haloclineDataset={
                "dsvId": dataset["dsv_id"],
                "labelId": dataset["label_id"],
                "fingerprint": dataset["fingerprint"],
                "decisionId": dataset["decision_id"],
            }
        )
        declared["inputFacets"] |= _facets(
            haloclineConsumption={
                "weight": row["weight"],
                "numSequences": row["num_sequences"],
                "numConsumed": row["num_consumed"],
            }
        )
        return declared

    def _models(self) -> tuple[_Models, dict[str, list[Row]]]:
        """Model versions by name and number, and rows by the run they came out of."""
        made_by: dict[str, list[Row]] = defaultdict(list)
        models: dict[tuple[str, int], Row] = {}
        for row in self.lineage.rows(MODEL):
            made_by[row["run_id"]].append(row)
            models.setdefault((row["model"], row["version"]), row)
        return models, made_by

    def _model(self, name: str, version: int, models: _Models) -> dict[str, Any]:
        known = models.get((name, version))
        facets = _facets(
            version={"datasetVersion": str(version)}, datasetType={"datasetType": "MODEL"}
        )
        if known is not None:
            run_id = known["run_id"]
            facets |= _facets(
                haloclineModel={
                    "labelId": known["label_id"],
                    "weightsSha256": known["weights_sha256"],
                }
                | ({"runId": run_id} if self.sees(f"run:{run_id}") else {})
            )
        return {"namespace": self.namespace, "name": f"model/{name}", "facets": facets}

    def _outputs(self, row: Row) -> dict[str, Any]:
        facets = _facets(datasetType={"datasetType": "TABLE"}, storage={"storageLayer": "delta"})
        name = f"outputs/{row['endpoint']}"
        table: dict[str, Any] = {"namespace": self.namespace, "name": name, "facets": facets}
        number = self.count(f"{row['model']}/{row['version']}", row["from_ts"], row["to_ts"])
        if number is not None:
            table["outputFacets"] = _facets(outputStatistics={"rowCount": number})
        return table


def lines(events: list[Event]) -> Iterator[str]:
    """One event a line, as OpenLineage's file transport writes them."""
    for event in events:
        yield json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def _event(
    kind: str,
    when: str,
    run: dict[str, Any],
    job: dict[str, Any],
    inputs: list[dict[str, Any]],
    outputs: list[dict[str, Any]],
) -> Event:
    return {
        "eventType": kind,
        "eventTime": when,
        "producer": REPOSITORY,
        "schemaURL": _EVENT,
        "run": run,
        "job": job,
        "inputs": inputs,
        "outputs": outputs,
    }


def _run(named: str, run_id: str, mixture: str | None, decision_id: str | None) -> dict[str, Any]:
    said = {"runId": run_id, "mixtureSha256": mixture, "decisionId": decision_id}
    known = {name: value for name, value in said.items() if value is not None}
    return {"runId": str(uuid.uuid5(_RUNS, named)), "facets": _facets(haloclineRun=known)}


def _decision(begun: list[Record]) -> str | None:
    return str(begun[-1].what["decision_id"]) if begun else None


def _facets(**facets: Mapping[str, Any]) -> dict[str, Any]:
    """Facets with who made them and what they mean."""
    return {
        name: {"_producer": REPOSITORY, "_schemaURL": _schema(name), **facet}
        for name, facet in facets.items()
    }


def _schema(name: str) -> str:
    if name in _OWN:
        return f"{FACETS}/{_OWN[name]}.json#/$defs/{_OWN[name]}"
    return f"{_SPEC}/{_STANDARD[name]}"
