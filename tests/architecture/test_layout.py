"""Where things may lie: branded packages inside plain folders, short files, no stray packages."""

import subprocess
from pathlib import Path

MAX_LINES = 400


def test_component_folders_hold_one_branded_package_each(
    root: Path, components: list[Path]
) -> None:
    for package in components:
        assert package.name == f"halocline_{package.parent.name}"
        assert package.parent.parent == root
        assert (package / "py.typed").exists()
        assert [path.parent.name for path in package.parent.glob("*/__init__.py")] == [package.name]


def test_no_package_at_depth_one_nor_among_tests(root: Path) -> None:
    assert not list(root.glob("*/__init__.py"))
    assert not list((root / "tests").rglob("__init__.py"))


def test_files_are_short(sources: dict[Path, str]) -> None:
    lines = {str(path): source.count("\n") for path, source in sources.items()}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_test_files_have_names_of_their_own(root: Path) -> None:
    names = [path.name for path in (root / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def test_imports_obey_the_contracts(root: Path) -> None:
    done = subprocess.run(
        [root / ".venv/bin/lint-imports", "--no-cache"], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
