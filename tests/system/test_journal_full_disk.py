"""A real file system runs full under a journal, is freed, or is read-only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from halocline_governance.errors import JournalUnavailable
from halocline_governance.journal import Journal, proof, read
from halocline_governance.records import AuditEvent, Kind
from tests.governance.journal_world import SIGNER, judged
from tests.governance.test_journal_processes import told, worker

pytestmark = pytest.mark.system


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def remounted(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


@pytest.mark.parametrize("segment_bytes", [3000, 9000, 10**6])
def test_a_full_disk_loses_nothing_and_is_freed(small_disk: Path, segment_bytes: int) -> None:
    """The process that met it writes nothing more even when there is room again; the next does."""
    folder = small_disk / "journal"
    with worker(folder, 0, segment_bytes) as process:
        assert process.stdout
        lines: list[str] = []
        while (line := process.stdout.readline()) not in ("failed\n", ""):
            lines.append(line)
        assert line == "failed\n"
        with pytest.raises(JournalUnavailable):
            Journal.open(folder, SIGNER)  # another name, and no room for it either
        assert judged(folder, small_disk.parent / "trust").ok
        remounted(small_disk, "size=1m")
        said, _ = process.communicate("")
        assert said == "refused\n"
    acked = told(lines)
    assert len(acked) > 20
    for number in (-1, -2):
        with Journal.open(folder, SIGNER) as journal:
            acked.append((journal.name, journal.append(event(number)).seq, number))
        found = judged(folder, small_disk.parent / "trust")
        assert found.ok, found
    there = [
        (log, seq, each["object"]["number"])
        for log, seq, each in read(folder)
        if each["kind"] == Kind.READ
    ]
    assert set(acked) <= set(there)
    assert len({number for _, _, number in there}) == len(there) <= len(acked) + 1
    log, seq, _ = acked[len(acked) // 2]
    assert proof.check(proof.prove(folder, log, seq), SIGNER.trust)


def test_a_read_only_disk_can_be_verified_and_not_written(small_disk: Path) -> None:
    folder = small_disk / "journal"
    with Journal.open(folder, SIGNER) as journal:
        receipt = journal.append(event(1))
    remounted(small_disk, "ro")
    assert judged(folder, small_disk.parent / "trust").ok
    assert proof.check(proof.prove(folder, receipt.log, receipt.seq), SIGNER.trust)
    with pytest.raises(JournalUnavailable):
        Journal.open(folder, SIGNER)
    assert judged(folder, small_disk.parent / "trust").ok
