"""What a report cannot show, or what was changed since, it says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from halocline_governance import report
from halocline_governance.errors import JournalCorrupt
from halocline_governance.gates import Gates
from halocline_governance.journal import Journal
from halocline_governance.records import Kind

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

OUTPUTS = "serving.outputs"


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


@pytest.mark.parametrize("name", ["commitment_key", "output_sha256", "released_sha256"])
def test_a_row_without_its_commitments_is_told(told: World, name: str) -> None:
    path = told.lake.path("buy", OUTPUTS)
    rows = DeltaTable(path).to_pyarrow_table().to_pylist()
    shutil.rmtree(path)
    told.write(OUTPUTS, [{**row, name: "none"} for row in rows])

    gaps = told.report().content["gaps"]

    assert "output req-1: the row's row differ from the record" in gaps


def test_outputs_and_journal_are_reconciled(told: World) -> None:
    told.append(Kind.GENERATE, {"request_id": "lost"})

    gaps = told.report().content["gaps"]

    assert any(gap.startswith("1 outputs in the journal are not among") for gap in gaps)
