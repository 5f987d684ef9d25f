"""Crossings on sqlite: the laws of every database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.governance.crossing_laws import CrossingLaws


class TestSqlite(CrossingLaws):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state/governance.sqlite"
