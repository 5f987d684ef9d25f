"""The stand-alone verifier agrees with the writer's own on healthy and on damaged journals."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer, verify
from halocline_governance.records import AuditEvent, Kind

VERIFIER = Path(__file__).parents[2] / "governance" / "verifier" / "verify_journal.py"
SIGNER = Signer(Ed25519PrivateKey.generate())


def standalone(journal: Path, key: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", VERIFIER, journal, key], capture_output=True, text=True, check=False
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    for _ in range(2):
        with (
            Journal.open(tmp_path / "j", SIGNER) as one,
            Journal.open(tmp_path / "j", SIGNER) as two,
        ):
            for number in range(6):
                one.append(AuditEvent(Kind.READ, "ana", "analysis", {"n": number, "t": "ä\u2028"}))
                two.append(AuditEvent(Kind.READ, "bo", "analysis", {"n": number}))
    (tmp_path / "key").write_text(SIGNER.trust.line())
    return tmp_path / "j"


def test_a_healthy_journal(journal: Path, tmp_path: Path) -> None:
    done = standalone(journal, tmp_path / "key")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "verified"


def test_both_find_the_same_damage(journal: Path, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = sorted(p for p in journal.rglob("*") if p.suffix == ".seg" or p.name == "checkpoint")
    for _ in range(12):
        path = rng.choice(files)
        good = path.read_bytes()
        at = rng.randrange(len(good))
        damage = rng.choice(
            [
                good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :],
                good[:at],
                good[:at] + good[at + rng.randrange(1, 40) :],
                good + good[at:],
            ]
        )
        path.write_bytes(damage)
        ours, theirs = verify(journal, SIGNER.trust), standalone(journal, tmp_path / "key")
        path.write_bytes(good)
        assert ours.ok == (theirs.returncode == 0), (path.name, at, ours, theirs.stdout)


def test_it_has_no_import_of_ours_and_stays_short() -> None:
    text = VERIFIER.read_text()

    assert "halocline_" not in text
    assert len(text.splitlines()) <= 300
