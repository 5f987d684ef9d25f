"""A report of a period: complete, for officers only, and the same bytes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from halocline_governance.errors import Denied, Refused, Unverified
from halocline_governance.gates import Gate
from halocline_governance.label import PUBLIC, parse_compact
from halocline_governance.principal import Principal, Purpose
from halocline_governance.records import Kind
from halocline_governance.report import period
from halocline_governance.report.period import recheck, verify
from halocline_governance.report.period.document import sha256

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

BUY = parse_compact("confidential sides=buy")
BOTH = parse_compact("restricted sides=buy,sell")
HOSTILE = "<script>alert('x')</script>"


def part(document: period.Document, kind: str, name: str) -> dict[str, Any]:
    """One list or sum of a report."""
    parts = [*document.content["sections"], document.content["journal"]]
    return next(one for part in parts for one in part[kind] if one["name"] == name)


def test_it_verifies_from_itself_and_the_key(told: World) -> None:
    told.documents(3, source="a-first", start=50)
    paths = told.of_period()
    document = period.Document.parse(paths.json.read_bytes())
    trust = told.signer.trust

    found = verify.verify(document, trust, paths.html.read_bytes(), paths.pdf.read_bytes())
    found.add(recheck.with_journal(document, trust, told.root / "journal"), "journal")
    told.documents(3, start=100)
    told.answer("req-2")
    found.add(recheck.with_lake(document, told.period_sources, told.officer), "lake")

    assert found.faults == []
    assert found.open == {}


def test_built_again_it_is_the_same_bytes(told: World) -> None:
    told.ask(Gate.PROMOTE, approvals=[])
    first = told.of_period()
    earlier = period.Document.parse(first.json.read_bytes())
    told.documents(3, start=100)
    told.answer("req-2")
    told.append(Kind.TRAIN, {"run_id": "run-2"})

    again = told.of_period(folder="again", earlier=earlier)
    now = told.of_period(folder="now")

    for kind in ("json", "html", "pdf"):
        built = [getattr(paths, kind).read_bytes() for paths in (first, again, now)]
        assert built[0] == built[1]
        assert built[0] != built[2]


def test_the_numbers_follow_the_data(told: World) -> None:
    for number, outcome in enumerate(["held", "held", "released"]):
        told.answer(f"more-{number}", outcome=outcome)
    for number in range(5):
        told.ask(Gate.PROMOTE, approvals=[], alias=f"a{number}")

    document = told.period_document()

    outcomes = {
        row["outcome"]: row["outputs"] for row in part(document, "sums", "outcomes")["rows"]
    }
    assert outcomes == {"held": 2, "released": 2}
    assert part(document, "lists", "held")["total"] == 2
    assert [row["about"] for row in part(document, "lists", "denials")["rows"]] == [
        f"a{number} house v2" for number in range(5)
    ]
    sources = part(document, "sums", "sources")["rows"]
    assert [(row["licence"], row["rows"]) for row in sources] == [("Apache-2.0", 3), ("MIT", 3)]
    assert document.content["gaps"] == []


def test_a_look_is_no_read(told: World) -> None:
    """The guard's look is an allowed decision, whether rows are handed over then or not."""
    told.ask(Gate.READ, labels={}, look=True, compartment="sell")
    guard = told.period_sources.guard
    analyst = Principal("ana", ("analyst",), BUY)
    guard.table(guard.plan(analyst, Purpose.ANALYSIS, "buy:curated.documents"))

    document = told.period_document()

    flows = [row for row in part(document, "sums", "flows")["rows"] if row["gate"] == "read"]
    assert ("buy", "buy", 2) in [(r["caller"], r["data"], r["allowed"]) for r in flows]
    assert not any(row["allowed"] for row in flows if row["data"] == "sell")
    reads = part(document, "lists", "reads")["rows"]
    ours = [(row["compartment"], row["allowed"]) for row in reads if row["subject"] == "ana"]
    assert ours == [("buy", 1)]


def test_lists_end_and_totals_do_not(told: World) -> None:
    for number in range(130):
        told.append(Kind.TRAIN, {"run_id": f"many-{number}"})

    document = told.period_document()

    runs = part(document, "lists", "runs")
    assert (runs["total"], len(runs["rows"])) == (131, 100)
    assert runs["rows"][-1]["run_id"] == "many-129"
    assert verify.verify(document, told.signer.trust).faults == []


