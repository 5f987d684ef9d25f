"""What an attacker puts in place of a journal's working files: nothing elsewhere is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import Journal, proof, verify
from halocline_governance.records import AuditEvent, Kind
from tests.governance.journal_world import SIGNER

EVENT = AuditEvent(Kind.READ, "ana", "analysis", {"number": 1})
PRECIOUS = b"precious" * 5000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "j", SIGNER) as journal:
        for _ in range(300):
            journal.append(EVENT)
    return tmp_path / "j" / "log-0000"


def put(path: Path, how: str, away: Path) -> None:
    """Something else in place of a file."""
    away.mkdir()
    for name in ("leaves", "offsets", "victim"):
        (away / name).write_bytes(PRECIOUS)
    if how == "link to a file":
        path.symlink_to(away / "victim")
    elif how == "link to a folder":
        path.symlink_to(away)
    elif how == "link to nothing":
        path.symlink_to(away / "created")
    elif how == "second name":
        path.hardlink_to(away / "victim")
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "file":
        path.write_bytes(b"x")
    else:
        path.mkdir()
        (path / "inside").write_bytes(b"x")


HOW = ["link to a file", "link to a folder", "link to nothing", "pipe", "folder"]


@pytest.mark.parametrize("how", [*HOW, "second name", "file"])
@pytest.mark.parametrize("name", ["index", "index/leaves", "index/nodes-08"])
def test_an_index_is_made_anew_and_nothing_else_written(
    log: Path, tmp_path: Path, name: str, how: str
) -> None:
    (log / name).rename(tmp_path / "was")
    put(log / name, how, tmp_path / "away")

    assert proof.check(proof.prove(log.parent, log.name, 7), SIGNER.trust)
    with Journal.open(log.parent, SIGNER) as journal:
        assert journal.append(EVENT).log == log.name
    assert {path.read_bytes() for path in (tmp_path / "away").iterdir()} == {PRECIOUS}
    assert (log / "index" / "leaves").stat().st_size >= 32 * 300
    assert not (log / "index").is_symlink()
    assert verify(log.parent, SIGNER.trust).ok


@pytest.mark.parametrize("how", HOW)
def test_a_lock_that_is_no_plain_file_is_named(log: Path, tmp_path: Path, how: str) -> None:
    (log / "lock").unlink()
    put(log / "lock", how, tmp_path / "away")

    with pytest.raises(JournalCorrupt, match="log-0000/lock: it is not a plain file: remove it"):
        Journal.open(log.parent, SIGNER)
    assert not (tmp_path / "away" / "created").exists()
    assert {path.read_bytes() for path in (tmp_path / "away").iterdir()} == {PRECIOUS}


@pytest.mark.parametrize("how", ["file", "link to a folder"])
def test_a_log_that_is_no_folder_is_not_taken(log: Path, tmp_path: Path, how: str) -> None:
    log.rename(tmp_path / "was")
    put(log, how, tmp_path / "away")

    with pytest.raises(JournalCorrupt, match="not a folder"):
        Journal.open(log.parent, SIGNER)
    assert len(list((tmp_path / "away").iterdir())) == 3


def test_a_consistency_proof_makes_a_damaged_index_anew(log: Path) -> None:
    with Journal.open(log.parent, SIGNER) as journal:
        old = journal.seal()
        for _ in range(300):
            journal.append(EVENT)
    leaves = log / "index" / "leaves"
    data = bytearray(leaves.read_bytes())
    size = int(old.split("\n")[1])
    at = 32 * (size - 1)
    data[at : at + 32] = bytes(32)
    leaves.write_bytes(data)

    found = proof.consistency(log.parent, log.name, old)
    assert found.check(SIGNER.trust)[0].size == size


def test_what_a_witness_keeps_is_read_from_plain_files_only(tmp_path: Path) -> None:
    (witness := tmp_path / "witness").mkdir()
    Journal.open(tmp_path / "journal", SIGNER, witness).close()
    (witness / "log-0000").unlink()
    os.mkfifo(witness / "log-0000")

    with pytest.raises(JournalCorrupt, match="witness/log-0000: it is not a plain file"):
        Journal.open(tmp_path / "journal", SIGNER, witness)
