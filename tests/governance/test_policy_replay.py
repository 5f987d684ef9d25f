"""Why a decision came out as it did, and what other policies would have decided."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused, Unverified
from halocline_governance.gates import Gate
from halocline_governance.policy import Engine, replay
from halocline_governance.policy.bundle import POLICIES, Bundle, collect
from halocline_governance.policy.embedded import Embedded
from halocline_governance.policy.explain import explain, find
from halocline_governance.records import AuditEvent, Kind

Question = dict[str, Any]
Event = dict[str, Any]


def recorded(engine: Engine, gate: str, asked: Question) -> Event:
    """The event that the gates journal."""
    answer = engine.decide(gate, asked).as_json()
    return AuditEvent(
        kind=Kind.DECISION,
        subject="ana",
        purpose=str(asked.get("purpose")),
        object={"gate": gate, "input": asked, "answer": answer},
    ).as_json()


def changed(asked: Question, *path: str, to: object) -> Question:
    made: Any = copy.deepcopy(asked)
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    return made


@pytest.mark.parametrize("gate", list(Gate))
def test_a_decision_is_explained_and_reproduced(
    gate: Gate, bundle: Bundle, served: Engine, questions: dict[str, Question]
) -> None:
    """Decided by the server, explained by the twin."""
    yes = explain(recorded(served, gate, questions[gate]), bundle)
    assert yes.current
    assert yes.reproduced
    assert yes.answer["allow"]
    assert yes.facts
    assert all(fact.proven for fact in yes.facts)

    no = explain(recorded(served, gate, changed(questions[gate], "purpose", to="fun")), bundle)
    assert no.reproduced
    assert not no.answer["allow"]
    assert [fact.told for fact in no.facts if not fact.proven]


def test_what_is_missing_is_what_was_told(
    bundle: Bundle, served: Engine, questions: dict[str, Question]
) -> None:
    asked = changed(questions["serve"], "principal", "roles", to=["operator"])
    told = explain(recorded(served, "serve", asked), bundle)

    missing = [fact for fact in told.facts if not fact.proven]
    assert [fact.name for fact in missing] == ["role"]
    assert [fact.told for fact in missing] == list(told.answer["reasons"])
    assert told.as_json()["facts"][0].keys() == {"name", "told", "proven"}


def test_the_axes_that_failed_are_named(
    bundle: Bundle, served: Engine, questions: dict[str, Question]
) -> None:
    asked = questions["serve"]
    assert explain(recorded(served, "serve", asked), bundle).axes == ()

    label = {
        "sensitivity": "restricted",
        "sides": ["moon"],
        "tenants": [],
        "ndas": ["nda-9"],
        "issuers": ["initech", "unlisted"],
    }
    asked = changed(asked, "resource", "context_label", to=label)
    asked = changed(asked, "principal", "clearance", "sensitivity", to="internal")
    asked = changed(asked, "principal", "clearance", "issuers", to=[])
    told = explain(recorded(served, "serve", asked), bundle)
    axes = {one.axis: one for one in told.axes if one.label == "resource.context_label"}

    assert set(axes) == {"sensitivity", "sides", "ndas", "issuers"}
    assert (axes["sensitivity"].needs, axes["sensitivity"].has) == ("restricted", "internal")
    assert axes["issuers"].needs == ["initech"], "only those on the list today count"


def test_a_record_that_does_not_follow_is_told(
    bundle: Bundle, served: Engine, questions: dict[str, Question]
) -> None:
    event = recorded(served, "serve", questions["serve"])
    answers: tuple[dict[str, Any], ...] = (
        {**event["object"]["answer"], "allow": False},
        {**event["object"]["answer"], "obligations": {}},
        {**event["object"]["answer"], "reasons": ["because"]},
    )
    for answer in answers:
        forged = changed(event, "object", "answer", to=answer)
        assert explain(forged, bundle).reproduced is False


def test_a_decision_of_other_policies_is_not_asked_again(
    bundle: Bundle, served: Engine, questions: dict[str, Question]
) -> None:
    event = recorded(served, "serve", changed(questions["serve"], "purpose", to="fun"))
    told = explain(event, collect({"restricted_issuers": []}))

    assert not told.current
    assert told.reproduced is None
    assert told.facts == ()
    assert told.answer["reasons"], "what was recorded is shown all the same"


def test_a_denial_without_an_engine_is_shown(bundle: Bundle) -> None:
    answer = {"allow": False, "reasons": ["unavailable"]}
    whole = {"gate": "serve", "input": {}, "answer": answer}
    event = AuditEvent(Kind.DECISION, "ana", "inference", whole).as_json()

    told = explain(event, bundle)

    assert told.id == event["event_id"]
    assert (told.current, told.reproduced) == (False, None)


def test_decisions_are_found_by_either_id(served: Engine, questions: dict[str, Question]) -> None:
    event = recorded(served, "serve", questions["serve"])
    other = AuditEvent(Kind.READ, "ana", "audit").as_json()
    journal = [("log-a", 0, other), ("log-a", 1, event)]

    assert find(journal, event["event_id"]) is event
    assert find(journal, event["object"]["answer"]["id"]) is event
    with pytest.raises(Refused, match="no decision"):
        find(journal, "nothing")
    with pytest.raises(Refused, match="read event"):
        find(journal, other["event_id"])


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


@pytest.fixture
def journal(embedded: Engine, questions: dict[str, Question]) -> list[Event]:
    """For each gate an allow and a denial for a missing role, and an event of another kind."""
    events: list[Event] = [AuditEvent(Kind.READ, "ana", "audit").as_json()]
    for gate, asked in questions.items():
        events.append(recorded(embedded, gate, asked))
        events.append(recorded(embedded, gate, changed(asked, "principal", "roles", to=["fool"])))
    return events


def asked_of(events: list[Event], bundle: Bundle, folder: Path) -> replay.Difference:
    new = collect(bundle.data["firm"], folder)
    return replay.replay(replay.questions(iter(events)), bundle, new)


def test_the_same_policies_change_nothing(
    bundle: Bundle, journal: list[Event], policies: Path
) -> None:
    found = asked_of(journal, bundle, policies)

    assert found.num_asked == len(journal) - 1
    assert set(found.as_json()["counts"].values()) == {0}
    assert found.old == found.new


def test_what_becomes_allowed_is_told_first(
    bundle: Bundle, journal: list[Event], policies: Path
) -> None:
    path = policies / "serve/data.yaml"
    path.write_text(path.read_text().replace("inference: [analyst,", "inference: [fool,"))
    found = asked_of(journal, bundle, policies)
    gained, lost = found.allowed, found.denied

    assert [(one.gate, one.after["allow"]) for one in gained] == [("serve", True)]
    assert [(one.gate, one.before["allow"]) for one in lost] == [("serve", True)]
    told = found.as_json()
    assert list(told)[4] == "newly_allowed"
    assert told["newly_allowed"][0]["id"] in {e["object"]["answer"]["id"] for e in journal[1:]}


def test_changed_obligations_and_reasons_are_told(
    bundle: Bundle, journal: list[Event], policies: Path
) -> None:
    path = policies / "serve/serve.rego"
    source = path.read_text()
    assert "no role of the caller may use" in source
    path.write_text(source.replace("no role of the caller may use", "nobody like that may use"))
    data = policies / "serve/data.yaml"
    data.write_text(data.read_text().replace("release_checks: [", "release_checks: [novelty, "))
    found = asked_of(journal, bundle, policies)

    assert (len(found.allowed), len(found.denied)) == (0, 0)
    assert [one.gate for one in found.retold] == ["serve"]
    assert [one.gate for one in found.obliged] == ["serve"]


def test_a_part_of_the_journal_can_be_asked(journal: list[Event]) -> None:
    def count(since: str = "", gate: str | None = None) -> int:
        return sum(1 for _ in replay.questions(iter(journal), since, gate))

    assert count() == 2 * len(Gate)
    assert count(gate="read") == 2
    assert count(since=journal[-1]["ts"]) >= 1
    assert count(since="2999-01-01") == 0
    for garbage in ("garbage", "2999", "yesterday"):
        with pytest.raises(Refused):
            count(since=garbage)


def test_a_journal_is_never_held_whole(bundle: Bundle, journal: list[Event]) -> None:
    alive = 0

    class Watched(dict[str, Any]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def stream() -> Iterator[Event]:
        nonlocal alive
        for _ in range(60):
            alive += 1
            assert alive <= 4
            yield Watched(journal[1])

    assert replay.replay(stream(), bundle, bundle).num_asked == 60


def test_names_of_policies(bundle: Bundle, policies: Path, tmp_path: Path) -> None:
    firm = bundle.data["firm"]
    assert replay.policies("current", lambda: bundle, firm, None) is bundle
    assert replay.policies(str(policies), lambda: bundle, firm, None).revision == bundle.revision
    with pytest.raises(Refused, match="name a folder"):
        replay.policies("nothing", lambda: bundle, firm, None)
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unverified):
        replay.policies(str(tmp_path / "file"), lambda: bundle, firm, None)


def test_the_twin_explains_what_it_decides(bundle: Bundle, questions: dict[str, Question]) -> None:
    """Explaining builds the policies anew, with other entry points: the answer stays."""
    engine = Embedded(bundle)
    for gate, asked in questions.items():
        assert explain(recorded(engine, gate, asked), bundle).reproduced
    engine.close()
