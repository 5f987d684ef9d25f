"""`halocline cross`, as people use it: each command a process with a token of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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

    def run(self, *words: str, as_whom: str | None = None) -> tuple[int, str]:
        token = ["--token", "-", "--json"] if as_whom else []
        done = subprocess.run(
            [sys.executable, "-m", "halocline_infra", *words, *token],
            env=self.env,
            input=self.tokens[as_whom] if as_whom else "",
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout or done.stderr

    def cross(self, who: str, *words: str) -> Any:
        code, text = self.run("cross", *words, as_whom=who)
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


@pytest.mark.parametrize(
    "wrong",
    [
        ("--purpose", "profit", "--expires", "+8h", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "tomorrow", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "2026-12-01T18:00:00", "--side", "sell"),
        ("--purpose", "analysis", "--expires", "+8h"),
    ],
)
def test_what_is_no_request_is_told_in_a_line(desk: Desk, wrong: tuple[str, ...]) -> None:
    code, text = desk.run(
        "cross", "request", "--subject", "bea", "--reason", "a reason", *wrong, as_whom="bea"
    )
    assert code == 1
    assert text.startswith("halocline: ")
    assert "Traceback" not in text
