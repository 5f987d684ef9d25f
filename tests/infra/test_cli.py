"""The command line, run as a user runs it: a process with arguments and an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HALOCLINE = Path(sys.executable).parent / "halocline"


def halocline(
    home: Path, *arguments: str, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    return subprocess.run(
        [HALOCLINE, *arguments],
        env={**kept, "HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded", **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def token(home: Path, sub: str, role: str, label: str) -> str:
    done = halocline(home, "token", "issue", "--sub", sub, "--role", role, "--label", label)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_help_names_every_component(tmp_path: Path) -> None:
    done = halocline(tmp_path, "--help")

    assert done.returncode == 0
    data, models = ["lake", "curate", "train"], ["model", "serve", "monitor"]
    for group in [*data, *models, "audit", "policy", "token", "demo"]:
        assert group in done.stdout


def test_a_token_names_its_holder(tmp_path: Path) -> None:
    held = token(tmp_path, "ana", "analyst", "confidential sides=buy")
    done = halocline(tmp_path, "token", "show", "--token", "-", "--json", stdin=held)

    assert json.loads(done.stdout)["subject"] == "ana"
    assert json.loads(done.stdout)["clearance"]["sides"] == ["buy"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["token", "issue", "--sub", "a", "--role", "analyst"],
        ["token", "issue", "--sub", "a", "--role", "king", "--label", "public"],
        ["token", "issue", "--sub", "a", "--role", "analyst", "--label", "cosmic"],
        ["token", "show"],
        ["token", "show", "--token", "eyJhbGciOiJub25lIn0.e30."],
        ["audit", "verify", "nowhere"],
        ["lake", "describe", "no.table"],
        ["policy", "decide", "nogate", "--input", "-"],
        ["lineage", "trace", "source:\udcff\udcfe"],  # bytes that are no UTF-8
    ],
)
def test_what_is_refused_exits_with_one_line_and_a_code(
    tmp_path: Path, arguments: list[str]
) -> None:
    done = halocline(tmp_path, *arguments)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stderr.startswith("halocline: ") or done.stdout


def test_a_token_is_no_argument(tmp_path: Path) -> None:
    held = token(tmp_path, "ana", "analyst", "public")
    done = halocline(tmp_path, "token", "show", "--token", held)

    assert done.returncode == 1
    assert held not in done.stderr


def test_audit_verify_passes_then_names_the_flipped_byte(tmp_path: Path) -> None:
    officer = token(tmp_path, "cleo", "compliance", "restricted")
    assert halocline(tmp_path, "audit", "tail", "--token", "-", stdin=officer).returncode == 0
    good = halocline(tmp_path, "audit", "verify", "--json")
    segment = tmp_path / "journal" / "log-0000" / "000000000000.seg"
    damaged = bytearray(segment.read_bytes())
    damaged[100] ^= 1
    segment.write_bytes(damaged)
    bad = halocline(tmp_path, "audit", "verify", "--json")

    assert good.returncode == 0
    assert json.loads(good.stdout)["ok"]
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["problems"][0]["place"].startswith("log-0000 record 0")


def test_only_an_auditor_reads_the_journal(tmp_path: Path) -> None:
    analyst = token(tmp_path, "ana", "analyst", "restricted")
    denied = halocline(tmp_path, "audit", "tail", "--token", "-", stdin=analyst)
    officer = token(tmp_path, "cleo", "compliance", "restricted")
    seen = halocline(tmp_path, "audit", "tail", "--token", "-", "--json", stdin=officer)

    assert denied.returncode == 1
    assert "denied" in denied.stderr
    decisions = [e["event"] for e in json.loads(seen.stdout) if e["event"]["kind"] == "decision"]
    assert [d["object"]["answer"]["allow"] for d in decisions] == [False, True]
    shown = halocline(
        tmp_path,
        "audit",
        "show",
        decisions[0]["object"]["answer"]["id"],
        "--token",
        "-",
        "--json",
        stdin=officer,
    )
    assert json.loads(shown.stdout)["object"]["answer"]["reasons"]


def test_decide_is_a_rehearsal(tmp_path: Path) -> None:
    question: dict[str, object] = {
        "principal": {
            "subject": "a",
            "roles": ["analyst"],
            "clearance": {
                "sensitivity": "public",
                "sides": [],
                "tenants": [],
                "ndas": [],
                "issuers": [],
            },
        },
        "purpose": "analysis",
        "resource": {},
        "context": {"now": 1},
    }
    done = halocline(
        tmp_path, "policy", "decide", "read", "--input", "-", "--json", stdin=json.dumps(question)
    )

    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert set(answer) == {"allow", "reasons", "obligations", "revision", "id"}
    assert not answer["allow"]
    assert not (tmp_path / "journal").exists()
