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


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://u:s3cret@h/d", "postgresql+psycopg://h/d?password=s3cret"]
)
def test_the_database_s_password_is_no_variable(url: str) -> None:
    with pytest.raises(Refused, match="PASSWORD_FILE") as caught:
        from_env({"HALOCLINE_STATE": url})
    assert "s3cret" not in str(caught.value)


def test_development_tokens_are_for_installations_without_an_issuer() -> None:
    issuer = {"HALOCLINE_OIDC_ISSUER": "https://id.example.com"}

    assert from_env({}).dev_tokens
    assert not from_env(issuer).dev_tokens
    assert from_env({**issuer, "HALOCLINE_DEV_TOKENS": "accept"}).dev_tokens
    assert not from_env({"HALOCLINE_DEV_TOKENS": "refuse"}).dev_tokens
    with pytest.raises(Refused, match="refuse or accept"):
        from_env({**issuer, "HALOCLINE_DEV_TOKENS": "true"})
