"""Processes on one journal are killed, run full, fork, crowd: what was acknowledged is there."""

from __future__ import annotations

import fcntl
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from halocline_governance.errors import JournalCorrupt, JournalUnavailable
from halocline_governance.journal import Journal, read
from halocline_governance.records import AuditEvent, Kind
from tests.governance.forking import in_a_child
from tests.governance.journal_world import SIGNER, judged

WORKER = Path(__file__).with_name("journal_worker.py")
Acked = list[tuple[str, int, int]]


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


@contextmanager
def worker(folder: Path, first: int, *more: int) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, WORKER, folder, str(first), *map(str, more)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(lines: list[str]) -> Acked:
    """The acknowledgements among whole lines; the last one may have been cut by the kill."""
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(log, int(seq), int(number)) for log, seq, number in whole]


def holds(folder: Path, acked: Acked, attempted: int) -> None:
    """It verifies, and each acknowledged record is where it was said to be, once."""
    found = judged(folder, folder.parent / "trust")
    assert found.ok, found
    there = {
        (log, seq): event["object"]["number"]
        for log, seq, event in read(folder)
        if event["kind"] == Kind.READ
    }
    assert {(log, seq): number for log, seq, number in acked}.items() <= there.items()
    assert len(set(there.values())) == len(there), "a record stands twice"
    assert len(there) <= len(acked) + attempted, "records that nobody wrote"


@pytest.mark.timeout(1800)
def test_killed_at_any_moment(
    tmp_path: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    """Three processes, each with a log of its own, die between or within writes."""
    folder, acked, attempted = tmp_path / "journal", Acked(), 0
    rounds = scale(2, 300)
    for turn in range(rounds):
        with ExitStack() as running:
            first = (turn * 3) * 10**6
            workers = [
                running.enter_context(worker(folder, first + each * 10**6)) for each in range(3)
            ]
            pipes = [process.stdout for process in workers if process.stdout]
            taken = [[pipe.readline()] if turn == 0 else list[str]() for pipe in pipes]
            for process, pipe, lines in zip(workers, pipes, taken, strict=True):
                count = rng.choice([0, 1, rng.randrange(300)])
                lines += [pipe.readline() for _ in range(count)]
                process.kill()
                acked += told(lines + pipe.readlines())
            attempted += len(workers)
        if turn % 20 == 19 or turn == rounds - 1:
            holds(folder, acked, attempted)
    with Journal.open(folder, SIGNER) as journal:
        journal.append(event(-1))
    holds(folder, acked, attempted + 1)
    assert len({log for log, _, _ in acked}) == 3


def test_a_journal_verifies_while_it_is_written(
    tmp_path: Path, scale: Callable[[int, int], int]
) -> None:
    """By both verifiers, and read, while two processes append, turn segments over and sign."""
    folder = tmp_path / "journal"
    with worker(folder, 0, 20_000) as one, worker(folder, 10**6, 3_000) as two:
        pipes = [process.stdout for process in (one, two) if process.stdout]
        for pipe in pipes:
            pipe.readline()
        drains = [threading.Thread(target=pipe.read, daemon=True) for pipe in pipes]
        for drain in drains:
            drain.start()
        seen: list[int] = []
        for _ in range(scale(6, 150)):
            found = judged(folder, tmp_path / "trust")
            assert found.ok, found
            seen.append(sum(1 for _ in read(folder)))
        for process, drain in zip((one, two), drains, strict=True):
            process.kill()
            drain.join()
        assert seen == sorted(seen)
        assert seen[0] < seen[-1], "nothing was written meanwhile"


def test_a_full_file_stops_the_journal_for_good(tmp_path: Path, rng: random.Random) -> None:
    """The limit falls within a frame, a head, or between; in the first segment, or any."""
    for segment_bytes, file_bytes in (
        (10**6, rng.randrange(3_000, 20_000)),
        (4_000, rng.randrange(2_000, 3_990)),
        (10**6, rng.randrange(90, 250)),
    ):
        folder = tmp_path / f"{segment_bytes}-{file_bytes}" / "journal"
        with worker(folder, 0, segment_bytes, file_bytes) as process:
            said, _ = process.communicate("", timeout=60)
        lines = said.splitlines(keepends=True)
        assert lines[-2:] == ["failed\n", "refused\n"], said
        acked = told(lines[:-2])
        with Journal.open(folder, SIGNER) as journal:
            journal.append(event(-1))
        holds(folder, acked, 2)


def test_a_forked_child_takes_another_name(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal", SIGNER) as journal:
        journal.append(event(1))

        def child() -> str:
            with Journal.open(tmp_path / "journal", SIGNER) as own:
                own.append(event(2))
                with pytest.raises(JournalUnavailable):
                    journal.append(event(3))
                with pytest.raises(JournalUnavailable):
                    journal.seal()
                journal.close()
                return own.name

        assert in_a_child(child) == "log-0001"
        journal.append(event(4))
    holds(tmp_path / "journal", [("log-0000", 1, 1), ("log-0000", 2, 4), ("log-0001", 1, 2)], 0)


def test_a_child_that_ends_leaves_the_log_to_its_parent(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal", SIGNER) as journal:
        assert in_a_child(lambda: "done") == "done"
        receipt = journal.append(event(1))
        with Journal.open(tmp_path / "journal", SIGNER) as other:
            assert other.name != journal.name
    holds(tmp_path / "journal", [(receipt.log, receipt.seq, 1)], 0)


def test_two_in_one_process_have_two_names(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j", SIGNER) as one, Journal.open(tmp_path / "j", SIGNER) as two:
        assert [one.name, two.name] == ["log-0000", "log-0001"]
        acked = [(each.name, each.append(event(n)).seq, n) for n, each in enumerate((one, two))]
    with Journal.open(tmp_path / "j", SIGNER) as one:
        assert one.name == "log-0000"
    holds(tmp_path / "j", acked, 0)


def test_a_held_lock_is_waited_for_by_nobody(tmp_path: Path) -> None:
    """Whoever holds it, and when all names are held there is no journal."""
    with ExitStack() as held:
        for number in range(256):
            folder = tmp_path / "journal" / f"log-{number:04d}"
            folder.mkdir(parents=True)
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
            held.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(JournalUnavailable, match="names"):
            Journal.open(tmp_path / "journal", SIGNER)
    with Journal.open(tmp_path / "journal", SIGNER) as journal:
        assert journal.name == "log-0000"
    holds(tmp_path / "journal", [], 0)


@pytest.mark.parametrize("name", ["journal", "journal/log-0000", "journal/log-0000/lock"])
def test_what_cannot_be_written_is_no_journal(tmp_path: Path, name: str) -> None:
    """A file, or a folder, stands where the other belongs."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if name.endswith("lock") else path.write_bytes(b"")

    with pytest.raises(JournalUnavailable if name == "journal" else JournalCorrupt):
        Journal.open(tmp_path / "journal", SIGNER)
