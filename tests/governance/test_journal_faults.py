"""Attacks on a journal's files: both verifiers find each, and name the log and the record."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import verify
from halocline_governance.records import Kind
from tests.governance.journal_world import (
    SIGNER,
    Log,
    framed,
    healthy,
    judged,
    read_event,
    signed,
)

LOGS = healthy()
LAST = len(LOGS[1].payloads) - 1
Attack = Callable[[Path, Log], str]


def put(directory: Path, logs: list[Log]) -> Path:
    for log in logs:
        log.put(directory)
    return directory


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("kept") / "journal", LOGS)


@pytest.fixture
def journal(kept: Path, tmp_path: Path) -> Iterator[Path]:
    """A healthy journal of several logs and segments, before and behind the attack."""
    shutil.copytree(kept, tmp_path / "journal")
    assert judged(tmp_path / "journal", tmp_path / "trust").ok
    yield tmp_path / "journal"
    assert judged(kept, tmp_path / "trust").ok


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.seg"))


def swap(one: Path, two: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)


def deleted(index: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        segments(folder)[index].unlink()
        return f"{log.name} record {log.starts[index]}"

    return attack


def emptied(index: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        segments(folder)[index].write_bytes(b"")
        return f"{log.name} record {log.starts[index]}"

    return attack


def reordered(one: int, two: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        swap(segments(folder)[one], segments(folder)[two])
        return f"{log.name} record {log.starts[min(one, two)]}"

    return attack


def duplicated(index: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        shutil.copy(segments(folder)[index], folder / f"{len(log.payloads):012d}.seg")
        return f"{log.name} record {len(log.payloads)}"

    return attack


def exchanged(index: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        other = folder.with_name(LOGS[0].name)
        swap(segments(folder)[index], segments(other)[index])
        return f"{log.name} record {log.starts[index]}"

    return attack


def all_exchanged(folder: Path, log: Log) -> str:
    """The other's records under this one's head."""
    other = folder.with_name(LOGS[0].name)
    for name in [path.name for path in segments(folder)]:
        swap(folder / name, other / name)
    return log.name


def renamed(folder: Path, log: Log) -> str:
    swap(folder, folder.with_name(LOGS[0].name))
    return f"{log.name}/checkpoint"


def hard_linked(folder: Path, log: Log) -> str:
    """One file stands for two segments: whoever writes one would write both."""
    first, second, _ = segments(folder)
    second.unlink()
    os.link(first, second)
    return f"{log.name} record {log.starts[1]}"


def other_key(folder: Path, log: Log) -> str:
    stranger = Ed25519PrivateKey.generate()
    size = len(log.payloads)
    text = signed(f"halocline/{log.name}", size, log.root(size), stranger)
    (folder / "checkpoint").write_text(text, encoding="utf-8")
    return f"{log.name}/checkpoint"


def other_origin(folder: Path, log: Log) -> str:
    size = len(log.payloads)
    text = signed("halocline/log-0000", size, log.root(size))
    (folder / "checkpoint").write_text(text, encoding="utf-8")
    return f"{log.name}/checkpoint"


def other_root(folder: Path, log: Log) -> str:
    text = signed(f"halocline/{log.name}", len(log.payloads), log.root(3))
    (folder / "checkpoint").write_text(text, encoding="utf-8")
    return f"{log.name}/checkpoint"


def head_ahead(folder: Path, log: Log) -> str:
    text = signed(f"halocline/{log.name}", len(log.payloads) + 1, bytes(32))
    (folder / "checkpoint").write_text(text, encoding="utf-8")
    return f"{log.name} record {len(log.payloads)}"


def head_gone(folder: Path, log: Log) -> str:
    (folder / "checkpoint").unlink()
    return f"{log.name}/checkpoint"


def head_put_back(size: int) -> Attack:
    def attack(folder: Path, log: Log) -> str:
        (folder / "checkpoint").write_text(log.note(size), encoding="utf-8")
        return log.name

    return attack


def replaced(folder: Path, log: Log) -> str:
    """A fresh log of the same name, by the same key: only siblings know."""
    shutil.rmtree(folder)
    fresh = Log(log.name)
    fresh.journal(Kind.OPENED, [])
    fresh.add(read_event(0))
    fresh.seal()
    fresh.put(folder.parent)
    return "log-0000 record "


def rolled_back(folder: Path, log: Log) -> str:
    """Records and head cut together, as they stood when the first segment was full."""
    shutil.rmtree(folder)
    older = Log(log.name, payloads=log.payloads[:5], sealed=5)
    older.put(folder.parent)
    return "log-0000 record "


def removed(folder: Path, log: Log) -> str:
    shutil.rmtree(folder)
    return "log-0000 record "


def extra_segment(folder: Path, log: Log) -> str:
    (folder / "000000000099.seg").touch()
    return f"{log.name} record {len(log.payloads)}"


def extra_before(folder: Path, log: Log) -> str:
    (folder / "000000000002.seg").touch()
    return log.name


def unfinished_inside(folder: Path, log: Log) -> str:
    with segments(folder)[0].open("ab") as file:
        file.write(framed(log.payloads[3])[:20])
    return f"{log.name} record {log.starts[1]}"


def zeros_inside(folder: Path, log: Log) -> str:
    with segments(folder)[1].open("ab") as file:
        file.write(bytes(4096))
    return f"{log.name} record {log.starts[2]}"


def huge_length(folder: Path, log: Log) -> str:
    with segments(folder)[-1].open("ab") as file:
        file.write(b"\xff\xff\xff\xff" + bytes(4) + b"payload")
    return f"{log.name} record {len(log.payloads)}"


def folder_for_segment(folder: Path, log: Log) -> str:
    segments(folder)[1].unlink()
    (folder / f"{log.starts[1]:012d}.seg").mkdir()
    return log.name


def folder_for_head(folder: Path, log: Log) -> str:
    (folder / "checkpoint").unlink()
    (folder / "checkpoint").mkdir()
    return f"{log.name}/checkpoint"


def file_for_log(folder: Path, log: Log) -> str:
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    return log.name


def head_in_latin(folder: Path, log: Log) -> str:
    text = (folder / "checkpoint").read_text(encoding="utf-8").replace("\u2014", "\u00e4")
    (folder / "checkpoint").write_bytes(text.encode("latin-1"))
    return f"{log.name}/checkpoint"


def head_with_returns(folder: Path, log: Log) -> str:
    data = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(data.replace(b"\n", b"\r\n"))
    return f"{log.name}/checkpoint"


def head_endless(folder: Path, log: Log) -> str:
    with (folder / "checkpoint").open("ab") as file:
        file.truncate(1 << 30)
    return f"{log.name}/checkpoint"


ATTACKS = [
    *(deleted(index) for index in range(3)),
    *(emptied(index) for index in range(3)),
    *(reordered(*pair) for pair in ((0, 1), (1, 2), (0, 2))),
    *(duplicated(index) for index in range(3)),
    *(exchanged(index) for index in range(3)),
    *(head_put_back(size) for size in (0, 1, 5, LAST - 1)),
    *(all_exchanged, renamed, hard_linked, other_key, other_origin, other_root, head_ahead),
    *(head_gone, replaced, rolled_back, removed, extra_segment, extra_before),
    *(unfinished_inside, zeros_inside, huge_length, folder_for_segment, folder_for_head),
    *(file_for_log, head_in_latin, head_with_returns, head_endless),
]


def name_of(attack: Attack) -> str:
    cells = attack.__closure__ or ()
    given = "-".join(str(cell.cell_contents) for cell in cells)
    return f"{attack.__qualname__.split('.')[0]}{'-' if given else ''}{given}"


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_an_attack_is_found_and_placed(journal: Path, tmp_path: Path, attack: Attack) -> None:
    place = attack(journal / LOGS[1].name, LOGS[1])

    found = judged(journal, tmp_path / "trust")
    assert not found.ok
    assert found.names(place), (place, found)


def test_a_flipped_byte_is_found_in_its_record(
    journal: Path, tmp_path: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    """Every record of every log; at the soak size, every byte of one log too."""
    spots = [
        (log, seq, *place, rng.randrange(place[2]))
        for log in LOGS
        for seq, place in enumerate(log.places())
    ]
    whole = [
        (LOGS[2], seq, *place, at)
        for seq, place in enumerate(LOGS[2].places())
        for at in range(place[2])
    ]
    for log, seq, name, offset, _, at in spots + rng.sample(whole, scale(10, len(whole))):
        path = journal / log.name / name
        good = path.read_bytes()
        bad = bytearray(good)
        bad[offset + at] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        found = judged(journal, tmp_path / "trust")
        path.write_bytes(good)
        assert found.names(f"{log.name} record {seq}"), (seq, at, found)


def test_a_flipped_byte_of_a_head_is_found(
    journal: Path, tmp_path: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    path = journal / "log-0002" / "checkpoint"
    good = path.read_bytes()
    for at in rng.sample(range(len(good)), scale(20, len(good))):
        for bit in rng.sample(range(8), scale(1, 8)):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :])
            assert judged(journal, tmp_path / "trust").names("log-0002/checkpoint"), (at, bit)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("rest", [False, True])
def test_a_cut_is_found_at_its_record(
    journal: Path, tmp_path: Path, rng: random.Random, inside: bool, rest: bool
) -> None:
    """Cut at a frame's edge or within it; what follows is cut too, or stays."""
    log, folder = LOGS[1], journal / LOGS[1].name
    for seq, (name, offset, length) in enumerate(log.places()):
        later = [path for path in segments(folder) if path.name > name]
        if rest and not later:
            continue
        good = {path: path.read_bytes() for path in (folder / name, *later)}
        cut = offset + (rng.randrange(1, length) if inside else 0)
        (folder / name).write_bytes(good[folder / name][:cut])
        for path in [] if rest else later:
            path.unlink()
        found = judged(journal, tmp_path / "trust")
        for path, data in good.items():
            path.write_bytes(data)
        assert found.names(f"{log.name} record {seq}"), (seq, cut, found)


