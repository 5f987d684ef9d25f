"""The register of crossings against an oracle that knows what happened second by second."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from halocline_governance.records import timestamp
from halocline_governance.report import Entry, Period, register

Scale = Callable[[int, int], int]
NOW = 1_700_000_000
LAST = 60
GATES = ("read", "serve", "train", "release")


@dataclass
class Happened:
    """One crossing's history in seconds after NOW, and every decision that knew of it."""

    asked: dict[str, Any]
    requested: int
    approvals: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    opened: int | None = None
    revoked: int | None = None
    refused: list[int] = field(default_factory=list[int])
    decisions: list[tuple[int, str, bool, bool]] = field(
        default_factory=list[tuple[int, str, bool, bool]]
    )

    def is_open(self, second: int) -> bool:
        return (
            self.opened is not None
            and self.opened <= second
            and self.asked["not_before"] - NOW <= second < self.asked["expires"] - NOW
            and (self.revoked is None or second < self.revoked)
        )


class Firm:
    """What happened to some crossings, and the journal of it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.entries: list[Entry] = []
        self.crossings = [self._crossing(number) for number in range(rng.randint(0, 6))]
        for _ in range(rng.randint(0, 25)):
            self._decide()
        for _ in range(rng.randint(0, 5)):
            self._write(rng.randint(0, LAST), "read", "ana", {"plan": {}})

    def _crossing(self, number: int) -> Happened:
        rng = self.rng
        begins = rng.randint(0, LAST)
        sides = rng.sample(("buy", "sell"), rng.randint(0, 2))
        asked: dict[str, Any] = {
            "id": f"deal-{rng.randint(0, 3)}",  # the same id twice: another database
            "requester": rng.choice(("mia", "bea")),
            "subjects": sorted(rng.sample(("bea", "dan", "eve"), rng.randint(1, 3))),
            "purpose": rng.choice(("analysis", "inference")),
            "reason": f"reason {number}",
            "sides": sorted(sides),
            "tenants": [] if sides else ["acme"],
            "not_before": NOW + begins,
            "expires": NOW + rng.randint(begins + 1, LAST + 5),
        }
        one = Happened(asked, rng.randint(0, LAST))
        self._step(one, one.requested, "request", asked["requester"])
        at = one.requested
        for name in rng.sample(("ada", "ben", "cora"), rng.randint(0, 3)):
            at = min(at + rng.randint(0, 9), LAST)
            self._approve(one, at, name)
        if rng.random() < 0.4:
            one.revoked = rng.randint(at, LAST)
            self._step(one, one.revoked, "revoke", "cora")
        return one

    def _approve(self, one: Happened, at: int, name: str) -> None:
        if one.opened is not None:
            return
        one.approvals.append((at, name))
        self._step(one, at, "approve", name)
        allow = len(one.approvals) >= 2 and self.rng.random() < 0.8
        approvers = [{"subject": who, "roles": [f"r-{who}"]} for _, who in one.approvals]
        resource = {"crossing": {**one.asked, "approvers": approvers}}
        self._decision(at, "cross", name, resource, [], allow, [])
        if allow:
            one.opened = at
            self._step(one, at, "open", name)
        else:
            one.refused.append(at)

    def _decide(self) -> None:
        """A decision that knows of some open crossings, and may have used some of those."""
        at, gate = self.rng.randint(0, LAST), self.rng.choice(GATES)
        known = {one.asked["id"]: one for one in self.crossings if one.is_open(at)}
        allow = self.rng.random() < 0.6
        used = [name for name in known if allow and self.rng.random() < 0.5]
        for name, one in known.items():
            one.decisions.append((at, gate, allow, name in used))
        told: list[Any] = [{**one.asked, "approvers": []} for one in known.values()]
        self._decision(at, gate, "bea", {}, told, allow, used)

    def _decision(
        self, at: int, gate: str, who: str, resource: Any, told: Any, allow: bool, used: list[str]
    ) -> None:
        answer: dict[str, Any] = {"id": f"d-{len(self.entries)}", "allow": allow, "reasons": []}
        answer["obligations"] = {"crossings": used} if used else {}
        asked = {"resource": resource, "context": {"now": NOW + at, "crossings": told}}
        self._write(at, "decision", who, {"gate": gate, "input": asked, "answer": answer})

    def _step(self, one: Happened, at: int, step: str, who: str) -> None:
        self._write(at, "cross", who, {"step": step, "crossing": one.asked})

    def _write(self, at: int, kind: str, who: str, told: dict[str, Any]) -> None:
        number = len(self.entries)
        head = {"kind": kind, "subject": who, "purpose": "analysis", "event_id": f"e-{number}"}
        self.entries.append(
            Entry(f"log-{number % 2}", number, {**head, "ts": timestamp(NOW + at), "object": told})
        )


def expected(one: Happened, start: int, end: int) -> dict[str, Any] | None:
    """What the register must say, by looking at every second; None for what is not in it."""
    inside = range(start, end)
    steps = [(one.requested, "request"), *((at, "approve") for at, _ in one.approvals)]
    steps += [
        (at, step) for at, step in ((one.opened, "open"), (one.revoked, "revoke")) if at is not None
    ]
    steps = [(at, step) for at, step in steps if at < end]
    if not steps and not any(at in inside for at, *_ in one.decisions):
        return None
    over = one.asked["expires"] - NOW
    revoked = one.revoked is not None and one.revoked < end
    expired = over < end and not (revoked and one.revoked < over) and bool(steps)  # type: ignore[operator]
    if not (
        any(at in inside for at, _ in steps)
        or any(one.is_open(second) for second in inside)
        or (expired and over in inside)
    ):
        return None
    decisions = [told for told in one.decisions if told[0] in inside]
    by_gate = {
        gate: (
            len(of := [told for told in decisions if told[1] == gate]),
            sum(told[2] for told in of),
            sum(told[3] for told in of),
        )
        for gate in sorted({told[1] for told in decisions})
    }
    opened = one.opened is not None and one.opened < end
    return {
        "reason": one.asked["reason"],
        "steps": Counter(step for _, step in steps),
        "standing": "revoked"
        if revoked
        else "expired"
        if over < end
        else "open"
        if opened
        else "requested",
        "expired": timestamp(NOW + over) if expired else None,
        "approvers": sorted(who for at, who in one.approvals if at < end),
        "decisions": by_gate,
        "num_denials": sum(not told[2] for told in decisions)
        + sum(at in inside for at in one.refused),
    }


def said(row: dict[str, Any]) -> dict[str, Any]:
    """The same of a row of the register."""
    return {
        "reason": row["reason"],
        "steps": Counter(step["step"] for step in row["steps"]),
        "standing": row["standing"],
        "expired": row["expired"],
        "approvers": sorted(one["subject"] for one in row["approvers"]),
        "decisions": {
            gate["gate"]: (gate["told"], gate["allowed"], gate["used"]) for gate in row["decisions"]
        },
        "num_denials": row["num_denials"],
    }


def test_it_says_what_happened(rng: random.Random, scale: Scale) -> None:
    for _ in range(scale(400, 20_000)):
        firm = Firm(rng)
        start = rng.randint(0, LAST)
        end = rng.randint(start + 1, LAST + 10)
        told = register(firm.entries, period(start, end))
        rows = {row["reason"]: row for row in told["crossings"]}
        wanted = [e for one in firm.crossings if (e := expected(one, start, end)) is not None]

        assert [said(rows[one["reason"]]) for one in wanted] == wanted
        assert len(told["crossings"]) == len(wanted) == told["totals"]["crossings"]
        assert told["totals"]["used"] == sum(
            counts[2] for one in wanted for counts in one["decisions"].values()
        )
        assert told["totals"]["denied"] == sum(one["num_denials"] for one in wanted)
        steps = Counter(
            entry.object["step"]
            for entry in firm.entries
            if entry.kind == "cross" and entry.event["ts"] in period(start, end)
        )
        assert {name: told["totals"][name] for name in steps} == dict(steps)


def test_the_same_bytes_whatever_comes_later(rng: random.Random, scale: Scale) -> None:
    for _ in range(scale(100, 5_000)):
        firm = Firm(rng)
        end = rng.randint(2, LAST)
        asked = period(rng.randint(0, end - 1), end)
        then = [entry for entry in firm.entries if entry.event["ts"] < asked.end]
        later = rng.sample(firm.entries, len(firm.entries))

        assert json.dumps(register(then, asked)) == json.dumps(register(later, asked))


def test_every_step_and_denial_names_its_place(rng: random.Random) -> None:
    firm = Firm(rng)
    places = {(entry.log, entry.seq) for entry in firm.entries}
    for row in register(firm.entries, period(0, LAST + 10))["crossings"]:
        for told in (*row["steps"], *row["denials"]):
            assert (told["proof"]["log"], told["proof"]["seq"]) in places


def test_an_empty_journal_has_none() -> None:
    told = register([], period(0, 1))
    assert told["crossings"] == []
    assert set(told["totals"].values()) == {0}


@pytest.mark.parametrize(
    "crossing", [None, "deal", [], {}, {"id": "deal"}, {"approvers": [None]}, {"expires": "soon"}]
)
def test_what_is_no_crossing_is_passed_over(rng: random.Random, crossing: object) -> None:
    """The cross gate denied it as malformed; nobody can break the register with it."""
    firm = Firm(rng)
    before = register(firm.entries, period(0, LAST + 10))
    for told in ([], [crossing]):
        firm._decision(1, "cross", "eve", {"crossing": crossing}, told, False, [])  # pyright: ignore[reportPrivateUsage]

    assert register(firm.entries, period(0, LAST + 10)) == before


def test_a_time_after_the_last_year_is_told() -> None:
    firm = Firm(random.Random(1))
    one = Happened({**expiring(10**15)}, 1)
    firm._step(one, 1, "request", "mia")  # pyright: ignore[reportPrivateUsage]

    (row,) = [r for r in register(firm.entries, period(0, 9))["crossings"] if r["id"] == "far"]

    assert (row["expires"], row["standing"]) == ("9999-12-31T23:59:59.999999Z", "requested")


def expiring(expires: int) -> dict[str, Any]:
    asked = {"requester": "mia", "subjects": ["bea"], "purpose": "analysis", "reason": "far off"}
    return {
        **asked,
        "id": "far",
        "sides": ["buy"],
        "tenants": [],
        "not_before": NOW,
        "expires": expires,
    }


def period(start: int, end: int) -> Period:
    return Period(timestamp(NOW + start), timestamp(NOW + end))
