"""The policies' own tests, what they reach, and what a new policy starts from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from halocline_governance.errors import Refused
from halocline_governance.policy.bundle import POLICIES
from halocline_governance.policy.coverage import measure, run, total
from halocline_governance.policy.lint import check
from halocline_governance.policy.scaffold import create, next_steps
from halocline_governance.policy.syntax import lint


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES, tmp_path / "policies")
    return tmp_path / "policies"


def test_our_own_tests_pass_and_reach_nearly_all(opa: Path) -> None:
    tests = run(opa)
    assert {one.passed for one in tests} == {True}
    assert {one.package for one in tests} == {
        f"data.halocline.{path.stem}" for path in POLICIES.glob("*/*_test.rego")
    }

    files = measure(opa)
    assert {file.file for file in files} == {
        f"{path.name}/{path.name}.rego" for path in POLICIES.iterdir() if path.is_dir()
    }
    assert [file for file in files if file.percent < 95] == []
    assert 95 <= total(files) <= 100


def test_what_no_test_reaches_is_missed(opa: Path, policies: Path) -> None:
    (policies / "cross/cross_test.rego").unlink()
    spare = policies / "spare"
    spare.mkdir()
    (spare / "spare.rego").write_text("package halocline.spare\n\nx := 1 if input.y\n")

    percents = {file.file: file.percent for file in measure(opa, policies)}

    assert percents["cross/cross.rego"] < 20
    assert percents["spare/spare.rego"] == 0


def test_a_failing_test_is_told(opa: Path, policies: Path) -> None:
    path = policies / "cross/cross_test.rego"
    path.write_text(path.read_text() + "\ntest_wrong if 1 == 2\n")

    failed = [one.name for one in run(opa, policies) if not one.passed]

    assert failed == ["test_wrong"]
    with pytest.raises(Refused, match="halocline policy test"):
        measure(opa, policies)


def test_what_cannot_be_tested_is_refused(opa: Path, policies: Path, tmp_path: Path) -> None:
    (policies / "cross/cross.rego").write_text("package halocline.cross\n\nx := \n")
    with pytest.raises(Refused, match="does not take"):
        run(opa, policies)
    with pytest.raises(Refused, match="no policy in it"):
        run(opa, tmp_path / "nothing")
    with pytest.raises(Refused, match="make setup"):
        run(None)
    with pytest.raises(Refused, match="cannot be started"):
        run(tmp_path / "no-opa")


def test_new_policies_pass_everything_and_deny_everything(opa: Path, tmp_path: Path) -> None:
    names, folder = ("export", "wire_transfer"), tmp_path / "new"
    for name in names:
        assert {path.name for path in create(name, folder)} == {
            *(f"{name}.rego", f"{name}_test.rego", "data.yaml", f"{name}.md"),
        }
        check(f"{name}/{name}.rego", (folder / name / f"{name}.rego").read_text())
        assert yaml.safe_load((folder / name / "data.yaml").read_text())["roles"] == {}
        page = (folder / name / f"{name}.md").read_text()
        assert f"`data.{name}.roles`" in page
        assert any(f"halocline policy test {folder}" in step for step in next_steps(name, folder))
    assert lint(opa, folder) == []
    for command in (["fmt", "--list", "--fail"], ["check", "--strict", POLICIES]):
        done = subprocess.run([opa, *command, folder], capture_output=True, check=False)
        assert done.returncode == 0, done
    tests = run(opa, folder)
    assert all(one.passed for one in tests)
    for name in names:
        own = {one.name for one in tests if name in one.package}
        assert "test_denies_everything_by_default" in own
    files = measure(opa, folder)
    assert {file.file for file in files} == {f"{name}/{name}.rego" for name in names}
    assert all(file.percent >= 95 for file in files)


def test_a_new_policy_overwrites_nothing(tmp_path: Path) -> None:
    create("export", tmp_path)
    with pytest.raises(Refused, match="there already"):
        create("export", tmp_path)


@pytest.mark.parametrize(
    "name", ["", "a", "Export", "../x", "a b", "x1", "firm", "system", "read_test"]
)
def test_a_new_policy_needs_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
