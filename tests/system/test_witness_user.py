"""A journal set back by the user who writes it, before another user who kept its heads.

Both may read whatever is here, as the interpreter may lie where else only root goes; neither may
write what is not their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system

OWNER, WITNESS = 64_001, 64_002
HEADS = ("log-0000", "log-0001")

# As docs/audit.md has it.
AS = (
    "setpriv", "--reuid={0}", "--regid={0}", "--clear-groups", "--securebits=+no_setuid_fixup",
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search",
    "--bounding-set=-all,+dac_read_search",
)  # fmt: skip

WORK = """
import os, shutil, sys
from pathlib import Path
from halocline_governance import keys
from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind
home = Path(sys.argv[1])
pushed = Path(sys.argv[2]) if sys.argv[2] else None
signer = Signer(keys.ed25519(home / "journal.key"))
def write(count):
    opened = [Journal.open(home / "journal", signer, pushed) for _ in range(2)]
    for number in range(count):
        opened[number % 2].append(AuditEvent(Kind.READ, "ana", "audit", {"number": number}))
    for journal in opened:
        journal.close()
def keep(name="earlier"):
    shutil.copytree(home / "journal", home / name)
def set_back(name="earlier"):
    shutil.rmtree(home / "journal")
    shutil.copytree(home / name, home / "journal")
def fork():
    set_back()
    write(60)
def begin_anew():
    shutil.rmtree(home / "journal")
    write(60)
def remove_a_log():
    shutil.rmtree(home / "journal/log-0001")
def set_heads_back():
    for head in pushed.glob("log-*"):
        other = pushed / f".{head.name}"
        shutil.copyfile(home / "earlier" / head.name / "checkpoint", other)
        other.replace(head)
"""


@dataclass(frozen=True)
class Firm:
    """A home of the journal's user, a folder of the witness, and the key that both were given."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "home/journal"

    @property
    def kept(self) -> Path:
        return self.folder / "witness/kept"

    @property
    def key(self) -> Path:
        return self.folder / "journal.pub"

    def owner(self, doing: str, pushed: Path | None = None) -> subprocess.CompletedProcess[str]:
        script = [sys.executable, "-c", f"{WORK}\n{doing}", self.folder / "home", pushed or ""]
        return run(OWNER, *script)

    def witness(self, *words: object) -> tuple[int, Any]:
        """Its exit code, and what it said."""
        command = (sys.executable, "-m", "halocline_infra", "audit", *words, "--key", self.key)
        return told(run(WITNESS, *command, "--json"))

    def keep(self, *words: object) -> tuple[int, Any]:
        return self.witness("witness", self.journal, "--to", self.kept, *words)

    def verify(self, witness: Path | None) -> tuple[int, Any]:
        words = () if witness is None else ("--witness", witness)
        return self.witness("verify", self.journal, *words)

    def verify_alone(self, root: Path, witness: Path) -> tuple[int, Any]:
        script = root / "governance/verifier/verify_journal.py"
        command = (sys.executable, "-I", script, self.journal, self.key, "--witness", witness)
        return told(run(WITNESS, *command, "--json"))


def run(uid: int, *command: object) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HALOCLINE_HOME": "/nonexistent"}
    return subprocess.run(
        [*(word.format(uid) for word in AS), *map(str, command)],
        env=env, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str]) -> tuple[int, Any]:
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def done(of: subprocess.CompletedProcess[str]) -> None:
    assert of.returncode == 0, of.stderr


@contextmanager
def opened() -> Generator[Firm]:
    """Not under pytest's folder: that is closed to others than root."""
    folder = Path(tempfile.mkdtemp(prefix="halocline-witness-"))
    folder.chmod(0o711)
    for name, uid in (("home", OWNER), ("witness", WITNESS)):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, uid, uid)
    found = Firm(folder)
    try:
        done(found.owner("write(30); (home / 'journal.pub').write_text(signer.trust.text())"))
        shutil.copyfile(folder / "home/journal.pub", found.key)
        yield found
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Firm]:
    with opened() as firm:
        yield firm


