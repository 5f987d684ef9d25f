"""Each system call of the journal's fails once, or kills the process; nothing acknowledged is lost.

After Tessera's fault test: the day of `journal_workload.py` is run once under strace, which tells
the calls it makes on the journal's files; then again for every call, with that one call failing
(EIO, and ENOSPC where room is needed) or the process killed in it.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from halocline_governance.journal import Journal, proof, read, segments
from tests.governance.journal_world import SIGNER, judged
from tests.system.journal_workload import event

pytestmark = pytest.mark.system

WORKLOAD = Path(__file__).with_name("journal_workload.py")
ROOM = ("write", "pwrite64", "mkdir", "rename", "fsync", "fdatasync")
CALLS = (
    *ROOM,
    *("openat", "read", "pread64", "ftruncate", "truncate", "unlink", "flock", "getdents64"),
    *("newfstatat", "fstat", "link", "close"),
)
# Under these every run has the same process and thread ids, and so the same names of drafts.
ALIKE = ["setarch", "-R", "unshare", "--pid", "--fork", "--mount-proc"]


@dataclass(frozen=True, order=True)
class Case:
    """The `number`th call on a path, and what becomes of it."""

    world: str
    call: str
    path: str
    number: int
    fault: str

    @property
    def is_segment(self) -> bool:
        writes = self.call in ("write", "fsync", "fdatasync", "openat")
        return writes and self.path.endswith(".seg") and self.fault.startswith("error")


@dataclass(frozen=True)
class Bench:
    """Where every run takes place: the paths must be the same each time."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def acks(self) -> Path:
        return self.folder / "acks"

    def fresh(self, world: str) -> None:
        shutil.rmtree(self.journal, ignore_errors=True)
        self.acks.unlink(missing_ok=True)
        kept = self.folder / world
        if kept.exists():
            shutil.copytree(kept, self.journal)

    def run(self, *options: str) -> tuple[int, str]:
        """The day under strace: its exit status and the trace."""
        trace = self.folder / "trace"
        # Not with --seccomp-bpf: strace 6.1 then sends no signal.
        command = [*ALIKE, "strace", "-f", "-y", "-s", "0", "-o", str(trace)]
        with self.acks.open("ab") as acks:
            program = [sys.executable, str(WORKLOAD), str(self.journal), str(acks.fileno())]
            done = subprocess.run(
                [*command, *options, *program],
                pass_fds=[acks.fileno()],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        told = trace.read_text(errors="replace")
        return done.returncode, told if done.returncode in (0, -9, 137) else done.stderr

    def calls(self, world: str) -> Iterator[tuple[str, str, int]]:
        """Each call that the day makes on a path of the journal's, and its place among its like."""
        self.fresh(world)
        status, trace = self.run("-e", f"trace={','.join(CALLS)}")
        assert status == 0
        assert self.acks.read_text().endswith("over\n")
        seen: Counter[tuple[str, str, str]] = Counter()
        told: set[tuple[str, str, int]] = set()
        for line in trace.splitlines():
            found = re.match(r"(\d+) +(\w+)\((.*)", line)
            path = re.search(rf"[<\"]({re.escape(str(self.journal))}[^>\"]*)", line)
            if found and path and "torn-" not in path[1]:
                seen[found[1], found[2], path[1]] += 1
                told.add((found[2], path[1], seen[found[1], found[2], path[1]]))
        yield from sorted(told)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """`torn` is a log of several segments that a kill left with half a record and no index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_BYTES", 900)
        bench = Bench(tmp_path_factory.mktemp("injected"))
        with Journal.open(bench.folder / "torn", SIGNER) as journal:
            for number in range(6):
                journal.append(event(-1 - number))
        log = bench.folder / "torn" / "log-0000"
        shutil.rmtree(log / "index", ignore_errors=True)
        with sorted(log.glob("*.seg"))[-1].open("ab") as file:
            file.write(b"\x90\x01\x00\x00half a record")
        yield bench


def cases(bench: Bench) -> list[Case]:
    found: list[Case] = []
    for world in ("none", "torn"):
        for call, path, number in bench.calls(world):
            faults = ["error=EIO", "signal=KILL"] + ["error=ENOSPC"] * (call in ROOM)
            found += [Case(world, call, path, number, fault) for fault in faults]
    return found


@pytest.mark.timeout(3600)
def test_each_call_may_fail_or_be_the_last(
    bench: Bench, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    """Twenty-five of the cases; at the soak size all of them."""
    every = cases(bench)
    assert len(every) > 200
    chosen, struck = rng.sample(every, scale(25, len(every))), 0
    for case in chosen:
        bench.fresh(case.world)
        status, trace = bench.run(
            *("-e", f"trace={case.call},writev", "-P", case.path, "-P", str(bench.acks)),
            *("-e", f"inject={case.call}:{case.fault}:when={case.number}"),
        )
        assert status == 0 or case.fault == "signal=KILL", (case, status, trace)
        struck += status != 0 or "(INJECTED)" in trace
        survived(bench, case, trace)
    assert struck > 0.9 * len(chosen), "the calls were not those of the first run"


def survived(bench: Bench, case: Case, trace: str) -> None:
    said = bench.acks.read_text().splitlines() if bench.acks.exists() else []
    assert "again" not in said, f"{case}: a record was acknowledged after an error"
    behind = trace.partition("(INJECTED)")[2]
    if case.is_segment and behind:
        assert len(re.findall(r"writev\(", behind)) <= 2, f"{case}: acknowledged after the error"
    lines = [line.split() for line in said if line.startswith("log-")]
    acked = {(log, int(seq)): int(number) for log, seq, number in lines}
    if bench.journal.exists() and any(bench.journal.glob("*/*.seg")):
        left = judged(bench.journal, bench.folder / "trust")
        assert left.ok, (case, left)
    for turn in range(2):
        with Journal.open(bench.journal, SIGNER) as journal:
            for number in range(2):
                receipt = journal.append(event(10**7 + turn * 10 + number))
                acked[receipt.log, receipt.seq] = 10**7 + turn * 10 + number
        found = judged(bench.journal, bench.folder / "trust")
        assert found.ok, (case, found)
        there = {
            (log, seq): each["object"]["number"]
            for log, seq, each in read(bench.journal)
            if each["kind"] == "read"
        }
        assert acked.items() <= there.items(), (case, "lost")
        assert len(set(there.values())) == len(there), (case, "doubled")
    for log, seq in acked:
        assert proof.check(proof.prove(bench.journal, log, seq), SIGNER.trust), (case, seq)


def test_a_fault_is_noticed_at_all(bench: Bench) -> None:
    """The same check fails when an acknowledged record is taken away."""
    bench.fresh("torn")
    bench.run("-e", "trace=writev")
    last = sorted((bench.journal / "log-0000").glob("*.seg"))[-1]
    last.write_bytes(last.read_bytes()[:-400])
    with pytest.raises(AssertionError):
        survived(bench, Case("torn", "write", str(last), 1, "signal=KILL"), "")
