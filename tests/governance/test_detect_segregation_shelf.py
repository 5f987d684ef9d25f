"""Fingerprints on disk: whole or refused; after a kill, among processes, when damaged."""

from __future__ import annotations

import json
import os
import signal
from multiprocessing import get_context
from multiprocessing.context import ForkProcess as Process
from pathlib import Path

import pytest

from halocline_governance.detect.segregation import (
    FingerprintIndex,
    Restricted,
    SegregationDetector,
    shelf,
)
from halocline_governance.errors import Refused
from tests.governance.segregation_world import KEY, index, prose


def small(number: int, names: tuple[str, ...] = ()) -> FingerprintIndex:
    return FingerprintIndex.build("buy", [prose(number, 60)], KEY, names)


def tags(made: FingerprintIndex) -> set[int]:
    return {tag for run in made.runs for tag in run.prints.tolist()}


def everything(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != ".lock"}


def test_saved_and_loaded_is_the_same_and_equal_bytes(tmp_path: Path) -> None:
    made = index("sell")

    made.save(tmp_path / "a", KEY)
    loaded = FingerprintIndex.load(tmp_path / "a", KEY)
    loaded.save(tmp_path / "b", KEY)

    assert (tags(loaded), loaded.names, loaded.compartment) == (tags(made), made.names, "sell")
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    content = b"".join(everything(tmp_path / "a").values()).lower()
    assert b"acme" not in content
    assert KEY not in content


def test_what_is_added_bit_by_bit_is_what_is_built_at_once(tmp_path: Path) -> None:
    whole = small(0)
    for number in range(20):
        part = small(number, (f"name {number}",))
        shelf.extend(tmp_path, part, KEY)
        whole = whole.merge(part)

    loaded = FingerprintIndex.load(tmp_path, KEY)

    assert (tags(loaded), loaded.names) == (tags(whole), whole.names)
    assert len(loaded.runs) <= 4
    assert len(everything(tmp_path)) == 1 + 2 * len(loaded.runs)
    text = f"{prose(999, 20)} {prose(7, 60)[40:200]}"
    assert SegregationDetector([loaded], KEY).scan(text).findings == {"text:buy": 1}


def test_any_changed_byte_is_refused(tmp_path: Path) -> None:
    small(1, ("Initech",)).save(tmp_path, KEY)
    for path in sorted(tmp_path.iterdir()):
        good = path.read_bytes()
        for at in {0, len(good) // 3, len(good) // 2, len(good) - 2} if good else ():
            path.write_bytes(good[:at] + bytes((good[at] ^ 1,)) + good[at + 1 :])
            with pytest.raises(Refused):
                FingerprintIndex.load(tmp_path, KEY)
        for cut in (good[:-2], b"") if good else ():
            path.write_bytes(cut)
            with pytest.raises(Refused):
                FingerprintIndex.load(tmp_path, KEY)
        path.write_bytes(good)
    assert FingerprintIndex.load(tmp_path, KEY).names == {Restricted("Initech")}


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    small(1).save(tmp_path, KEY)
    for path in sorted(tmp_path.iterdir()):
        good = path.read_bytes()
        path.unlink()
        if good:
            with pytest.raises(Refused, match="damaged"):
                FingerprintIndex.load(tmp_path, KEY)
        path.write_bytes(good)


def test_a_run_cannot_be_left_out_without_the_secret(tmp_path: Path) -> None:
    small(1).save(tmp_path, KEY)
    path = tmp_path / "manifest.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "runs": []}))

    with pytest.raises(Refused, match="damaged"):
        FingerprintIndex.load(tmp_path, KEY)


def test_another_secret_or_compartment_is_refused(tmp_path: Path) -> None:
    small(1).save(tmp_path, KEY)

    with pytest.raises(Refused, match="another secret"):
        FingerprintIndex.load(tmp_path, b"o" * 32)
    with pytest.raises(Refused, match="same compartment"):
        shelf.extend(tmp_path, index("sell"), KEY)


def adding(folder: Path, told: Path, numbers: range) -> Process:
    """A process that adds these, one by one, and writes down each that was added."""

    def run() -> None:
        with told.open("a", buffering=1) as file:
            for number in numbers:
                shelf.extend(folder, small(number), KEY)
                file.write(f"{number}\n")

    process = get_context("fork").Process(target=run)
    process.start()
    return process


def test_two_processes_add_at_once_one_is_killed_and_readers_see_whole_states(
    tmp_path: Path,
) -> None:
    """What was acknowledged is there; of the killed one's last, all or nothing."""
    folder, told = tmp_path / "shelf", tmp_path / "told"
    shelf.extend(folder, small(50), KEY)
    staying = adding(folder, tmp_path / "other", range(12))
    killed = adding(folder, told, range(100, 10_000))
    try:
        seen = 0
        while seen < 700:
            size = len(FingerprintIndex.load(folder, KEY))
            assert size >= seen
            seen = size
        assert killed.pid is not None
        os.kill(killed.pid, signal.SIGKILL)
        staying.join(60)
        assert staying.exitcode == 0
    finally:
        for one in (staying, killed):
            one.kill()
            one.join()
    acknowledged = [int(line) for line in told.read_text().split()] if told.exists() else []

    loaded = tags(FingerprintIndex.load(folder, KEY))

    for number in (*range(12), *acknowledged):
        assert tags(small(number)) <= loaded
    last = tags(small((acknowledged or [99])[-1] + 1))
    assert last <= loaded or len(last & loaded) == 0
