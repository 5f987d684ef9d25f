"""A random lake with its lineage, and what is true of it, worked out without an index.

Every table is written through the real library; the oracle keeps plain Python lists beside.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from halocline_governance import tables
from halocline_governance.label import PUBLIC, SYSTEM, Label, join
from halocline_governance.lake import Lake
from halocline_governance.lineage import fingerprint
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN
from halocline_governance.records import row_uid, timestamp
from halocline_governance.refs import DatasetRef

PLACES = ("public", "buy")
RAW, CURATED, OUTPUTS = "raw.documents", "curated.documents", "serving.outputs"
LABELS = {
    "public": (PUBLIC, Label("internal")),
    "buy": (Label("internal", ("buy",)), Label("restricted", ("buy",))),
}
_START = datetime(2026, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


def clock(minute: float) -> str:
    return timestamp((_START + timedelta(minutes=minute)).timestamp())


def full(table: str, **given: Any) -> Row:
    """A row of a governed table; what is not given is empty."""
    empty = {"string": "", "long": 0, "int": 0, "double": None}
    columns = tables.table(table).columns
    return {c.name: given.get(c.name, empty.get(c.type, [])) for c in columns}


def arrow(table: str, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=tables.table(table).arrow())


def append(lake: Lake, compartment: str, table: str, rows: list[Row]) -> int:
    """One commit; gives its version."""
    with lake.lease(compartment, table) as place:
        write_deltalake(place.uri, arrow(table, rows), mode="append")
        return DeltaTable(place.uri).version()


@dataclass
class World:
    """`rows` holds every version of every governed table, as a list of its rows."""

    lake: Lake
    rng: random.Random
    minute: int = 0
    rows: dict[tuple[str, str], list[list[Row]]] = field(
        default_factory=dict[tuple[str, str], list[list[Row]]]
    )
    system: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])

    def build(self, num_steps: int) -> None:
        self.system = {name: [] for name in (DATASET, MIXTURE, RUN, MODEL, DEPLOYMENT)}
        for place in PLACES:
            for table in (RAW, CURATED):
                self.change(place, table)
        for _ in range(num_steps):
            self.change(self.rng.choice(PLACES), self.rng.choice((RAW, CURATED)))
            self.record()
            self.minute += 1
        self.write_lineage()
        self.answer()

    def change(self, place: str, table: str) -> None:
        """Append, delete, rewrite: one more version."""
        versions = self.rows.setdefault((place, table), [])
        now = list(versions[-1]) if versions else []
        kind = self.rng.choice(("append", "append", "delete", "compact", "z-order"))
        if not now or kind == "append":
            new = [self._document(place, table) for _ in range(self.rng.randint(1, 6))]
            append(self.lake, place, table, new)
            versions.append([*now, *new])
            return
        with self.lake.lease(place, table) as where:
            delta = DeltaTable(where.uri)
            before = delta.version()
            if kind == "delete":
                source = self.rng.choice(now)["source"]
                delta.delete(f"source = '{source}'")
                now = [row for row in now if row["source"] != source]
            elif kind == "compact":
                delta.optimize.compact()
            else:
                delta.optimize.z_order(["row_uid"])
            # A rewrite that finds nothing to do commits nothing.
            if delta.version() > before:
                versions.append(now)

    def record(self) -> None:
        """Perhaps a dataset version, a run, a model, a deployment."""
        rng, system = self.rng, self.system
        ts = clock(self.minute)
        place, table = rng.choice(sorted(self.rows))
        version = rng.randrange(len(self.rows[place, table]))
        granted = rng.sample(LABELS[place], rng.randint(1, 2))
        ids = tuple(sorted(label.label_id for label in granted))
        held = [r for r in self.rows[place, table][version] if r["label_id"] in ids]
        pairs = ((row["row_uid"], row["content_sha256"]) for row in held)
        ref = DatasetRef(table, place, version, ids, len(held), fingerprint.of(pairs), "d")
        if all(row["dsv_id"] != ref.dsv_id for row in system[DATASET]):
            facts = {
                "dsv_id": ref.dsv_id,
                **ref.as_json(),
                "label_id": join(granted).label_id,
                "ts": ts,
            }
            system[DATASET].append(facts)
        known = [row["dsv_id"] for row in system[DATASET]]
        number = self.minute
        chosen = rng.sample(known, min(len(known), rng.randint(1, 3)))
        weights = [(dsv_id, rng.choice((0.0, 0.5, 1.0))) for dsv_id in chosen]
        sources = [{"dsv_id": dsv_id, "weight": weight} for dsv_id, weight in weights]
        mixture = {"mix_sha": f"mix-{number}", "mixture": "{}", "sources": sources, "ts": ts}
        system[MIXTURE].append(mixture)
        for dsv_id, weight in weights:
            facts = {"mix_sha": f"mix-{number}", "dsv_id": dsv_id, "weight": weight}
            consumed = {"num_sequences": 9, "num_consumed": rng.randrange(9), "ts": ts}
            system[RUN].append({"run_id": f"run-{number}", **facts, **consumed})
        self._model(number, ts)
        if rng.random() < 0.6 and system[MODEL]:
            self._deploy(rng.choice(("chat", "code")), rng.choice(system[MODEL]), ts)

    def write_lineage(self) -> None:
        """Every lineage table in a few commits, as it was recorded."""
        for table, rows in self.system.items():
            self.rng.shuffle(rows)
            while rows:
                some, rows = rows[:7], rows[7:]
                append(self.lake, SYSTEM, table, some)

    def answer(self) -> None:
        """Outputs of models at any time, some by models that nobody recorded."""
        models = [(row["model"], row["version"]) for row in self.system[MODEL]]
        versions = self.rows.setdefault(("buy", OUTPUTS), [])
        for batch in range(3):
            new: list[Row] = []
            for number in range(self.rng.randint(1, 20)):
                name, version = self.rng.choice([*models, ("ghost", 1)])
                request = f"req-{batch}-{number}"
                ts = clock(self.rng.uniform(0, self.minute + 1))
                new.append(
                    full(
                        OUTPUTS,
                        row_uid=row_uid(OUTPUTS, request),
                        label_id=self.rng.choice(LABELS["buy"]).label_id,
                        request_id=request,
                        ts=ts,
                        endpoint=self.rng.choice(("chat", "code")),
                        model=name,
                        model_version=version,
                        weights_sha256=f"w-{name}-{version}",
                        outcome="released",
                    )
                )
            append(self.lake, "buy", OUTPUTS, new)
            versions.append([*(versions[-1] if versions else []), *new])

    def _document(self, place: str, table: str) -> Row:
        rng = self.rng
        return full(
            table,
            row_uid=rng.randrange(60) if table == CURATED else rng.randrange(1 << 62),
            label_id=rng.choice(LABELS[place]).label_id,
            source=rng.choice(("web", "mail", "code")),
            licence=rng.choice(("MIT", "CC0-1.0")),
            content_sha256=f"{rng.randrange(1 << 64):064x}",
            subject_keys=rng.sample(("ann", "bob", "eve"), rng.randrange(3)),
        )

    def _model(self, number: int, ts: str) -> None:
        rng, rows = self.rng, self.system[MODEL]
        known = sorted({(row["model"], row["version"]) for row in rows})
        own = {"model": rng.choice(("base", "tuned")), "version": number}
        label_id = rng.choice([*LABELS["public"], *LABELS["buy"]]).label_id
        same = {"weights_sha256": f"w-{own['model']}-{number}", "label_id": label_id, "ts": ts}
        parents = rng.sample(known, min(len(known), rng.randrange(3)))
        edges: list[Row] = [{"parent_model": None, "parent_version": None, "kind": "trained"}]
        if parents:
            edges = [
                {"parent_model": name, "parent_version": version, "kind": "base"}
                for name, version in parents
            ]
        rows += [{**own, **same, "run_id": f"run-{number}", **edge} for edge in edges]

    def _deploy(self, endpoint: str, model: Row, ts: str) -> None:
        rows = self.system[DEPLOYMENT]
        mine = [row for row in rows if row["endpoint"] == endpoint]
        if any(row["from_ts"] == ts for row in mine):
            return
        for row in mine:
            row["to_ts"] = row["to_ts"] or ts
        named = {"model": model["model"], "version": model["version"]}
        span = {"from_ts": ts, "to_ts": None, "decision_id": "d"}
        rows.append({"endpoint": endpoint, **named, **span})
