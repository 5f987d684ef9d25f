"""The compliance report: complete, repeatable, escaped, and for compliance officers only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from halocline_governance import report
from halocline_governance.errors import Denied, Refused
from halocline_governance.gates import Gate
from halocline_governance.label import PUBLIC, parse_compact
from halocline_governance.principal import Principal
from halocline_governance.records import Kind

if TYPE_CHECKING:
    from tests.governance.report.conftest import World

BUY = parse_compact("confidential sides=buy")
OFFICER = Principal("cleo", ("compliance",), parse_compact("restricted sides=buy,sell"))
ANALYST = Principal("ana", ("analyst",), BUY)
HOSTILE = "<script>alert('x')</script>"


def test_it_answers_every_question_about_one_output(told: World) -> None:
    content = told.report().content
    answer = content["answer"]

    assert content["gaps"] == []
    assert content["journal"]["verified"] is True
    assert answer["asked"]["subject"] == "bea"
    assert [d["gate"] for d in answer["decisions"]] == ["serve", "release"]
    assert all(d["revision"] == told.gates.revision for d in answer["decisions"])
    assert answer["model"]["weights_sha256"] == answer["model"]["recorded_weights_sha256"]
    assert [run["run_id"] for run in answer["runs"]] == ["run-1"]
    dataset = answer["datasets"][0]
    assert (dataset["num_rows"], dataset["intact"]) == (6, True)
    assert dataset["licences"] == {"Apache-2.0": 3, "MIT": 3}
    assert [row["row_uid"] for row in dataset["first"]] == list("012345")


def test_every_proof_is_where_it_says(told: World) -> None:
    content = told.report().content
    places = {(p["log"], p["seq"]) for p in proofs(content)}
    sizes = {log["name"]: log["size"] for log in content["journal"]["logs"]}

    assert places
    assert all(0 <= seq < sizes[log] for log, seq in places)


def test_the_same_pin_gives_the_same_bytes(told: World) -> None:
    first = told.report()
    told.documents(3, start=100)
    told.answer("req-2")
    pin = report.parse(first.content["pin"])

    again = told.report(folder="again", pin=pin)

    assert (again.html, again.json) == (first.html, first.json)
    assert told.report(folder="now").json != first.json


@pytest.mark.parametrize(("rows", "answers"), [(4, 1), (9, 3)])
def test_the_numbers_follow_the_data(world: World, rows: int, answers: int) -> None:
    world.documents(rows)
    world.model()
    for number in range(answers):
        world.answer(f"req-{number}", outcome="held" if number else "released")
    world.ask(Gate.INGEST, licence={"expression": "GPL-3.0-only", "choices": [["GPL-3.0-only"]]})

    content = world.report("req-0").content

    assert content["answer"]["datasets"][0]["num_rows"] == rows
    assert content["period"]["outputs"]["num_outputs"] == answers
    assert content["period"]["outputs"]["by_outcome"].get("held", 0) == answers - 1
    assert content["period"]["ingest"]["num_refused"] == 1
    walls = {gate["gate"]: gate["denied"] for gate in content["period"]["walls"]["by_gate"]}
    assert walls["ingest"] == 1


def test_promotions_show_who_approved(told: World) -> None:
    told.ask(Gate.PROMOTE)
    told.ask(Gate.PROMOTE, approvals=[])

    shown = told.report().content["period"]["promotions"]

    assert [len(row["approvers"]) > 1 for row in shown["decisions"]] == [True, False]
    assert [row["allow"] for row in shown["decisions"]][1] is False
    assert shown["ledger"][0]["alias"] == "champion"


def test_hostile_text_is_text(world: World) -> None:
    world.documents(4, source=HOSTILE)
    world.model()
    world.answer("req-1", HOSTILE)
    world.ask(Gate.INGEST, source=HOSTILE)

    html = world.report().html

    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4
    assert 'http-equiv="Content-Security-Policy"' in html
    assert 'src="' not in html


@pytest.mark.parametrize(
    "who",
    [
        ANALYST,
        Principal("eve", (), OFFICER.clearance),
        Principal("mia", ("ml-engineer",), OFFICER.clearance),
        Principal("pat", ("compliance",), PUBLIC),
    ],
)
def test_nobody_else_gets_one(told: World, who: Principal) -> None:
    with pytest.raises(Denied):
        told.report(who=who)

    assert not (told.root / "out").exists()


def test_an_officer_of_the_other_side_sees_no_output(told: World) -> None:
    officer = Principal("cyd", ("compliance",), parse_compact("restricted sides=sell"))

    with pytest.raises(Denied):
        told.report(who=officer)


def test_an_output_that_is_not_there_is_refused(told: World) -> None:
    with pytest.raises(Refused, match="no output req-9"):
        told.report("req-9")


def test_the_record_comes_before_the_files(told: World) -> None:
    told.report()
    events = [e.event for e in told.entries() if e.event["kind"] == Kind.REPORT]

    shown = (told.root / "out").glob("*.json")
    digest = hashlib.sha256(next(shown).read_bytes()).hexdigest()
    assert [event["object"]["json_sha256"] for event in events] == [digest]


def test_the_files_are_the_owners_alone(told: World) -> None:
    paths = told.report().paths

    assert paths.html.stat().st_mode & 0o077 == paths.json.stat().st_mode & 0o077 == 0
    assert paths.html.parent.stat().st_mode & 0o077 == 0


def proofs(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if {"log", "seq", "check"} <= set(found):
            yield found
        value = list(found.values())
    if isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from proofs(inner)
