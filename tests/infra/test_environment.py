"""The environment: read once, unknown names refused, secrets not shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from halocline_governance.errors import Refused
from halocline_infra.environment import VARIABLES, from_env

ROOT = Path(__file__).parents[2]


def test_defaults() -> None:
    environment = from_env({})

    assert environment.home == Path("var").absolute()
    assert environment.policy == "auto"
    assert environment.token is None


def test_a_typing_error_is_an_error() -> None:
    with pytest.raises(Refused, match="HALOCLINE_HOEM"):
        from_env({"HALOCLINE_HOEM": "x"})


def test_the_token_is_not_shown() -> None:
    assert "s3cret" not in repr(from_env({"HALOCLINE_TOKEN": "s3cret"}))


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_documented(name: str) -> None:
    assert name in (ROOT / "docs" / "architecture.md").read_text()
    assert name in (ROOT / "README.md").read_text()
