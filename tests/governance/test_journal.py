"""The journal: what returned is durable and provable; whatever is altered is found and named."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.errors import JournalCorrupt, JournalUnavailable, Unverified
from halocline_governance.journal import Journal, Signer, Trust, read, verify
from halocline_governance.journal.merkle import Tree, leaf_hash, node_hash
from halocline_governance.journal.note import Checkpoint
from halocline_governance.records import AuditEvent, Kind

SEGMENT = "000000000000.seg"


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


def written(folder: Path, signer: Signer, count: int = 20) -> Path:
    with Journal.open(folder, signer) as journal:
        for number in range(count):
            journal.append(event(number))
    return folder


def test_rfc6962_reference_roots() -> None:
    """The Certificate Transparency test set (RFC 6962 section 2.1)."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    leaves.append("606162636465666768696a6b6c6d6e6f")
    tree = Tree()
    roots = {0: tree.root.hex()}
    for leaf in leaves:
        tree.append(leaf_hash(bytes.fromhex(leaf)))
        roots[tree.size] = tree.root.hex()

    assert roots[0].startswith("e3b0c44298fc1c14")
    assert roots[1].startswith("6e340b9cffb37a98")
    assert roots[2].startswith("fac54203e7cc696c")
    assert roots[3].startswith("aeb6bcfe274b70a1")
    assert roots[7].startswith("ddb89be403809e32")
    assert roots[8].startswith("5dc9da79a70659a9")


def recursive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(recursive_root(leaves[:split]), recursive_root(leaves[split:]))


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70))
def test_the_compact_tree_is_the_recursive_definition(data: list[bytes]) -> None:
    leaves = [leaf_hash(item) for item in data]
    assert Tree(leaves).root == recursive_root(leaves)


def test_what_was_appended_is_read_back_in_order(tmp_path: Path, signer: Signer) -> None:
    written(tmp_path, signer)

    numbers = [e["object"]["number"] for _, _, e in read(tmp_path) if e["kind"] == "read"]
    assert numbers == list(range(20))
    assert verify(tmp_path, signer.trust).ok


def test_a_log_is_continued(tmp_path: Path, signer: Signer) -> None:
    written(tmp_path, signer)
    written(tmp_path, signer)

    result = verify(tmp_path, signer.trust)
    assert result.ok
    assert [(s.name, s.num_records, s.num_sealed) for s in result.logs] == [("log-0000", 44, 44)]


def test_threads_share_a_log_without_loss(tmp_path: Path, signer: Signer) -> None:
    with Journal.open(tmp_path, signer) as journal:

        def work(base: int) -> None:
            for number in range(50):
                journal.append(event(base + number))

        threads = [threading.Thread(target=work, args=(1000 * i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    numbers = [e["object"]["number"] for _, _, e in read(tmp_path) if e["kind"] == "read"]
    assert sorted(numbers) == sorted(1000 * i + n for i in range(8) for n in range(50))
    assert verify(tmp_path, signer.trust).ok


def test_every_flipped_byte_is_found(tmp_path: Path, signer: Signer) -> None:
    folder = written(tmp_path / "journal", signer, count=3)
    for path in (folder / "log-0000" / SEGMENT, folder / "log-0000" / "checkpoint"):
        good = path.read_bytes()
        for offset in range(len(good)):
            path.write_bytes(good[:offset] + bytes([good[offset] ^ 1]) + good[offset + 1 :])
            result = verify(folder, signer.trust)
            assert not result.ok, f"{path.name} byte {offset}"
            assert result.problems[0][0].startswith("log-0000")
        path.write_bytes(good)
    assert verify(folder, signer.trust).ok


def test_every_cut_tail_is_found(tmp_path: Path, signer: Signer) -> None:
    segment = written(tmp_path, signer, count=3) / "log-0000" / SEGMENT
    good = segment.read_bytes()
    for size in range(len(good)):
        segment.write_bytes(good[:size])
        assert not verify(tmp_path, signer.trust).ok, size


def test_a_missing_or_rolled_back_sibling_is_found(tmp_path: Path, signer: Signer) -> None:
    old = tmp_path / "old"
    with Journal.open(tmp_path / "j", signer) as first:
        first.append(event(1))
        first.close()
        shutil.copytree(tmp_path / "j" / "log-0000", old)
    with Journal.open(tmp_path / "j", signer) as first:
        first.append(event(2))
        first.close()
        with Journal.open(tmp_path / "j", signer), Journal.open(tmp_path / "j", signer) as second:
            second.append(event(3))
    assert verify(tmp_path / "j", signer.trust).ok

    shutil.rmtree(tmp_path / "j" / "log-0000")
    gone = verify(tmp_path / "j", signer.trust)
    shutil.copytree(old, tmp_path / "j" / "log-0000")
    rolled_back = verify(tmp_path / "j", signer.trust)

    assert "missing" in gone.problems[0][1]
    assert "fewer" in rolled_back.problems[0][1]


def test_trust_comes_from_outside(tmp_path: Path, signer: Signer) -> None:
    written(tmp_path, signer)
    stranger = Signer(Ed25519PrivateKey.generate()).trust

    assert not verify(tmp_path, stranger).ok
    note = signer.sign(Checkpoint("o", 1, bytes(32)))
    assert Trust.parse(signer.trust.line()).open(note).size == 1


@given(st.text(max_size=200))
def test_no_text_is_a_checkpoint_by_accident(text: str) -> None:
    trust = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))).trust
    with pytest.raises(Unverified):
        trust.open(text)


