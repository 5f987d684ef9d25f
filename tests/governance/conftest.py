"""The real policy engines, opened once a session."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from halocline_governance.gates import Gate
from halocline_governance.policy import Engine, open_engine
from halocline_governance.policy.bundle import Bundle, collect
from tests.governance.oidc_issuer import world

__all__ = ["world"]  # a fixture, like those below

FIRM = {
    "restricted_issuers": ["initech"],
    "competitors": [["alpha", "beta"], ["beta", "gamma"]],
    "withdrawn_sources": ["recalled"],
}


@pytest.fixture(scope="session")
def opa() -> Path:
    """The OPA binary that set-up put beside Python, or else the one on PATH."""
    found = shutil.which("opa", path=str(Path(sys.prefix) / "bin")) or shutil.which("opa")
    assert found, "OPA is missing: run `make setup`"
    return Path(found)


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return collect(FIRM)


@pytest.fixture(scope="session")
def embedded() -> Iterator[Engine]:
    engine = open_engine("embedded", None, FIRM)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def served(opa: Path) -> Iterator[Engine]:
    engine = open_engine("opa", opa, FIRM)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def questions() -> dict[str, dict[str, object]]:
    """By gate, an input that the gate allows: the base of its vectors."""
    folder = Path(__file__).with_name("vectors")
    return {
        gate.value: json.loads((folder / f"{gate.value}.json").read_text())["input"]
        for gate in Gate
    }
