"""`halocline pii scrub`: no value comes out, and no text that was not scanned."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from halocline_governance.errors import Refused
from halocline_infra.cli import app

VALUES = ["jo.doe@example.org", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"]
MODES = ["kind", "pseudonym", "reversible", "surrogate", "drop"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HALOCLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HALOCLINE_POLICY", "embedded")
    return tmp_path / "home"


def scrub(source: Path, out: Path, *arguments: str) -> int:
    done = CliRunner().invoke(
        app, ["pii", "scrub", str(source), "--out", str(out), "--kinds", "structured", *arguments]
    )
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert not any(value in done.output for value in VALUES)
    return done.exit_code


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def source(tmp_path: Path, rng: random.Random) -> Path:
    texts = [f"Hé {rng.choice(VALUES)} and\n{rng.choice(VALUES)} \U0001f600." for _ in range(20)]
    lines = [{"id": n, "text": text, "more": VALUES[0]} for n, text in enumerate(texts)]
    lines.append({"id": "broken", "text": f"\ud800 {VALUES[0]}"})
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{" + VALUES[1])
    return path


@pytest.mark.parametrize("mode", MODES)
def test_no_value_comes_out_in_any_mode_and_again_changes_nothing(
    home: Path, source: Path, tmp_path: Path, mode: str
) -> None:
    out, again = tmp_path / "out.jsonl", tmp_path / "again.jsonl"
    assert scrub(source, out, "--mode", mode, "--compartment", "buy") == 3
    assert not [value for value in VALUES if value in out.read_text()]
    assert out.stat().st_mode & 0o777 == 0o600
    clean = rows(out)
    assert [row["id"] for row in clean] == [*range(20), "broken", None]
    assert all(row["text"].startswith("Hé ") for row in clean[:20])
    assert [row["text"] for row in clean[20:]] == [None, None]
    assert all(row["unscanned"] for row in clean[20:])
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps(row) + "\n" for row in clean[:20]))
    assert scrub(kept, again, "--mode", mode, "--compartment", "buy") == 0
    assert rows(again) == clean[:20]


def test_without_keys_no_installation_is_made(home: Path, source: Path, tmp_path: Path) -> None:
    scrub(source, tmp_path / "out.jsonl", "--mode", "kind")
    scrub(source, tmp_path / "out.jsonl", "--mode", "drop")
    assert not home.exists()


def test_one_text_stays_one_text(home: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_bytes(f"Hé\r\n{VALUES[0]}\r\n".encode())
    assert scrub(source, out) == 0
    assert out.read_bytes() == "Hé\r\n<email>\r\n".encode()


def test_only_the_kinds_that_are_asked_for_go(home: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text(f"{VALUES[0]} {VALUES[1]} https://example.org/page")
    done = CliRunner().invoke(
        app, ["pii", "scrub", str(source), "--out", str(out), "--kinds", "credit_card"]
    )
    assert done.exit_code == 0
    assert out.read_text() == f"{VALUES[0]} <credit_card> https://example.org/page"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--mode", "pseudonym"],
        ["--mode", "nope"],
        ["--mode", "pseudonym", "--compartment", "../x"],
        ["--mode", "reversible", "--compartment", ""],
    ],
)
def test_what_is_refused_writes_nothing(
    home: Path, source: Path, tmp_path: Path, arguments: list[str]
) -> None:
    before = set(tmp_path.iterdir()) | {home}
    with pytest.raises(Refused):
        scrub(source, tmp_path / "out.jsonl", *arguments)
    assert set(tmp_path.iterdir()) <= before


@pytest.mark.parametrize("name", ["in.jsonl", "out.bin", "out.txt", "none/out.jsonl", "."])
def test_a_target_that_cannot_be_leaves_what_is_there(
    home: Path, source: Path, tmp_path: Path, name: str
) -> None:
    content = source.read_bytes()
    with pytest.raises(Refused):
        scrub(source, tmp_path / name)
    assert source.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_text_that_was_not_scanned_is_no_file(home: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(b"\xff " + VALUES[0].encode())
    with pytest.raises(Refused, match="not UTF-8"):
        scrub(tmp_path / "in.txt", tmp_path / "out.txt")
    assert not (tmp_path / "out.txt").exists()