def test_nothing_is_here_is_not_ok(tmp_path: Path, signer: Signer) -> None:
    assert not verify(tmp_path, signer.trust).ok


def test_a_corrupt_log_is_not_continued(tmp_path: Path, signer: Signer) -> None:
    segment = written(tmp_path, signer) / "log-0000" / SEGMENT
    good = bytearray(segment.read_bytes())
    good[len(good) // 2] ^= 1
    segment.write_bytes(good)

    with pytest.raises(JournalCorrupt, match="log-0000 record"):
        Journal.open(tmp_path, signer)


def test_a_torn_tail_is_cut_kept_and_continued(tmp_path: Path, signer: Signer) -> None:
    segment = written(tmp_path, signer) / "log-0000" / SEGMENT
    with segment.open("ab") as file:
        file.write(b"\x50\x00\x00\x00torn")
    torn = verify(tmp_path, signer.trust)
    written(tmp_path, signer, count=1)

    assert torn.ok
    assert torn.unfinished
    assert verify(tmp_path, signer.trust).unfinished == ()
    assert [p.read_bytes() for p in segment.parent.glob("torn-*")] == [b"\x50\x00\x00\x00torn"]


def test_a_closed_journal_takes_nothing(tmp_path: Path, signer: Signer) -> None:
    journal = Journal.open(tmp_path, signer)
    journal.close()
    journal.close()

    with pytest.raises(JournalUnavailable):
        journal.append(event(1))


def test_a_full_disk_fails_the_act_and_everything_after_it(tmp_path: Path, signer: Signer) -> None:
    code = """
import resource, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from halocline_governance.errors import JournalUnavailable
from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
signer = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
journal = Journal.open(Path(sys.argv[1]), signer)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
durable = 0
try:
    while True:
        journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": durable}))
        durable += 1
except JournalUnavailable:
    pass
try:
    journal.append(AuditEvent(Kind.READ, "ana", "analysis", {}))
    print("wrote after a failure")
except JournalUnavailable:
    print(durable)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    durable = int(done.stdout)
    own = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))

    with Journal.open(tmp_path, own):
        pass
    numbers = [e["object"]["number"] for _, _, e in read(tmp_path) if e["kind"] == "read"]
    assert durable > 10
    assert numbers[:durable] == list(range(durable))
    assert verify(tmp_path, own.trust).ok


def test_no_acknowledged_record_is_lost_to_a_kill(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind
journal = Journal.open(Path(sys.argv[1]), Signer(Ed25519PrivateKey.from_private_bytes(bytes(32))))
number = 0
while True:
    journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": number}))
    sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
    number += 1
"""
    own = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    for _ in range(3):
        worker = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout
        for line in worker.stdout:
            if int(line) >= 200:
                break
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    with Journal.open(tmp_path, own):
        pass

    numbers = [e["object"]["number"] for _, _, e in read(tmp_path) if e["kind"] == "read"]
    assert verify(tmp_path, own.trust).ok
    for number in range(200):
        assert numbers.count(number) == 3
