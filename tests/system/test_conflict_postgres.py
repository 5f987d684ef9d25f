"""Conflict classes on a real PostgreSQL: the laws of every database."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytestmark = pytest.mark.system

if TYPE_CHECKING:
    from tests.governance.conflict_laws import ConflictLaws
else:
    if "conflict_laws" not in sys.modules:
        _spec = spec_from_file_location(
            "conflict_laws", Path(__file__).parents[1] / "governance/conflict_laws.py"
        )
        sys.modules["conflict_laws"] = module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules["conflict_laws"])
    ConflictLaws = sys.modules["conflict_laws"].ConflictLaws


class TestPostgres(ConflictLaws):
    @pytest.fixture
    def url(self, postgres: str) -> str:
        return postgres
