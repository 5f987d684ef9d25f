"""Every gate has its quartet: policy, test beside it, data, page. And nothing else decides."""

import re
from pathlib import Path

import pytest

from halocline_governance.gates import QUESTIONS, Gate


@pytest.fixture
def policies(root: Path) -> Path:
    return root / "governance/halocline_governance/policies"


@pytest.mark.parametrize("gate", list(Gate))
def test_a_gate_has_its_quartet(gate: Gate, root: Path, policies: Path) -> None:
    folder = policies / gate
    policy = (folder / f"{gate}.rego").read_text()

    assert re.search(rf"^package halocline\.{gate}$", policy, re.MULTILINE)
    assert re.search(r"^# METADATA$", policy, re.MULTILINE)
    assert re.search(r"^(default )?decision\b", policy, re.MULTILINE)
    assert (folder / "data.yaml").exists()
    assert "test_" in (folder / f"{gate}_test.rego").read_text()
    assert (root / f"docs/policies/{gate}.md").exists()
    assert QUESTIONS[gate].endswith("?")


def test_only_gates_decide(policies: Path) -> None:
    for policy in policies.rglob("*.rego"):
        if not policy.stem.endswith("_test") and policy.stem not in set(Gate):
            assert not re.search(r"^(default )?decision\b", policy.read_text(), re.MULTILINE)


def test_path_is_package_and_has_a_test(policies: Path) -> None:
    for policy in policies.rglob("*.rego"):
        name = policy.parent.name
        assert policy.stem in (name, f"{name}_test")
        assert (policy.parent / f"{name}_test.rego").exists(), name


def test_every_page_has_its_policy(root: Path, policies: Path) -> None:
    pages = {page.stem for page in (root / "docs/policies").glob("*.md")} - {"README"}
    assert set(Gate) <= pages <= {folder.name for folder in policies.iterdir()}


def test_the_architecture_names_every_gate(root: Path) -> None:
    page = (root / "docs/architecture.md").read_text()
    assert [gate for gate in Gate if not re.search(rf"\| `?{gate}`? \|", page)] == []
