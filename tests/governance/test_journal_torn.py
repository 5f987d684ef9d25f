"""A write that was cut short anywhere, as disks and file systems leave it, costs no durable record
and keeps no journal from being opened."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from halocline_governance.journal import Journal, read
from halocline_governance.records import Kind
from tests.governance.journal_world import SIGNER, Log, framed, judged, read_event


def numbers(directory: Path) -> list[int]:
    return [e["object"]["number"] for _, _, e in read(directory) if e["kind"] == Kind.READ]


@pytest.fixture
def torn(tmp_path: Path) -> tuple[Path, Log]:
    """A log of three records under a head, in whose segment a group of three more is written."""
    log = Log("log-0000")
    log.journal(Kind.OPENED, [])
    for number in range(2):
        log.add(read_event(number))
    log.seal()
    log.put(tmp_path / "journal")
    for number in range(2, 5):
        log.add(read_event(number, "x" * 300))  # so long that a length has two bytes
    return tmp_path / "journal", log


@pytest.mark.parametrize("filler", [b"", b"\0"])
def test_a_group_cut_anywhere_is_cut_back_to_its_whole_records(
    torn: tuple[Path, Log],
    filler: bytes,
    tmp_path: Path,
    rng: random.Random,
    scale: Callable[[int, int], int],
) -> None:
    directory, log = torn
    frames = [framed(payload) for payload in log.payloads[3:]]
    group = b"".join(frames)
    heads = {sum(map(len, frames[:n])) + at for n in range(3) for at in range(9)}
    others = rng.sample(range(len(group) + 1), scale(6, len(group)))
    for at in sorted({*heads, *others}):
        copy = tmp_path / "copy"
        shutil.copytree(directory, copy)
        with (copy / log.name / "000000000000.seg").open("ab") as file:
            file.write(group[:at] + filler * (len(group) - at))
        num_whole = sum(at >= sum(map(len, frames[: n + 1])) for n in range(3))

        assert judged(copy, tmp_path / "trust").ok, at
        assert numbers(copy) == list(range(2 + num_whole)), at
        Journal.open(copy, SIGNER).close()
        assert numbers(copy) == list(range(2 + num_whole)), at
        assert judged(copy, tmp_path / "trust").ok, at
        shutil.rmtree(copy)


def test_what_was_written_behind_it_makes_it_a_fault(
    torn: tuple[Path, Log], tmp_path: Path, rng: random.Random
) -> None:
    """Records behind a frame that does not hold were written after it was: it was altered."""
    directory, log = torn
    frames = [framed(payload) for payload in log.payloads[3:]]
    bad = bytearray(frames[0])
    bad[rng.randrange(8, len(bad))] ^= 1 << rng.randrange(8)
    with (directory / log.name / "000000000000.seg").open("ab") as file:
        file.write(bytes(bad) + frames[1] + frames[2])
    found = judged(directory, tmp_path / "trust")
    assert found.names("log-0000 record 3"), found
