"""What no commit may hold: paths of one machine, hosts of one registry, keys, very large files."""

import re
import subprocess
from pathlib import Path

import pytest

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(home|root|Users|work)/[a-z]",
    "a registry's host": (
        r"pypi\.org/|pythonhosted\.org|repo1?\.maven\.|registry\.npmjs\.|proxy\.golang\.|"
        r"(index|static)\.crates\.io|--(extra-)?index-url[ =]"
    ),
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}",
}
MAX_WEIGHTS = 5_000_000
MAX_BYTES = 2**20


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    names = listed.stdout.decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def test_nothing_tracked_names_one_machine(root: Path, tracked: list[Path]) -> None:
    found = [
        f"{path.relative_to(root)}: {what}"
        for path in tracked
        if path != Path(__file__)
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, path.read_text(errors="replace"))
    ]
    assert found == []


def test_nothing_tracked_is_very_large(root: Path, tracked: list[Path]) -> None:
    large = [
        str(path.relative_to(root))
        for path in tracked
        if path.stat().st_size > (MAX_WEIGHTS if path.suffix == ".safetensors" else MAX_BYTES)
    ]
    assert large == []


def test_the_lock_pins_every_package_by_hash(root: Path) -> None:
    for lock in [root / "requirements.lock", *(root / "infra/setup").glob("*.lock")]:
        entries = re.findall(
            r"^\S+==\S+[^\n]*\n((?:    --hash=sha256:\S+.*\n)+)", lock.read_text(), re.M
        )
        assert len(entries) == len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE))
