"""What a period's report cannot show it says, and it is made all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalCorrupt, Refused
from halocline_governance.journal import Journal, Signer
from halocline_governance.label import parse_compact
from halocline_governance.records import AuditEvent, Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, verify
from tests.governance.report.test_period_report import part

if TYPE_CHECKING:
    from pathlib import Path

    from tests.governance.report.conftest import World

SELL = parse_compact("confidential sides=sell")
ALERT = {
    "row_uid": 1, "alert_id": "a", "window_id": "w", "metric": "pii.rate", "severity": "high",
    "value": 1.0, "bound": 0.5, "baseline": None, "num_outputs": 10, "false_alarm_rate": 0.01,
    "reference": "r", "disposition": "open",
}  # fmt: skip


def test_what_the_officer_may_not_read_is_counted(told: World) -> None:
    for number, label in enumerate(("confidential tenants=acme sides=sell", "internal sides=buy")):
        row = {**ALERT, "row_uid": number, "ts": "2026-01-02T00:00:00.000000Z"}
        parsed = parse_compact(label)
        row["label_id"] = told.lake.intern(parsed)
        told.write("monitoring.alerts", [row], parsed.compartment)

    document = told.period_document()

    assert part(document, "sums", "alerts")["rows"] == [
        {"metric": "pii.rate", "severity": "high", "disposition": "open", "alerts": 1}
    ]
    assert document.content["gaps"] == [
        "monitoring.alerts: 1 compartments hold it that the officer may not read"
    ]
    assert verify.verify(document, told.signer.trust).faults == []


def test_outputs_and_answers_are_reconciled(told: World) -> None:
    told.append(Kind.GENERATE, {"request_id": "lost", "outcome": "released"})

    gaps = told.period_document().content["gaps"]

    assert [gap.partition(" outputs")[0] for gap in gaps] == ["1"]


def test_a_table_that_is_away_is_told(told: World, tmp_path: Path) -> None:
    whole = told.period_document()
    (told.root / "lake" / "buy" / "curated").rename(tmp_path / "x")
    away = "buy:curated.documents: the journal knows this table, and it is not there"

    paths = told.of_period(folder="without")
    document = period.Document.parse(paths.json.read_bytes())

    assert any(gap.startswith(away) for gap in document.content["gaps"])
    assert away in paths.html.read_text().partition("<h2")[0]
    assert any(gap.startswith(away) for gap in told.report().content["gaps"])
    checked = recheck.with_lake(document, told.period_sources, told.officer)
    assert (checked.faults, away in checked.open["away"]) == ([], True)
    with pytest.raises(Refused, match=r"curated\.documents cannot be read again"):
        recheck.with_lake(whole, told.period_sources, told.officer)
    (tmp_path / "x").rename(told.root / "lake" / "buy" / "curated")
    back = recheck.with_lake(document, told.period_sources, told.officer)
    assert away in back.open["away"]
    assert recheck.with_lake(whole, told.period_sources, told.officer).open == {}


def test_an_installation_without_outputs_has_a_report(world: World) -> None:
    paths = world.of_period()
    document = period.Document.parse(paths.json.read_bytes())
    no_mlflow = "was not looked at: halocline lineage check holds it"

    assert verify.verify(document, world.signer.trust).faults == []
    assert [no_mlflow in limit for limit in document.content["limits"]] == [True]
    assert paths.html.read_text().count(no_mlflow) == 2
    assert part(document, "sums", "outcomes")["rows"] == []


def test_a_damaged_log_is_told_and_left_out(told: World) -> None:
    with Journal.open(told.root / "journal", told.signer) as other:
        other.append(AuditEvent(Kind.TRAIN, "svc", "training", {"run_id": "elsewhere"}))
        segment = next((told.root / "journal" / other.name).glob("*.seg"))
    segment.write_bytes(segment.read_bytes().replace(b"elsewhere", b"elsewhen?"))

    paths = told.of_period()
    document = period.Document.parse(paths.json.read_bytes())
    again = told.of_period(folder="again", earlier=document)

    assert document.content["journal"]["observed"]["verified"] is False
    assert len(document.content["gaps"]) == 1
    assert "nothing of it is in this report" in document.content["gaps"][0]
    assert "NOT verified" in paths.html.read_text()
    assert verify.verify(document, told.signer.trust).faults == []
    assert again.pdf.read_bytes() == paths.pdf.read_bytes()


def test_a_damaged_log_of_ones_own_gives_no_report(told: World) -> None:
    segment = next((told.root / "journal" / told.journal.name).glob("*.seg"))
    segment.write_bytes(segment.read_bytes().replace(b"run-1", b"run-2"))

    with pytest.raises(JournalCorrupt):
        told.of_period()
    assert not (told.root / "period").exists()


def test_logs_of_other_processes_and_a_crash_are_in_it(told: World) -> None:
    with Journal.open(told.root / "journal", told.signer) as other:
        other.append(AuditEvent(Kind.TRAIN, "svc", "training", {"run_id": "elsewhere"}))
        other.seal()
        copy = [path.read_bytes() for path in _files(told, other.name)]
    for path, data in zip(_files(told, other.name), copy, strict=True):
        path.write_bytes(data)  # as if it had been killed before its end
    Journal.open(told.root / "journal", told.signer).close()

    document = told.period_document()

    assert part(document, "lists", "crashes")["total"] == 1
    assert part(document, "lists", "runs")["total"] == 2
    found = verify.verify(document, told.signer.trust)
    found.add(recheck.with_journal(document, told.signer.trust, told.root / "journal"), "journal")
    assert found.faults == []


def test_a_report_outlives_a_change_of_key(told: World) -> None:
    document = told.period_document()
    told.journal.close()
    key, old = Ed25519PrivateKey.generate(), told.signer
    new = Signer(key, older=old.trust, endorsements=(old.endorse(Signer(key).public),))
    told.journal = Journal.open(told.root / "journal", new)
    told.signer = new
    told.gates = type(told.gates)(told.gates._engine, told.journal)  # pyright: ignore[reportPrivateUsage]
    both = new.trust

    assert verify.verify(document, both).faults == []
    again = told.of_period(folder="again", earlier=document)
    assert period.Document.parse(again.json.read_bytes()) == document
    newer = told.of_period(folder="new")
    assert verify.verify(period.Document.parse(newer.json.read_bytes()), both).faults == []


def _files(world: World, log: str) -> list[Path]:
    folder = world.root / "journal" / log
    return [*sorted(folder.glob("*.seg")), folder / "checkpoint"]