def test_all_rolled_back_together_is_found_by_a_head_kept_elsewhere(
    journal: Path, tmp_path: Path
) -> None:
    """And by nothing else: the page says so."""
    notes = [(journal / log.name / "checkpoint").read_text(encoding="utf-8") for log in LOGS]
    witness = tmp_path / "witness"
    witness.mkdir()
    for log, note in zip(LOGS, notes, strict=True):
        (witness / log.name).write_text(note, encoding="utf-8")
    trust, keys = SIGNER.trust, tmp_path / "trust"
    assert verify(journal, trust, heads=notes, witness=witness).ok
    shutil.rmtree(journal)
    for log in LOGS:
        Log(log.name, payloads=log.payloads[:1], sealed=1).put(journal)

    assert judged(journal, keys).ok
    for kept in ({"heads": notes}, {"witness": witness}):
        found = verify(journal, trust, **kept)  # type: ignore[arg-type]
        assert len(found.problems) == len(LOGS)
        for log, (_, what) in zip(LOGS, found.problems, strict=True):
            assert log.name in what
    told = judged(journal, keys, witness=witness)
    assert all(told.names(f"witness/{log.name}") for log in LOGS)


def test_a_log_the_witness_knows_must_be_there(journal: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    witness.mkdir()
    alone = Log("log-0007")
    alone.journal(Kind.OPENED, [])
    alone.seal()
    (witness / alone.name).write_text(alone.note(), encoding="utf-8")

    assert judged(journal, tmp_path / "trust").ok
    assert judged(journal, tmp_path / "trust", witness=witness).names("witness/log-0007")
