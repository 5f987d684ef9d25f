"""The bare distribution, a wheel without extras: it verifies a journal, without torch and Spark."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from halocline_governance.journal import Journal, Signer
from halocline_governance.records import AuditEvent, Kind

ABSENT = (
    "delta",
    "deltalake",
    "fastapi",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow",
    "pyspark",
    "torch",
)


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(root: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and what it depends on, at the lock's versions.

    They lie in uv's cache since set-up; only when that was emptied is the network asked.
    """
    environment = tmp_path_factory.mktemp("bare") / "venv"
    uv = root / ".venv/bin/uv"
    lock = root / "requirements.lock"
    subprocess.run([uv, "venv", "-q", "-p", sys.executable, environment], check=True)
    install = [uv, "pip", "install", "-q", "-p", environment / "bin/python", "-c", lock, wheel]
    if subprocess.run([*install, "--offline"], capture_output=True).returncode != 0:
        subprocess.run(install, check=True)
    return environment / "bin"


@pytest.fixture
def journal(tmp_path: Path) -> tuple[Path, Path]:
    """A journal of ten events and the public key to trust."""
    signer = Signer(Ed25519PrivateKey.generate())
    with Journal.open(tmp_path / "journal", signer) as journal:
        for number in range(10):
            journal.append(AuditEvent(Kind.READ, "ana", "analysis", {"number": number}))
    key = tmp_path / "journal.pub"
    key.write_text(signer.trust.line() + "\n")
    return tmp_path / "journal", key


def test_the_wheel_holds_branded_names_only(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.startswith("halocline")} == set()


def test_the_wheel_holds_what_is_read_at_run_time(root: Path, wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    package = root / "governance/halocline_governance"
    read = [*package.rglob("*.rego"), *package.rglob("data.yaml"), *package.rglob("*.safetensors")]

    assert read
    assert {str(path.relative_to(package.parent)) for path in read} - held == set()


def test_neither_torch_nor_spark_is_there(bare: Path) -> None:
    find = f"import importlib.util as u; print([n for n in {ABSENT} if u.find_spec(n)])"
    done = subprocess.run([bare / "python", "-c", find], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_it_verifies_a_journal_and_names_the_byte_that_was_flipped(
    bare: Path, journal: tuple[Path, Path], tmp_path: Path
) -> None:
    directory, key = journal
    verify = [bare / "halocline", "audit", "verify", directory, "--key", key]
    first = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert "verified" in first.stdout

    (segment,) = directory.glob("*/*.seg")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    second = subprocess.run(verify, cwd=tmp_path, capture_output=True, text=True)

    assert second.returncode == 1
    assert "NOT verified" in second.stdout
    assert f"FAILED {segment.parent.name}" in second.stdout


@pytest.mark.parametrize("command", [["--help"], ["policy", "--help"], ["token", "--help"]])
def test_help_answers(bare: Path, command: list[str]) -> None:
    done = subprocess.run([bare / "halocline", *command], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
