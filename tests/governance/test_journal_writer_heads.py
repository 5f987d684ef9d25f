"""When heads are signed, by which key, who else gets them, and what records say of siblings."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.errors import JournalCorrupt, JournalUnavailable, Refused
from halocline_governance.journal import Journal, Signer, Trust, keeper, read, segments, verify
from halocline_governance.records import AuditEvent, Kind

OLD = Signer(Ed25519PrivateKey.generate())


def event(number: int) -> AuditEvent:
    return AuditEvent(Kind.READ, "ana", "analysis", {"number": number})


def head(folder: Path, signer: Signer = OLD, log: str = "log-0000") -> int:
    return signer.trust.open((folder / log / "checkpoint").read_text()).size


def told(folder: Path, kind: Kind) -> list[tuple[str, dict[str, Any]]]:
    return [(log, e["object"]) for log, _, e in read(folder) if e["kind"] == kind]


def test_a_head_follows_a_record_within_a_second(tmp_path: Path) -> None:
    with Journal.open(tmp_path, OLD) as journal:
        seq = journal.append(event(1)).seq
        written = time.monotonic()
        while head(tmp_path) <= seq:
            assert time.monotonic() - written < 1.0
            time.sleep(0.01)
    assert head(tmp_path) == seq + 2


def test_seal_signs_all_that_is_durable_and_nothing_after_the_end(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, OLD)
    receipt = journal.append(event(1))
    note = journal.seal()

    assert OLD.trust.open(note).size == receipt.seq + 1
    assert journal.seal() == note
    journal.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.seal()
    assert verify(tmp_path, OLD.trust, heads=[note]).ok


def test_records_know_the_head_and_a_rolled_back_one_is_refused(tmp_path: Path) -> None:
    with Journal.open(tmp_path, OLD) as journal:
        old = journal.seal()
        journal.append(event(1))
        journal.seal()
        journal.append(event(2))
    (tmp_path / "log-0000" / "checkpoint").write_text(old)

    with pytest.raises(JournalCorrupt, match="an older head"):
        Journal.open(tmp_path, OLD)


def test_siblings_are_told_when_they_grew_and_only_after_real_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SIBLINGS_EVERY_S", 0.05)
    monkeypatch.setattr(keeper, "SIGN_AFTER_S", 0.01)
    with Journal.open(tmp_path, OLD) as one, Journal.open(tmp_path, OLD) as two:
        two.append(event(1))
        two.seal()
        time.sleep(0.1)
        one.append(event(2))
        deadline = time.monotonic() + 10
        while not told(tmp_path, Kind.SIBLINGS) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
    named = told(tmp_path, Kind.SIBLINGS)

    assert [log for log, what in named if what["log"] != log] == []
    assert 1 <= len(named) <= 3  # two logs that tell of each other would never end
    assert verify(tmp_path, OLD.trust).ok
    assert [what["siblings"][0]["log"] for _, what in told(tmp_path, Kind.CLOSED)] == [
        "log-0001",
        "log-0000",
    ]


def test_a_witness_gets_every_head_and_knows_a_log_that_is_cut_or_gone(tmp_path: Path) -> None:
    witness, here = tmp_path / "witness", tmp_path / "j"
    with pytest.raises(JournalUnavailable, match="no folder for the witness"):
        Journal.open(here, OLD, witness)
    witness.mkdir()
    with Journal.open(here, OLD, witness) as journal:
        journal.append(event(1))
    shutil.copytree(here, tmp_path / "before")
    with Journal.open(here, OLD, witness):
        pass
    kept = (here / "log-0000" / "checkpoint").read_text()

    assert (witness / "log-0000").read_text() == kept
    for stale in ("before", "nothing"):
        with pytest.raises(JournalCorrupt, match="witness of log-0000"):
            Journal.open(tmp_path / stale, OLD, witness)
    (witness / "log-0001").write_text(kept)
    with pytest.raises(JournalCorrupt, match="the witness knows this log"):
        Journal.open(here, OLD, witness)


def test_another_history_than_the_witness_saw_is_refused(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    witness.mkdir()
    for name in ("one", "two"):
        with Journal.open(tmp_path / name, OLD) as journal:
            journal.append(event(1))
    shutil.copy(tmp_path / "one" / "log-0000" / "checkpoint", witness / "log-0000")

    with pytest.raises(JournalCorrupt, match="other records"):
        Journal.open(tmp_path / "two", OLD, witness)
    Journal.open(tmp_path / "one", OLD, witness).close()


@pytest.mark.parametrize("lost", ["witness", "log"])
def test_a_head_that_cannot_be_kept_ends_the_journal(tmp_path: Path, lost: str) -> None:
    witness = tmp_path / "witness"
    witness.mkdir()
    journal = Journal.open(tmp_path / "j", OLD, witness)
    journal.append(event(1))
    folder = witness if lost == "witness" else tmp_path / "j" / "log-0000"
    folder.rename(tmp_path / "elsewhere")

    with pytest.raises(JournalUnavailable, match="head cannot be signed"):
        journal.seal()
    (tmp_path / "elsewhere").rename(folder)
    with pytest.raises(JournalUnavailable, match="head cannot be signed"):
        journal.append(event(2))
    with pytest.raises(JournalUnavailable):
        journal.close()
    with Journal.open(tmp_path / "j", OLD, witness):
        pass
    assert verify(tmp_path / "j", OLD.trust).ok


def test_a_new_key_is_endorsed_in_the_log_before_it_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 500)  # the next record begins a segment
    with Journal.open(tmp_path, OLD) as journal:
        journal.append(event(1))
    new = Signer(Ed25519PrivateKey.generate())
    stranger = replace(new, older=OLD.trust)
    with pytest.raises(JournalCorrupt, match="not signed by a trusted key"):
        Journal.open(tmp_path, new)
    with pytest.raises(Refused, match="rotate-key"):
        Journal.open(tmp_path, stranger)

    endorsed = replace(stranger, endorsements=(OLD.endorse(new.public),))
    for number in range(2):
        with Journal.open(tmp_path, endorsed) as journal:
            journal.append(event(number))

    assert len(told(tmp_path, Kind.KEY)) == 1
    assert verify(tmp_path, OLD.trust).ok
    assert verify(tmp_path, new.trust).ok
    assert verify(tmp_path, Trust.parse(endorsed.trust.text())).ok
    assert head(tmp_path, new) > 0


def test_coroutines_and_threads_write_one_log(tmp_path: Path) -> None:
    async def both(journal: Journal) -> list[int]:
        loop = asyncio.get_running_loop()
        threads = [loop.run_in_executor(None, journal.append, event(n)) for n in range(50)]
        receipts = await asyncio.gather(
            *(journal.append_async(event(n)) for n in range(50, 200)), *threads
        )
        return [receipt.seq for receipt in receipts]

    with Journal.open(tmp_path, OLD) as journal:
        assert sorted(asyncio.run(both(journal))) == list(range(1, 201))
    assert verify(tmp_path, OLD.trust).ok
    assert sorted(e["object"]["number"] for _, _, e in read(tmp_path) if e["kind"] == "read") == (
        list(range(200))
    )


@pytest.mark.parametrize("what", [{"n": float("nan")}, {"n": 2**53}, {"t": "\ud800"}, {"k": b""}])
def test_what_has_no_canonical_form_is_refused_and_nothing_else(
    tmp_path: Path, what: dict[str, Any]
) -> None:
    with Journal.open(tmp_path, OLD) as journal:
        bad = AuditEvent(Kind.READ, "ana", "analysis", what)
        with pytest.raises(ValueError, match=r".+"):
            journal.append(bad)
        with pytest.raises(ValueError, match=r".+"):
            asyncio.run(journal.append_async(bad))
        assert journal.append(event(1)).seq == 1


def test_an_event_larger_than_a_record_is_refused(tmp_path: Path) -> None:
    with Journal.open(tmp_path, OLD) as journal:
        with pytest.raises(ValueError, match="at most"):
            journal.append(AuditEvent(Kind.READ, "a", "b", {"text": "x" * 16 * 1024 * 1024}))
        text = "x" * (16 * 1024 * 1024 - 500)
        journal.append(AuditEvent(Kind.READ, "a", "b", {"text": text}))
    assert verify(tmp_path, OLD.trust).ok
