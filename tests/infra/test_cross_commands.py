"""`halocline cross`, as people use it: each command a process with a token of its own."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.errors import Refused
from halocline_governance.records import timestamp
from halocline_infra.commands.cross import _period  # pyright: ignore[reportPrivateUsage]
from tests.infra.command import in_text, run

PEOPLE = {
    "bea": ("banker", "confidential sides=buy"),
    "ada": ("approver", "restricted sides=buy,sell"),
    "cora": ("compliance", "restricted sides=buy,sell"),
}


class Desk:
    def __init__(self, home: Path) -> None:
        self.env = {**os.environ, "HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded"}
        self.tokens = {
            name: self.run("token", "issue", "--sub", name, "--role", role, "--label", label)[1]
            for name, (role, label) in PEOPLE.items()
        }

    def run(self, *words: str, as_whom: str | None = None, as_json: bool = True) -> tuple[int, str]:
        token = ["--token", "-", *(["--json"] if as_json else [])] if as_whom else []
        stdin = self.tokens[as_whom] if as_whom else ""
        done = in_text(run([*words, *token], self.env, stdin.encode()))
        return done.returncode, done.stdout or done.stderr

    def cross(self, who: str, *words: str) -> Any:
        code, text = self.run("cross", *words, as_whom=who)
        assert code == 0, text
        return json.loads(text)

    def events(self, kind: str) -> Any:
        code, text = self.run("audit", "tail", "-n", "1000", "--kind", kind, as_whom="cora")
        assert code == 0, text
        return json.loads(text)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("crossings") / "home")


def test_a_crossing_from_the_request_to_its_end(desk: Desk) -> None:
    asked = desk.cross(
        "bea", "request", "--purpose", "analysis", "--subject", "bea", "--side", "sell",
        "--expires", "+8h", "--reason", "fairness opinion for the merger",
    )  # fmt: skip
    ident = asked["id"]
    assert asked["state"] == "requested"
    assert desk.run("cross", "approve", ident, as_whom="bea")[0] == 1
    assert desk.cross("ada", "approve", ident)["state"] == "requested"
    assert desk.cross("cora", "approve", ident)["state"] == "open"
    assert [one["id"] for one in desk.cross("bea", "list")] == [ident]
    assert desk.cross("cora", "show", ident)["uses"] == []
    assert desk.cross("bea", "show", ident)["uses"] is None
    assert desk.cross("bea", "revoke", ident)["state"] == "revoked"
    assert desk.run("cross", "approve", ident, as_whom="ada")[0] == 1


def test_the_register_is_told_to_auditors_alone_and_the_same_each_time(desk: Desk) -> None:
    begun = datetime.now(UTC).isoformat()
    ident = desk.cross(
        "bea", "request", "--purpose", "analysis", "--subject", "bea", "--side", "sell",
        "--expires", "+8h", "--reason", "\x1b[2J[/red] for the merger, once more",
    )["id"]  # fmt: skip
    desk.cross("ada", "approve", ident)
    asked = ("report", "--from", begun, "--to", "9999-12-30")
    first = desk.cross("cora", *asked)
    desk.cross("cora", "approve", ident)

    (row,) = first["crossings"]
    assert (row["id"], row["standing"]) == (ident, "requested")
    assert [step["step"] for step in row["steps"]] == ["request", "approve"]
    assert (row["num_denials"], row["denials"][0]["gate"]) == (1, "cross")
    again = ("cross", "report", "--from", first["from"], "--to", first["to"])
    code, text = desk.run(*again, as_whom="cora")
    assert (code, json.loads(text)) == (0, first)
    told = [e["event"]["object"] for e in desk.events("report")]
    assert told[0] == told[1]
    assert told[0]["json_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    code, text = desk.run(*again, as_whom="ada")
    assert code == 1
    assert "read gate: denied" in text
    assert len(desk.events("report")) == len(told)


def test_the_register_for_people_does_nothing_to_the_terminal(desk: Desk) -> None:
    desk.cross(
        "bea", "request", "--purpose", "analysis", "--subject", "[/bea]", "--side", "sell",
        "--expires", "+8h", "--reason", "\x1b[2J[/red] for the merger, once more",
    )  # fmt: skip
    today = datetime.now(UTC).date().isoformat()
    for words in (("report", "--from", today, "--to", today), ("list",)):
        code, text = desk.run("cross", *words, as_whom="cora", as_json=False)
        assert code == 0, text
        assert "\x1b" not in text
        assert "[/bea]" in text


def test_a_period_without_crossings_says_none(desk: Desk) -> None:
    words = ("cross", "report", "--from", "2001-01-01", "--to", "2001-12-31")
    code, text = desk.run(*words, as_whom="cora", as_json=False)
    assert code == 0
    assert "crossings in this period: none" in text


def test_an_id_is_shown_whole_however_narrow_the_terminal_is(desk: Desk) -> None:
    ident = desk.cross(
        "bea", "request", "--purpose", "analysis", "--subject", "bea", "--side", "sell",
        "--expires", "+8h", "--reason", "a reason that is long enough",
    )["id"]  # fmt: skip
    desk.env["COLUMNS"] = "40"
    try:
        code, text = desk.run("cross", "list", as_whom="bea", as_json=False)
        assert (code, text.count(ident)) == (0, 1)
        text = desk.run("cross", "show", ident, as_whom="bea", as_json=False)[1]
    finally:
        del desk.env["COLUMNS"]
    assert "role" in text


def test_a_period_is_of_whole_days_or_of_times_in_utc() -> None:
    found = _period("2001-01-01", "2001-12-31")
    assert found.start == "2001-01-01T00:00:00.000000Z"
    assert found.end == "2002-01-01T00:00:00.000000Z"
    found = _period("2001-01-01T01:00:00+01:00", "2001-01-01T00:00:01Z")
    assert found.start == "2001-01-01T00:00:00.000000Z"
    assert found.end == "2001-01-01T00:00:01.000000Z"
    assert _period("2001-01-01", "9999-12-30").end <= timestamp()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-07-02", "2026-07-01"), ("2026-07-01T00:00:00", "2026-07-02"),
        ("9999-01-01", "9999-12-31"), ("yesterday", "2026-07-01"), ("2026-07-01", "2026-02-30"),
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused(start: str, end: str) -> None:
    with pytest.raises(Refused):
        _period(start, end)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--purpose", "profit", "--expires", "+8h", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "tomorrow", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "2026-12-01T18:00:00", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "+8h"),
        ("--purpose", "analysis", "--expires", "+8d", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "+8h", "--side", "sell", "--reason", "short"),
        ("--purpose", "analysis", "--expires", "+8h", "--side", "sell", "--subject", "be\u200ba"),
        ("--purpose", "analysis", "--expires", "+8h", "--side", "sell", "--subject", " bea"),
    ],
)
def test_what_is_no_request_is_told_in_a_line(desk: Desk, wrong: tuple[str, ...]) -> None:
    code, text = desk.run(
        "cross",
        "request",
        "--subject",
        "bea",
        "--reason",
        "a reason that is long enough",
        *wrong,
        as_whom="bea",
    )
    assert code == 1
    assert text.startswith("halocline: ")
    assert "Traceback" not in text
