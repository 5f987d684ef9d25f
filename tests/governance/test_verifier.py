"""The stand-alone verifier agrees with the platform's own on healthy and on damaged journals."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from halocline_governance.journal import Journal, Signer, Trust, segments, verify
from halocline_governance.records import AuditEvent, Kind
from tests.governance.journal_world import SIGNER as KEEPER
from tests.governance.journal_world import Log, signed
from tests.governance.verifier_alone import VERIFIER, verified, verifier

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
NEXT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def agreed(journal: Path, trust: Trust = SIGNER.trust, witness: Path | None = None) -> bool:
    """Whether it is whole; both must say the same of it, and name the same first place."""
    key = journal.parent / "key"
    key.write_text(trust.text())
    more = [] if witness is None else ["--witness", witness]
    ours, theirs = verify(journal, trust, witness=witness).as_json(), verified(journal, key, *more)
    assert ours["ok"] == theirs["ok"], (ours, theirs)
    if ours["ok"]:
        assert ours["logs"] == theirs["logs"]
        assert len(ours["unfinished"]) == len(theirs["unfinished"])
        return True
    places = [found["problems"][0]["place"].split(" (")[0] for found in (ours, theirs)]
    assert places[0] == places[1], (ours, theirs)
    return False


def event(number: int) -> AuditEvent:
    seen = {"n": number, "t": "ä\u2028", "f": number / 7, "x": "-" * (number % 50)}
    return AuditEvent(Kind.READ, "ana", "analysis", seen)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two logs of several segments each."""
    directory = tmp_path_factory.mktemp("written") / "journal"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "SEGMENT_BYTES", 1500)
        for _ in range(2):
            with Journal.open(directory, SIGNER) as one, Journal.open(directory, SIGNER) as two:
                for number in range(8):
                    one.append(event(number))
                    two.append(event(number))
    assert len(list(directory.glob("*/*.seg"))) > 4
    return directory


@pytest.fixture
def journal(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "journal")
    return tmp_path / "journal"


def test_a_healthy_journal(journal: Path) -> None:
    assert agreed(journal)
    command = [sys.executable, "-I", VERIFIER, journal, journal.parent / "key"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "verified"


def test_both_find_the_same_damage(
    journal: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    files = sorted(p for p in journal.rglob("*") if p.suffix == ".seg" or p.name == "checkpoint")
    found = 0
    for _ in range(scale(60, 5000)):
        path, other = rng.sample(files, 2)
        good, others = path.read_bytes(), other.read_bytes()
        at, to = rng.randrange(len(good)), rng.randrange(len(others))
        damages = [
            good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :],
            good[:at],
            good[:at] + good[at + rng.randrange(1, 400) :],
            good + good[at:],
            good[:at] + bytes(len(good) - at),
            good[:at] + others[to:],
            others,
            b"",
        ]
        path.write_bytes(damage := rng.choice(damages))
        is_whole = agreed(journal)
        found += not is_whole
        if is_whole and not good.startswith(damage):  # a cut at a frame's edge leaves nothing
            # Only what no head covers can look like a write that was cut short.
            assert verify(journal, SIGNER.trust).unfinished
        path.write_bytes(good)
    assert found > scale(50, 4500)
    assert agreed(journal)


def test_every_flipped_byte_is_found(
    journal: Path, rng: random.Random, scale: Callable[[int, int], int]
) -> None:
    files = sorted(p for p in journal.rglob("*") if p.suffix == ".seg" or p.name == "checkpoint")
    places = [(path, at) for path in files for at in range(path.stat().st_size)]
    for path, at in rng.sample(places, scale(25, len(places))):
        good = path.read_bytes()
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :])
        assert not agreed(journal), (path, at)
        path.write_bytes(good)


def test_a_changed_key_is_trusted_by_who_trusts_the_old_one(journal: Path) -> None:
    old, new = SIGNER, Signer(NEXT)
    handing = Signer(NEXT, older=old.trust, endorsements=(old.endorse(new.public),))
    with Journal.open(journal, handing) as continued:
        continued.append(event(1))

    assert agreed(journal, old.trust)
    assert agreed(journal, handing.trust)
    # The other log has no head by the new key, and says nothing of it.
    assert not agreed(journal, new.trust)
    with Journal.open(journal, handing), Journal.open(journal, handing):
        pass
    assert agreed(journal, new.trust)
    assert agreed(journal, old.trust)
    assert not agreed(journal, Signer(Ed25519PrivateKey.generate()).trust)


