"""What was erased is told as that: by a new report, and where an earlier one is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from halocline_governance.erasure.order import Order, What
from halocline_governance.errors import Refused
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.report.period import recheck, verify
from tests.governance.report.test_period_held import forge

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

ONE = "e-00000000a1"


def erased(world: World, what: What, name: str, *rows: tuple[str, int], ident: str = ONE) -> None:
    """The journal's record of an order that was carried out."""
    order = Order(ident, what, (name,), "asked for", "rob")
    removed = [{"compartment": "buy", "table": table, "rows": num} for table, num in rows]
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("rob", "request", {}),
        ("cleo", "approve", {}),
        ("cleo", "begin", {"exposed": []}),
        ("cleo", "done", {"rows": removed, "reports": []}),
    ]
    for subject, step, more in steps:
        told = {"step": step, "order": order.as_json(), **more}
        world.journal.append(AuditEvent(Kind.ERASE, subject, "audit", told))


def test_an_erased_output_is_told_by_its_order(told: World) -> None:
    told.answer("req-2")
    forge(told, lambda rows: [row for row in rows if row["request_id"] != "req-2"])
    erased(told, What.OUTPUT, "req-2", ("serving.outputs", 1))

    document = told.period_document()

    first, second = document.content["gaps"]
    assert first == f"1 outputs were erased by order {ONE}: req-2"
    assert second.startswith(f"erased by order {ONE} (output, ")
    assert "1 rows of buy:serving.outputs" in second
    assert verify.verify(document, told.signer.trust).faults == []
    with pytest.raises(Refused, match=f"req-2 was erased by order {ONE}"):
        told.report("req-2")


def test_an_order_that_is_not_done_excuses_nothing(told: World) -> None:
    told.answer("req-2")
    forge(told, lambda rows: [row for row in rows if row["request_id"] != "req-2"])
    order = Order(ONE, What.OUTPUT, ("req-2",), "asked for", "rob")
    told.append(Kind.ERASE, {"step": "done", "order": order.as_json(), "rows": []})

    gaps = told.period_document().content["gaps"]

    assert [gap.partition(":")[0] for gap in gaps] == [
        "1 outputs in the journal are not among the rows shown"
    ]


def test_an_earlier_report_names_the_order_that_took_its_rows(told: World) -> None:
    erased(told, What.SOURCE, "before", ("curated.documents", 3), ident="e-00000000b2")
    document = told.period_document()
    for file in told.lake.path("buy", "curated.documents").glob("*.parquet"):
        file.unlink()

    with pytest.raises(Refused, match=r"read again at version 0: (?!rows of it were erased)"):
        recheck.with_lake(document, told.period_sources, told.officer)
    erased(told, What.SOURCE, "readmes", ("curated.documents", 6))
    with pytest.raises(Refused, match=f"rows of it were erased by order {ONE} since"):
        recheck.with_lake(document, told.period_sources, told.officer)
    with pytest.raises(Refused, match=f"rows of it were erased by order {ONE} since"):
        told.of_period(folder="again", earlier=document)
