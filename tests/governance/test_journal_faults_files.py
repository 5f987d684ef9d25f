"""Something else stands where a journal's file belongs: nobody hangs on it or follows it.

And what is no evidence may be anything: the journal stays whole, and goes on or says why not.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from halocline_governance.errors import HaloclineError, JournalCorrupt
from halocline_governance.journal import Journal, proof, read, segments, verify
from halocline_governance.records import AuditEvent, Kind
from tests.governance.journal_world import SIGNER, Log, framed, healthy, judged, read_event

pytestmark = pytest.mark.timeout(20)  # a reader that hangs fails

Stand = Callable[[Path, bytes], None]


def fifo(path: Path, good: bytes) -> None:
    os.mkfifo(path)


def a_socket(path: Path, good: bytes) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


def folder(path: Path, good: bytes) -> None:
    path.mkdir()


def link_to_itself(path: Path, good: bytes) -> None:
    path.symlink_to(path.name)


def link_to_nothing(path: Path, good: bytes) -> None:
    path.symlink_to("nothing")


def link_to_zeros(path: Path, good: bytes) -> None:
    path.symlink_to("/dev/zero")


def link_to_the_same(path: Path, good: bytes) -> None:
    """What is read is right today, but lies where its owner may change it tomorrow."""
    aside = path.parents[2] / "aside"
    aside.write_bytes(good)
    path.symlink_to(aside)


STANDS: list[Stand] = [
    *(fifo, a_socket, folder, link_to_itself, link_to_nothing, link_to_zeros, link_to_the_same),
]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    for log in healthy():
        log.put(tmp_path / "journal")
    return tmp_path / "journal"


@pytest.mark.parametrize("stand", STANDS)
@pytest.mark.parametrize("name", ["000000000000.seg", "last", "checkpoint"])
def test_it_is_found_and_nobody_waits(
    journal: Path, tmp_path: Path, stand: Stand, name: str
) -> None:
    log = journal / "log-0001"
    path = sorted(log.glob("*.seg"))[-1] if name == "last" else log / name
    good = path.read_bytes()
    path.unlink()
    stand(path, good)

    found = judged(journal, tmp_path / "trust")
    assert not found.ok
    assert found.names(log.name), found
    if name != "checkpoint":
        with pytest.raises(JournalCorrupt, match="log-0001"):
            list(read(journal))
    with pytest.raises(HaloclineError):
        proof.prove(journal, log.name, 1 if name == "000000000000.seg" else 13)


@pytest.mark.parametrize("stand", [fifo, a_socket, link_to_itself, link_to_zeros])
def test_a_log_is_a_folder(journal: Path, tmp_path: Path, stand: Stand) -> None:
    """A link to a folder elsewhere is none either."""
    shutil.rmtree(journal / "log-0001")
    stand(journal / "log-0001", b"")

    assert not judged(journal, tmp_path / "trust").ok


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """By the writer, with an index, in several segments."""
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 1500)
    with Journal.open(tmp_path / "written", SIGNER) as journal:
        for number in range(12):
            journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": number}))
    return tmp_path / "written"


def continued(directory: Path) -> bool:
    """Whether the writer goes on with it; if so, it is whole thereafter."""
    try:
        with Journal.open(directory, SIGNER) as journal:
            receipt = journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": -1}))
    except HaloclineError:
        return False
    found = judged(directory, directory.parent / "trust")
    assert found.ok, found
    for seq in range(receipt.seq + 1):
        assert proof.check(proof.prove(directory, receipt.log, seq), SIGNER.trust)
    return True


@pytest.mark.parametrize("stand", STANDS)
@pytest.mark.parametrize("name", ["last", "checkpoint", "lock", "index", "index/leaves"])
def test_the_writer_neither_waits_nor_believes(written: Path, stand: Stand, name: str) -> None:
    log = written / "log-0000"
    path = sorted(log.glob("*.seg"))[-1] if name == "last" else log / name
    good = b"" if path.is_dir() else path.read_bytes()
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    stand(path, good)

    went_on = continued(written)
    if name in ("last", "checkpoint"):
        assert not went_on
        assert not judged(written, written.parent / "trust").ok
    else:
        assert judged(written, written.parent / "trust").ok


@pytest.mark.timeout(600)
def test_an_index_proves_nothing(
    written: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    """Altered anyhow, it makes opening and proving slow or refused, never wrong."""
    kept, index = written.parent / "kept", written / "log-0000" / "index"
    shutil.copytree(written, kept)
    names = sorted(path.name for path in index.iterdir())
    went_on = 0
    for _ in range(scale(12, 300)):
        path = index / rng.choice(names)
        good = path.read_bytes()
        at = rng.randrange(len(good) + 1)
        path.write_bytes(
            rng.choice(
                [
                    b"",
                    good[:at],
                    good[:at] + bytes([rng.randrange(256)]) + good[at + 1 :],
                    good + rng.randbytes(at),
                    bytes(len(good)),
                    good[32:] + good[:32],
                ]
            )
        )
        assert verify(written, SIGNER.trust).ok
        for seq in range(12):
            try:
                event = proof.check(proof.prove(written, "log-0000", seq), SIGNER.trust)
            except HaloclineError:
                continue
            assert event["object"].get("number", seq - 1) == seq - 1
        went_on += continued(written)
        shutil.rmtree(written)
        shutil.copytree(kept, written)
    shutil.rmtree(index)
    assert continued(written)
    assert went_on


def test_what_is_no_evidence_is_no_fault(journal: Path, tmp_path: Path) -> None:
    log = journal / "log-0002"
    (log / "torn-17-1").write_bytes(b"torn")
    (log / ".checkpoint").write_bytes(b"halocline/lo")
    (log / ".checkpoint.1.2").write_bytes(b"")
    (log / "index").mkdir()
    (log / "index" / "leaves").write_bytes(b"nonsense")
    (log / "lock").mkdir()
    (journal / "notes.txt").write_bytes(b"extra")
    (journal / "log-0009").mkdir()
    (journal / "log-0009" / "lock").touch()
    started = Log("log-0010")
    (journal / "log-0010").mkdir()
    (journal / "log-0010" / "checkpoint").write_text(started.note(), encoding="utf-8")
    Log("log-0011").put(journal)
    assert judged(journal, tmp_path / "trust").ok


@pytest.mark.parametrize(
    "tail",
    [
        b"\x01",
        b"\x00" * 7,
        b"\x00" * 8,
        b"\x00" * 5000,
        b"\x10\x00\x00\x00",
        framed(b"x" * 50)[:-1],
        framed(b"x" * 50)[:-1] + b"y",
        framed(b"x" * 5000)[:100],
        b"\xff\xff\xff\x00" + bytes(4),
        b"\x00\x00\x00\x01" + bytes(4),
    ],
    ids=lambda tail: tail[:12].hex(),
)
def test_an_unfinished_write_is_no_fault(journal: Path, tmp_path: Path, tail: bytes) -> None:
    """Of the last segment, or in a new one; nor are records that no head covers yet."""
    logs = healthy(closed=False)
    for log in logs:
        log.put(journal)
    log = logs[2]
    path = journal / log.name / f"{log.starts[-1]:012d}.seg"
    good = path.read_bytes()
    path.write_bytes(good + tail)
    assert judged(journal, tmp_path / "trust").ok
    log.add(read_event(1))
    path.write_bytes(good + framed(log.payloads[-1]) + tail)
    assert judged(journal, tmp_path / "trust").ok
    path.write_bytes(good)
    path.with_name(f"{len(log.payloads) - 1:012d}.seg").write_bytes(tail)
    assert judged(journal, tmp_path / "trust").ok
    told = verify(journal, SIGNER.trust)
    assert any(log.name in words for words in told.unfinished)
