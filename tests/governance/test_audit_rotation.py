"""A change of key leaves, at every moment, a journal that opens and verifies; so says a witness."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.audit import rotation, witness
from halocline_governance.audit.question import Question
from halocline_governance.audit.search import in_log
from halocline_governance.errors import LeaseHeld, Refused, Unverified
from halocline_governance.journal import Journal, Signer, Trust
from halocline_governance.lake.lease import locked
from halocline_governance.records import AuditEvent, Kind
from tests.governance.audit_world import Home

KILLED = """
import os, sys
from pathlib import Path
from halocline_governance.audit import rotation

left = int(sys.argv[2])

def audit(event, arguments):
    global left
    if event in ("open", "os.rename", "os.link", "os.remove") and sys.argv[1] in str(arguments):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)

sys.addaudithook(audit)
rotation.change(Path(sys.argv[1]))
print("changed")
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.write(5, logs=2)
    return found


def test_who_trusts_the_old_key_trusts_what_it_vouched_for(home: Home) -> None:
    before, first, new = home.trust, home.head(), ""
    for _ in range(3):
        old, new = rotation.change(home.keys)
        assert home.signer.trust.line() == new != old
        done = rotation.hand_over(home.directory, home.signer)
        assert (done.signed, done.held) == (("log-0000", "log-0001"), ())
        home.write(2)
    assert home.problems() == home.problems(before) == ()
    assert home.problems(home.signer.trust) == ()
    with pytest.raises(Unverified):
        Trust.parse(new).open(first)
    assert home.trust.open(first).size


def test_a_log_that_is_held_signs_with_its_own_key_until_it_is_opened_again(home: Home) -> None:
    held = Journal.open(home.directory, home.signer)
    old, new = rotation.change(home.keys)
    done = rotation.hand_over(home.directory, home.signer)
    assert (done.signed, done.held) == (("log-0001",), ("log-0000",))
    held.append(AuditEvent(Kind.READ, "ana", "audit"))
    held.seal()
    Trust.parse(old).open(home.head())
    assert home.problems() == ()
    with pytest.raises(Refused, match="log-0000"):
        rotation.retire(home.keys, home.directory)
    held.close()
    home.write()
    assert rotation.retire(home.keys, home.directory) == (old,)
    assert home.trust.text() == f"{new}\n"
    home.write(3, logs=2)
    assert home.problems() == ()


def test_killed_between_any_two_steps_the_journal_opens_and_verifies(
    tmp_path: Path, scale: Callable[[int, int], int]
) -> None:
    seed = Home(tmp_path / "seed")
    seed.write(2)
    changed, at = False, 0
    while not changed:
        home = Home(shutil.copytree(seed.path, tmp_path / f"home-{at}"))
        before = home.trust.line()
        done = subprocess.run(
            [sys.executable, "-c", KILLED, home.keys, str(at)], capture_output=True, text=True
        )
        changed = "changed" in done.stdout
        assert changed or done.returncode == -9, done.stderr
        home.write()
        assert home.problems() == ()
        assert home.problems(Trust.parse(before)) == ()
        rotation.change(home.keys)
        rotation.hand_over(home.directory, home.signer)
        home.write()
        assert home.problems() == home.problems(Trust.parse(before)) == ()
        assert not (home.keys / rotation.NEXT).exists()
        at += scale(5, 1)
    assert at > 10


def test_two_do_not_change_it_at_once(home: Home) -> None:
    with locked(home.keys / ".rotation", "the key"), pytest.raises(LeaseHeld):
        rotation.change(home.keys)


def test_the_newest_records_of_a_killed_process_get_a_head(home: Home) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path; from tests.governance.audit_world import *\n"
        "home = Home(Path(sys.argv[1])); journal = Journal.open(home.directory, home.signer)\n"
        "journal.append(AuditEvent(Kind.READ, 'ana', 'audit')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, home.path, Path(__file__).parents[2]], check=False)
    log = home.directory / "log-0000"
    last = next(in_log(log, Question()))
    assert last.event["subject"] == "ana"
    assert rotation.signed(log) <= last.seq
    rotation.settle(home.directory, home.signer)
    assert rotation.signed(log) > last.seq
    assert home.problems() == ()


