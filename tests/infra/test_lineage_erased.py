"""What was erased or lost is told as that by `halocline lineage`, with the order or the record."""

from __future__ import annotations

from contextlib import closing
from html import escape
from pathlib import Path
from typing import Any

import pytest

from halocline_governance import keys
from halocline_governance.erasure.order import Order, What
from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind
from tests.infra.test_lineage_commands import MODEL, OUTPUT, make

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")

GONE, LOST = "01a1fcba-cd3d-7ae8-a9b0-a2654be011b1", "01a1fcba-cd3d-7ae8-a9b0-a2654be011b2"


def write(folder: Path, *events: AuditEvent) -> None:
    key = keys.ed25519(folder / "keys" / "journal.key")
    with closing(Journal.open(folder / "journal", Signer(key))) as journal:
        for event in events:
            journal.append(event)


def erased(what: What, name: str, number: int, rows: list[dict[str, Any]]) -> list[AuditEvent]:
    order = Order(f"e-{number:010x}", what, (name,), "request 118", "cleo").as_json()
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("cleo", "request", {}),
        ("omar", "approve", {}),
        ("omar", "done", {"rows": rows}),
    )
    return [
        AuditEvent(Kind.ERASE, who, "audit", {"order": order, "step": step, **more})
        for who, step, more in steps
    ]


def test_an_erasure_is_a_gap_with_its_order(tmp_path: Path) -> None:
    home = make(tmp_path / "home")
    rows = [{"compartment": "buy", "table": "curated.documents", "rows": 2}]
    write(
        home.folder,
        *erased(What.SOURCE, "readmes", 1, rows),
        *erased(What.OUTPUT, GONE, 2, []),
        AuditEvent(Kind.ADMIT, "bea", "inference", {"request_id": LOST}),
    )
    file = tmp_path / "page.html"
    (gap,) = home.json("trace", f"dataset:{home.facts['buy']}")["gaps"]
    home.call("trace", MODEL, "--html", file)

    assert gap.startswith("order e-0000000001 erased 2 rows of buy:curated.documents on ")
    assert escape(gap) in file.read_text()
    assert "Nothing is missing" not in file.read_text()
    assert home.json("trace", f"dataset:{home.facts['public']}", "--backward")["gaps"] == []
    for asked in (GONE, f"output:{GONE}"):
        assert "by order e-0000000002" in home.call("trace", asked)[2]
    for asked in (LOST, f"output:{LOST}"):
        assert "is in the journal and not in serving.outputs" in home.call("trace", asked)[2]
    early = home.call("trace", OUTPUT, "--at", "2001-01-01T00:00:00Z")[2]
    assert "was asked for later than 2001" in early
