"""What a regulator gets checks by itself, is what the journal says, and is there whole or not."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from halocline_governance.audit.export import Exported, checked, export
from halocline_governance.errors import HaloclineError, Refused, Unverified
from halocline_governance.journal import Journal, read, records
from halocline_governance.records import AuditEvent, Kind
from tests.governance.audit_world import Home

ALL = ("2026-01-01T00:00:00.000000Z", "9999-01-01T00:00:00.000000Z")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.write(40, logs=2)
    return found


def handed(home: Home, name: str = "out", kinds: Sequence[str] = ()) -> tuple[Path, Exported]:
    out = home.path / name
    told = export(home.directory, home.trust, out, ALL, kinds, lambda told: None)
    return out, told


def test_it_is_what_the_journal_says_word_for_word(home: Home) -> None:
    out, told = handed(home)
    payloads = [p for log in ("log-0000", "log-0001") for _, p in records(home.directory, log)]
    lines = (out / "events.jsonl").read_bytes()
    assert lines == b"".join(payload + b"\n" for payload in payloads)
    assert told.events_sha256 == hashlib.sha256(lines).hexdigest()
    assert checked(out, home.trust) == told.counts
    assert told.num_events == len(payloads)
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md", "checkpoints", "events.jsonl", "journal.pub", "proofs.jsonl",
    ]  # fmt: skip


def test_kinds_and_times_are_kept_to(home: Home) -> None:
    events = [event for _, _, event in read(home.directory)]
    times = sorted(event["ts"] for event in events)
    period = (times[10], times[-10])
    told = export(
        home.directory, home.trust, home.path / "some", period, ["read", "train"], lambda told: None
    )
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


def test_the_same_event_twice_is_found(home: Home) -> None:
    out, _ = handed(home)
    for name in ("events.jsonl", "proofs.jsonl"):
        _double(out / name)
    with pytest.raises(Unverified, match="line 2"):
        checked(out, home.trust)


def test_nothing_is_there_before_it_is_recorded_or_when_it_fails(home: Home) -> None:
    out = home.path / "out"
    before = sorted(home.path.iterdir())

    def fail(told: Exported) -> None:
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
    (out / "events.jsonl").unlink()
    for folder in (out, tmp_path / "nowhere"):
        with pytest.raises(Refused, match="is no export"):
            checked(folder, home.trust)
    shutil.rmtree(out)
