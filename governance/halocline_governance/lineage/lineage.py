"""Records what was made from what, and follows it in both directions.

Five Delta tables in the `system` compartment hold ids, hashes, counts and label ids, never a row's
text. Every `add_*` may be repeated; a repeat that says something else is refused, because lineage
is a record. Whoever may ask is decided by the caller's gate, not here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halocline_governance.errors import Refused, TableMissing
from halocline_governance.label import SYSTEM, Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import keyed, states
from halocline_governance.lineage.dataset import DatasetRows
from halocline_governance.lineage.graph import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN, TABLES
from halocline_governance.lineage.impact import Impact
from halocline_governance.lineage.index import Index
from halocline_governance.lineage.keyed import Law, Read, Row, having
from halocline_governance.lineage.outputs import Count
from halocline_governance.lineage.questions import LIMIT, Questions
from halocline_governance.lineage.seen import Seen
from halocline_governance.lineage.trace import Trace
from halocline_governance.records import timestamp
from halocline_governance.refs import DatasetRef, ModelRef

__all__ = ["DATASET", "DEPLOYMENT", "MIXTURE", "MODEL", "RUN", "TABLES", "Lineage", "Parent"]

_OF_A_MODEL = ("weights_sha256", "label_id", "run_id")


@dataclass(frozen=True, slots=True)
class Parent:
    """A registered model that another was made from: `kind` is `base`, `adapter` or `merge`."""

    model: str
    version: int
    kind: str = "base"


class Lineage:
    """The lineage tables of one lake.

    Args:
        lake: where they lie.
        pins: versions to read instead of the newest, by table; for reports that must repeat.
        folder: where the indexes lie; beside the lake when None.
    """

    def __init__(
        self, lake: Lake, pins: Mapping[str, int] | None = None, folder: Path | None = None
    ) -> None:
        self._lake = lake
        self._pins = pins
        self._index = Index(lake, folder or lake.root.parent / "state" / "lineage")
        self._questions = Questions(lake, self._index, pins)

    def add_dataset(self, ref: DatasetRef, label: Label) -> str:
        """Record a dataset version and the join of its rows' labels; returns its id."""
        with keyed.lease(self._lake, SYSTEM, DATASET):
            label_id = self._lake.intern(label, SYSTEM)
            row = {"dsv_id": ref.dsv_id, **ref.as_json(), "label_id": label_id, "ts": timestamp()}
            self._add(DATASET, [row], ["dsv_id"], Law(free=("ts", "decision_id")))
        return ref.dsv_id

    def add_mixture(self, mix_sha: str, mixture: str, sources: Iterable[tuple[str, float]]) -> None:
        """Record a mixture's canonical JSON and the dataset versions it weighs.

        Raises:
            Refused: a dataset version is not on record, or a weight is not one.
        """
        pairs = sorted((dsv_id, float(weight)) for dsv_id, weight in sources)
        self._require_datasets(dsv_id for dsv_id, _ in pairs)
        _require_weights(weight for _, weight in pairs)
        weights = [{"dsv_id": dsv_id, "weight": weight} for dsv_id, weight in pairs]
        row = {"mix_sha": mix_sha, "mixture": mixture, "sources": weights, "ts": timestamp()}
        with keyed.lease(self._lake, SYSTEM, MIXTURE):
            self._add(MIXTURE, [row], key=["mix_sha"])

    def add_run(
        self, run_id: str, mix_sha: str, sources: Iterable[tuple[str, float, int, int]]
    ) -> None:
        """Record what a run read: (dsv_id, weight, sequences it held, sequences it consumed).

        A run that starts over may report again, until a model was made from it.

        Raises:
            Refused: an unknown dataset version or mixture, or other numbers after there is a model.
        """
        rows: list[Row] = [
            {
                "run_id": run_id,
                "mix_sha": mix_sha,
                "dsv_id": dsv_id,
                "weight": float(weight),
                "num_sequences": num_sequences,
                "num_consumed": num_consumed,
                "ts": timestamp(),
            }
            for dsv_id, weight, num_sequences, num_consumed in sources
        ]
        self._require_datasets(row["dsv_id"] for row in rows)
        _require_weights(row["weight"] for row in rows)
        if not self._where(MIXTURE, mix_sha=[mix_sha]):
            raise Refused(f"run {run_id}: mixture {mix_sha} is not on record; add it first")
        with keyed.lease(self._lake, SYSTEM, RUN):
            if self._where(MODEL, run_id=[run_id]):
                self._add(RUN, rows, key=["run_id", "dsv_id"])
                return
            keyed.put(self._lake, SYSTEM, RUN, rows, key=["run_id", "dsv_id"])

    def add_model(self, model: ModelRef, run_id: str, parents: Sequence[Parent] = ()) -> None:
        """Record which run a model version came out of, and which models went in.

        Raises:
            Refused: the run is not on record, this version is with other weights, or it went into
                one of the models it would be made from.
        """
        if not self._where(RUN, run_id=[run_id]):
            raise Refused(f"model {model.name}: run {run_id} is not on record; add it first")
        made_from = [{"parent_model": None, "parent_version": None, "kind": "trained"}]
        if parents:
            made_from = [
                {"parent_model": p.model, "parent_version": p.version, "kind": p.kind}
                for p in parents
            ]
        own = {
            "model": model.name,
            "version": model.version,
            "weights_sha256": model.weights_sha256,
            "run_id": run_id,
            "ts": timestamp(),
        }
        with keyed.lease(self._lake, SYSTEM, MODEL):
            own["label_id"] = self._lake.intern(model.label, SYSTEM)
            key = ["model", "version", "run_id", "parent_model", "parent_version"]
            self._add(MODEL, [{**own, **edge} for edge in made_from], key, Law(check=_lawful))

    def deploy(self, endpoint: str, model: ModelRef, decision_id: str, ts: str) -> None:
        """Record that an endpoint answers with this version from `ts` on.

        What it answered with before ends there, in the same commit. Deploying what is deployed
        changes nothing: a restart is no new deployment.

        Raises:
            Refused: `ts` lies before the deployment that is current.
        """
        row = {
            "endpoint": endpoint,
            "model": model.name,
            "version": model.version,
            "from_ts": ts,
            "to_ts": None,
            "decision_id": decision_id,
        }
        with keyed.lease(self._lake, SYSTEM, DEPLOYMENT):
            past = self._where(DEPLOYMENT, endpoint=[endpoint])
            current = next((r for r in past if r["to_ts"] is None), None)
            if any(_same_deployment(r, row) for r in past) or _serves(current, model):
                return
            if any(r["from_ts"] >= ts for r in past):
                raise Refused(f"{endpoint} was deployed after {ts}; deployments are in order")
            ended = [{**current, "to_ts": ts}] if current else []
            keyed.put(self._lake, SYSTEM, DEPLOYMENT, [*ended, row], key=["endpoint", "from_ts"])

    def withdraw(self, endpoint: str, ts: str) -> None:
        """Record that an endpoint answers no more. Idempotent."""
        with keyed.lease(self._lake, SYSTEM, DEPLOYMENT):
            current = [
                {**row, "to_ts": ts}
                for row in self._where(DEPLOYMENT, endpoint=[endpoint])
                if row["to_ts"] is None
            ]
            if current:
                keyed.put(self._lake, SYSTEM, DEPLOYMENT, current, key=["endpoint", "from_ts"])

    def rows(self, table: str) -> list[Row]:
        """Every row of one lineage table."""
        if self._pins is not None and table not in self._pins:
            return []
        pin = None if self._pins is None else self._pins[table]
        return keyed.rows(self._lake, SYSTEM, table, pin)

    def at(self, pins: Mapping[str, int]) -> Lineage:
        """The same tables as they were at these versions; a table without one is empty."""
        return Lineage(self._lake, pins, self._index.folder)

    def labels(self) -> Mapping[str, Label]:
        """Every label that a recorded thing has."""
        return self._lake.labels(SYSTEM)

    def versions(self) -> dict[str, int]:
        """The newest version of each table that exists: what a report is pinned to."""
        found = {name: self._lake.version(SYSTEM, name) for name in TABLES}
        return {name: version for name, version in found.items() if version is not None}

    def trace(
        self, asked: str, at: str | None = None, direction: str = "both", limit: int = LIMIT
    ) -> Trace:
        """See `Questions.trace`."""
        return self._questions.trace(asked, at, direction, limit)

    def questions(self, seen: Seen) -> Questions:
        """The same questions, answered as if there were nothing but what may be seen."""
        return Questions(self._lake, self._index, self._pins, seen)

    def impact(self, asked: str, at: str | None = None) -> Impact:
        """See `Questions.impact`."""
        return self._questions.impact(asked, at)

    def reached(
        self, asked: str, kind: str, forward: bool = True, at: str | None = None
    ) -> Iterator[str]:
        """See `Questions.reached`."""
        return self._questions.reached(asked, kind, forward, at)

    def outputs(
        self,
        models: Sequence[str] | None = None,
        endpoint: str = "",
        since: str | None = None,
        until: str | None = None,
    ) -> Count:
        """See `Questions.outputs`."""
        return self._questions.outputs(models, endpoint, since, until)

    def list_outputs(
        self,
        models: Sequence[str] | None = None,
        endpoint: str = "",
        since: str | None = None,
        until: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """See `Questions.list_outputs`."""
        return self._questions.list_outputs(models, endpoint, since, until)

    def dataset_rows(self, dsv_id: str) -> DatasetRows:
        """The rows of one recorded dataset version; see `Questions.dataset_rows`."""
        return self._questions.dataset_rows([dsv_id])[0]

    def all_dataset_rows(self, dsv_ids: Iterable[str]) -> list[DatasetRows]:
        """The same of several, such as all that are behind an output."""
        return self._questions.dataset_rows(dsv_ids)

    def prepare(self) -> None:
        """See `Questions.prepare`."""
        self._questions.prepare()

    def rows_of(self, asked: str, at: str | None = None) -> Iterator[tuple[str, int, bool]]:
        """See `Questions.rows`."""
        return self._questions.rows(asked, at)

    def fingerprint_of(
        self,
        compartment: str,
        table: str,
        version: int,
        label_ids: Collection[str] | None = None,
        whole: bool = False,
    ) -> tuple[int, str]:
        """Rows and fingerprint of one version of any table; see `states.of_version`."""
        if not self._lake.exists(compartment, table):
            raise TableMissing(f"there is no {table} in {compartment}")
        store = self._index.files(compartment, table)
        place = self._lake.location(compartment, table)
        return states.of_version(store, place, table, version, label_ids, whole)

    def trace_output(self, request_id: str, output: Mapping[str, Any]) -> Trace:
        """From one row of `serving.outputs` back to the dataset versions behind it."""
        return self._questions.trace_output({**output, "request_id": request_id})

    def trace_row(self, compartment: str, table: str, row_uid: int) -> Trace:
        """From one row forward to every dataset version, run, model and deployment it reached.

        A curated row keeps the id of the raw row it was made from, so either finds the same.
        """
        return self._questions.trace_row(f"row:{compartment}:{table}/{row_uid}")

    def forget(self, compartment: str, table: str) -> None:
        """Forget the rows of a table that were removed; for who erases. See `Index.forget`."""
        self._index.forget(compartment, table)

    def rebuild(self, compartment: str | None = None) -> None:
        """Throw the indexes away, or that of one compartment's rows, and read everything again.

        To be done where rows were vacuumed that nobody erased: an index knows what it saw.
        """
        self._index.rebuild(compartment)

    def close(self) -> None:
        """Close this thread's connections to the indexes; a question opens them again."""
        self._index.close()

    def _add(
        self, table: str, new: Sequence[Row], key: Sequence[str], law: Law | None = None
    ) -> None:
        keyed.add(self._lake, SYSTEM, table, new, key, law)

    def _where(self, table: str, **values: Collection[Any]) -> list[Row]:
        """The rows of one table that have one of these values in each of these columns."""
        pin = None if self._pins is None else self._pins.get(table)
        if self._pins is not None and pin is None:
            return []
        return keyed.rows(self._lake, SYSTEM, table, pin, values)

    def _require_datasets(self, dsv_ids: Iterable[str]) -> None:
        wanted = set(dsv_ids)
        found = self._where(DATASET, dsv_id=wanted) if wanted else []
        missing = sorted(wanted - {row["dsv_id"] for row in found})
        if missing:
            raise Refused(f"not on record as dataset versions: {', '.join(missing)}")


def _require_weights(weights: Iterable[float]) -> None:
    found = list(weights)
    if not found:
        raise Refused("a mixture and a run need at least one source")
    if any(not (math.isfinite(weight) and weight >= 0) for weight in found):
        raise Refused("a weight is a finite number of at least 0")


def _lawful(read: Read, new: Sequence[Row]) -> None:
    _one_model(read(having(new, ["model", "version"])), new)
    made = [{"parent_model": row["model"], "parent_version": row["version"]} for row in new]
    # From what nothing was made, no line leads back to itself but by its own parents.
    below = read(having(made, ["parent_model", "parent_version"]))
    _no_cycle(read({}) if below else [], new)


def _no_cycle(there: Sequence[Row], new: Sequence[Row]) -> None:
    """No model is made from itself, however many steps lie between."""
    parents: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for row in (*there, *new):
        if row["parent_model"] is not None:
            above = parents.setdefault((row["model"], row["version"]), set())
            above.add((row["parent_model"], row["parent_version"]))
    for model in {(row["model"], row["version"]) for row in new}:
        seen, open_ = set[tuple[str, int]](), [model]
        while open_:
            above = parents.get(open_.pop(), set()) - seen
            if model in above:
                raise Refused(f"{model[0]} v{model[1]} cannot be made from what it went into")
            seen |= above
            open_ += above


def _one_model(there: Sequence[Row], new: Sequence[Row]) -> None:
    """A model version has one set of weights, one label and one run, whatever its parents."""
    for known in there:
        for row in new:
            same = all(known[name] == row[name] for name in ("model", "version"))
            if same and any(known[name] != row[name] for name in _OF_A_MODEL):
                raise Refused(
                    f"{row['model']} v{row['version']} is on record with another"
                    " weights hash, label or run; register a new version"
                )


def _serves(current: Row | None, model: ModelRef) -> bool:
    return current is not None and (current["model"], current["version"]) == (
        model.name,
        model.version,
    )


def _same_deployment(known: Row, row: Row) -> bool:
    return all(known[name] == row[name] for name in ("endpoint", "model", "version", "from_ts"))
