"""The firm's own facts: changed by who may, recorded first, none lost between two officers."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import JournalUnavailable, Refused
from halocline_governance.label import Label
from halocline_governance.policy.firm import Firm
from halocline_governance.principal import Principal
from halocline_governance.records import AuditEvent, Kind

OFFICER = Principal("cleo", ("compliance",), Label("internal"))
TRADER = Principal("bea", ("analyst",), Label("internal"))


class Told:
    """A journal's sink that keeps what the file said when an event came."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[tuple[AuditEvent, bytes]] = []

    def append(self, event: AuditEvent) -> None:
        self.events.append((event, self.path.read_bytes()))


class Full:
    """A journal whose disk is full."""

    def append(self, event: AuditEvent) -> None:
        raise JournalUnavailable(f"{event.kind} cannot be kept")


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    firm = Firm(tmp_path / "policy" / "firm.json")
    firm.begin()
    return firm


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "policy" / "firm.json")


def test_steps_follow_a_model(
    firm: Firm, told: Told, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    issuers, pairs, gone = set[str](), set[tuple[str, str]](), set[str]()
    for _ in range(scale(200, 5_000)):
        names = rng.sample([f"i-{n}" for n in range(9)], rng.randint(1, 3))
        two = rng.sample([f"t-{n}" for n in range(5)], 2)
        pair = (min(two), max(two))
        match rng.choice(["restrict", "lift", "compete", "part", "withdraw", "readmit"]):
            case "restrict":
                firm.restrict(names, OFFICER, told)
                issuers |= set(names)
            case "lift" if set(names) <= issuers:
                firm.lift(names, OFFICER, told)
                issuers -= set(names)
            case "lift":
                with pytest.raises(Refused, match="not on the restricted list"):
                    firm.lift(names, OFFICER, told)
            case "withdraw":
                firm.withdraw(names, OFFICER, told)
                gone |= set(names)
            case "readmit" if set(names) <= gone:
                firm.readmit(names, OFFICER, told)
                gone -= set(names)
            case "readmit":
                with pytest.raises(Refused, match="withdrawn"):
                    firm.readmit(names, OFFICER, told)
            case "compete":
                firm.compete(two, OFFICER, told)
                pairs.add(pair)
            case "part" if pair in pairs:
                firm.part(two, OFFICER, told)
                pairs.remove(pair)
            case _:
                with pytest.raises(Refused, match="do not compete"):
                    firm.part(two, OFFICER, told)
        assert firm.facts() == {
            "competitors": [list(pair) for pair in sorted(pairs)],
            "restricted_issuers": sorted(issuers),
            **({"withdrawn_sources": sorted(gone)} if "withdrawn_sources" in firm.facts() else {}),
        }
    assert gone <= set(firm.facts().get("withdrawn_sources", ()))


def test_every_change_is_recorded_before_it_holds(firm: Firm, told: Told) -> None:
    firm.restrict(["initech"], OFFICER, told)
    firm.restrict(["initech"], OFFICER, told)  # changes nothing, so tells nothing
    firm.lift(["initech"], OFFICER, told)
    (first, before), (second, between) = told.events
    assert {first.kind, second.kind} == {Kind.FIRM}
    assert [first.object["step"], second.object["step"]] == ["restrict", "lift"]
    assert (json.loads(before)["restricted_issuers"], first.subject) == ([], "cleo")
    assert json.loads(between)["restricted_issuers"] == ["initech"]
    assert first.object["after"] == second.object["before"] != first.object["before"]


def test_what_cannot_be_recorded_changes_nothing(firm: Firm) -> None:
    before = firm.facts()
    with pytest.raises(JournalUnavailable):
        firm.restrict(["initech"], OFFICER, Full())
    assert firm.facts() == before


def test_only_compliance_sees_or_changes_them(firm: Firm, told: Told) -> None:
    for act in (
        lambda: firm.restrict(["initech"], TRADER, told),
        lambda: firm.lift(["initech"], TRADER, told),
        lambda: firm.compete(("a", "b"), TRADER, told),
        lambda: firm.part(("a", "b"), TRADER, told),
        lambda: firm.shown(TRADER),
    ):
        with pytest.raises(Refused, match="compliance"):
            act()
    assert not told.events


@pytest.mark.parametrize("name", ["", "Initech", "in itech", "initech\n", "é", "-x", "x" * 65])
def test_no_id_is_no_issuer(firm: Firm, told: Told, name: str) -> None:
    with pytest.raises(Refused, match="must match"):
        firm.restrict([name], OFFICER, told)
    assert not told.events


@pytest.mark.parametrize("pair", [("acme",), ("acme", "acme"), ("a", "b", "c"), ("a", "B")])
def test_two_tenants_compete(firm: Firm, told: Told, pair: tuple[str, ...]) -> None:
    with pytest.raises(Refused):
        firm.compete(pair, OFFICER, told)
    assert not told.events


def test_a_lost_file_is_not_begun_anew_by_a_change(firm: Firm, told: Told) -> None:
    told.path.unlink()
    with pytest.raises(Refused, match="is missing"):
        firm.restrict(["initech"], OFFICER, told)
    assert not told.path.exists()


def test_facts_of_policies_of_ones_own_stay(firm: Firm, told: Told) -> None:
    mine: dict[str, Any] = {"restricted_issuers": [], "own": {"desks": [1, 2]}}
    told.path.write_text(json.dumps(mine))
    assert firm.restrict(["initech"], OFFICER, told) == {**mine, "restricted_issuers": ["initech"]}


_ONE = """
import sys
from pathlib import Path
from halocline_governance.label import Label
from halocline_governance.policy.firm import Firm
from halocline_governance.principal import Principal

class Told:
    def append(self, event): ...

Firm(Path(sys.argv[1])).restrict(
    [sys.argv[2]], Principal("cleo", ("compliance",), Label("internal")), Told()
)
"""


def test_no_change_is_lost_between_processes_and_threads(firm: Firm, told: Told) -> None:
    script = [sys.executable, "-c", _ONE, str(told.path)]
    processes = [subprocess.Popen([*script, f"process-{n}"]) for n in range(6)]

    def restrict(number: int) -> object:
        return firm.restrict([f"thread-{number}"], OFFICER, told)

    with ThreadPoolExecutor(8) as pool:
        made = pool.map(restrict, range(40))
        assert len(list(made)) == 40
    assert [process.wait(60) for process in processes] == [0] * 6
    names = {f"thread-{n}" for n in range(40)} | {f"process-{n}" for n in range(6)}
    assert set(firm.facts()["restricted_issuers"]) == names
