"""What every test may use: one seed, one scale, no network.

The seed is printed in the header; HALOCLINE_TEST_SEED repeats a run, Hypothesis' examples included.
HALOCLINE_TEST_SCALE=soak runs the tests that take `scale` at the sizes the benchmarks name.
"""

import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

SEED = pytest.StashKey[int]()

# Tests run without a network: no client may try to phone home or to look a model up on a hub.
OFFLINE = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ.update(OFFLINE)
    seed = int(os.environ.get("HALOCLINE_TEST_SEED") or secrets.randbelow(2**32))
    config.stash[SEED] = seed
    # The workers of a parallel run share both: names of tests may tell a set in its order.
    os.environ["HALOCLINE_TEST_SEED"] = os.environ["PYTHONHASHSEED"] = str(seed)
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(seed)
    settings.register_profile("small", deadline=None, print_blob=True, max_examples=100)
    settings.register_profile("soak", settings.get_profile("small"), max_examples=5000)
    settings.load_profile(_scale())


def pytest_report_header(config: pytest.Config) -> str:
    return f"scale {_scale()}, seed {config.stash[SEED]} (HALOCLINE_TEST_SEED repeats it)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At the soak scale, a test that takes `scale` is a soak test."""
    if _scale() == "soak":
        for item in items:
            if "scale" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def root() -> Path:
    """The clone this suite tests."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    return pytestconfig.stash[SEED]


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A generator of the test's own: the order in which tests run does not matter to it."""
    return random.Random(f"{seed}:{request.node.nodeid}")


@pytest.fixture(scope="session")
def scale() -> Callable[[object, object], object]:
    """`scale(small, soak)` is the one that this run asks for."""
    soak = _scale() == "soak"
    return lambda small, large: large if soak else small


def _scale() -> str:
    scale = os.environ.get("HALOCLINE_TEST_SCALE") or "small"
    if scale not in ("small", "soak"):
        raise pytest.UsageError(f"HALOCLINE_TEST_SCALE={scale}: it is small or soak")
    return scale