def test_a_witness_keeps_what_continues_what_it_kept(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    trust = home.trust
    sizes = dict[str, int]()
    for number in range(3):
        done = witness.keep(home.directory, trust, folder, create=not number)
        assert done.problems == ()
        assert done.before == sizes
        sizes = dict(done.kept)
        assert (folder / "log-0000").read_text() == home.head()
        home.write(3, logs=2)
        rotation.change(home.keys)  # it need not be told: the old key vouched
        rotation.hand_over(home.directory, home.signer)


def _set_back(home: Home) -> None:
    shutil.rmtree(home.directory)
    shutil.copytree(home.path / "earlier", home.directory)


def _forked(home: Home) -> None:
    _set_back(home)
    home.write(30)


def _removed(home: Home) -> None:
    shutil.rmtree(home.directory / "log-0000")


def _beheaded(home: Home) -> None:
    (home.directory / "log-0000" / "checkpoint").unlink()


def _by_another_key(home: Home) -> None:
    shutil.rmtree(home.directory)
    stranger = Signer(Ed25519PrivateKey.generate())
    for journal in [Journal.open(home.directory, stranger) for _ in range(2)]:
        for _ in range(20):
            journal.append(AuditEvent(Kind.READ, "ana", "audit"))
        journal.close()


@pytest.mark.parametrize("harm", [_set_back, _forked, _removed, _beheaded, _by_another_key])
def test_a_witness_never_goes_back_on_a_head(
    home: Home, tmp_path: Path, harm: Callable[[Home], None]
) -> None:
    folder = tmp_path / "witness"
    shutil.copytree(home.directory, home.path / "earlier")
    home.write(4)
    assert witness.keep(home.directory, home.trust, folder, create=True).problems == ()
    before = (folder / "log-0000").read_text()
    harm(home)
    for _ in range(2):
        done = witness.keep(home.directory, home.trust, folder)
        assert [log for log, _ in done.problems][:1] == ["log-0000"]
        assert (folder / "log-0000").read_text() == before


def test_a_witness_of_nothing_is_refused(tmp_path: Path) -> None:
    trust = Signer(Ed25519PrivateKey.generate()).trust
    with pytest.raises(Refused, match="no journal"):
        witness.keep(tmp_path / "journal", trust, tmp_path / "witness", create=True)
    assert not (tmp_path / "witness").exists()
    (tmp_path / "witness").mkdir()
    with pytest.raises(Refused, match="no journal"):
        witness.keep(tmp_path / "journal", trust, tmp_path / "witness")


def test_a_mistyped_folder_makes_no_new_witness(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    with pytest.raises(Refused, match="--create"):
        witness.keep(home.directory, home.trust, folder)
    assert not folder.exists()
    witness.keep(home.directory, home.trust, folder, create=True)
    with pytest.raises(Refused, match="there already"):
        witness.keep(home.directory, home.trust, folder, create=True)
    (folder / "log-0000").unlink()
    os.mkfifo(folder / "log-0000")
    ((log, what),) = witness.keep(home.directory, home.trust, folder).problems
    assert (log, "plain" in what) == ("log-0000", True)
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "no" / "where"):
        for create in (False, True):
            with pytest.raises(Refused, match="there"):
                witness.keep(home.directory, home.trust, wrong, create=create)


def test_the_old_key_is_gone_and_the_new_one_private(home: Home) -> None:
    before = (home.keys / "journal.key").read_bytes()
    rotation.change(home.keys)
    for path in home.keys.iterdir():
        assert before not in path.read_bytes()
    assert (home.keys / "journal.key").stat().st_mode & 0o077 == 0
