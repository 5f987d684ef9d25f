"""The index says what the segments say, or is not used; a log is opened by it and by its head."""

from __future__ import annotations

import os
import random
import shutil
from array import array
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import Journal, Signer, frame, segments, verify
from halocline_governance.journal.index import Index, Kept
from halocline_governance.journal.merkle import Tree, leaf_hash, root
from halocline_governance.records import AuditEvent, Kind

SIGNER = Signer(Ed25519PrivateKey.generate())
COUNT = 1500


def write(folder: Path, count: int) -> None:
    with Journal.open(folder, SIGNER) as journal:
        for future in [
            journal.submit(AuditEvent(Kind.READ, "ana", "analysis", {"number": number}))
            for number in range(count)
        ]:
            future.result(20)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of many segments, written by two processes' worth of opening."""
    folder = tmp_path_factory.mktemp("index")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_BYTES", 20_000)
        patch.setattr("halocline_governance.journal.writer._MAX_GROUP", 16)
        write(folder, COUNT // 2)
        write(folder, COUNT // 2)
    return folder


@pytest.fixture
def journal(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 20_000)
    return Path(shutil.copytree(made, tmp_path / "journal"))


def payloads(folder: Path) -> list[bytes]:
    found: list[bytes] = []
    for path in sorted(folder.glob("*.seg")):
        for item in frame.decode(path.read_bytes()):
            assert not isinstance(item, frame.Flaw)
            found.append(item[1])
    return found


@pytest.mark.parametrize("state", ["whole", "none", "short", "long", "garbled"])
def test_an_index_in_any_state_says_what_the_segments_say(journal: Path, state: str) -> None:
    log = journal / "log-0000"
    kept = log / "index"
    if state == "none":
        shutil.rmtree(kept)
    elif state == "short":
        os.truncate(kept / "leaves", 32 * 700 + 5)
    elif state == "long":
        for path in kept.iterdir():
            path.write_bytes(path.read_bytes() + bytes(4096))
    elif state == "garbled":
        (kept / "leaves").write_bytes(bytes((kept / "leaves").stat().st_size))
    leaves = [leaf_hash(payload) for payload in payloads(log)]

    with Index(log) as index:
        assert index.size == len(leaves)
        assert [index.leaf(seq) for seq in range(index.size)] == leaves
        for seq in range(0, index.size, 97):
            segment, offset = index.place(seq)
            found = next(frame.decode(segment.read_bytes(), offset))
            assert not isinstance(found, frame.Flaw)
            assert leaf_hash(found[1]) == leaves[seq]
        for size in (1, 2, 255, 256, 257, 1024, index.size):
            assert root(index.node, size) == Tree(leaves[:size]).root
        for wrong in (-1, index.size):
            with pytest.raises(IndexError):
                index.leaf(wrong)
            with pytest.raises(IndexError):
                index.place(wrong)


def test_without_a_segment_there_is_no_index(journal: Path) -> None:
    log = journal / "log-0000"
    sorted(log.glob("*.seg"))[2].unlink()

    with pytest.raises(JournalCorrupt, match="missing"):
        Index(log, stored=False)


@pytest.mark.parametrize("state", ["none", "short", "long", "garbled", "of another"])
def test_a_log_is_opened_with_its_index_in_any_state(
    journal: Path, tmp_path: Path, state: str
) -> None:
    kept = journal / "log-0000" / "index"
    if state == "none":
        shutil.rmtree(kept)
    elif state == "short":
        os.truncate(kept / "nodes-08", 33)
    elif state == "long":
        for path in kept.iterdir():
            path.write_bytes(path.read_bytes() + bytes(4096))
    elif state == "garbled":
        (kept / "nodes-08").write_bytes(bytes((kept / "nodes-08").stat().st_size))
    else:
        write(tmp_path / "other", COUNT)
        shutil.rmtree(kept)
        shutil.copytree(tmp_path / "other" / "log-0000" / "index", kept)
    write(journal, 3)

    assert verify(journal, SIGNER.trust).ok
    leaves = [leaf_hash(payload) for payload in payloads(kept.parent)]
    with Kept(kept.parent, write=False) as index:
        assert index.size == len(leaves)
        assert [index.leaf(seq) for seq in range(index.size)] == leaves
        assert root(index.node, index.size) == Tree(leaves).root


@pytest.mark.parametrize("which", [0, 3, -1])
def test_a_log_that_lacks_a_segment_is_not_opened(journal: Path, which: int) -> None:
    sorted((journal / "log-0000").glob("*.seg"))[which].unlink()
    shutil.rmtree(journal / "log-0000" / "index")

    with pytest.raises(JournalCorrupt, match=r"log-0000 record .*missing|an older head"):
        Journal.open(journal, SIGNER)


def test_what_was_cut_or_changed_under_the_head_is_not_opened(journal: Path, seed: int) -> None:
    rng = random.Random(seed)
    last = sorted((journal / "log-0000").glob("*.seg"))[-1]
    good = last.read_bytes()
    for _ in range(30):
        at = rng.randrange(len(good))
        bad = rng.choice([good[:at], good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]])
        last.write_bytes(bad)
        with pytest.raises(JournalCorrupt, match="log-0000"):
            Journal.open(journal, SIGNER)
    last.write_bytes(good)
    write(journal, 1)
    assert verify(journal, SIGNER.trust).ok


def test_records_that_fill_a_segment_begin_the_next(journal: Path) -> None:
    log = journal / "log-0000"
    paths = sorted(log.glob("*.seg"))
    firsts = [int(path.stem) for path in paths]

    assert len(paths) > 8
    assert all(path.stat().st_size >= 20_000 for path in paths[:-1])
    assert firsts == [
        sum(len(list(frame.decode(path.read_bytes()))) for path in paths[:at])
        for at in range(len(paths))
    ]


@given(st.lists(st.integers(0, 700), max_size=6), st.integers(0, 2000))
def test_an_index_that_grows_and_is_cut_is_that_of_its_leaves(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    leaves = [leaf_hash(b"%d" % number) for number in range(sum(parts))]
    with Kept(folder, write=True) as kept:
        for part in parts:
            more = leaves[kept.size : kept.size + part]
            kept.extend(b"".join(more), array("I", range(kept.size, kept.size + part)))
        kept.cut(min(cut, kept.size))
        kept.extend(b"".join(leaves[kept.size :]), array("I", range(kept.size, len(leaves))))
    with Kept(folder, write=False) as kept:
        assert kept.size == len(leaves)
        assert root(kept.node, kept.size) == Tree(leaves).root
        assert [kept.offset(seq) for seq in range(kept.size)] == list(range(kept.size))
