"""What stands behind the newest head is held to its whole form before a head covers it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalCorrupt
from halocline_governance.journal import Journal, Signer, Trust, read, verify
from halocline_governance.records import Kind
from tests.governance.journal_world import SIGNER, Log, framed, healthy, judged, read_event
from tests.governance.verifier_alone import verified


def put(directory: Path, logs: list[Log]) -> Path:
    for log in logs:
        log.put(directory)
    return directory / logs[0].name / f"{logs[0].starts[-1]:012d}.seg"


def behind(path: Path, *payloads: bytes) -> None:
    path.write_bytes(path.read_bytes() + b"".join(map(framed, payloads)))


def swapped(log: Log, old: bytes, new: bytes) -> bytes:
    good = rfc8785.dumps(log.record(read_event(7)))
    assert good.count(old) == 1
    return good.replace(old, new)


def sibling(log: Log, /, **head: Any) -> bytes:
    seen = {"log": log.name, "siblings": [{"log": "log-0001", "size": 1, "root": "0" * 64} | head]}
    return rfc8785.dumps(log.record({**read_event(7), "kind": "journal.siblings", "object": seen}))


FORGED: dict[str, Callable[[Log], bytes]] = {
    "no json": lambda log: swapped(log, b'"purpose"', b"purpose"),
    "a space": lambda log: swapped(log, b'"purpose":', b'"purpose": '),
    "no purpose": lambda log: rfc8785.dumps(
        log.record({key: val for key, val in read_event(7).items() if key != "purpose"})
    ),
    "a sibling nobody saw": sibling,
    "a sibling that is longer": lambda log: sibling(log, size=9999),
    "a sibling that is not there": lambda log: sibling(log, log="log-0077"),
    "of another log": lambda log: rfc8785.dumps(
        log.record(
            {
                **read_event(7),
                "kind": "journal.closed",
                "object": {"log": "log-0001", "siblings": []},
            }
        )
    ),
    "adopted more": lambda log: rfc8785.dumps(
        log.record(
            {
                **read_event(7),
                "kind": "journal.opened",
                "object": {"adopted": 9, "log": log.name, "siblings": []},
            }
        )
    ),
    "nested deep": lambda log: swapped(log, b'"number":7', b'"number":' + b"[" * 99 + b"]" * 99),
    "a number of no integer": lambda log: swapped(log, b'"number":7', b'"number":9007199254740992'),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_log_is_not_continued_over_what_verify_names(tmp_path: Path, name: str) -> None:
    logs = healthy(closed=False)
    path = put(tmp_path / "j", logs)
    behind(path, FORGED[name](logs[0]))
    before = path.read_bytes()

    assert not judged(tmp_path / "j", tmp_path / "trust").ok
    with pytest.raises(JournalCorrupt):
        Journal.open(tmp_path / "j", SIGNER)
    assert path.read_bytes() == before


def test_behind_a_record_of_the_end_only_an_opening_process_writes(tmp_path: Path) -> None:
    logs = healthy()
    path = put(tmp_path / "j", logs)
    shutil.copytree(tmp_path / "j", tmp_path / "k")
    behind(path, rfc8785.dumps(logs[0].record(read_event(7))))
    found = judged(tmp_path / "j", tmp_path / "trust")

    assert found.names(f"log-0000 record {len(logs[0].payloads)}")
    with pytest.raises(JournalCorrupt, match="no process of this journal wrote it"):
        Journal.open(tmp_path / "j", SIGNER)

    # In a segment of its own it is no other.
    new = tmp_path / "k" / "log-0000" / f"{len(logs[0].payloads):012d}.seg"
    new.write_bytes(framed(rfc8785.dumps(logs[0].record(read_event(7)))))
    assert judged(tmp_path / "k", tmp_path / "trust").names("log-0000 record")
    with pytest.raises(JournalCorrupt, match="no process of this journal wrote it"):
        Journal.open(tmp_path / "k", SIGNER)


def test_what_a_killed_process_left_is_adopted_and_counted(tmp_path: Path) -> None:
    logs = healthy(closed=False)
    put(tmp_path / "j", logs)
    num_left = len(logs[0].payloads) - logs[0].sealed
    path = tmp_path / "j" / "log-0000" / f"{logs[0].starts[-1]:012d}.seg"
    logs[0].add(read_event(7))
    behind(path, logs[0].payloads[-1])

    with Journal.open(tmp_path / "j", SIGNER):
        head = (tmp_path / "j" / "log-0000" / "checkpoint").read_text().split("\n")[1]
        assert int(head) == len(logs[0].payloads) + 1  # signed before it is used
        assert judged(tmp_path / "j", tmp_path / "trust").ok
    with Journal.open(tmp_path / "j", SIGNER):
        pass
    told = [
        event["object"]["adopted"]
        for log, _, event in read(tmp_path / "j")
        if log == "log-0000" and event["kind"] == Kind.OPENED
    ]
    assert told == [0, num_left + 1, 0]
    assert verify(tmp_path / "j", SIGNER.trust).ok


def test_a_kill_while_it_opens_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    """Its head is over a record of the end, and the record of the opening has none."""
    with Journal.open(tmp_path / "j", SIGNER):
        pass
    head = tmp_path / "j" / "log-0000" / "checkpoint"
    good = head.read_text()
    journal = Journal.open(tmp_path / "j", SIGNER)
    shutil.copytree(tmp_path / "j", tmp_path / "k")
    journal.close()
    (tmp_path / "k" / "log-0000" / "checkpoint").write_text(good)

    assert judged(tmp_path / "k", tmp_path / "trust").ok
    with Journal.open(tmp_path / "k", SIGNER):
        pass
    assert [
        event["object"]["adopted"]
        for _, _, event in read(tmp_path / "k")
        if event["kind"] == "journal.opened"
    ] == [0, 0, 1]
    assert judged(tmp_path / "k", tmp_path / "trust").ok


def test_a_log_begun_after_a_change_of_key_is_verified_by_who_trusts_the_old_one(
    tmp_path: Path,
) -> None:
    """Also when it is killed between the record of the key and the first head by it."""
    new, newer = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([n] * 32))) for n in (7, 8))
    told = (SIGNER.endorse(new.public), new.endorse(newer.public))
    now = Signer(newer.key, older=Trust((*SIGNER.trust.keys, *new.trust.keys)), endorsements=told)
    with Journal.open(tmp_path / "old", SIGNER):
        pass
    for directory in (tmp_path / "old", tmp_path / "j"):
        old_head = directory / "log-0000" / "checkpoint"
        before = old_head.read_text() if old_head.exists() else ""
        journal = Journal.open(directory, now)
        shutil.copytree(directory, tmp_path / "killed", dirs_exist_ok=True)
        journal.close()
        if before:
            (tmp_path / "killed" / "log-0000" / "checkpoint").write_text(before)
        with Journal.open(tmp_path / "killed", now):
            pass
        for trust in (SIGNER.trust, newer.trust):
            (tmp_path / "trust").write_text(trust.text())
            for found in (directory, tmp_path / "killed"):
                assert verify(found, trust).ok
                assert verified(found, tmp_path / "trust")["ok"]
        shutil.rmtree(tmp_path / "killed")


@pytest.mark.parametrize("how", ["file", "link"])
def test_a_log_that_is_no_folder_is_a_fault(tmp_path: Path, how: str) -> None:
    put(tmp_path / "j", healthy())
    log = tmp_path / "j" / "log-0001"
    log.rename(tmp_path / "away")
    if how == "file":
        log.write_text("x")
    else:
        log.symlink_to(tmp_path / "away")
    assert judged(tmp_path / "j", tmp_path / "trust").names("log-0001")


def test_the_bounds_of_a_note_and_of_a_tail_are_held_by_both(tmp_path: Path) -> None:
    path = put(tmp_path / "j", healthy())
    head = tmp_path / "j" / "log-0000" / "checkpoint"
    good, foreign = head.read_text(), "\u2014 other " + "A" * 92 + "\n"
    for text, is_ok in (
        (good + foreign * 600, True),
        (good + foreign * 700, False),
        (good + "\u2014 other AAAAAA==\n", False),
        (good + "\u2014 a+b " + "A" * 92 + "\n", False),
        (good, True),
    ):
        head.write_text(text)
        assert judged(tmp_path / "j", tmp_path / "trust").ok == is_ok
    size = path.stat().st_size
    for num_bytes, is_ok in ((1 << 25, True), ((1 << 25) + 1, False), (1 << 36, False)):
        with path.open("r+b") as file:
            file.truncate(size)
            file.truncate(size + num_bytes)
        assert judged(tmp_path / "j", tmp_path / "trust").ok == is_ok
    with pytest.raises(JournalCorrupt):
        Journal.open(tmp_path / "j", SIGNER)
