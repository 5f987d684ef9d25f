"""No value of a text in any sink: output, errors, logs, representations, exceptions, tracebacks."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from halocline_governance.detect import Detector, guarded, scan_all
from halocline_governance.detect.agreed import Agreed
from halocline_governance.detect.batch import Texts
from halocline_governance.detect.holdback import Holdback
from halocline_governance.detect.isolated import Isolated
from halocline_governance.detect.pii import PiiDetector
from halocline_infra.cli import app
from halocline_infra.detecting.answers import Asked, answers
from halocline_infra.detecting.batches import Batch
from tests.governance.detect_rules import Rule

HALOCLINE = Path(sys.executable).parent / "halocline"
VALUES = [
    "zebulon.quagga@example.org",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "536-90-4399",
    "(212) 555-0147",
    "https://zeb:hunter2quagga@example.org/x",
    "Zebulon Quagga-Smythe",
    "2001:db8:77::8a2e:370:7334",
]
TEXTS = [f"Write to {value} about the matter.\n" for value in VALUES]
BROKEN = [
    b'{"id":"1","text":"%s"' % TEXTS[0].strip().encode(),
    b'{"id":"2","text":"%s","text":1}' % TEXTS[1].strip().encode(),
    b'{"id":"3","text":"%s\xff"}' % TEXTS[2].strip().encode(),
    b'{"id":"4","text":["%s"]}' % TEXTS[3].strip().encode(),
    b'{"id":"5","%s":NaN}' % TEXTS[4].strip().encode(),
    TEXTS[5].strip().encode(),
]


def leaked(told: str) -> list[str]:
    """The values in it, also without their separators, and as JSON would have them."""
    plain = "".join(told.split()).replace("-", "").lower()
    return [v for v in VALUES if v in told or "".join(v.split()).replace("-", "").lower() in plain]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    lines = [json.dumps({"id": n, "text": text}).encode() for n, text in enumerate(TEXTS)]
    (folder / "a.jsonl").write_bytes(b"\n".join([*lines, *BROKEN]))
    header = f'"{VALUES[6]}",text\n'
    (folder / "b.csv").write_text(header + "".join(f'1,"{text}",extra\n' for text in TEXTS))
    (folder / "c.csv").write_text("\n".join(VALUES))
    (folder / "d.parquet").write_bytes(TEXTS[0].encode())
    (folder / "e.txt").write_bytes(TEXTS[0].encode() + b"\xff")
    (folder / "f.unknown").write_text(TEXTS[0])
    return folder


COMMANDS = [
    ["pii", "scan", ".", "--json"],
    ["pii", "scan", "."],
    ["pii", "scan", "a.jsonl", "--json", "--kinds", "structured", "--timeout", "20"],
    ["pii", "scan", "c.csv", "--json"],
    ["pii", "scan", "d.parquet", "--form", "parquet"],
    ["pii", "scan", "d.parquet", "--form", "csv"],
    ["pii", "scan", "a.jsonl", "--html", "/dev/full"],
    ["pii", "scrub", "a.jsonl", "--out", "/dev/full/a.jsonl"],
    ["detect", "a.jsonl", "--kinds", "toxicity,pii,secrets", "--json"],
    ["detect", "a.jsonl", "--kinds", "toxicity,pii,secrets"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_commands_tell_no_value(
    folder: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(folder)
    with caplog.at_level(logging.DEBUG):
        done = CliRunner().invoke(app, arguments)
    failed = "".join(traceback.format_exception(done.exception)) if done.exception else ""
    assert leaked(done.stdout + done.stderr + caplog.text + failed) == []
    assert done.stdout + failed


def test_a_process_tells_no_value_on_either_stream(folder: Path) -> None:
    env = {**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [HALOCLINE, "pii", "scan", folder, "--json"], capture_output=True, env=env, text=True
    )
    assert done.returncode == 3
    assert leaked(done.stdout + done.stderr) == []
    assert sum(bool(json.loads(line)["spans"]) for line in done.stdout.splitlines()) >= 6


@pytest.fixture(scope="module")
def far(root: Path) -> Iterator[Isolated]:
    sys.path.insert(0, str(root))
    far = Isolated("tests.governance.detect_rules:Rule", timeout_s=5)
    yield far
    far.close()
    sys.path.remove(str(root))


def test_detectors_and_their_wrappers_tell_no_value(
    far: Isolated,
    rng: random.Random,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    held: list[Detector] = [
        PiiDetector(), Rule(), guarded(Rule()), Agreed(Rule(), Rule()), Agreed(far, far), far,
    ]  # fmt: skip
    told: list[object] = [held]
    with caplog.at_level(logging.DEBUG):
        for text in TEXTS:
            raising = f"{text} do:raise"
            for detector in held:
                told += [detector.scan(text), detector.scan(raising)]
                told += [scan_all([detector], raising), guarded(detector).scan(raising)]
                rows = Texts.of([text, raising, text])
                verdicts = detector.scan_batch(rows)
                told += [rows, verdicts, list(verdicts)]
                stream = detector.stream()
                cut = rng.randint(0, len(raising))
                stream.feed(raising[:cut].encode())
                told += [stream, stream.findings(stream.settled), stream.reason]
                stream.feed(raising[cut:].encode())
                told += [stream.finish(), stream]
            told.append(far.scan(f"{text} do:tell"))
            release = Holdback(held)
            release.feed(raising)
            release.finish()
            told += [release, release.verdicts]
            batch = Batch("s", [text], [1], Texts.of([raising]))
            told += [batch, answers(batch, [Asked(one) for one in held])]
            told += _raised(text)
    out, err = capfd.readouterr()
    assert leaked("\n".join(map(repr, told)) + out + err + caplog.text) == []
    assert any("failed: ValueError" in repr(one) for one in told)


def _raised(text: str) -> list[str]:
    """What is told where something may raise: a stream that is finished already."""
    stream = PiiDetector().stream()
    stream.feed(text.encode())
    stream.finish()
    try:
        stream.feed(text.encode())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at
        return ["".join(traceback.format_exception(error)), repr(error)]
    return []


def test_what_looks_for_leaks_finds_them() -> None:
    assert leaked("x 4111111111111111 y") == [VALUES[1]]
    assert leaked(repr(TEXTS)) == VALUES
    assert leaked(json.dumps({"a": TEXTS[0]})) == [VALUES[0]]
