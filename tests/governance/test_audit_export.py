"""What a regulator gets checks by itself, is what the journal says, and is there whole or not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from halocline_governance.audit.export import export
from halocline_governance.audit.handed import Exported, checked
from halocline_governance.errors import HaloclineError, Refused, Unverified
from halocline_governance.journal import Journal, read, records, segments
from halocline_governance.records import AuditEvent, Kind
from tests.governance.audit_world import Home

ALL = ("2026-01-01T00:00:00.000000Z", "9999-01-01T00:00:00.000000Z")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.write(40, logs=2)
    return found


def handed(
    home: Home, name: str = "out", kinds: Sequence[str] = (), period: tuple[str, str] = ALL
) -> tuple[Path, Exported]:
    def record(told: Exported) -> tuple[str, int]:
        what = {"export": told.as_json()}
        with Journal.open(home.directory, home.signer) as journal:
            receipt = journal.append(AuditEvent(Kind.REPORT, "cleo", "audit", what))
            journal.seal()
        return receipt.log, receipt.seq

    out = home.path / name
    return out, export(home.directory, home.trust, out, period, kinds, record)


def test_it_is_what_the_journal_says_word_for_word(home: Home) -> None:
    payloads = [p for log in ("log-0000", "log-0001") for _, p in records(home.directory, log)]
    out, told = handed(home)
    lines = (out / "events.jsonl").read_bytes()
    assert lines == b"".join(payload + b"\n" for payload in payloads)
    assert told.files["events.jsonl"] == hashlib.sha256(lines).hexdigest()
    assert checked(out, home.trust).told == told
    assert told.num_events == len(payloads)
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md", "checkpoints", "events.jsonl", "export.json", "journal.pub", "proofs.jsonl",
    ]  # fmt: skip


def test_it_spans_segments_and_all_that_the_index_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 20_000)
    home = Home(tmp_path / "home")
    home.write(600)
    assert len(list((home.directory / "log-0000").glob("*.seg"))) > 3
    shutil.rmtree(home.directory / "log-0000" / "index")
    home.write(50)
    times = sorted(event["ts"] for _, _, event in read(home.directory))
    for name, period in (("most", (times[100], times[-1])), ("whole", ALL)):
        out, told = handed(home, name, period=period)
        assert told.num_events > 500
        assert checked(out, home.trust).told == told


def test_kinds_and_times_are_kept_to(home: Home) -> None:
    events = [event for _, _, event in read(home.directory)]
    times = sorted(event["ts"] for event in events)
    period = (times[10], times[-10])
    _, told = handed(home, "some", ["read", "train"], period)
    assert checked(home.path / "some", home.trust).by == "cleo"
    wanted = [
        event
        for event in events
        if period[0] <= event["ts"] < period[1] and event["kind"] in ("read", "train")
    ]
    lines = (home.path / "some" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == wanted
    assert 0 < told.num_events == len(wanted)


def test_the_stand_alone_verifier_checks_each_line(home: Home, root: Path) -> None:
    out, _ = handed(home, kinds=["train"])
    one = home.path / "one.json"
    one.write_text((out / "proofs.jsonl").read_text().splitlines()[-1])
    verifier = root / "governance" / "verifier" / "verify_journal.py"
    for wrong in (False, True):
        if wrong:
            one.write_text(one.read_text().replace("ana-", "eve-"))
        command = [sys.executable, verifier, "--proof", one, out / "journal.pub"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == wrong, done.stderr


def _alter(path: Path) -> None:
    path.write_text(path.read_text().replace("ana-1", "eve-1", 1))


def _drop(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))


def _double(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines]))


@pytest.mark.parametrize("harm", [_alter, _drop, _double])
@pytest.mark.parametrize("names", [["events.jsonl"], ["proofs.jsonl"]])
def test_what_was_changed_in_it_is_found(
    home: Home, harm: Callable[[Path], None], names: list[str]
) -> None:
    out, _ = handed(home)
    for name in names:
        harm(out / name)
    with pytest.raises(Unverified, match=r"events\.jsonl|proofs\.jsonl"):
        checked(out, home.trust)


def _shorten(out: Path) -> None:
    for name in ("events.jsonl", "proofs.jsonl"):
        path = out / name
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))


def _empty(out: Path) -> None:
    for name in ("events.jsonl", "proofs.jsonl"):
        (out / name).write_text("")


def _other_record(out: Path) -> None:
    (out / "export.json").write_text((out / "proofs.jsonl").read_text().splitlines()[1])


def _fifo(out: Path) -> None:
    (out / "events.jsonl").unlink()
    os.mkfifo(out / "events.jsonl")


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "shortened": (_shorten, "events.jsonl"),
    "emptied": (_empty, "events.jsonl"),
    "told otherwise": (lambda out: _append(out / "README.md", "It is all."), "README.md"),
    "another key": (lambda out: _append(out / "journal.pub", "# x"), "journal.pub"),
    "no key": (lambda out: (out / "journal.pub").unlink(), "journal.pub"),
    "no heads": (lambda out: shutil.rmtree(out / "checkpoints"), "checkpoints/log-0000"),
    "another head": (
        lambda out: shutil.copy(out / "checkpoints/log-0000", out / "checkpoints/log-0001"),
        "checkpoints/log-0001",
    ),
    "a file more": (lambda out: (out / "note").write_text("x"), "note"),
    "a folder more": (lambda out: (out / "checkpoints/x").mkdir(), "checkpoints/x"),
    "no record": (lambda out: (out / "export.json").unlink(), "export.json"),
    "another record": (_other_record, "export.json"),
    "a pipe": (_fifo, "events.jsonl"),
    "a link": (
        lambda out: (
            (out / "README.md").rename(out.parent / "r")
            and (out / "README.md").symlink_to(out.parent / "r")
        ),
        "README.md",
    ),
}


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize("name", HARMS)
def test_it_is_whole_or_a_fault_is_named(home: Home, name: str) -> None:
    out, _ = handed(home)
    harm, where = HARMS[name]
    harm(out)
    with pytest.raises(Unverified, match=f"^{where}"):
        checked(out, home.trust)


def test_the_record_of_one_export_shows_nothing_of_another(home: Home) -> None:
    whole, _ = handed(home)
    some, _ = handed(home, "some", ["train"])
    shutil.copy(whole / "export.json", some / "export.json")
    with pytest.raises(Unverified, match=r"is not the file|not named"):
        checked(some, home.trust)


def test_that_there_was_nothing_is_said_by_the_journal_alone(home: Home) -> None:
    out, told = handed(home, kinds=["promote"])
    assert told.num_events == 0
    assert checked(out, home.trust).told == told
    (out / "export.json").unlink()
    with pytest.raises(Unverified, match=r"export\.json"):
        checked(out, home.trust)


def test_the_same_event_twice_is_found(home: Home) -> None:
    out, _ = handed(home)
    for name in ("events.jsonl", "proofs.jsonl"):
        _double(out / name)
    with pytest.raises(Unverified, match="line 2"):
        checked(out, home.trust)


def test_nothing_is_there_before_it_is_recorded_or_when_it_fails(home: Home) -> None:
    out = home.path / "out"
    before = sorted(home.path.iterdir())

    def fail(told: Exported) -> tuple[str, int]:
        assert not out.exists()
        raise Refused("the journal is full")

    with pytest.raises(Refused, match="full"):
        export(home.directory, home.trust, out, ALL, (), fail)
    assert sorted(home.path.iterdir()) == before
    handed(home)
    with pytest.raises(Refused, match="exists"):
        handed(home)
    assert checked(out, home.trust)


def test_what_is_not_signed_is_not_handed_out(home: Home) -> None:
    with Journal.open(home.directory, home.signer) as journal:
        head = home.head()
        journal.append(AuditEvent(Kind.READ, "ana", "audit"))
        journal.seal()
        (home.directory / "log-0000" / "checkpoint").write_text(head)
        with pytest.raises(HaloclineError, match="not signed yet"):
            handed(home)
        assert not (home.path / "out").exists()
        (home.directory / "log-0000" / "checkpoint").write_text(journal.seal())


def test_a_folder_that_is_no_export_is_told(home: Home, tmp_path: Path) -> None:
    out, _ = handed(home)
    for name in ("events.jsonl", "export.json"):
        (out / name).unlink()
    for folder in (out, tmp_path / "nowhere"):
        with pytest.raises(Refused, match="is no export"):
            checked(folder, home.trust)
    shutil.rmtree(out)
