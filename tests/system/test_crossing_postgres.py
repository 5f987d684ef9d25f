"""Crossings on a real PostgreSQL: the laws of every database."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytestmark = pytest.mark.system

if TYPE_CHECKING:
    from tests.governance.crossing_laws import CrossingLaws
else:
    if "crossing_laws" not in sys.modules:
        _spec = spec_from_file_location(
            "crossing_laws", Path(__file__).parents[1] / "governance/crossing_laws.py"
        )
        sys.modules["crossing_laws"] = module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules["crossing_laws"])
    CrossingLaws = sys.modules["crossing_laws"].CrossingLaws


class TestPostgres(CrossingLaws):
    @pytest.fixture
    def url(self, postgres: str) -> str:
        return postgres
