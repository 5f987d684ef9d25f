"""`halocline policy`, run as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from halocline_governance.policy.bundle import POLICIES
from tests.infra.command import in_text, run

QUESTION = {"principal": {}, "purpose": "inference", "resource": {}, "context": {"now": 1}}


def halocline(home: Path, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    told = {**kept, "HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded", **env}
    return in_text(run(arguments, told))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation") / "home"


@pytest.fixture(scope="module")
def officer(home: Path) -> Path:
    """The token of somebody cleared for audit, in a file."""
    done = halocline(
        home, "token", "issue", "--sub", "cora", "--role", "compliance", "--label", "restricted"
    )
    assert done.returncode == 0, done.stderr
    path = home.parent / "officer.jwt"
    path.write_text(done.stdout)
    return path


def told(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def journaled(home: Path, officer: Path) -> dict[str, Any]:
    """A decision in the journal: the one that let the officer at it."""
    events = told(
        halocline(home, "audit", "tail", "--kind", "decision", "--token", officer, "--json")
    )
    return events[0]["event"]


def test_a_decision_is_explained_to_an_officer(
    home: Path, officer: Path, journaled: dict[str, Any]
) -> None:
    ident = journaled["object"]["answer"]["id"]

    told_ = told(halocline(home, "policy", "explain", ident, "--token", officer, "--json"))
    assert told_["id"] == ident
    assert told_["reproduced"] is True
    assert told_["question"] == journaled["object"]["input"]
    assert all(fact["proven"] for fact in told_["facts"])

    said = halocline(home, "policy", "explain", ident, "--token", officer).stdout
    assert "asked again, the policies give the recorded answer" in said
    assert "well_formed" in said


def test_nobody_else_gets_an_explanation(
    home: Path, journaled: dict[str, Any], tmp_path: Path
) -> None:
    done = halocline(
        home, "token", "issue", "--sub", "ana", "--role", "analyst", "--label", "public"
    )
    (tmp_path / "ana.jwt").write_text(done.stdout)
    ident = journaled["object"]["answer"]["id"]
    for command in (("explain", ident), ("diff", "current", "current")):
        done = halocline(home, "policy", *command, "--token", tmp_path / "ana.jwt")
        assert done.returncode == 1
        assert "denied" in done.stderr
        assert not done.stdout


def test_other_policies_are_told(
    home: Path, officer: Path, journaled: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(home, tmp_path / "home")
    (tmp_path / "home" / "policy").mkdir(exist_ok=True)
    (tmp_path / "home" / "policy" / "firm.json").write_text('{"restricted_issuers": ["acme"]}')
    ident = journaled["object"]["answer"]["id"]

    whole = halocline(tmp_path / "home", "policy", "explain", ident, "--token", officer, "--json")

    assert told(whole)["current"] is False
    assert told(whole)["reproduced"] is None


def test_what_would_change_is_shown(
    home: Path, officer: Path, journaled: dict[str, Any], tmp_path: Path
) -> None:
    assert journaled["object"]["gate"] == "read"
    shutil.copytree(POLICIES, tmp_path / "new")
    data = tmp_path / "new" / "read" / "data.yaml"
    source = data.read_text()
    data.write_text(source.replace("compliance", "nobody"))
    assert data.read_text() != source

    same = halocline(home, "policy", "diff", "current", POLICIES, "--token", officer, "--json")
    assert set(told(same)["counts"].values()) == {0}
    away = halocline(
        home, "policy", "diff", "current", tmp_path / "new", "--token", officer, "--json"
    )
    assert told(away)["counts"]["newly_denied"] >= 1
    arguments = (tmp_path / "new", "current", "--fail-on-allow", "--token", officer)
    back = halocline(home, "policy", "diff", *arguments)
    assert back.returncode == 1
    assert "newly ALLOWED" in back.stdout
    none = halocline(home, "policy", "diff", *arguments, "--gate", "serve", "--json")
    assert told(none)["asked"] == 0


def test_a_signed_bundle_is_built_verified_and_decided_by(home: Path, tmp_path: Path) -> None:
    bundle, question = tmp_path / "b.tar.gz", tmp_path / "q.json"
    question.write_text(json.dumps(QUESTION))
    built = told(halocline(home, "policy", "build", "--to", bundle, "--json"))
    assert built["epoch"] == 1
    assert told(halocline(home, "policy", "verify", bundle, "--json"))["verified"] is True
    for engine in ("embedded", "opa"):
        decided = halocline(
            *(home, "policy", "decide", "read", "--input", question, "--engine", engine, "--json"),
            HALOCLINE_POLICY_BUNDLE=str(bundle),
        )
        assert told(decided, 1)["revision"] == built["revision"]
    newer = tmp_path / "c.tar.gz"
    assert told(halocline(home, "policy", "build", "--to", newer, "--json"))["epoch"] == 2
    assert halocline(home, "policy", "decide", "read", "--input", question,
                     HALOCLINE_POLICY_BUNDLE=str(newer)).returncode == 1  # fmt: skip

    old = halocline(home, "policy", "verify", bundle)
    assert old.returncode == 1
    assert "epoch 1, but 2" in old.stderr
    refused = halocline(home, "policy", "decide", "read", "--input", question,
                        HALOCLINE_POLICY_BUNDLE=str(bundle))  # fmt: skip
    assert "epoch 1, but 2" in refused.stderr


def test_writers_of_policies_have_their_tools(home: Path, tmp_path: Path) -> None:
    assert "0 failed" in halocline(home, "policy", "test").stdout
    assert told(halocline(home, "policy", "lint", "--json")) == []
    assert told(halocline(home, "policy", "coverage", "--json"))["percent"] >= 95
    folder = tmp_path / "new"
    made = told(halocline(home, "policy", "new", "export", folder, "--json"))
    assert len(made["files"]) == 4
    assert halocline(home, "policy", "coverage", folder).returncode == 0


def test_without_opa_one_is_told_what_to_do(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    for wrong in ("/nonexistent/opa", "/tmp", str(tmp_path / "text"), "opa"):
        done = halocline(home, "policy", "test", HALOCLINE_OPA=wrong)
        assert done.returncode == 1
        assert "HALOCLINE_OPA is the path of a program, OPA 1.19.1" in done.stderr
        assert "HALOCLINE_POLICY=embedded" in done.stderr
    question = tmp_path / "q.json"
    question.write_text(json.dumps(QUESTION))
    asked = ("policy", "decide", "read", "--input", question, "--engine", "opa")
    done = halocline(home, *asked, HALOCLINE_OPA=shutil.which("true") or "")
    assert done.returncode == 1
    assert "version` must say 1.19.1" in done.stderr
