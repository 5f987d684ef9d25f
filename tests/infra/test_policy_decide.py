"""`halocline policy decide --lines`: many questions, answered in their order on either engine."""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.infra.command import in_text, run

ODD: list[Any] = [None, "buy", ["text"], {}, 7, [], "audit"]


def decided(home: Path, engine: str, lines: list[str]) -> subprocess.CompletedProcess[str]:
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    words = ("policy", "decide", "read", "--input", "-", "--engine", engine, "--lines")
    stdin = "\n".join(lines) + "\n"
    return in_text(run(words, {**kept, "HALOCLINE_HOME": str(home)}, stdin.encode()))


def questions(root: Path, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Around one that is allowed: one thing after another taken away or put in another's place."""
    page = root / "tests" / "governance" / "vectors" / "read.json"
    base: dict[str, Any] = json.loads(page.read_text())["input"]
    made: list[dict[str, Any]] = []
    for _ in range(count):
        question = copy.deepcopy(base)
        part: dict[str, Any] = question[rng.choice(["principal", "resource", "context"])]
        key = rng.choice(sorted(part))
        value = rng.choice(ODD)
        if rng.random() < 0.3:
            del part[key]
        elif rng.random() < 0.7:
            part[key] = value
        made.append(question)
    return made


def test_both_engines_answer_every_line_alike(
    tmp_path: Path, root: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    asked = questions(root, rng, scale(300, 20_000))
    lines = [json.dumps(question) for question in asked]
    told: list[list[dict[str, Any]]] = []
    for engine in ("embedded", "opa"):
        done = decided(tmp_path, engine, lines)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len({answer.pop("id") for answer in answers}) == len(lines)
        told.append(answers)
    assert told[0] == told[1]
    allowed = sum(answer["allow"] for answer in told[0])
    assert 0 < allowed < len(lines)
    assert not (tmp_path / "journal").exists()


def test_what_no_engine_answers_is_denied_in_its_place(
    tmp_path: Path, root: Path, rng: random.Random
) -> None:
    (good,) = questions(root, rng, 1)
    lines = [
        json.dumps(good),
        json.dumps({**good, "context": {"now": 1e300}}),
        "",
        json.dumps(good),
    ]
    done = decided(tmp_path, "embedded", lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(answers)) == (0, 3)
    assert (answers[1]["allow"], answers[1]["reasons"]) == (False, ["unavailable"])
    assert answers[0]["reasons"] == answers[2]["reasons"] != ["unavailable"]


def test_a_line_that_is_no_question_is_named(
    tmp_path: Path, root: Path, rng: random.Random
) -> None:
    (good,) = questions(root, rng, 1)
    for bad in ("[]", "{", '{"purpose": "a", "purpose": "b"}'):
        done = decided(tmp_path, "embedded", [json.dumps(good), bad])
        assert done.returncode == 1
        assert "line 2" in done.stderr


def test_no_question_at_all_is_refused_and_lines_are_told_of(tmp_path: Path) -> None:
    assert "no question" in decided(tmp_path, "embedded", ["", ""]).stderr
    file = tmp_path / "questions.jsonl"
    file.write_text("{}\n{}\n")
    words = ("policy", "decide", "read", "--input", str(file), "--engine", "embedded")
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    done = in_text(run(words, {**kept, "HALOCLINE_HOME": str(tmp_path)}))
    assert (done.returncode, "--lines" in done.stderr) == (1, True)
