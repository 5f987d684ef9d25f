"""How a period's report says things: what comes first, and in words that mean what was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from halocline_governance.erasure.order import What
from halocline_governance.errors import Refused
from halocline_governance.gates import Gate
from halocline_governance.records import Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, verify
from halocline_governance.report.period.document import sha256
from halocline_governance.report.period.html import summary
from tests.governance.report.test_period_erased import erased
from tests.governance.report.test_period_report import part

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

GPL = {"expression": "GPL-3.0-only", "choices": [["GPL-3.0-only"]]}


def test_refusals_are_shown_before_what_was_let_in(world: World) -> None:
    for number in range(3):
        world.ask(Gate.INGEST, licence=GPL, source=f"refused-{number}")
    for number in range(105):
        world.ask(Gate.INGEST, source=f"let-in-{number}")

    document = world.period_document()

    told = part(document, "lists", "admitted")
    shown = [row["source"] for row in told["rows"]]
    assert (told["total"], len(shown)) == (108, 100)
    assert shown[:3] == ["refused-0", "refused-1", "refused-2"]
    assert shown[3:] == [f"let-in-{number}" for number in range(8, 105)]
    found = recheck.with_journal(document, world.signer.trust, world.root / "journal")
    assert found.faults == []


def test_alike_denials_are_one_row(world: World) -> None:
    for _ in range(30):
        world.ask(Gate.PROMOTE, approvals=[])
    world.ask(Gate.INGEST, licence=GPL)

    document = world.period_document()

    rows = part(document, "lists", "denials")["rows"]
    assert [(row["gate"], row["times"]) for row in rows] == [("promote", 30), ("ingest", 1)]
    assert verify.verify(document, world.signer.trust).faults == []


def test_an_erasure_and_a_report_are_told_in_words(told: World) -> None:
    told.of_period("mar")
    reached = {"thing": "source:x", "models": {"num": 2, "first": ["a v1", "b v1"]}, "runs": {}}
    begun = {"step": "begin", "order": {"id": "e-1"}, "exposed": [reached]}
    told.append(Kind.ERASE, begun)
    erased(told, What.SOURCE, "x", ("curated.documents", 3), ("raw.documents", 4))

    document = told.period_document()

    steps = part(document, "lists", "erasures")["rows"]
    assert steps[-1]["says"] == "rows: 3 rows of buy:curated.documents, 4 rows of buy:raw.documents"
    assert steps[0]["says"] == "reached source:x: 2 models"
    assert not any("{" in row["says"] for row in steps)
    handed = part(document, "lists", "handed")["rows"]
    assert [row["hash_of"] for row in handed] == [
        "what it says, before it is written",
        "the JSON file",
    ]
    assert all(row["what"].startswith("report of a period, 20") for row in handed)
    assert all(row["what"].endswith(", mar") for row in handed)


def test_personal_data_is_what_was_scrubbed(told: World) -> None:
    told.append(Kind.CURATE, {"run_id": "c", "kept": 4, "num_pii": 7, "dropped": {}})

    document = told.period_document()

    run = part(document, "lists", "curated")["rows"][0]
    assert (run["pii_scrubbed"], run["quarantined"], run["dropped"]) == ("7", "0", "0")
    assert {"rows_scrubbed", "pii_scrubbed"} <= set(part(document, "sums", "sources")["columns"])


def test_the_first_page_tells_calls_by_outcome_and_who_signed(told: World) -> None:
    told.answer("no", outcome="denied")
    paths = told.of_period()
    content = period.Document.parse(paths.json.read_bytes()).content

    tiles = dict(summary(content))
    assert (tiles["calls released"], tiles["calls denied"]) == ("1", "1")
    line = told.signer.trust.line()
    key = {"key": "+".join(line.split("+")[:2]), "sha256": sha256(line.encode())}
    assert content["installation"] == {"keys": [key], "logs": ["halocline/log-0000"]}
    assert f"<code>{key['key']}, SHA-256 {key['sha256']}</code>" in paths.html.read_text()


def test_another_form_is_not_taken_for_a_forgery(told: World) -> None:
    document = json.loads(told.of_period().json.read_bytes())
    document["format"] = "halocline-period-report@1"

    with pytest.raises(Refused, match=r"another form .*the release that made it"):
        period.Document.parse(json.dumps(document).encode())
