"""A period's report holds each output's row to what the journal was told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from halocline_governance.records import Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, verify
from tests.governance.report.test_period_report import part
from tests.governance.report.test_period_verify import attested

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.governance.report.conftest import World

Rows = list[dict[str, Any]]


def forge(world: World, change: Callable[[Rows], Rows]) -> None:
    """Overwrite the outputs, as somebody with the files may."""
    with world.lake.lease("buy", "serving.outputs") as place:
        table = DeltaTable(place.uri).to_pyarrow_table()
        rows = change(table.to_pylist())
        made = pa.Table.from_pylist(rows, schema=table.schema)
        write_deltalake(place.uri, made, mode="overwrite")


CHANGED: list[tuple[str, object, str]] = [
    ("outcome", "released", "outcome"),
    ("model", "other", "model"),
    ("model_version", 3, "model_version"),
    ("weights_sha256", "b" * 64, "weights_sha256"),
    ("subject", "ana", "subject"),
    ("ts", "2026-02-01T00:00:00.000000Z", "ts"),
    ("output", "other words", "output"),
    ("prompt", "other words", "prompt"),
    ("verdicts", "[]", "row"),
    ("mean_entropy", 0.5, "row"),
    ("commitment_key", "d" * 64, "prompt, output, released"),
    ("commitment_key", "none", "row"),
]


def test_rows_that_are_not_what_was_recorded_are_told(told: World) -> None:
    for at in range(len(CHANGED)):
        told.answer(f"{at:02}", outcome="held")
    assert told.period_document().content["gaps"] == []

    def change(rows: Rows) -> Rows:
        pairs = {f"{at:02}": {column: value} for at, (column, value, _) in enumerate(CHANGED)}
        return [row | pairs.get(row["request_id"], {}) for row in rows]

    forge(told, change)
    document = told.period_document()

    listed = part(document, "lists", "differing")
    found = sorted((row["request_id"], row["differs"]) for row in listed["rows"])
    assert found == [(f"{at:02}", named) for at, (_, _, named) in enumerate(CHANGED)]
    assert {row["recorded"] for row in listed["rows"]} == {"held, house v2"}
    assert ["00 (outcome), 01 (model)" in gap for gap in document.content["gaps"]] == [True]
    assert verify.verify(document, told.signer.trust).faults == []
    assert recheck.with_lake(document, told.period_sources, told.officer).faults == []


def test_a_row_twice_and_a_row_of_nothing_are_told(told: World) -> None:
    forge(told, lambda rows: [*rows, *rows, {**rows[0], "request_id": "never"}])

    document = told.period_document()

    rows = part(document, "lists", "differing")["rows"]
    assert [(row["request_id"], row["differs"]) for row in rows] == [("req-1", "more than one row")]
    assert any("1 rows" in gap and "never" in gap for gap in document.content["gaps"])


def test_a_row_moved_into_the_period_is_no_row_without_a_record(told: World) -> None:
    told.answer("old", ts="2025-06-01T00:00:00.000000Z")
    moved = "2026-06-01T00:00:00.000000Z"
    forge(told, lambda rows: [r | {"ts": moved} if r["request_id"] == "old" else r for r in rows])

    document = told.period_document()

    assert [gap.partition(": ")[2] for gap in document.content["gaps"]] == ["old (ts)"]


def test_a_record_told_again_is_the_same_row(told: World) -> None:
    """A commitment that may have missed the journal is told again after a crash."""
    first = next(entry for entry in told.entries() if entry.kind == Kind.GENERATE)
    told.append(Kind.GENERATE, {**first.object, "recovered": True})
    told.append(Kind.GENERATE, {**first.object, "outcome": "held", "recovered": True})

    assert part(told.period_document(), "lists", "differing")["total"] == 0


def test_hidden_differences_are_found(told: World) -> None:
    """Who can write to the journal attests a report that leaves the incident out."""
    forge(told, lambda rows: [row | {"outcome": "held"} for row in rows])
    document = told.period_document()
    content = period.Document.parse(document.dumps().encode()).content
    rows = next(
        one
        for section in content["sections"]
        for one in section["lists"]
        if one["name"] == "differing"
    )
    rows["rows"][0]["recorded"] = "held, house v2"
    forged = attested(told, document, dict(content))
    assert verify.verify(forged, told.signer.trust).faults == [
        "differing row 0: the records it cites say something else"
    ]
