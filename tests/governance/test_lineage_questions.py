"""Questions at their edges: what is not there, cycles, long lines, large fans, clocks set back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused
from halocline_governance.label import PUBLIC, SYSTEM
from halocline_governance.lake import Lake
from halocline_governance.lineage import Lineage, Parent
from halocline_governance.lineage.lineage import DATASET, DEPLOYMENT, MODEL, RUN
from halocline_governance.refs import ModelRef
from tests.governance.lineage_world import CURATED, OUTPUTS, Row, append, clock, full

DSV = {
    "dsv_id": "d0",
    "table": CURATED,
    "compartment": "public",
    "version": 0,
    "label_ids": [PUBLIC.label_id],
    "label_id": PUBLIC.label_id,
    "num_rows": 1,
    "fingerprint": "f",
    "decision_id": "d",
    "ts": clock(0),
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    made.intern(PUBLIC, "public")
    row = full(CURATED, row_uid=1, label_id=PUBLIC.label_id, source="web", licence="MIT")
    append(made, "public", CURATED, [row])
    append(made, SYSTEM, DATASET, [DSV])
    return made


def run(number: int, **other: Any) -> Row:
    facts = {"run_id": f"run-{number}", "mix_sha": "m", "dsv_id": "d0", "weight": 1.0}
    return {**facts, "num_sequences": 2, "num_consumed": 1, "ts": clock(1), **other}


def model(number: int, parent: int | None = None, **other: Any) -> Row:
    facts: Row = {"model": "base", "version": number, "weights_sha256": "w", "label_id": "l"}
    named = None if parent is None else "base"
    edge: Row = {"parent_model": named, "parent_version": parent, "kind": "base"}
    return {**facts, "run_id": f"run-{number}", **edge, "ts": clock(2), **other}


def test_a_large_fan_is_counted_and_listed_in_part(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(number) for number in range(700)])
    append(lake, SYSTEM, MODEL, [model(number) for number in range(700)])
    lineage = Lineage(lake)

    trace = lineage.trace(f"row:public:{CURATED}/1", limit=50)
    impact = lineage.impact("source:web")

    assert (trace.counts["run"], trace.counts["model"]) == (700, 700)
    assert (len(trace.of("run")), len(trace.of("model"))) == (50, 50)
    assert "... and 650 more: model" in trace.tree()
    assert len(list(lineage.reached("source:web", "model"))) == 700
    assert impact.as_json()["runs"]["num"] == 700
    assert len(impact.as_json()["runs"]["first"]) == 100
    assert sum(impact.runs.values()) == 700


def test_what_is_listed_hangs_together(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(number) for number in range(90)])
    append(lake, SYSTEM, MODEL, [model(number) for number in range(90)])
    trace = Lineage(lake).trace("source:web", limit=7)
    reached = {trace.root.id}
    for _ in trace.edges:
        reached |= {edge.head for edge in trace.edges if edge.tail in reached}

    assert reached == set(trace.nodes)


def test_a_long_line_of_models_is_followed_to_its_end(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(0)])
    line = [model(number, number - 1 if number else None, run_id="run-0") for number in range(2000)]
    append(lake, SYSTEM, MODEL, line)
    lineage = Lineage(lake)

    assert len(list(lineage.reached("model:base/0", "model"))) == 1999
    trace = lineage.trace("model:base/1999", direction="back", limit=5000)
    assert trace.counts["model"] == 1999
    assert len(trace.tree()) > 1999


def test_a_cycle_is_refused(lake: Lake) -> None:
    lineage = Lineage(lake)
    append(lake, SYSTEM, RUN, [run(number, mix_sha="m") for number in range(3)])
    ref = [ModelRef("base", number, f"w{number}", PUBLIC) for number in range(3)]
    lineage.add_model(ref[0], "run-0")
    lineage.add_model(ref[1], "run-1", [Parent("base", 0)])
    lineage.add_model(ref[2], "run-2", [Parent("base", 1, "merge")])

    with pytest.raises(Refused, match="cannot be made from what it went into"):
        lineage.add_model(ref[0], "run-0", [Parent("base", 2)])
    with pytest.raises(Refused, match="cannot be made from"):
        lineage.add_model(ModelRef("own", 1, "w", PUBLIC), "run-0", [Parent("own", 1)])


def test_a_cycle_that_somebody_wrote_past_us_ends(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(number) for number in range(3)])
    append(lake, SYSTEM, MODEL, [model(0, 2), model(1, 0), model(2, 1)])
    lineage = Lineage(lake)

    assert set(lineage.reached("model:base/1", "model")) == {"base/0", "base/2"}
    assert set(lineage.reached("model:base/1", "model", forward=False)) == {"base/0", "base/2"}
    assert len(lineage.trace("model:base/1").tree()) < 40
    assert len(lineage.impact("source:web").models) == 3


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("run:run-8", "did you mean run:run-0"),
        ("run:nothing-like-it", "not on record"),
        ("model:base/7", "not on record"),
        ("dataset:dx", "not on record"),
        ("endpoint:chat", "not on record"),
        ("mixture:m", "not on record"),
        ("output:none", "x-request-id"),
        (f"row:public:{CURATED}/2", "no such row"),
        ("subject:nobody", "pseudonyms"),
        ("source:nowhere", "as at its ingest"),
        ("licence:none", "as at its ingest"),
        ("", "name it by its kind"),
        ("run", "name it by its kind"),
        ("run:", "name it by its kind"),
        ("planet:mars", "name it by its kind"),
        ("row:public/1", "row:COMPARTMENT"),
        (f"row:public:{CURATED}/one", "row:COMPARTMENT"),
        (f"row:../x:{CURATED}/1", "row:COMPARTMENT"),
        ("row:public:no.table/1", "row:COMPARTMENT"),
        (f"row:public:{CURATED}/9999999999999999999999", "64 bits"),
        ("model:base", "NAME/VERSION"),
        ("model:base/x", "NAME/VERSION"),
    ],
)
def test_what_is_not_there_is_refused_with_what_to_do(lake: Lake, thing: str, told: str) -> None:
    append(lake, SYSTEM, RUN, [run(0)])
    lineage = Lineage(lake)

    with pytest.raises(Refused, match=told):
        lineage.trace(thing)
    with pytest.raises(Refused):
        lineage.impact(thing)


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", ""])
def test_a_moment_has_an_offset(lake: Lake, at: str) -> None:
    with pytest.raises(Refused, match="RFC 3339"):
        Lineage(lake).trace("dataset:d0", at)


def test_a_moment_may_be_told_in_any_offset(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(0)])
    lineage = Lineage(lake)

    assert list(lineage.reached("dataset:d0", "run", at="2026-01-01T01:01:00+01:00")) == ["run-0"]
    assert list(lineage.reached("dataset:d0", "run", at="2026-01-01T02:00:59+02:00")) == []


def test_a_thing_is_not_known_before_it_was_recorded(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(0)])

    with pytest.raises(Refused, match="not on record by"):
        Lineage(lake).trace("run:run-0", clock(0.5))


def test_a_clock_set_back_is_told_and_not_mended(lake: Lake) -> None:
    """The model bears an earlier time than the run it came out of."""
    append(lake, SYSTEM, RUN, [run(0, ts=clock(10))])
    append(lake, SYSTEM, MODEL, [model(0, ts=clock(5))])
    lineage = Lineage(lake)

    between = lineage.trace("model:base/0", clock(7), "back")
    assert between.gaps == ["run run-0: no dataset version is on record"]
    assert lineage.trace("model:base/0", clock(10), "back").of("dataset") != []


def test_an_endpoint_then_is_not_what_it_is_now(lake: Lake) -> None:
    append(lake, SYSTEM, RUN, [run(0), run(1)])
    append(lake, SYSTEM, MODEL, [model(0), model(1)])
    spans = [(0, clock(3), clock(6)), (1, clock(6), None)]
    append(
        lake,
        SYSTEM,
        DEPLOYMENT,
        [
            {"endpoint": "chat", "model": "base", "version": version, "from_ts": a, "to_ts": z}
            | {"decision_id": "d"}
            for version, a, z in spans
        ],
    )
    lineage = Lineage(lake)

    assert lineage.impact("source:web", clock(4)).endpoints_now == [("chat", clock(3))]
    now = lineage.impact("source:web")
    assert now.endpoints_now == [("chat", clock(6))]
    assert now.endpoints_before == [("chat", clock(3), clock(6))]
    then = lineage.trace("endpoint:chat", clock(4), "back")
    assert [node.name for node in then.of("model")] == ["base v0"]
    assert then.of("deployment")[0].facts["to"] is None


def test_a_trace_says_what_its_root_did_not_reach(lake: Lake) -> None:
    trace = Lineage(lake).trace(f"row:public:{CURATED}/1")

    assert trace.of("run") == []
    assert trace.root.facts["versions"] == "0.."
    assert {node.id for node in trace.nodes.values()} >= {"source:web", "licence:MIT"}


def test_a_row_that_was_rewritten_has_one_life(lake: Lake) -> None:
    from deltalake import DeltaTable

    with lake.lease("public", CURATED) as place:
        DeltaTable(place.uri).update({"text": "'other'"})
        DeltaTable(place.uri).delete("row_uid = 1")

    facts = Lineage(lake).trace(f"row:public:{CURATED}/1").root.facts
    assert facts["versions"] == "0..1"


def test_outputs_of_a_model_nobody_recorded_are_found_and_said_so(lake: Lake) -> None:
    from halocline_governance.records import row_uid

    row = full(
        OUTPUTS,
        row_uid=row_uid(OUTPUTS, "r1"),
        request_id="r1",
        label_id=PUBLIC.label_id,
        ts=clock(1),
        model="ghost",
        model_version=3,
    )
    append(lake, "public", OUTPUTS, [row])
    trace = Lineage(lake).trace("output:r1")

    assert "ghost v3: no run is on record for this version" in trace.gaps
    with pytest.raises(Refused, match="asked for later than"):
        Lineage(lake).trace("output:r1", clock(0))
