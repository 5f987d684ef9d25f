"""A directory in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from halocline_governance.state import Store
from halocline_governance.state.directory import Directory
from tests.governance.directory_people import Recording


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/state/governance.sqlite")
    yield store
    store.close()


@pytest.fixture
def directory(store: Store) -> Directory:
    return Directory(store)


@pytest.fixture
def journal(store: Store) -> Recording:
    return Recording(store)
