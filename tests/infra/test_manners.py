"""How commands behave when the world does not: pipes that close, full disks, odd files, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from halocline_infra.cli import app
from tests.infra.command import run as command

HALOCLINE = Path(sys.executable).parent / "halocline"
# Fails late enough: after the first bytes of the answer were handed over.
ANSWERS = [
    ["policy", "list"],
    ["policy", "list", "--json"],
    ["token", "show", "--json"],
    ["directory", "list"],
    ["cross", "list", "--json"],
    ["lake", "describe", "curated.documents"],
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An installation, and an officer's token in it."""
    kept = {key: val for key, val in os.environ.items() if not key.startswith("HALOCLINE_")}
    home = tmp_path_factory.mktemp("installation") / "home"
    env = {**kept, "HALOCLINE_HOME": str(home), "HALOCLINE_POLICY": "embedded"}
    issue = ["token", "issue", "--sub", "cleo", "--role", "compliance", "--label", "restricted"]
    done = command(issue, env)
    assert done.returncode == 0, done.stderr
    return {**env, "HALOCLINE_TOKEN": done.stdout.decode().strip()}


def run(
    environment: dict[str, str], *arguments: object, stdout: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    return command(arguments, environment, stdout=stdout, timeout=60)


def check_plain(done: subprocess.CompletedProcess[bytes], code: int = 1) -> str:
    """An exit code, and at most one line that says something."""
    told = done.stderr.decode()
    assert done.returncode == code, told
    assert "Traceback" not in told
    assert told.count("\n") <= 1, told
    return told


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_a_reader_that_went_away_is_no_accident(
    environment: dict[str, str], arguments: list[str]
) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        assert check_plain(run(environment, *arguments, stdout=write)) == ""
    finally:
        os.close(write)


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_an_answer_that_cannot_be_written_is_told(
    environment: dict[str, str], arguments: list[str]
) -> None:
    with open("/dev/full", "wb") as full:
        assert "No space left" in check_plain(run(environment, *arguments, stdout=full.fileno()))


def test_an_interrupt_ends_a_command_plainly(environment: dict[str, str]) -> None:
    waiting = subprocess.Popen(
        [HALOCLINE, "token", "show", "--token", "-"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _until(lambda: _reads_a_pipe(waiting.pid))
    waiting.send_signal(signal.SIGINT)
    _, stderr = waiting.communicate(timeout=30)
    assert waiting.returncode == 130
    assert b"Traceback" not in stderr


def _until(is_so: Callable[[], bool], timeout_s: float = 30.0) -> None:
    ends = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _reads_a_pipe(pid: int) -> bool:
    return "pipe" in Path(f"/proc/{pid}/wchan").read_text()


ODD: dict[str, bytes] = {
    "not text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "a key twice": b'{"sensitivity": "public", "sensitivity": "restricted"}',
    "nothing": b"",
    "NaN": b"NaN",
}
TAKES_A_FILE = [
    ["token", "show", "--token"],
    ["token", "issue", "--sub", "a", "--role", "analyst", "--clearance"],
    ["directory", "add", "ana", "--clearance"],
    ["policy", "decide", "read", "--input"],
]


@pytest.mark.parametrize("arguments", TAKES_A_FILE, ids=" ".join)
def test_a_file_that_is_none_or_odd_is_told(
    environment: dict[str, str], arguments: list[str], tmp_path: Path
) -> None:
    check_plain(run(environment, *arguments, tmp_path))
    for what, content in ODD.items():
        (tmp_path / what).write_bytes(content)
        check_plain(run(environment, *arguments, tmp_path / what))


def test_a_token_is_written_to_a_file_of_its_holder_alone(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "ana.jwt"
    issue = ["token", "issue", "--sub", "ana", "--role", "analyst", "--label", "public"]
    done = run(environment, *issue, "--to", file)
    assert (check_plain(done, 0), done.stdout) == (f"wrote {file}\n", b"")
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_text()
    assert "--force" in check_plain(run(environment, *issue, "--to", file))
    assert file.read_text() == first
    file.chmod(0o644)
    check_plain(run(environment, *issue, "--to", file, "--force"), 0)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() != first
    assert run(environment, "token", "show", "--token", file).returncode == 0
    check_plain(run(environment, *issue, "--to", tmp_path / "none" / "x"))
    assert [one.name for one in tmp_path.iterdir()] == ["ana.jwt"]


def test_a_bundle_takes_no_devices_place(environment: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path / "pipe", tmp_path):
        assert "no file" in check_plain(run(environment, "policy", "build", "--to", odd))
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null", "/dev/null/below"])
def test_a_home_that_cannot_be_is_told(environment: dict[str, str], home: str) -> None:
    told = check_plain(run({**environment, "HALOCLINE_HOME": home}, "token", "show"))
    assert "HALOCLINE_HOME" in told


WRONG = {
    "HALOCLINE_OPA": "/nope",
    "HALOCLINE_POLICY": "nope",
    "HALOCLINE_POLICY_BUNDLE": "/nope",
    "HALOCLINE_STATE": "mysql://x",
    "HALOCLINE_GUARD": "http://x",
    "HALOCLINE_DIRECTORY": "closed",
    "HALOCLINE_DEV_TOKENS": "yes",
    "HALOCLINE_OIDC_ISSUER": "http://id.example.com",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_told_with_what_is_right(environment: dict[str, str], name: str) -> None:
    told = check_plain(run({**environment, name: WRONG[name]}, "lake", "list"))
    assert re.search(r"is |are |choose |give |no policy bundle ", told)


def test_json_is_one_document_the_same_each_time(environment: dict[str, str]) -> None:
    for arguments in (["policy", "list"], ["token", "show"], ["directory", "list"]):
        first, second = (run(environment, *arguments, "--json").stdout for _ in range(2))
        assert first == second
        document = json.loads(first)
        assert first.decode() == json.dumps(document, indent=2, sort_keys=True) + "\n"


def test_every_command_shows_an_example_of_itself() -> None:
    commands = dict(_commands(get_command(app), ()))
    assert len(commands) > 30
    for path, known in commands.items():
        assert f"halocline {' '.join(path)}" in str(known.help), path


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, one in below.items():
        yield from _commands(one, (*path, name))
