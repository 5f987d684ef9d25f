"""Crossings on sqlite: the laws of every database."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.governance.crossing_laws import CrossingLaws
else:
    if "crossing_laws" not in sys.modules:
        _spec = spec_from_file_location(
            "crossing_laws", Path(__file__).with_name("crossing_laws.py")
        )
        sys.modules["crossing_laws"] = module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules["crossing_laws"])
    CrossingLaws = sys.modules["crossing_laws"].CrossingLaws


class TestSqlite(CrossingLaws):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state/governance.sqlite"
