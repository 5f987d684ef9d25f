"""Where the attacks run: one Spark session, and a planted lake that none of them changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Test folders are no packages: what these tests share is imported by its own name.
sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from bypass_world import Scene
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def attacked_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    from halocline_pipelines.spark import session

    scratch = tmp_path_factory.mktemp("spark")
    running = session(Path(sys.prefix) / "jars", scratch, master="local[2]", memory_gb=2)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def scene(
    attacked_spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """What an attacker of modes 1 and 2 stands in: a trusted job and all that it holds."""
    from bypass_world import opened

    with opened(tmp_path_factory.mktemp("world"), attacked_spark) as found:
        yield found
