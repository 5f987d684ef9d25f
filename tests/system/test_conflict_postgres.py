"""Conflict classes on a real PostgreSQL: the laws of every database."""

from __future__ import annotations

import pytest

from tests.governance.conflict_laws import ConflictLaws

pytestmark = pytest.mark.system


class TestPostgres(ConflictLaws):
    @pytest.fixture
    def url(self, postgres: str) -> str:
        return postgres
