"""Lineage: recorded once, followed in both directions, never contradicted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from halocline_governance import tables
from halocline_governance.errors import LeaseHeld, Refused
from halocline_governance.label import PUBLIC, Label
from halocline_governance.lake import Lake
from halocline_governance.lineage import Edge, Lineage, Node, Parent, Trace, fingerprint, keyed
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MIXTURE, MODEL, RUN
from halocline_governance.refs import DatasetRef, ModelRef

BUY = Label("confidential", sides=("buy",))
ROWS = {11: PUBLIC, 12: PUBLIC, 13: Label("internal")}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def lineage(lake: Lake) -> Lineage:
    return Lineage(lake)


def dataset(version: int = 0, uids: tuple[int, ...] = (11, 12), **other: Any) -> DatasetRef:
    facts: dict[str, Any] = {
        "table": "curated.documents",
        "compartment": "public",
        "version": version,
        "label_ids": (PUBLIC.label_id,),
        "num_rows": len(uids),
        "fingerprint": fingerprint.of((uid, "a" * 64) for uid in uids),
        "decision_id": "d1",
    }
    return DatasetRef(**{**facts, **other})


def model(version: int = 1, weights: str = "w1", name: str = "base") -> ModelRef:
    return ModelRef(name, version, weights, BUY)


def record(lineage: Lineage, run_id: str = "run-1") -> str:
    """One whole chain: dataset, mixture, run, model, endpoint."""
    dsv_id = lineage.add_dataset(dataset(), PUBLIC)
    lineage.add_mixture("mix-1", '{"seed":1}', [(dsv_id, 1.0)])
    lineage.add_run(run_id, "mix-1", [(dsv_id, 1.0, 40, 32)])
    lineage.add_model(model(), run_id)
    lineage.deploy("chat", model(), "dec-1", "2026-01-01T00:00:00.000000Z")
    return dsv_id


def output(**other: Any) -> dict[str, Any]:
    facts = {
        "label_id": BUY.label_id,
        "outcome": "released",
        "ts": "2026-01-02T00:00:00.000000Z",
        "model": "base",
        "model_version": 1,
        "weights_sha256": "w1",
    }
    return {**facts, **other}


def put_rows(lake: Lake) -> None:
    rows: list[dict[str, Any]] = [
        {
            "row_uid": uid,
            "label_id": lake.intern(label, "public"),
            "source": "readme",
            "licence": "MIT",
            "language": "en",
            "content_sha256": "a" * 64,
            "subject_keys": [],
            "num_pii": 0,
            "text": "t",
            "recipe": "r",
            "run_id": "r",
        }
        for uid, label in ROWS.items()
    ]
    schema = tables.table("curated.documents").arrow()
    with lake.lease("public", "curated.documents") as place:
        write_deltalake(place.uri, pa.Table.from_pylist(rows, schema=schema), mode="append")


def test_a_repeat_changes_nothing(lineage: Lineage) -> None:
    record(lineage)
    before = {name: lineage.rows(name) for name in (DATASET, MIXTURE, RUN, MODEL, DEPLOYMENT)}

    record(lineage)

    assert {name: lineage.rows(name) for name in before} == before
    assert all(len(rows) == 1 for rows in before.values())


def test_another_reader_of_the_same_rows_is_the_same_version(lineage: Lineage) -> None:
    first = lineage.add_dataset(dataset(), PUBLIC)
    second = lineage.add_dataset(dataset(decision_id="d2"), PUBLIC)

    assert first == second
    assert len(lineage.rows(DATASET)) == 1


def test_a_contradiction_is_refused(lineage: Lineage) -> None:
    dsv_id = record(lineage)

    with pytest.raises(Refused, match="another label_id"):
        lineage.add_dataset(dataset(), BUY)
    with pytest.raises(Refused, match="another mixture"):
        lineage.add_mixture("mix-1", '{"seed":2}', [(dsv_id, 1.0)])
    with pytest.raises(Refused, match="another weights hash"):
        lineage.add_model(model(weights="w2"), "run-1")
    with pytest.raises(Refused, match="another num_consumed"):
        lineage.add_run("run-1", "mix-1", [(dsv_id, 1.0, 40, 33)])


def test_a_run_may_start_over_until_it_gave_a_model(lineage: Lineage) -> None:
    dsv_id = lineage.add_dataset(dataset(), PUBLIC)
    lineage.add_mixture("mix-1", "{}", [(dsv_id, 1.0)])
    lineage.add_run("run-1", "mix-1", [(dsv_id, 1.0, 40, 0)])
    lineage.add_run("run-1", "mix-1", [(dsv_id, 1.0, 40, 32)])

    assert [row["num_consumed"] for row in lineage.rows(RUN)] == [32]


def test_what_is_not_on_record_cannot_be_built_on(lineage: Lineage) -> None:
    with pytest.raises(Refused, match="dunknown"):
        lineage.add_mixture("mix-1", "{}", [("dunknown", 1.0)])
    with pytest.raises(Refused, match="run-9"):
        lineage.add_model(model(), "run-9")
    dsv_id = lineage.add_dataset(dataset(), PUBLIC)
    with pytest.raises(Refused, match="mix-9"):
        lineage.add_run("run-1", "mix-9", [(dsv_id, 1.0, 1, 1)])
    with pytest.raises(Refused, match="at least one source"):
        lineage.add_mixture("mix-1", "{}", [])
    with pytest.raises(Refused, match="finite"):
        lineage.add_mixture("mix-1", "{}", [(dsv_id, float("nan"))])


def test_concurrent_adders_lose_and_double_nothing(lake: Lake) -> None:
    versions = list(range(4))

    def adder(_: int) -> list[str]:
        return [Lineage(lake).add_dataset(dataset(version), PUBLIC) for version in versions]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(adder, range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert sorted(row["version"] for row in Lineage(lake).rows(DATASET)) == versions


def test_a_lease_that_stays_held_is_said(lake: Lake) -> None:
    with (
        lake.lease("system", DATASET),
        pytest.raises(LeaseHeld),
        keyed.lease(lake, "system", DATASET, wait_s=0.1),
    ):
        pass


def test_deployments_are_intervals_without_overlap(lineage: Lineage) -> None:
    record(lineage)
    lineage.deploy("chat", model(2), "dec-2", "2026-02-01T00:00:00.000000Z")
    lineage.deploy("chat", model(2), "dec-3", "2026-02-02T00:00:00.000000Z")
    lineage.withdraw("chat", "2026-03-01T00:00:00.000000Z")
    lineage.withdraw("chat", "2026-03-02T00:00:00.000000Z")

    spans = [(r["version"], r["from_ts"][:10], r["to_ts"][:10]) for r in lineage.rows(DEPLOYMENT)]
    assert sorted(spans) == [(1, "2026-01-01", "2026-02-01"), (2, "2026-02-01", "2026-03-01")]
    with pytest.raises(Refused, match="in order"):
        lineage.deploy("chat", model(3), "dec-4", "2026-01-15T00:00:00.000000Z")


def test_an_output_leads_back_to_its_dataset_versions(lineage: Lineage) -> None:
    dsv_id = record(lineage)

    trace = lineage.trace_output("req-1", output())

    assert trace.gaps == []
    assert [node.id for node in trace.of("dataset")] == [f"dataset:{dsv_id}"]
    kinds = {"output", "model", "run", "mixture", "dataset"}
    assert {node.kind for node in trace.nodes.values()} == kinds


def test_a_parent_models_data_is_behind_the_output_too(lineage: Lineage) -> None:
    first = record(lineage)
    second = lineage.add_dataset(dataset(1, (13,)), Label("internal"))
    lineage.add_mixture("mix-2", "{}", [(second, 1.0)])
    lineage.add_run("run-2", "mix-2", [(second, 1.0, 8, 8)])
    lineage.add_model(model(name="tuned", weights="w9"), "run-2", [Parent("base", 1)])

    trace = lineage.trace_output("r", output(model="tuned", weights_sha256="w9"))

    assert {node.name for node in trace.of("dataset")} == {first, second}


@pytest.mark.parametrize(
    ("changed", "gap"),
    [({"model": "ghost"}, "no run is on record"), ({"weights_sha256": "other"}, "other weights")],
)
def test_what_cannot_be_followed_is_a_gap(
    lineage: Lineage, changed: dict[str, str], gap: str
) -> None:
    record(lineage)

    assert gap in lineage.trace_output("req-1", output(**changed)).gaps[0]


@pytest.mark.parametrize("table", ["curated.documents", "raw.documents"])
def test_a_row_leads_to_the_models_it_reached(lake: Lake, lineage: Lineage, table: str) -> None:
    put_rows(lake)
    record(lineage)

    trace = lineage.trace_row("public", table, 11)

    assert [node.name for node in trace.of("model")] == ["base v1"]
    assert [node.name for node in trace.of("deployment")] == ["chat"]


@pytest.mark.parametrize(
    ("uid", "why"), [(13, "its label was not read"), (99, "there is no such row")]
)
def test_a_row_that_was_not_read_reaches_nothing(
    lake: Lake, lineage: Lineage, uid: int, why: str
) -> None:
    put_rows(lake)
    record(lineage)

    assert lineage.trace_row("public", "curated.documents", uid).of("model") == [], why


def test_a_version_that_is_gone_is_a_gap(lake: Lake, lineage: Lineage) -> None:
    put_rows(lake)
    lineage.add_dataset(dataset(version=7), PUBLIC)

    gaps = lineage.trace_row("public", "curated.documents", 11).gaps

    assert gaps == ["public:curated.documents version 7 cannot be read any more"]


def test_a_trace_is_told_three_ways(lineage: Lineage) -> None:
    record(lineage)
    trace = lineage.trace_output("req-1", output())

    assert trace.as_json() == lineage.trace_output("req-1", output()).as_json()
    assert trace.tree()[0].startswith("output req-1")
    assert any("dataset" in line and "weight 1" in line for line in trace.tree())
    assert trace.mermaid().count("-->") == len(trace.edges)


@given(st.text(max_size=40))
@settings(max_examples=50)
def test_mermaid_holds_no_markup_of_a_name(name: str) -> None:
    trace = Trace(Node("a", "row", name))
    trace.lead(trace.root, Node("b", "row", name), name)

    text = trace.mermaid()

    assert len(text.splitlines()) == 4
    assert all(line.count('"') in (0, 2) for line in text.splitlines())
    assert "<" not in text


def test_an_edge_is_told_once() -> None:
    trace = Trace(Node("a", "row", "a"))

    assert trace.lead(trace.root, Node("b", "row", "b"), "in")
    assert not trace.lead(trace.root, Node("b", "row", "b"), "in")
    assert trace.edges == [Edge("a", "b", "in")]