def test_what_happened_before_and_after_is_not_in_it(told: World) -> None:
    question = period.Question(period.parse("2020"), period.Duty.ALL)
    paths = period.build(told.period_sources, told.officer, question, told.root / "then")
    document = period.Document.parse(paths.json.read_bytes())

    assert verify.verify(document, told.signer.trust).faults == []
    assert part(document, "sums", "kinds")["rows"] == []
    assert part(document, "lists", "denials")["total"] == 0
    question = period.Question(period.parse("2999"), period.Duty.ALL)
    with pytest.raises(Refused, match="has not begun"):
        period.build(told.period_sources, told.officer, question, told.root / "never")


@pytest.mark.parametrize("duty", list(period.Duty))
def test_every_duty_has_its_evidence(told: World, duty: period.Duty) -> None:
    paths = told.of_period(duty.value)
    document = period.Document.parse(paths.json.read_bytes())
    html = paths.html.read_text()

    assert verify.verify(document, told.signer.trust).faults == []
    assert document.content["evidence"]
    assert all(row["sections"] for row in document.content["evidence"])
    assert "compliant with" not in html
    assert "lawyer" in html
    for row in document.content["evidence"]:
        assert all(f'id="{name}"' in html for name in row["sections"])


def test_rows_changed_under_the_version_are_not_built_again(told: World) -> None:
    document = told.period_document()
    part_file = next(told.lake.path("buy", "curated.documents").glob("*.parquet"))
    part_file.write_bytes(part_file.read_bytes()[:-8] + b"whatever")

    with pytest.raises(Refused, match=r"buy:curated.documents cannot be read again"):
        told.of_period(folder="again", earlier=document)


def test_another_officer_gets_no_other_report_for_the_same(told: World) -> None:
    document = told.period_document()
    narrow = Principal("cyd", ("compliance",), parse_compact("restricted sides=sell"))

    with pytest.raises((Refused, Unverified)):
        told.of_period(who=narrow, folder="again", earlier=document)
    assert not (told.root / "again").exists()


@pytest.mark.parametrize(
    "who",
    [
        Principal("ana", ("analyst",), BUY),
        Principal("mia", ("ml-engineer",), BOTH),
        Principal("pat", ("compliance",), PUBLIC),
        Principal("cyd", ("compliance",), parse_compact("restricted sides=sell")),
    ],
)
def test_nobody_else_gets_one(told: World, who: Principal) -> None:
    with pytest.raises(Denied):
        told.of_period(who=who)

    assert not (told.root / "period").exists()


def test_a_service_gets_none(told: World) -> None:
    """It may read the record and the outputs for audit; a report is an officer's."""
    service = Principal("svc:curate", ("service",), BOTH)

    with pytest.raises(Refused, match="role compliance"):
        told.of_period(who=service)
    with pytest.raises(Refused, match="role compliance"):
        told.report(who=service)
    assert not (told.root / "period").exists()


def test_the_record_comes_before_the_files(told: World) -> None:
    paths = told.of_period()
    told_of = [entry.object for entry in told.entries() if entry.kind == Kind.REPORT]

    hashes = {
        f"{kind}_sha256": sha256(getattr(paths, kind).read_bytes())
        for kind in ("html", "pdf", "json")
    }
    assert hashes.items() <= told_of[-1].items()
    assert {paths.html.stat().st_mode & 0o777, paths.json.parent.stat().st_mode & 0o777} == {
        0o600,
        0o700,
    }


def test_nothing_is_written_over_what_was_handed_over(told: World) -> None:
    first = told.of_period()
    handed = {path: path.read_bytes() for path in (first.html, first.pdf, first.json)}
    document = period.Document.parse(handed[first.json])
    other = told.of_period()

    assert not handed.keys() & {other.html, other.pdf, other.json}
    assert told.of_period(earlier=document) == first
    assert {path: path.read_bytes() for path in handed} == handed
    first.html.write_text("somebody's own")
    with pytest.raises(Refused, match="is another file"):
        told.of_period(earlier=document)
    assert first.html.read_text() == "somebody's own"


def test_hostile_text_is_text(world: World) -> None:
    world.documents(4, source=HOSTILE)
    world.model()
    world.answer("req-1", model=f"{HOSTILE} 日本 \u0007 Отчёт & <b>")
    world.append(Kind.TRAIN, {"run_id": f"{HOSTILE}]]> &#x;", "more": {"a": [HOSTILE]}})

    paths = world.of_period()
    html = paths.html.read_text()

    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 3
    assert 'src="' not in html
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in html
    assert paths.pdf.read_bytes().startswith(b"%PDF")