@pytest.fixture
def firm() -> Iterator[Firm]:
    with opened() as firm:
        yield firm


def heads(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in HEADS}


@pytest.fixture(scope="module")
def witnessed(made: Firm) -> Firm:
    """The witness has kept its heads twice, the second time of a longer journal."""
    assert made.keep("--create")[0] == 0
    done(made.owner("keep(); write(30); keep('later')"))
    code, said = made.keep()
    assert (code, said["before"].keys()) == (0, set(HEADS))
    return made


@pytest.mark.parametrize("harm", ["set_back", "fork", "begin_anew", "remove_a_log"])
def test_what_its_user_does_to_the_journal_the_witness_finds(
    witnessed: Firm, root: Path, harm: str
) -> None:
    firm, kept = witnessed, heads(witnessed.kept)
    done(firm.owner("set_back('later')"))
    assert firm.verify_alone(root, firm.kept)[0] == 0
    done(firm.owner(f"{harm}()"))
    if harm != "remove_a_log":
        assert firm.verify(None)[0] == 0, "nothing in the journal itself shows it"
    for code, said in (firm.verify(firm.kept), firm.verify_alone(root, firm.kept)):
        assert code == 1
        assert "witness/log-0001" in {problem["place"] for problem in said["problems"]}
    code, said = firm.keep()
    assert code == 1
    assert "log-0001" in {problem["log"] for problem in said["problems"]}
    assert heads(firm.kept)["log-0001"] == kept["log-0001"]


def test_a_healthy_journal_is_as_the_witness_knows_it(witnessed: Firm) -> None:
    done(witnessed.owner("set_back('later')"))
    assert witnessed.verify(witnessed.kept)[0] == 0


@pytest.mark.parametrize(
    "act",
    [
        "(kept / 'log-0000').unlink()", "(kept / 'log-0000').write_text('')",
        "(home / 'journal.key').replace(kept / 'log-0000')", "(kept / 'log-0002').touch()",
        "kept.rename(home / 'kept')", "shutil.rmtree(kept)",
    ],
)  # fmt: skip
def test_the_witness_s_folder_is_closed_to_the_journal_s_user(witnessed: Firm, act: str) -> None:
    kept = heads(witnessed.kept)
    of = witnessed.owner(f"kept = home.parent / 'witness/kept'; {act}")
    assert "PermissionError" in of.stderr
    assert heads(witnessed.kept) == kept


def test_a_folder_that_the_journal_s_user_fills_holds_until_it_is_set_back_too(
    firm: Firm, root: Path
) -> None:
    """What `HALOCLINE_WITNESS` promises: the platform cannot go on, but its user can lie."""
    pushed = firm.folder / "pushed"
    pushed.mkdir()
    pushed.chmod(0o1777)
    assert firm.keep("--create")[0] == 0
    done(firm.owner("write(30)", pushed))
    done(firm.owner("keep(); write(30)", pushed))
    assert firm.keep()[0] == 0
    theirs = pushed / "copies"
    done(run(WITNESS, "cp", "-r", firm.kept, theirs))

    done(firm.owner("set_back()"))
    of = firm.owner("write(1)", pushed)
    assert "JournalCorrupt" in of.stderr
    for code, _ in (firm.verify(pushed), firm.verify_alone(root, pushed)):
        assert code == 1
    assert "PermissionError" in firm.owner("(pushed / 'copies/log-0000').unlink()", pushed).stderr
    assert "PermissionError" in firm.owner("shutil.rmtree(pushed / 'copies')", pushed).stderr

    done(firm.owner("set_heads_back()", pushed))
    assert firm.verify(pushed)[0] == firm.verify_alone(root, pushed)[0] == 0
    done(firm.owner("write(30)", pushed))
    for kept in (firm.kept, theirs):
        for code, said in (firm.verify(kept), firm.verify_alone(root, kept)):
            assert code == 1
            assert {problem["place"] for problem in said["problems"]} >= {"witness/log-0000"}
