"""The directory on the command line: the first entry, who may, what it does to the next command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.infra.command import in_text, run

BUY = "confidential sides=buy"


@dataclass
class Installation:
    home: Path

    def run(
        self, *arguments: str, token: str | None = None, **env: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
        of_caller = {"HALOCLINE_TOKEN": token} if token else {}
        told = {**kept, "HALOCLINE_HOME": str(self.home), **of_caller, **env}
        return in_text(run(arguments, told))

    def told(self, *arguments: str, token: str | None = None, **env: str) -> Any:
        done = self.run(*arguments, "--json", token=token, **env)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str, token: str | None = None, **env: str) -> str:
        done = self.run(*arguments, token=token, **env)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def token(self, subject: str, role: str, label: str) -> str:
        issue = ["token", "issue", "--sub", subject, "--role", role, "--label", label]
        done = self.run(*issue)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def fresh(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home")


@pytest.fixture
def cleo(fresh: Installation) -> str:
    return fresh.token("cleo", "compliance", "restricted")


@pytest.fixture
def ana(fresh: Installation) -> str:
    return fresh.token("ana", "analyst", BUY)


def test_the_first_entries_and_then_strict(fresh: Installation, cleo: str, ana: str) -> None:
    strict = {"HALOCLINE_DIRECTORY": "strict"}
    assert "no entry" in fresh.refused("token", "show", token=cleo, **strict)
    assert fresh.told("directory", "list", token=cleo) == []

    own = ["directory", "add", "cleo", "--role", "compliance", "--label", "restricted"]
    fresh.told(*own, token=cleo)
    assert fresh.told("token", "show", token=cleo, **strict)["subject"] == "cleo"
    assert "no entry" in fresh.refused("token", "show", token=ana, **strict)
    fresh.told("directory", "add", "ana", "--role", "analyst", "--label", BUY, token=cleo, **strict)
    assert fresh.told("token", "show", token=ana, **strict)["roles"] == ["analyst"]


def test_an_entry_narrows_and_disables_the_next_command(
    fresh: Installation, cleo: str, ana: str, tmp_path: Path
) -> None:
    clearance = tmp_path / "clearance.json"
    clearance.write_text('{"sensitivity": "internal", "sides": ["buy", "sell"]}')
    add = ["directory", "add", "ana", "--role", "analyst", "--clearance", str(clearance)]
    made = fresh.told(*add, "--owner", "olga", token=cleo)
    assert (made["owner"], made["disabled"]) == ("olga", False)
    shown = fresh.told("token", "show", token=ana)
    assert shown["clearance"]["sensitivity"] == "internal"
    assert shown["clearance"]["sides"] == ["buy"]

    fresh.told("directory", "disable", "ana", token=cleo)
    assert "disabled" in fresh.refused("token", "show", token=ana)
    assert fresh.told("directory", "show", "ana", token=cleo)["disabled"] is True
    assert fresh.told(*add, token=cleo)["disabled"] is True
    fresh.told("directory", "enable", "ana", token=cleo)
    assert fresh.told("directory", "show", "ana", token=ana)["roles"] == ["analyst"]
    events = [event["event"] for event in journal(fresh, cleo)]
    assert [event["object"]["after"]["disabled"] for event in events] == [False, True, True, False]
    assert {event["subject"] for event in events} == {"cleo"}


def journal(fresh: Installation, officer: str) -> list[dict[str, Any]]:
    kind = ["--kind", "directory", "-n", "100"]
    return fresh.told("audit", "tail", *kind, token=officer, HALOCLINE_POLICY="embedded")


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "bob", "--role", "analyst", "--label", "public"],
        ["add", "ana", "--role", "analyst", "--label", "restricted"],
        ["disable", "cleo"],
        ["list"],
        ["show", "cleo"],
    ],
    ids=" ".join,
)
def test_an_analyst_may_not(fresh: Installation, ana: str, arguments: list[str]) -> None:
    assert "compliance and operator" in fresh.refused("directory", *arguments, token=ana)


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "bob", "--role", "analyst"],
        ["add", "bob", "--role", "king", "--label", "public"],
        ["add", "bob", "--label", "cosmic"],
        ["add", " bob", "--label", "public"],
        ["enable", "nobody"],
        ["show", "nobody"],
        ["remove", "nobody"],
    ],
    ids=" ".join,
)
def test_what_is_no_entry_is_refused(fresh: Installation, cleo: str, arguments: list[str]) -> None:
    fresh.refused("directory", *arguments, token=cleo)


def test_nobody_widens_their_own_entry(fresh: Installation, cleo: str) -> None:
    add = ["directory", "add", "cleo", "--role", "compliance", "--label"]
    told = fresh.refused(*add, "internal", token=cleo)
    assert "--yes" in told
    assert fresh.told("directory", "list", token=cleo) == []
    fresh.told(*add, "internal", "--yes", token=cleo)
    assert "own entry" in fresh.refused(*add, "confidential", token=cleo)


def test_who_had_no_entry_has_none_after_disable_and_enable(
    fresh: Installation, cleo: str, ana: str
) -> None:
    before = fresh.told("token", "show", token=ana)
    assert fresh.told("directory", "disable", "ana", token=cleo)["disabled"] is True
    assert "ana" in fresh.run("directory", "list", token=cleo).stdout
    assert "disabled" in fresh.refused("token", "show", token=ana)
    assert fresh.told("directory", "enable", "ana", token=cleo)["roles"] is None
    assert fresh.told("token", "show", token=ana) == before


def test_shutting_oneself_out_needs_to_be_meant(fresh: Installation, cleo: str) -> None:
    told = fresh.refused("directory", "disable", "cleo", token=cleo)
    assert "yourself" in told
    assert "--yes" in told
    assert fresh.told("directory", "list", token=cleo) == []
    fresh.told("directory", "disable", "cleo", "--yes", token=cleo)
    assert "disabled" in fresh.refused("directory", "list", token=cleo)


def test_beside_an_issuer_development_tokens_are_refused(fresh: Installation, ana: str) -> None:
    issuer = {"HALOCLINE_OIDC_ISSUER": "https://id.example.com"}
    show = ["token", "show"]
    assert "not accepted" in fresh.refused(*show, token=ana, **issuer)
    assert fresh.told(*show, token=ana, HALOCLINE_DEV_TOKENS="accept", **issuer)["subject"] == "ana"
    assert "not accepted" in fresh.refused(*show, token=ana, HALOCLINE_DEV_TOKENS="refuse")
    for wrong in ({"HALOCLINE_DEV_TOKENS": "yes"}, {"HALOCLINE_DIRECTORY": "closed"}):
        assert "is " in fresh.refused(*show, token=ana, **wrong)
    insecure = {"HALOCLINE_OIDC_ISSUER": "http://id.example.com"}
    assert "https" in fresh.refused(*show, token=ana, **insecure)


def test_a_database_without_its_driver_or_password_is_told(
    fresh: Installation, ana: str, tmp_path: Path
) -> None:
    named = {"HALOCLINE_STATE": "postgresql+psycopg://u:s3cret@h/d"}
    told = fresh.refused("token", "show", token=ana, **named)
    assert "HALOCLINE_STATE_PASSWORD_FILE" in told
    assert "s3cret" not in told
    named = {
        "HALOCLINE_STATE": f"postgresql+psycopg://u@/d?host={tmp_path}",
        "HALOCLINE_STATE_PASSWORD_FILE": str(tmp_path / "missing"),
    }
    assert "cannot be read" in fresh.refused("token", "show", token=ana, **named)
    (tmp_path / "missing").write_text("s3cret\n")
    told = fresh.refused("token", "show", token=ana, **named)
    assert "governance database failed" in told
    assert "s3cret" not in told


def test_an_installation_without_a_database_is_told_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; sys.argv[1:] = ['token', 'show']\n"
        "from halocline_infra.cli import main; main()"
    )
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HALOCLINE_HOME": str(tmp_path), "HALOCLINE_TOKEN": "a.b.c"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "halocline[lake]" in done.stderr
    assert "Traceback" not in done.stderr
