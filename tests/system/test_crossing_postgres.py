"""Crossings on a real PostgreSQL: the laws of every database."""

from __future__ import annotations

import pytest

from tests.governance.crossing_laws import CrossingLaws

pytestmark = pytest.mark.system


class TestPostgres(CrossingLaws):
    @pytest.fixture
    def url(self, postgres: str) -> str:
        return postgres
