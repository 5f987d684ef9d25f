"""Set-up on machines that lack something: the real script, on a PATH made for the test.

Each lack is told before anything is downloaded, with the command that mends it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

JAVA_17 = """#!/bin/sh
case "$1" in
-version) echo 'openjdk version "17.0.15" 2025-04-15' >&2 ;;
--list-modules) echo jdk.incubator.vector@17.0.15 ;;
esac
"""
JAVA_11 = JAVA_17.replace("17.0.15", "11.0.2")
JAVA_8 = JAVA_17.replace("17.0.15", "1.8.0_392")
JAVA_TRIMMED = JAVA_17.replace("jdk.incubator.vector", "java.base")
# Commands of the base system that set-up's first step, a shell script, stands on.
BASE = ("dirname", "sh")

Stub = Callable[[str, str], Path]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The only folder on PATH: a base system and a Python, nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASE:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


@pytest.fixture
def stub(bare: Path) -> Stub:
    def write(name: str, script: str) -> Path:
        path = bare / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def run(bare: Path, root: Path, tmp_path: Path) -> Run:
    """Set-up of a copy without an environment; nothing outside the copy is touched."""
    clone = tmp_path / "clone"
    shutil.copytree(root / "infra/setup", clone / "infra/setup")

    def start(*options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        script = clone / "infra/setup/run"
        env = {"PATH": str(bare), "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [script, *options],
            env=env | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode != 0:
            assert not (clone / ".venv/bin").exists()
        return done

    return start


def test_no_java_is_told_within_a_second(run: Run) -> None:
    seconds: list[float] = []
    for _ in range(3):
        started = time.monotonic()
        done = run()
        seconds.append(time.monotonic() - started)
        assert done.returncode == 1
        assert "Nothing was downloaded" in done.stderr
        assert "Java 17 or newer: none on PATH" in done.stderr
        assert "Install a JRE of version 17" in done.stderr
    assert min(seconds) < 1


def test_the_advice_is_the_command_of_this_system(run: Run, stub: Stub) -> None:
    stub("dnf", "#!/bin/sh\n")
    assert "sudo dnf install java-17-openjdk-headless" in run().stderr


@pytest.mark.parametrize(("java", "told"), [(JAVA_11, "Java 11.0.2"), (JAVA_8, "Java 1.8.0_392")])
def test_an_old_java_is_refused(run: Run, stub: Stub, java: str, told: str) -> None:
    stub("java", java)

    done = run()

    assert done.returncode == 1
    assert told in done.stderr


def test_a_trimmed_java_is_refused(run: Run, stub: Stub) -> None:
    stub("java", JAVA_TRIMMED)

    done = run()

    assert done.returncode == 1
    assert "lacks the module jdk.incubator.vector" in done.stderr


def test_java_home_counts_before_path(run: Run, stub: Stub, tmp_path: Path) -> None:
    """Spark starts JAVA_HOME's Java, so a good one on PATH does not help."""
    stub("java", JAVA_17)
    home = tmp_path / "old"
    (home / "bin").mkdir(parents=True)
    shutil.copy(stub("java11", JAVA_11), home / "bin/java")

    done = run("--check", JAVA_HOME=str(home))

    assert done.returncode == 1
    assert "Point JAVA_HOME at a Java 17 or newer, or unset it" in done.stderr
    assert "Java 17.0.15" in run("--check", "--disk-gb", "0.001").stderr


def test_root_on_debian_gets_a_java_and_is_told(run: Run, stub: Stub, bare: Path) -> None:
    """A stand-in for apt-get, which lacks the first package and leaves a Java for the second.

    Anybody but root is given the command instead.
    """
    java = stub("java17", JAVA_17)
    cp = shutil.which("cp")
    stub(
        "apt-get",
        "#!/bin/sh\n"
        'for last; do :; done; case "$last" in\n'
        "openjdk-17-jre-headless) echo E: no such package; exit 100 ;;\n"
        f"openjdk-21-jre-headless) {cp} {java} {bare}/java ;;\n"
        "esac\n",
    )

    done = run("--check", "--disk-gb", "0.001")

    if os.geteuid() != 0:
        assert "sudo apt-get install openjdk-17-jre-headless" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert "as root, installing Debian's headless JRE" in done.stderr
    assert "openjdk-17-jre-headless is not to be had" in done.stderr
    assert "installed openjdk-21-jre-headless" in done.stderr


def test_a_python_without_venv_is_told(run: Run, stub: Stub, tmp_path: Path) -> None:
    """Debian's Python without python3-venv has no ensurepip."""
    stub("java", JAVA_17)
    hook = tmp_path / "site/sitecustomize.py"
    hook.parent.mkdir()
    hook.write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ensurepip':\n"
        "            sys.meta_path[:] = [f for f in sys.meta_path if f is self]\n"
        "        return None\n"
        "sys.meta_path.insert(0, Absent())\n"
    )

    done = run("--check", PYTHONPATH=str(hook.parent))

    assert done.returncode == 1
    assert "the venv module of Python" in done.stderr
    assert "sudo apt-get install python3-venv" in done.stderr


def test_a_small_disk_is_told(run: Run, stub: Stub) -> None:
    stub("java", JAVA_17)

    done = run("--disk-gb", "1e6")

    assert done.returncode == 1
    assert "set-up needs 1000000 GB" in done.stderr


def test_every_lack_is_told_at_once(run: Run) -> None:
    done = run("--disk-gb", "1e6")

    assert "disk space" in done.stderr
    assert "Java 17" in done.stderr


def test_an_old_python_is_refused(run: Run, stub: Stub, bare: Path) -> None:
    old = stub("python3.9", "#!/bin/sh\nexit 1\n")

    named = run("--check", PYTHON=str(old))
    (bare / "python3").unlink()
    none = run("--check")

    assert named.returncode == none.returncode == 2
    assert f"PYTHON={old} is not a Python 3.11 or newer" in named.stderr
    assert "none was found on PATH" in none.stderr


def test_a_newer_python_beside_an_old_one_is_found(run: Run, stub: Stub, bare: Path) -> None:
    (bare / "python3").rename(bare / "python3.12")
    stub("python3", "#!/bin/sh\nexit 1\n")
    stub("java", JAVA_17)

    assert run("--check", "--disk-gb", "0.001").returncode == 0
