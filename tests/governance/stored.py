"""What the laws of every database begin with; whoever inherits them gives its `url`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from halocline_governance.policy import Engine, open_engine
from halocline_governance.state import Store

FIRM = {"restricted_issuers": [], "competitors": [["alpha", "beta"], ["beta", "gamma"]]}


class Stored:
    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = Store(url)
        yield store
        store.close()


class Decided(Stored):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[Engine]:
        engine = open_engine("embedded", None, FIRM)
        yield engine
        engine.close()