def test_a_journal_is_whole_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scale: Callable[[int, int], int]
) -> None:
    """Two logs, many segments, heads and siblings: what verifies was never refused."""
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 20_000)
    directory, stopping = tmp_path / "journal", threading.Event()
    (witness := tmp_path / "witness").mkdir()

    def write() -> None:
        while not stopping.is_set():
            with Journal.open(directory, SIGNER, witness=witness) as own:
                for number in range(100):
                    own.append(event(number))
                    if number % 10 == 0:
                        own.seal()

    Journal.open(directory, SIGNER, witness=witness).close()
    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    (key := tmp_path / "key").write_text(SIGNER.trust.text())
    try:
        for _ in range(scale(8, 400)):
            ours = verify(directory, SIGNER.trust, witness=witness)
            assert ours.ok, ours.problems
            theirs = verified(directory, key, "--witness", witness)
            assert theirs["ok"], theirs
    finally:
        stopping.set()
        for writer in writers:
            writer.join()
    assert agreed(directory, witness=witness)


def test_an_older_head_that_the_log_lacks_is_found(journal: Path, tmp_path: Path) -> None:
    notes = [path.read_text() for path in sorted(journal.glob("*/checkpoint"))]
    (tmp_path / "head").write_text(notes[1])
    (tmp_path / "key").write_text(SIGNER.trust.text())
    asked: list[str | Path] = [journal, tmp_path / "key", "--head", tmp_path / "head"]
    assert verify(journal, SIGNER.trust, heads=notes).ok
    assert verified(*asked)["ok"]

    shutil.rmtree(journal / "log-0000")
    shutil.move(journal / "log-0001", tmp_path / "log-0001")
    Journal.open(journal, SIGNER).close()
    assert agreed(journal)
    found = verify(journal, SIGNER.trust, heads=notes).problems
    assert [place for place, _ in found] == ["head 1", "head 2"]
    assert not verified(*asked)["ok"]


def test_an_older_head_names_its_journal(tmp_path: Path) -> None:
    log = Log("log-0000")
    log.put(tmp_path / "journal")
    (tmp_path / "key").write_text(KEEPER.trust.text())
    for origin, is_ok in (("halocline/log-0000", True), ("log-0000", False), ("x/log-0000", False)):
        note = signed(origin, 0, log.root(0))
        (tmp_path / "head").write_text(note)
        asked = [tmp_path / "journal", tmp_path / "key", "--head", tmp_path / "head"]
        assert verify(tmp_path / "journal", KEEPER.trust, heads=[note]).ok == is_ok
        assert verified(*asked)["ok"] == is_ok


def test_what_is_given_may_be_a_link(journal: Path, tmp_path: Path) -> None:
    """As a mounted secret is one."""
    (tmp_path / "text").write_text(SIGNER.trust.text())
    (tmp_path / "key").symlink_to("text")
    (tmp_path / "head").symlink_to(journal / "log-0000" / "checkpoint")
    assert verified(journal, tmp_path / "key", "--head", tmp_path / "head")["ok"]


def test_what_cannot_be_asked(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("")
    for arguments in ([], [journal], [journal, tmp_path / "none"], [journal, tmp_path / "missing"]):
        command = [sys.executable, "-I", VERIFIER, *arguments]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    (tmp_path / "witness").mkdir()  # of nothing: most likely another folder than was meant
    (tmp_path / "witness" / "notes").write_text("")
    (tmp_path / "key").write_text(SIGNER.trust.text())
    for witness in ("witness", "missing"):
        command = [sys.executable, "-I", VERIFIER, journal, tmp_path / "key"]
        command += ["--witness", tmp_path / witness]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert not agreed(tmp_path / "nowhere")


@given(
    st.floats(-(2**53), 2**53, exclude_min=True, exclude_max=True)
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.dictionaries(st.text(), st.text() | st.none() | st.booleans())
)
def test_its_canonical_form_is_that_of_rfc8785(value: Any) -> None:
    assert verifier().canonical(value).encode() == rfc8785.dumps(value)


def test_it_has_no_import_of_ours_and_stays_short() -> None:
    text = VERIFIER.read_text()

    assert "halocline_" not in text
    assert len(text.splitlines()) <= 300
