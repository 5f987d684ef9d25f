"""Conflict classes on sqlite: the laws of every database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.governance.conflict_laws import ConflictLaws


class TestSqlite(ConflictLaws):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state/governance.sqlite"
