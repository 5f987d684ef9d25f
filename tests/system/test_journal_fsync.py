"""Write, then act, as the kernel saw it: a record is on its way to disk before `append` returns."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

NUM_EVENTS = 5
# Each event is marked in the trace by a write to a descriptor of its own after `append` returned.
APPENDING = """
import os, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind

acts = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)
with Journal.open(Path(sys.argv[1]), Signer(Ed25519PrivateKey.generate())) as journal:
    for number in range(int(sys.argv[3])):
        journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": f"event-{number}-"}))
        os.write(acts, f"act-{number}-".encode())
"""


@dataclass(frozen=True)
class Call:
    """One system call; threads interleave, so it spans the lines from `began` to `ended`."""

    began: int
    ended: int
    text: str


def test_a_record_is_synced_before_append_returns(tmp_path: Path) -> None:
    calls = calls_of(tmp_path)
    segment = descriptor_of_segment(calls)

    for number in range(NUM_EVENTS):
        written = first(calls, rf"write\({segment},.*event-{number}-")
        acted = first(calls, rf"write\(\d+, \"act-{number}-")
        assert synced_between(calls, segment, written, acted)


def test_the_check_fails_on_a_trace_without_syncs(tmp_path: Path) -> None:
    calls = [call for call in calls_of(tmp_path) if "sync(" not in call.text]

    written = first(calls, r"write\(.*event-0-")
    acted = first(calls, r"write\(\d+, \"act-0-")
    assert not synced_between(calls, descriptor_of_segment(calls), written, acted)


def synced_between(calls: list[Call], segment: str, written: Call, acted: Call) -> bool:
    """A sync that began after the write was done and was answered before the act began."""
    pattern = re.compile(rf"f(data)?sync\({segment}\)\s+= 0")
    return any(
        pattern.match(call.text) and call.began > written.ended and call.ended < acted.began
        for call in calls
    )


def calls_of(folder: Path) -> list[Call]:
    log = folder / "trace"
    command = ["strace", "-f", "-s", "4096", "-o", log, "-e", "trace=openat,write,fsync,fdatasync"]
    program = [
        sys.executable,
        "-c",
        APPENDING,
        folder / "journal",
        folder / "acts",
        str(NUM_EVENTS),
    ]
    subprocess.run([*command, *program], check=True, timeout=120)
    return parsed(log.read_text(errors="replace").splitlines())


def parsed(lines: list[str]) -> list[Call]:
    pending: dict[str, tuple[int, str]] = {}
    calls: list[Call] = []
    for index, line in enumerate(lines):
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            pending[thread] = index, text.removesuffix("<unfinished ...>").rstrip()
        elif "resumed>" in text:
            began, head = pending.pop(thread)
            calls.append(Call(began, index, head + text.partition("resumed>")[2]))
        else:
            calls.append(Call(index, index, text))
    return calls


def descriptor_of_segment(calls: list[Call]) -> str:
    """The last one: the journal opens its file to recover it, then to append."""
    opened = re.compile(r"openat\(.*\.seg\".*O_APPEND.*\)\s+= (\d+)")
    return [found.group(1) for call in calls if (found := opened.match(call.text))][-1]


def first(calls: list[Call], pattern: str) -> Call:
    return next(call for call in calls if re.match(pattern, call.text))
